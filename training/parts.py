"""Small copies of a checkpoint, to commit it or to carry it to another machine: averaged weights in half precision, in files of at most 16 MiB.

    python3 -m training.parts pack runs/tiny/checkpoint.pt models/winwin-tiny
    python3 -m training.parts join models/winwin-tiny runs/tiny/checkpoint.pt

A run that resumes from the joined file starts with a fresh optimiser.
"""
import argparse
import glob
import io
import os

import torch

from training import checkpoint

LIMIT = 16 * 2**20 - 4096  # bytes of a part


def pack(path, folder):
    """Write folder/checkpoint.part00, ...; older parts are removed. Returns the paths."""
    saved = checkpoint.load(path)
    half = {k: v.half() if v.is_floating_point() else v for k, v in saved["ema"].items()}
    buffer = io.BytesIO()
    torch.save({**{k: saved[k] for k in ("config", "network", "task", "options", "state") if k in saved}, "ema": half}, buffer)
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
    weights = checkpoint.full_precision(saved["ema"])
    checkpoint.save(path, {**saved, "model": weights, "ema": weights})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    for name, source, target in (("pack", "checkpoint.pt", "folder for the parts"), ("join", "folder of the parts", "checkpoint.pt to write")):
        command = commands.add_parser(name)
        command.add_argument("source", help=source)
        command.add_argument("target", help=target)
    args = p.parse_args()
    if args.command == "join":
        join(args.source, args.target)
        return
    for path in pack(args.source, args.target):
        print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
