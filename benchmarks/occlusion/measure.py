"""Compare the occlusion that `wwflow run --export mask` finds with the true one of synthetic frames, and time --both beside two runs.

    python3 -m benchmarks.occlusion.measure --wwflow ./wwflow --textures ../shared/data/textures [--write docs/occlusion.md]

The frames are those of training/frames.py, painted with textures that no network was trained on. A pixel is truly occluded if its exact
flow leads to a place in the second frame where another surface is on top. Pixels whose true or estimated flow leaves the frame do not count.
"""
import argparse
import os
import subprocess
import tempfile
import time

import cv2
import numpy as np

from benchmarks import document
from training import frames, textures

EXACT = "exact flow, 0.01,0.5"
THRESHOLDS = ("0.01,0.5", "0.01,2", "0.05,0.5")


def truth(sample):
    """(occluded, outside), bool [h, w], of a sample with one window that is the whole frame."""
    flow, visible = sample.flow[0, 0].numpy(), sample.visible[0, 0].numpy()
    h, w = visible.shape
    y, x = np.mgrid[:h, :w]
    at_x, at_y = x + flow[..., 0], y + flow[..., 1]
    outside = (at_x < -0.5) | (at_y < -0.5) | (at_x >= w - 0.5) | (at_y >= h - 0.5)
    return ~visible & ~outside, outside


def checked(sample):
    """Pixels, bool [h, w], that the check with its default thresholds calls occluded for the exact flow: what a perfect network would give."""
    flow, back = sample.flow[0, 0].numpy(), sample.backward.flow[0, 0].numpy()
    h, w = flow.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    there = cv2.remap(back, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    square = lambda f: (f * f).sum(-1)
    return square(flow + there) >= 0.01 * (square(flow) + square(there)) + 0.5


def masks(wwflow, folder, pair, thresholds):
    """(occluded, outside), bool [h, w], as the program finds them."""
    out = os.path.join(folder, "masks")
    subprocess.run([wwflow, "run", pair, "--style", "occlusion", "-o", os.path.join(folder, "images/"), "--export", "mask", out, "--consistency", thresholds, "--force", "--quiet"], check=True)
    return [cv2.imread(os.path.join(out, name + "_000000.png"), 0) > 0 for name in ("occluded", "outside")]


def scores(found, true, counted):
    """Precision, recall and F1 in percent."""
    hits = (found & true & counted).sum()
    precision, recall = (100 * hits / max(1, (m & counted).sum()) for m in (found, true))
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--wwflow", default="./wwflow")
    p.add_argument("--textures", required=True)
    p.add_argument("--frames", type=int, default=12)
    p.add_argument("--exact", action="store_true", help="check the exact flow instead of the network's")
    p.add_argument("--write", metavar="DOCUMENT", help="replace the table in this document")
    p.add_argument("--time", help="a video: time --both beside two runs on its first frames")
    args = p.parse_args()
    if args.time:
        run = lambda *flags: subprocess.run([args.wwflow, "run", args.time, "--frames", "6", "--max-flow", "20", "-o", os.path.join(folder, "o.mp4"), "--force", "--quiet", *flags], check=True)
        with tempfile.TemporaryDirectory() as folder:
            seconds = {"forward": [], "backward": [], "both": []}
            for _ in range(3):
                for name, flags in (("forward", ()), ("backward", ("--backward",)), ("both", ("--both",))):
                    begin = time.time()
                    run(*flags)
                    seconds[name].append(time.time() - begin)
        m = {name: sorted(s)[1] for name, s in seconds.items()}
        print({name: round(s, 2) for name, s in m.items()}, f"both / (forward + backward) = {m['both'] / (m['forward'] + m['backward']):.2f}")
        return
    _, held_out = frames.split(textures.load(args.textures))
    sums = {t: [] for t in ((EXACT,) if args.exact else THRESHOLDS)}
    for sample in frames.samples(held_out, args.frames):
        occluded, outside = truth(sample)
        if args.exact:
            sums[EXACT].append((*scores(checked(sample), occluded, ~outside), 100.0, 100 * occluded.mean(), 100 * outside.mean()))
            continue
        with tempfile.TemporaryDirectory() as folder:
            pair = os.path.join(folder, "pair")
            os.mkdir(pair)
            for name, image in (("0.png", sample.frame1), ("1.png", sample.frame2)):
                cv2.imwrite(os.path.join(pair, name), image[0, 0].byte().numpy()[..., ::-1])
            for t in THRESHOLDS:
                found, left = masks(args.wwflow, folder, pair, t)
                sums[t].append((*scores(found, occluded, ~outside & ~left), scores(left, outside, np.ones_like(left))[2], 100 * occluded.mean(), 100 * outside.mean()))
    table = ["| --consistency | precision | recall | F1 | F1 of outside | truly occluded | truly outside |", "|---|---|---|---|---|---|---|"]
    table += [f"| {t} | " + " | ".join(f"{v:.1f}" for v in np.mean(rows, 0)) + " |" for t, rows in sums.items()]
    print("\n".join(table))
    if args.write:
        document.replace_table(args.write, "\n".join(table))


if __name__ == "__main__":
    main()
