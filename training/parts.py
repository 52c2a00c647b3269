"""Small copies of a checkpoint, to commit it or to carry it to another machine: averaged weights in half precision, in files of at most 16 MiB.

    python3 -m training.parts pack runs/tiny/checkpoint.pt models/winwin-tiny
    python3 -m training.parts join models/winwin-tiny runs/tiny/checkpoint.pt

A run that resumes from the joined file starts from the averaged weights with a fresh optimiser. With `pack --resume` the present weights and
the optimiser's state are in the parts too, four times as large, and the run goes on in the middle of its schedule.
"""
import argparse
import glob
import io
import os

import torch

from training import checkpoint

LIMIT = 16 * 2**20 - 4096  # bytes of a part


def half(weights):
    """Weights with floating-point tensors as float16."""
    return {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}


def converted(optimiser, dtype):
    """An optimiser's state with its moments (all tensors but the step numbers) as `dtype`."""
    convert = lambda v: v.to(dtype) if torch.is_tensor(v) and v.dim() else v
    return {**optimiser, "state": {number: {k: convert(v) for k, v in state.items()} for number, state in optimiser["state"].items()}}


def pack(path, folder, resume=False):
    """Write folder/checkpoint.part00, ...; older parts are removed. resume: with the present weights and the optimiser's state, whose squared
    gradients are too small for float16. Returns the paths."""
    saved = checkpoint.load(path)
    packed = {**{k: saved[k] for k in ("config", "network", "task", "options", "state") if k in saved}, "ema": half(saved["ema"])}
    if resume:
        packed.update(model=half(saved["model"]), optimiser=converted(saved["optimiser"], torch.bfloat16))
    buffer = io.BytesIO()
    torch.save(packed, buffer)
    data, out = buffer.getvalue(), []
    for old in glob.glob(os.path.join(folder, "checkpoint.part*")):
        os.remove(old)
    for i in range(0, len(data), LIMIT):
        out.append(os.path.join(folder, f"checkpoint.part{i // LIMIT:02d}"))
        with open(out[-1], "wb") as f:
            f.write(data[i:i + LIMIT])
    return out


def join(folder, path):
    """Write the parts in `folder` as a checkpoint that a run can resume. FileNotFoundError if there are none."""
    saved = checkpoint.load(folder)
    weights = {k: checkpoint.full_precision(saved.get(k, saved["ema"])) for k in ("model", "ema")}
    optimiser = {"optimiser": converted(saved["optimiser"], torch.float32)} if "optimiser" in saved else {}
    checkpoint.save(path, {**saved, **weights, **optimiser})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    for name, source, target in (("pack", "checkpoint.pt", "folder for the parts"), ("join", "folder of the parts", "checkpoint.pt to write")):
        command = commands.add_parser(name)
        command.add_argument("source", help=source)
        command.add_argument("target", help=target)
    commands.choices["pack"].add_argument("--resume", action="store_true", help="also what a run needs to go on in the middle of its schedule")
    args = p.parse_args()
    if args.command == "join":
        join(args.source, args.target)
        return
    for path in pack(args.source, args.target, args.resume):
        print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
