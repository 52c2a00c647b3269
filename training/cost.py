"""What a training step's parts cost: rendering, forward, backward and optimiser, each timed with the device drained.

    python3 -m training.cost --config small --batch 48 --shape 2x192x192

On a GPU rendering should stay under a fifth of the step.
"""
import argparse
import time

import torch

from training import layers, network, tasks, textures, windows


def measure(config, bank, batch, shape, bf16, rounds=5):
    """Seconds of each part, medians over `rounds` steps after one that isn't counted: {part: seconds}."""
    device, (n, h, w) = bank.device, shape
    net = network.WinWin(network.CONFIGS[config]).to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-4)
    parts = {}

    def timed(name, work):
        start = time.perf_counter()
        result = work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        parts.setdefault(name, []).append(time.perf_counter() - start)
        return result

    def forward(s):
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            return tasks.Flow.forward(net, s)

    for _ in range(rounds + 1):
        with torch.no_grad():
            s = timed("rendering", lambda: windows.sample(bank, batch, n, h, w))
        out = timed("forward", lambda: forward(s))
        loss, _ = timed("loss", lambda: tasks.Flow.loss(net, out, s))
        optimiser.zero_grad(set_to_none=True)
        timed("backward", loss.backward)
        timed("optimiser", optimiser.step)
    return {name: sorted(times[1:])[rounds // 2] for name, times in parts.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", default="tiny", choices=sorted(network.CONFIGS))
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--shape", default="2x128x128", help="NxHxW")
    p.add_argument("--precision", default="auto", choices=("auto", "bf16", "fp32"))
    p.add_argument("--textures", default=textures.DEFAULT)
    p.add_argument("--limit", type=int, default=200)
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = p.parse_args()
    parts = measure(args.config, textures.load(args.textures, args.limit).to(args.device), args.batch, [int(x) for x in args.shape.split("x")], args.precision == "bf16" or args.precision == "auto" and layers.bf16_is_fast(torch.device(args.device)))
    total = sum(parts.values())
    for name, seconds in parts.items():
        print(f"{name:10} {1e3 * seconds:8.1f} ms {100 * seconds / total:5.1f} %")
    print(f"{'step':10} {1e3 * total:8.1f} ms, {args.batch / total:.1f} samples/s")


if __name__ == "__main__":
    main()
