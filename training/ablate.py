"""Win-Win's own claims, in small: N windows against whole frames, rotary against absolute positions, after equal time.

    python3 -m training.ablate --minutes 8 --out training/ablation

Each row is a run of training.train of its own, from nothing, on one CPU thread, with the same seed and the same CPU time (so that a busy machine
does not decide). All cut their windows from virtual frames of FRAME; the whole-frame row trains on all of it. Measured on synthetic whole frames
of FRAME and of LARGE, far above what any row trained on. Writes table.md and figure.png.
"""
import argparse
import csv
import dataclasses
import os
import subprocess
import sys
import time

import torch

from training import checkpoint, frames, network, tasks, textures

FRAME, LARGE = (640, 384), (1280, 768)
LIMIT = 400  # textures: a smaller bank, so that peak memory is mostly the network's
ROWS = (
    # name, windows' shape, positions, batch
    ("1 window", "1x128x128", "rope", 8),
    ("2 windows", "2x128x128", "rope", 4),
    ("4 windows", "4x128x128", "rope", 2),
    ("crop of as many pixels", "1x192x176", "rope", 4),
    ("whole frame", f"1x{FRAME[1]}x{FRAME[0]}", "rope", 1),
    ("2 windows, absolute positions", "2x128x128", "absolute", 4),
)


def peak_memory(pid):
    """Peak resident memory of a process so far, MB; None where it has ended."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return next((int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM")), None)
    except (FileNotFoundError, ProcessLookupError):
        return None


def run(name, shape, positions, batch, args):
    """Train one row in a process of its own. Returns its folder, samples/s and peak memory in MB."""
    out = os.path.join(args.runs, name.replace(" ", "-").replace(",", ""))
    command = [sys.executable, "-m", "training.train", "--config", args.config, "--out", out, "--minutes", str(args.minutes), "--shapes", shape, "--positions", positions,
               "--batch", str(batch), "--evaluate-every", "1e9", "--evaluate-on", "1", "--textures", args.textures, "--limit", str(LIMIT), "--threads", "1", "--cpu-time",
               "--frame", "{}x{}".format(*FRAME), "--device", "cpu"]
    process, peak = subprocess.Popen(command, stdout=subprocess.DEVNULL), 0
    while process.poll() is None:  # its own high-water mark: rusage's would begin with this process's
        peak = peak_memory(process.pid) or peak
        time.sleep(0.5)
    if process.returncode:
        raise RuntimeError(f"{name}: training ended with status {process.returncode}: run {' '.join(command)} to see why")
    with open(os.path.join(out, "log.csv")) as f:
        last = list(csv.DictReader(f))[-1]
    return out, float(last["samples"]) / (60 * float(last["minutes"])), peak


def measure(out, config, positions, held_out, size, count):
    """EPE (px) on `count` whole frames of a size."""
    net = network.WinWin(dataclasses.replace(network.CONFIGS[config], positions=positions))
    net.load_state_dict(checkpoint.load(os.path.join(out, "checkpoint.pt"))["ema"])
    return tasks.Flow.evaluate(net.eval(), frames.samples(held_out, count, sizes=(size,)))[0]


def figure(rows, path):
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


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--minutes", type=float, default=8, help="CPU minutes of each row")
    p.add_argument("--config", default="tiny")
    p.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "ablation"))
    p.add_argument("--runs", default="runs/ablation")
    p.add_argument("--textures", default=textures.DEFAULT)
    p.add_argument("--frames", type=int, default=6)
    args = p.parse_args()
    _, held_out = frames.split(textures.load(args.textures))
    rows = []
    for name, shape, positions, batch in ROWS:
        out, speed, memory = run(name, shape, positions, batch, args)
        rows.append(dict(name=name, shape=shape, batch=batch, speed=speed, memory=memory, frame=measure(out, args.config, positions, held_out, FRAME, args.frames),
                         large=measure(out, args.config, positions, held_out, LARGE, args.frames)))
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
