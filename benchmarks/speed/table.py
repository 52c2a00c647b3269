"""Prints the measurements of measure.sh as a Markdown table:  python3 benchmarks/speed/table.py runs/speed >benchmarks/speed/table.md"""
import glob
import json
import os
import platform
import subprocess
import sys
import time

WHAT = {"pair": "network alone", "no-reuse": "network alone, both frames of each pair encoded", "tiles": "network in tiles of 384x320 that overlap by 0.7"}


def machine():
    """-> the names of the CPU and the GPU."""
    cpu = platform.processor()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), cpu)
    names = [f"{os.cpu_count()} cores of {cpu}"]
    try:
        gpu = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True, check=True)
        names += [f"{line.split(', ')[0]} (driver {line.split(', ')[1]})" for line in gpu.stdout.strip().splitlines()]
    except (OSError, subprocess.CalledProcessError):
        pass
    return "; ".join(names)


def gb(n):
    return f"{n / 1e9:.2f}" if n else ""


def rows(folder):
    """Yields (what, by, device, precision, ms, runs, memory, GPU memory, note)."""
    with open(os.path.join(folder, "results.jsonl")) as f:
        lines = [json.loads(line) for line in f]
    for r in lines:
        note = r.get("error", "")
        if r.get("tiles") and not note:
            note = f"{r['tiles']} tiles of {r['ms'] / r['tiles']:.1f} ms; blending not counted"
        ms = f"{r['ms']:.1f}" if "ms" in r else ""
        yield WHAT.get(r["what"], r["what"]), r["by"], r.get("device", ""), r.get("precision", ""), ms, r.get("runs", ""), gb(r.get("memory")), gb(r.get("gpu_memory")), note
    for path in sorted(glob.glob(os.path.join(folder, "whole-*.json"))):
        with open(path) as f:
            r = json.load(f)
        note = f"{r['frames_per_second']:.3g} frames/s, {100 * r['frames_per_second'] / r['network_alone_frames_per_second']:.0f} % of the network alone beside it; bottleneck: {r['bottleneck']}"
        note = "; ".join([note] + r.get("notices", []))
        name = os.path.basename(path)[len("whole-"):-len(".json")]
        yield f"whole run, video to video ({name})", "wwflow", r["device"], r.get("precision", ""), f"{1000 / r['frames_per_second']:.1f}", r["pictures"], gb(r.get("peak_memory")), "", note


def sizes(folder):
    with open(os.path.join(folder, "results.jsonl")) as f:
        found = [json.loads(line) for line in f]
    return sorted({f"{r['width']}x{r['height']}" for r in found if "width" in r})


def main():
    folder = sys.argv[1]
    load = os.getloadavg()
    print(f"Measured {time.strftime('%Y-%m-%d')} on {machine()}; frames of {', '.join(sizes(folder)) or 'unknown size'}. Load of the machine at the end: {load[1]:.1f} over five minutes.")
    print()
    print("| what | by | device | precision | ms a pair | runs | GB | GB on the GPU | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for r in rows(folder):
        print("| " + " | ".join(str(x).replace("|", "/") for x in r) + " |")


if __name__ == "__main__":
    main()
