"""Checkpoint files. A file is written under a temporary name and renamed, so that an interruption never leaves half a file.

A checkpoint is a dictionary: model, ema (weights), optimiser, state (the counters of training.run), random (one Randomness.state for each
process), network (fields of network.Config), config (the network's name), task, options (of training.train). Early checkpoints name their
configuration and hold neither network, random nor options; checkpoints in parts hold no random state, and most no model and no optimiser.
"""
import glob
import io
import os

import torch

from training import configs, network, warm_start


def save(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".tmp", "wb") as f:
        torch.save(content, f)
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)


def load(path, device="cpu"):
    """The checkpoint at `path`: a file, or a folder of checkpoint.part* (see training/parts.py). FileNotFoundError if there is none."""
    source = path
    if os.path.isdir(path):
        parts = sorted(glob.glob(os.path.join(path, "checkpoint.part*")))
        if not parts:
            raise FileNotFoundError(f"{path}: no checkpoint.part* in this folder")
        source = io.BytesIO(b"".join(open(p, "rb").read() for p in parts))
    try:
        saved = torch.load(source, map_location=device, weights_only=False)
    except TypeError:  # PyTorch before 1.13
        saved = torch.load(source, map_location=device)
    if "network" not in saved:
        saved["network"] = configs.load(saved["config"])[0]
    saved["network"] = present_sizes(saved["network"], saved["ema"])
    return saved


def present_sizes(sizes, weights):
    """A network's sizes as network.Config has them now, from those of a checkpoint of this or an earlier version and its weights."""
    sizes, names = dict(sizes), [warm_start.present_name(name) for name in weights]
    has = lambda part: any(name.startswith(f"decoder.{part}") for name in names)
    if has("matching.query.") and not has("matching.narrow_query."):  # from before tokens were compared in fewer channels
        match = sizes.get("match", network.Config.match)
        sizes["compared"] = 3 * match, match  # as many as there are: the new projections are rotations, and the results stay
    if isinstance(sizes.get("inside"), int):  # once one number, and inside an update there were as many channels as in the state
        sizes["inside"] = ((sizes["inside"], max(sizes["hidden"]), sizes["inside"]),) * 3
    if has("step8.") and max(sizes.get("steps", network.Config.steps)) > 1 and not has("later"):  # from before later rounds had steps of their own
        sizes["later"] = ()
    return sizes


def full_precision(weights):
    """Weights with floating-point tensors as float32."""
    return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}


def load_average(path):
    """The flow network with a checkpoint's averaged weights, in evaluation mode: what ships. And the checkpoint itself. ValueError if it is of an earlier
    version of the network with other sizes."""
    saved = load(path)
    net = network.WinWin(network.Config(**saved["network"]))
    warm_start.load_whole(net, saved["ema"])
    return net.eval(), saved


def start_from(net, saved):
    """Copy the averaged weights of a checkpoint of this or an earlier version of the network into `net`, where they fit (training/warm_start.py).
    Returns (copied, all) as numbers of tensors. ValueError if nothing fits."""
    total = len(net.state_dict())
    new, _ = warm_start.load(net, saved["ema"])
    if len(new) == total:
        raise ValueError("the checkpoint has no tensor with a name and shape of this network")
    return total - len(new), total
