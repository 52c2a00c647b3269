"""Measures the network in PyTorch as benchmarks/speed/main.go measures it in ONNX Runtime: frames come from main memory as
uint8, and the flow is copied back there. Prints one JSON line for each measurement.

    python3 benchmarks/speed/torch_network.py --device cuda --precision fp16 --compile --what pair,no-reuse,tiles
"""
import argparse
import contextlib
import json
import math
import os
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import torch
import torch.nn.functional as F

from training import checkpoint, network, parts

TILE, OVERLAP = (320, 384), 0.7  # of CroCo-Flow: rows, columns; share of a side
TILES_AT_ONCE = 16               # batch size; the ONNX graphs take one


def load(folder, device):
    """-> the network whose checkpoint parts are in `folder`, and its configuration."""
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, "checkpoint.pt")
        parts.join(folder, path)
        net, saved = checkpoint.load_average(path)
    return net.to(device), saved["config"]


class Runner:
    def __init__(self, net, device, precision):
        self.net, self.device = net, device
        kind = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision)
        self.autocast = (lambda: torch.autocast(device, kind)) if kind else contextlib.nullcontext

    def encode(self, frames):
        """frames uint8 [N, H, W, 3] in main memory -> features of N samples, positions of the tokens, (rows, columns) of the tokens, (H, W)."""
        x = frames.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float()
        h, w = x.shape[2:]
        x = F.pad(x, (0, -w % network.PATCH, 0, -h % network.PATCH), mode="replicate")
        n, rows, columns = x.shape[0], x.shape[2] // network.PATCH, x.shape[3] // network.PATCH
        xy = network.positions(torch.zeros(n, 1, 2, dtype=torch.int64, device=self.device), rows, columns)
        return self.net.encoder(x, xy, n), xy, (rows, columns), (h, w)

    def flow(self, a, b):
        one, xy1, grid, (h, w) = a
        two, xy2 = b[:2]
        out = self.net.decoder(one, two, xy1, xy2, torch.zeros(len(xy1), 2, 1, 1, device=self.device), grid)
        return out["flow"][:, :, :h, :w].permute(0, 2, 3, 1).contiguous().cpu(), out["log_scale"][:, 0, :h, :w].cpu()


def noise(n, height, width, device):
    x = torch.randint(0, 256, (n, (height + 7) // 8, (width + 7) // 8, 3), dtype=torch.uint8)
    x = x.repeat_interleave(8, 1).repeat_interleave(8, 2)[:, :height, :width].contiguous()
    return x.pin_memory() if device == "cuda" else x


def cover(side, tile):
    return 1 + math.ceil((side - tile) / math.floor(tile * (1 - OVERLAP)))


def peak():
    with open("/proc/self/status") as f:
        return next((int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM:")), 0)


def measure(what, runner, args):
    """-> the measured members of the JSON line."""
    tiles = 0
    size = (args.height, args.width)
    if what == "tiles":
        tiles = cover(args.height, TILE[0]) * cover(args.width, TILE[1])
        size = TILE
    batch = min(TILES_AT_ONCE, tiles) if tiles else 1
    if args.device == "cpu":
        batch = 1
    frames = [noise(batch, *size, args.device) for _ in range(2)]
    with torch.no_grad(), runner.autocast():
        kept, n = None, 0

        def once():
            nonlocal kept, n
            n += 1
            first = kept if kept is not None and what == "pair" else runner.encode(frames[(n + 1) % 2])
            second = runner.encode(frames[n % 2])
            runner.flow(first, second)
            kept = second

        if args.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        begin = time.time()
        once()
        for _ in range(3):
            if time.time() - begin < args.time / 4:
                once()
        times, begin = [], time.time()
        while not times or time.time() - begin < args.time and len(times) < 1000:
            t = time.time()
            once()  # ends with a copy to main memory, which waits for the device
            times.append(1000 * (time.time() - t))
    scale = tiles / batch if tiles else 1
    out = dict(ms=scale * statistics.median(times), ms_max=scale * max(times), runs=len(times), memory=peak())
    if tiles:
        out["tiles"] = tiles
    if args.device == "cuda":
        out["gpu_memory"] = torch.cuda.max_memory_reserved()
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="models/winwin-tiny", help="folder with checkpoint.part*")
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    p.add_argument("--precision", default="fp32", choices=("fp32", "fp16", "bf16"), help="fp16 and bf16 use autocast; a CPU takes bf16")
    p.add_argument("--compile", action="store_true", help="use torch.compile; needs PyTorch 2")
    p.add_argument("--width", type=int, default=1920)
    p.add_argument("--height", type=int, default=1080)
    p.add_argument("--time", type=float, default=10, help="approximate seconds for each measurement")
    p.add_argument("--what", default="pair,no-reuse,tiles")
    args = p.parse_args()
    by = f"PyTorch {torch.__version__} " + ("compiled" if args.compile else "eager")
    failed = False
    runner = name = None
    for what in args.what.split(","):
        line = dict(what=what, by=by, device=args.device, precision=args.precision, width=args.width, height=args.height)
        try:
            if runner is None:
                net, name = load(args.model, args.device)
                if args.compile:
                    if not hasattr(torch, "compile"):
                        raise RuntimeError("this PyTorch is older than torch.compile")
                    net.encoder, net.decoder = torch.compile(net.encoder), torch.compile(net.decoder)
                runner = Runner(net, args.device, args.precision)
            line.update(network=name, **measure(what, runner, args))
        except Exception as e:  # a failure is a line of the table; the other measurements go on
            line["error"], failed = f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"[:200], True
        print(json.dumps(line), flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
