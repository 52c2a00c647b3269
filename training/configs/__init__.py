"""Training configurations: one commented Python file each.

A file defines two dictionaries:

    network   the sizes of the network, fields of network.Config
    training  defaults for the options of training.train

`--config tiny` reads winwin_tiny.py; `--config path/to/mine.py` reads another file. Command-line options override both.
"""
import glob
import os
import runpy

FOLDER = os.path.dirname(__file__)


def names():
    """Names of the configurations in this folder: ["small", "tiny"]."""
    return sorted(os.path.basename(p)[len("winwin_"):-len(".py")] for p in glob.glob(os.path.join(FOLDER, "winwin_*.py")))


def load(name):
    """The dictionaries (network, training) of a configuration. ValueError if it does not exist or lacks one of them."""
    path = name if name.endswith(".py") else os.path.join(FOLDER, f"winwin_{name}.py")
    if not os.path.exists(path):
        raise ValueError(f"no configuration {name}: choose one of {', '.join(names())}, or name a .py file")
    values = runpy.run_path(path)
    missing = [key for key in ("network", "training") if not isinstance(values.get(key), dict)]
    if missing:
        raise ValueError(f"{path}: does not define the dictionary {missing[0]}")
    return values["network"], values["training"]
