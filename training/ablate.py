"""The claims of the Win-Win paper at a small scale: windows against whole frames, and rotary against absolute positions.

    python3 -m training.ablate --minutes 8 --out training/ablation

Each row trains its own network from scratch, on one CPU thread, with the same seed and the same CPU time, so that other programs on the machine
do not change the result. Windows come from virtual frames of size FRAME; the whole-frame row trains on all of a frame. Errors are measured on
synthetic whole frames of sizes FRAME and LARGE. Writes table.md and figure.png.
"""
import argparse
import csv
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from training import checkpoint, frames, tasks, textures

FRAME, LARGE = (640, 384), (1280, 768)  # width, height
LIMIT = 400  # textures; few, so that peak memory is mostly the network's
WINDOWS = ("--shapes", "2x128x128", "--batch", "4")
ABSOLUTE = ("--network", "positions=absolute")
ROWS = {  # options of training.train
    "1 window": ("--shapes", "1x128x128", "--batch", "8"),
    "2 windows": WINDOWS,
    "4 windows": ("--shapes", "4x128x128", "--batch", "2"),
    "crop of as many pixels": ("--shapes", "1x192x176", "--batch", "4"),
    "whole frame": ("--shapes", f"1x{FRAME[1]}x{FRAME[0]}", "--batch", "1"),
    "2 windows, absolute positions": WINDOWS + ABSOLUTE,
}


def peak_memory(pid):
    """Peak resident memory of a process so far in MB; None if it has ended."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM")), None)
    except (FileNotFoundError, ProcessLookupError):
        return None


def run(name, options, args, seed=1, minutes=None):
    """Train a row with these options of training.train in its own process, or go on from its checkpoint, for `minutes` of CPU time (args.minutes).
    Returns its folder, samples/s and peak memory in MB."""
    out = os.path.join(args.runs, name.replace(" ", "-").replace(",", ""))
    command = [sys.executable, "-m", "training.train", "--config", args.config, "--out", out, "--budget", str(minutes or args.minutes), "--cpu-time",
               "--frame", "{}x{}".format(*FRAME), "--textures", args.textures, "--limit", str(LIMIT),
               "--processes", "1", "--threads", "1", "--device", "cpu", "--seed", str(seed), "--evaluate-every", "1e9", "--evaluate-on", "1", *options]
    process, peak = subprocess.Popen(command, stdout=subprocess.DEVNULL), 0
    while process.poll() is None:  # rusage would include this process's own peak
        peak = peak_memory(process.pid) or peak
        time.sleep(0.5)
    if process.returncode:
        raise RuntimeError(f"{name}: training ended with status {process.returncode}; run this to see why: {' '.join(command)}")
    with open(os.path.join(out, "log.csv")) as f:
        last = list(csv.DictReader(f))[-1]
    return out, float(last["samples"]) / (60 * float(last["minutes"])), peak


def errors(out, held_out, size, count):
    """Endpoint error in px, and shares of pixels above 1 px and of outliers (Fl) in %: means over `count` whole frames of a size (width, height)."""
    net, _ = checkpoint.load_average(os.path.join(out, "checkpoint.pt"))
    return tasks.Flow.evaluate(net, frames.samples(held_out, count, sizes=(size,)))


def figure(rows, path):
    """Bars of speed and error."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    fig, axes = plt.subplots(1, 2, figsize=(11, 3.6))
    names = [r["name"] for r in rows][::-1]
    axes[0].barh(names, [r["speed"] for r in rows][::-1], color="#4477aa")
    axes[0].set_xlabel("samples a second")
    at = range(len(names))
    axes[1].barh([y + 0.2 for y in at], [r["frame"] for r in rows][::-1], 0.4, label="{}x{}".format(*FRAME), color="#228833")
    axes[1].barh([y - 0.2 for y in at], [r["large"] for r in rows][::-1], 0.4, label="{}x{}".format(*LARGE), color="#cc6677")
    axes[1].set_yticks([])
    axes[1].set_xlabel("EPE on whole frames (px)")
    axes[1].legend()
    fig.tight_layout()
    fig.savefig(path, dpi=110)


def parser(description, minutes, frames):
    """The options of a comparison, with these defaults."""
    p = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--minutes", type=float, default=minutes, help="CPU minutes for each network (default: %(default)s)")
    p.add_argument("--config", default="tiny")
    p.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "ablation"))
    p.add_argument("--runs", default="runs/ablation", help="folder for the runs (default: %(default)s)")
    p.add_argument("--textures", default=textures.DEFAULT)
    p.add_argument("--frames", type=int, default=frames, help="synthetic frames of each size (default: %(default)s)")
    return p


def parser_with_seeds(description, minutes, seeds):
    """The same for a comparison in which every network is trained with several seeds."""
    p = parser(description, minutes, frames=8)
    p.add_argument("--seeds", type=int, default=seeds)
    p.add_argument("--jobs", type=int, default=2, help="networks that train at the same time (default: %(default)s)")
    return p


def with_seeds(train, names, args):
    """train(name, seed) for every name and seed, args.jobs at a time: {name: the results of its seeds}."""
    with ThreadPoolExecutor(args.jobs) as pool:
        runs = {(name, seed): pool.submit(train, name, seed) for seed in range(1, args.seeds + 1) for name in names}
        return {name: [runs[name, seed].result() for seed in range(1, args.seeds + 1)] for name in names}


def write(text, args, name):
    """Write a table to the folder args.out, and print it."""
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, name), "w") as f:
        f.write(text)
    print(text)


def main():
    p = parser(__doc__, minutes=8, frames=6)
    args = p.parse_args()
    _, held_out = frames.split(textures.load(args.textures))
    rows = []
    for name, options in ROWS.items():
        out, speed, memory = run(name, options, args)
        rows.append(dict(name=name, shape=options[1], batch=options[3], speed=speed, memory=memory, frame=errors(out, held_out, FRAME, args.frames)[0],
                         large=errors(out, held_out, LARGE, args.frames)[0]))
        print(rows[-1], flush=True)
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "table.md"), "w") as f:
        f.write(f"`{args.config}`, {args.minutes:g} minutes of CPU time each, one thread; EPE in pixels on {args.frames} synthetic whole frames\n\n")
        f.write("| trained on | shape | batch | samples/s | peak memory, MB | EPE at {}x{} | EPE at {}x{} |\n|---|---|---|---|---|---|---|\n".format(*FRAME, *LARGE))
        for r in rows:
            f.write("| {name} | {shape} | {batch} | {speed:.2f} | {memory:.0f} | {frame:.2f} | {large:.2f} |\n".format(**r))
    figure(rows, os.path.join(args.out, "figure.png"))


if __name__ == "__main__":
    main()
