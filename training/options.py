"""Options of training.train (and training.cost): the command line over the configuration file."""
import argparse
import ast
import dataclasses

import torch

from training import configs, network, tasks, textures

LENGTHS = ("budget", "budget_steps", "minutes", "steps")


def parser(description):
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", default="tiny", help=f"configuration: {', '.join(configs.names())}, or the path of a .py file (default: tiny)")
    p.add_argument("--network", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="network sizes that differ from the configuration, e.g. width=192 'steps=(2, 2, 2)'")
    p.add_argument("--task", default="flow", choices=sorted(tasks.TASKS))
    p.add_argument("--out", default="runs/tiny", help="folder of the run; a checkpoint in it is resumed")
    p.add_argument("--init", metavar="CHECKPOINT", help="start a new run from the weights of a checkpoint (a file, or a folder of checkpoint.part*): "
                   "tensors of the same name and shape are copied; optimiser and schedule start afresh")
    p.add_argument("--only", type=lambda text: text.split(","), metavar="PART,...", help="train only these parameters, e.g. decoder.step4,decoder.step2: names, or what names begin with. All others keep their values, so a step costs less")

    p.add_argument("--budget", type=float, help="minutes of the whole schedule (learning rate and motion range), all legs together; "
                   "default: the schedule ends with this leg (--minutes, --steps), or the configuration's budget if no length is given")
    p.add_argument("--budget-steps", type=int, help="the same in steps; a run with a budget in steps alone is reproducible")
    p.add_argument("--minutes", type=float, help="end this leg after so many minutes")
    p.add_argument("--steps", type=int, help="end this leg after so many steps")
    p.add_argument("--cpu-time", action="store_true", help="count minutes of CPU time, to compare runs on a busy machine")
    p.add_argument("--restart-schedule", action="store_true", help="resume the weights and start the schedule again")

    p.add_argument("--batch", type=int, default=4, help="samples of the first shape in a batch; other shapes get as many pixels")
    p.add_argument("--accumulate", type=int, default=1, help="batches whose gradients are added up in one step")
    p.add_argument("--shapes", type=shapes, default=shapes("2x128x128,2x128x128,1x192x256"), help="windows as NxHxW,...; one shape is drawn for each batch")
    p.add_argument("--token-shapes", type=shapes, default=[], help="windows of batches that train matching and the transformer only, which costs a third to a half for a pixel: larger ones than --shapes")
    p.add_argument("--token-share", type=float, default=0.5, help="share of the batches that are of --token-shapes (default: %(default)s)")
    p.add_argument("--frame", type=size, metavar="WxH", help="size of the virtual frames (default: one of windows.FRAMES for each batch)")
    p.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    p.add_argument("--average", type=float, default=0.998, help="decay of the averaged weights in each step: 0.998 averages over some 500 steps (default: %(default)s)")
    p.add_argument("--textures", default=textures.DEFAULT, help="folder of texture images, or an atlas (default: %(default)s)")
    p.add_argument("--limit", type=int, help="use at most so many textures")
    p.add_argument("--data", metavar="NAME=DIR,...", help="real data sets to mix in, e.g. sintel=DIR,chairs=DIR (flow only); see training/datasets.py for the names")
    p.add_argument("--data-share", type=float, default=0.3, help="share of the batches that come from --data (default: %(default)s)")
    p.add_argument("--one-way", action="store_true", help="train from frame 1 to frame 2 only; default: also from frame 2 to frame 1, with the same features")
    p.add_argument("--seed", type=int, default=1)

    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--precision", default="auto", choices=("auto", "bf16", "fp32"), help="auto: bf16 on a GPU and on a CPU with bfloat16 instructions (AMX, AVX-512 BF16)")
    p.add_argument("--prefetch", action=argparse.BooleanOptionalAction, help="render the next batch while a step is computed (default: on a GPU)")
    p.add_argument("--compile", action="store_true", help="compile the renderer with torch.compile (PyTorch 2)")
    p.add_argument("--threads", type=int, default=0, help="threads of each process (default: PyTorch's choice)")
    p.add_argument("--processes", type=int, default=1, help="processes on this machine, as torchrun starts them; faster on a CPU than threads")
    p.add_argument("--evaluate-every", type=float, default=10, help="minutes between evaluations on whole frames (default: %(default)s)")
    p.add_argument("--evaluate-on", type=int, default=12, help="number of synthetic frames in an evaluation (default: %(default)s)")
    return p


def shapes(text):
    """"2x128x128,1x192x256" as [(windows, height, width), ...]; sides are multiples of PATCH."""
    found = [tuple(int(x) for x in s.split("x")) for s in text.split(",")]
    if any(len(s) != 3 or min(s) < 1 or s[1] % network.PATCH or s[2] % network.PATCH for s in found):
        raise argparse.ArgumentTypeError(f"{text}: write windows x height x width, e.g. 2x128x128, with sides that are multiples of {network.PATCH}")
    return found


def size(text):
    """"640x480" as (640, 480)."""
    width, height = (int(x) for x in text.split("x"))
    return width, height


def sizes(given):
    """["width=192", ...] as a dictionary; a value is a Python literal, or text."""
    out = {}
    for pair in given:
        name, _, value = pair.partition("=")
        try:
            out[name] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            out[name] = value
    return out


def parse(description, argv=None):
    """Options as a namespace; `network` is a network.Config. Ends the program with a message if an option is wrong."""
    p = parser(description)
    given = p.parse_args(argv)
    try:
        config, defaults = configs.load(given.config)
    except ValueError as error:
        p.error(str(error))
    known = vars(given)
    unknown = [key for key in defaults if key not in known]
    if unknown:
        p.error(f"configuration {given.config}: training.train has no option {unknown[0]}")
    if any(known[key] is not None for key in LENGTHS):  # one length on the command line replaces all of the configuration
        defaults = {key: value for key, value in defaults.items() if key not in LENGTHS}
    p.set_defaults(**defaults)
    args = p.parse_args(argv)
    if all(getattr(args, key) is None for key in LENGTHS):
        p.error("the run has no length: give --budget, --budget-steps, --minutes or --steps")
    if args.data and args.task != "flow":
        p.error("--data holds flow only: it cannot be used with --task " + args.task)
    fields = {**config, **sizes(args.network)}
    names = [f.name for f in dataclasses.fields(network.Config)]
    for name in fields:
        if name not in names:
            p.error(f"the network has no size {name}: choose from {', '.join(names)}")
    args.network = network.Config(**fields)
    return args
