"""Measure errors, time and memory of `wwflow pair --detail N`: the table in the README.

    python3 -m benchmarks.detail.measure --wwflow ./wwflow --data ../shared/data [--write README.md]

The synthetic frames are those of training/frames.py, painted with textures that no network was trained on; the real pairs are those of
DATA/pairs.tsv. The time is the CPU time of all threads for a Full-HD pair whose first frame is encoded already (BenchmarkDetail in
package flow); the memory is the peak of `wwflow pair` at Full HD.
"""
import argparse
import functools
import os
import re
import subprocess
import sys
import tempfile

import cv2
import numpy as np

from benchmarks import document
from training import datasets, flowfiles, frames, measures, textures

DETAILS = ("0.5", "1", "2")
SMALL = ((256, 192), (320, 240))


def png(path, frame):
    """Write a frame, uint8 [h, w, 3] in RGB. Returns the path."""
    cv2.imwrite(path, frame[..., ::-1])
    return path


def synthetic(samples, folder):
    """(frame 1, frame 2, true flow) of windows.Samples of one window each: two files in folder, and float [h, w, 2]."""
    for i, s in enumerate(samples):
        one, two = (png(os.path.join(folder, f"{i}-{k}.png"), f[0, 0].byte().numpy()) for k, f in enumerate((s.frame1, s.frame2)))
        yield one, two, s.flow[0, 0].numpy()


def groups(data, folder):
    """(name of a row, statistic of its EPE, its pairs) for each kind of frames."""
    _, held_out = frames.split(textures.load(os.path.join(data, "textures")))
    made = lambda count, sizes: list(synthetic(frames.samples(held_out, count, sizes=sizes), tempfile.mkdtemp(dir=folder)))
    real = [(name, (one, two, flowfiles.read(flow))) for name, one, two, flow in datasets.table(data)]
    middlebury = [pair for name, pair in real if name.startswith("middlebury")]
    return [("8 synthetic pairs, 256x192 and 320x240: EPE (median over pairs), 1px", np.median, made(8, SMALL)),
            ("12 synthetic pairs, 512x384 to 1024x448, large motion: EPE, 1px", np.mean, made(12, frames.SIZES)),
            ("2 synthetic Full-HD pairs: EPE, 1px", np.mean, made(2, frames.FULL_HD)),
            (f"{len(real)} real or rendered pairs, see Accuracy: EPE, 1px", np.mean, [pair for _, pair in real]),
            (f"of these, Middlebury ({len(middlebury)} pairs): EPE", np.mean, middlebury)]


# The peak of a process counts what it was forked from, so a small process starts the program and says the peak.
LAUNCHER = "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"


@functools.cache  # pairs of Middlebury count in two rows, and one Full-HD pair also gives the memory
def estimate(wwflow, one, two, detail):
    """The program's flow, float [h, w, 2], and the peak of its resident memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "flow.flo")
        command = [sys.executable, "-c", LAUNCHER, wwflow, "pair", one, two, "-o", out, "--detail", detail, "--quiet"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return flowfiles.read(out), int(done.stdout.split()[-1]) * 1024


def errors(wwflow, pairs, detail):
    """measures.summary of each pair."""
    return [measures.summary(estimate(wwflow, one, two, detail)[0], truth) for one, two, truth in pairs]


def cpu_times():
    """CPU seconds of a Full-HD pair at each detail."""
    done = subprocess.run(["scripts/go.sh", "test", "-run", "^$", "-bench", "Detail", "-benchtime", "1x", "./flow"], check=True, capture_output=True, text=True)
    found = dict(re.findall(r"BenchmarkDetail/([0-9.]+)\S*\s.*?([0-9.]+) cpu-s/op", done.stdout))
    return [float(found[detail]) for detail in DETAILS]


def row(name, cells):
    return f"| {name} | " + " | ".join(cells) + " |"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--wwflow", default="./wwflow")
    p.add_argument("--data", required=True, help="folder with textures/ and pairs.tsv")
    p.add_argument("--write", metavar="DOCUMENT", help="replace the table in this document")
    args = p.parse_args()
    table = [row("", [f"detail {d}" for d in DETAILS]).replace("|  |", "| |"), "|---" * (len(DETAILS) + 1) + "|"]
    with tempfile.TemporaryDirectory() as folder:
        kinds = groups(args.data, folder)
        for name, statistic, pairs in kinds:
            found = [errors(args.wwflow, pairs, detail) for detail in DETAILS]
            wrong = (lambda rows: f", {measures.mean(rows)['px1']:.1f}") if name.endswith("1px") else (lambda rows: "")
            table.append(row(name, [f"{statistic([r['epe'] for r in rows]):.2f}{wrong(rows)}" for rows in found]))
            print(table[-1], flush=True)
        one, two, _ = kinds[2][2][0]
        memory = [estimate(args.wwflow, one, two, detail)[1] for detail in DETAILS]
    table.append(row("CPU time at Full HD", [f"{seconds:.1f} s" for seconds in cpu_times()]))
    table.append(row("memory at Full HD", [f"{size / 1e9:.2f} GB" for size in memory]))
    print("\n".join(table))
    if args.write:
        document.replace_table(args.write, "\n".join(table))


if __name__ == "__main__":
    main()
