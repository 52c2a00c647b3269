"""Time of a training step by its parts: rendering, forward, loss, backward and optimiser.

    python3 -m training.cost --config small

Takes the options of training.train and measures its first window shape. On a GPU, rendering should stay below a fifth of the step.
"""
import time

import torch

from training import options, tasks, textures, windows
from training.train import prepare

ROUNDS = 5  # steps whose median counts, after one that does not


def measure(args):
    """Seconds of each part: {part: seconds}."""
    device, task, (n, h, w) = torch.device(args.device), tasks.TASKS[args.task], args.shapes[0]
    bf16 = prepare(args, device)
    bank = textures.load(args.textures, args.limit).to(device)
    net = task.network(args.network).to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), args.rate)
    parts = {}

    def timed(name, work):
        start = time.perf_counter()
        result = work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        parts.setdefault(name, []).append(time.perf_counter() - start)
        return result

    def forward(sample):
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            return task.forward(net, sample)

    for _ in range(ROUNDS + 1):
        with torch.no_grad():
            sample = timed("rendering", lambda: windows.sample(bank, args.batch, n, h, w, size=args.frame, **task.scenes))
        out = timed("forward", lambda: forward(sample))
        loss, _ = timed("loss", lambda: task.loss(net, out, sample))
        optimiser.zero_grad(set_to_none=True)
        timed("backward", loss.backward)
        timed("optimiser", optimiser.step)
    return {name: sorted(times[1:])[ROUNDS // 2] for name, times in parts.items()}


def main(argv=None):
    args = options.parse(__doc__, argv)
    parts = measure(args)
    total = sum(parts.values())
    for name, seconds in parts.items():
        print(f"{name:10} {1e3 * seconds:8.1f} ms {100 * seconds / total:5.1f} %")
    print(f"{'step':10} {1e3 * total:8.1f} ms, {args.batch / total:.1f} samples/s")


if __name__ == "__main__":
    main()
