"""Carry a checkpoint over a narrow road: EMA weights in half precision, in parts of at most 16 MiB.

    python3 -m training.parts pack runs/small/checkpoint.pt $OUT
    python3 -m training.parts join FOLDER runs/small/checkpoint.pt

Training goes on from the joined file with a fresh optimiser.
"""
import argparse
import glob
import io
import os

import torch

from training import checkpoint

LIMIT = 16 * 2**20 - 4096


def pack(path, folder):
    """Write folder/checkpoint.part00... Returns their paths."""
    saved = checkpoint.load(path)
    half = {k: v.half() if v.is_floating_point() else v for k, v in saved["ema"].items()}
    buffer = io.BytesIO()
    torch.save(dict(ema=half, state=saved["state"], config=saved["config"]), buffer)
    data, out = buffer.getvalue(), []
    for old in glob.glob(os.path.join(folder, "checkpoint.part*")):
        os.remove(old)
    for i in range(0, len(data), LIMIT):
        out.append(os.path.join(folder, f"checkpoint.part{i // LIMIT:02d}"))
        with open(out[-1], "wb") as f:
            f.write(data[i:i + LIMIT])
    return out


def join(folder, path):
    """The parts in `folder` as a checkpoint to go on from."""
    parts = sorted(glob.glob(os.path.join(folder, "checkpoint.part*")))
    if not parts:
        raise FileNotFoundError(f"{folder}: no checkpoint.part* here")
    saved = checkpoint.load(io.BytesIO(b"".join(open(p, "rb").read() for p in parts)))
    full = {k: v.float() if v.is_floating_point() else v for k, v in saved["ema"].items()}
    checkpoint.save(path, dict(model=full, ema=full, state=saved["state"], config=saved["config"]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("pack", "join"))
    p.add_argument("source")
    p.add_argument("target")
    args = p.parse_args()
    if args.what == "join":
        join(args.source, args.target)
    else:
        for path in pack(args.source, args.target):
            print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
