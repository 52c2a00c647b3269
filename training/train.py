"""Train a network on windows, or resume its training.

    python3 -m training.train --config tiny --out runs/tiny

Writes checkpoint.pt (everything that a resumed run needs) and log.csv into the folder --out. The same command resumes the run.
"""
import os
import sys

import torch

from training import distributed, frames, layers, options, scenes, schedule, textures
from training.batches import Batches, Prefetch
from training.log import EVERY, Log
from training.run import Run


def prepare(args, device):
    """Settings of PyTorch. Returns whether the network's body runs in bfloat16."""
    if args.threads:
        torch.set_num_threads(args.threads)
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return args.precision == "bf16" or args.precision == "auto" and layers.bf16_is_fast(device)


def train(args):
    run = Run(args)
    net, task, device, counters, first = run.net, run.task, run.device, run.counters, run.group.rank == 0
    bf16 = prepare(args, device)
    bank, held_out = (part.to(device) for part in frames.split(textures.load(args.textures, args.limit)))
    whole = list(frames.samples(held_out, args.evaluate_on, haze=task.scenes.get("haze", 0.0))) if first else []
    if args.compile:
        scenes.compile_kernels()
    batches = Batches(args, task, bank, run.random)
    if args.prefetch or args.prefetch is None and device.type == "cuda":
        batches = Prefetch(batches, device)
    clock = schedule.Schedule(args, counters, run.group)
    saving, evaluating = schedule.Every(schedule.SAVE_EVERY), schedule.Every(60 * args.evaluate_every)
    log = Log(args.out, task.columns, task.measures, device) if first else None
    if clock.ends():
        run.say("the schedule is complete: nothing to do (raise --budget, or add --restart-schedule)")
    net.train()
    while not clock.ends():
        rate = clock.rate()
        for group in run.optimiser.param_groups:
            group["lr"] = rate
        run.optimiser.zero_grad(set_to_none=True)
        for _ in range(args.accumulate):
            sample = batches.draw(clock.motion())
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                out = task.forward(net, sample)
            loss, parts = task.loss(net, out, sample)
            (loss / args.accumulate).backward()
            samples = len(sample.frame1) * run.group.world
            counters["samples"] += samples
            if first:
                log.add(parts, samples)  # no parts if the sample trains tokens only
        run.step()
        clock.step()
        if first and (counters["step"] % EVERY == 0 or clock.ends()):
            measured = task.evaluate(run.average, whole) if evaluating.due(clock.elapsed) or clock.ends() else None
            log.row(counters, rate, measured)
        if saving.due(clock.elapsed) or clock.ends():
            run.save()


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    args = options.parse(__doc__, argv)
    if args.processes > 1 and "RANK" not in os.environ:
        return distributed.launch("training.train", argv, args.processes)
    train(args)


if __name__ == "__main__":
    sys.exit(main())
