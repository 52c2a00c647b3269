"""Train a network on synthetic windows, for a time budget; resumes from its own checkpoint.

    python3 -m training.train --config tiny --minutes 60 --out runs/tiny

Writes runs/tiny/checkpoint.pt (weights, EMA, optimiser, step, random state) and log.csv.
"""
import argparse
import copy
import csv
import dataclasses
import math
import os
import random
import socket
import subprocess
import sys
import time

import torch

from training import checkpoint, frames, layers, network, tasks, textures, warm_start, windows


def arguments(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--task", default="flow", choices=sorted(tasks.TASKS), help="what the network learns; depth and segmentation show that window training is general")
    p.add_argument("--config", default="tiny", choices=sorted(network.CONFIGS))
    p.add_argument("--positions", choices=("rope", "absolute"), default="rope", help="absolute only for the comparison: it does not carry to larger frames")
    p.add_argument("--out", default="runs/tiny", help="folder of the run; an existing checkpoint there is gone on from")
    p.add_argument("--minutes", type=float, default=60, help="how long this leg trains")
    p.add_argument("--budget", type=float, help="minutes of the whole schedule, all legs together (default: this leg ends it)")
    p.add_argument("--cpu-time", action="store_true", help="count minutes of this process's CPU time: runs on a busy machine stay comparable")
    p.add_argument("--batch", type=int, default=4, help="samples a step for the first window shape; others get as many pixels")
    p.add_argument("--accumulate", type=int, default=1, help="steps whose gradients are added up")
    p.add_argument("--shapes", default="2x128x128,2x128x128,1x192x256", help="NxHxW of windows, one is drawn for each step")
    p.add_argument("--frame", type=lambda s: tuple(int(x) for x in s.split("x")), help="WxH of the virtual frames that windows are cut from (default: one of windows.FRAMES for each step)")
    p.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    p.add_argument("--textures", default=textures.DEFAULT, help="folder of images, or an atlas")
    p.add_argument("--limit", type=int, help="use only so many textures")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--precision", default="auto", choices=("auto", "bf16", "fp32"), help="of the network's body; auto: bf16 on a GPU and on a CPU with AMX (2 times as fast there)")
    p.add_argument("--compile", action="store_true", help="torch.compile (PyTorch 2)")
    p.add_argument("--threads", type=int, default=0, help="of each process")
    p.add_argument("--processes", type=int, default=1, help="start so many of them on this machine (as torchrun does): on a CPU, "
                   "processes of one thread each are faster than threads, which wait for each other in every operator")
    p.add_argument("--evaluate-every", type=float, default=10, help="minutes between full-frame evaluations")
    p.add_argument("--evaluate-on", type=int, default=12, help="number of synthetic whole frames that an evaluation takes")
    p.add_argument("--restart-schedule", action="store_true", help="keep the weights, begin the schedule anew")
    return p.parse_args(argv)


def learning_rate(progress, peak):
    """One cycle: linear warm-up over 3 %, then cosine to 1 % of the peak."""
    if progress < 0.03:
        return peak * (0.1 + 0.9 * progress / 0.03)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1, (progress - 0.03) / 0.97))))


def motion_range(progress):
    """Motion grows from a quarter of its full range to all of it over the first 40 %."""
    return min(1.0, 0.25 + 0.75 * progress / 0.4)


class Distributed:
    """torchrun's processes, or just this one."""
    def __init__(self, device):
        self.world = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        if self.world > 1:
            torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        self.device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if device == "cuda" and self.world > 1 else device

    def average(self, parameters):
        """Mean of the gradients over all processes, as one message."""
        if self.world == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in grads])
        torch.distributed.all_reduce(flat)
        flat /= self.world
        for g, part in zip(grads, flat.split([g.numel() for g in grads])):
            g.copy_(part.reshape(g.shape))

    def agree(self, flag):
        """Whether any process says so: all leave the loop together."""
        if self.world == 1:
            return flag
        t = torch.tensor(float(flag), device=self.device)
        torch.distributed.all_reduce(t)
        return bool(t > 0)


def launch(processes):
    """This same command as `processes` ranks of one group; returns the first exit code that isn't 0."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = dict(os.environ, MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE=str(processes))
    ranks = [subprocess.Popen([sys.executable, "-m", "training.train", *sys.argv[1:]], env=dict(env, RANK=str(i), LOCAL_RANK=str(i))) for i in range(processes)]
    try:
        while all(r.poll() is None for r in ranks):
            time.sleep(0.5)
        if any(r.returncode for r in ranks):  # the others would wait for it for ever
            return next(r.returncode for r in ranks if r.returncode)
        return max(r.wait() for r in ranks)
    finally:
        for r in ranks:
            r.terminate()


def main(argv=None):
    args = arguments(argv)
    if args.processes > 1 and "RANK" not in os.environ:
        return launch(args.processes)
    if args.threads:
        torch.set_num_threads(args.threads)
    group = Distributed(args.device)
    device = group.device
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    seed = args.seed + 1000 * group.rank
    torch.manual_seed(args.seed)
    task = tasks.TASKS[args.task]
    net = task.network(dataclasses.replace(network.CONFIGS[args.config], positions=args.positions)).to(device).to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).requires_grad_(False)
    optimiser = torch.optim.AdamW(net.parameters(), args.rate, weight_decay=1e-4, betas=(0.9, 0.98))
    path = os.path.join(args.out, "checkpoint.pt")
    state = dict(step=0, samples=0, seconds=0.0, schedule=0.0)
    if os.path.exists(path):
        saved = checkpoint.load(path, device)
        untrained, _ = warm_start.load(net, saved["model"])
        warm_start.load(average, saved["ema"])
        if "optimiser" in saved and not untrained:
            optimiser.load_state_dict(saved["optimiser"])
        state = saved["state"]
        seed += state["step"]
        if args.restart_schedule:
            state["schedule"], state["full_motion"] = 0.0, True  # it has learned to match: no need to begin with short motion again
        print(f"resumed {path}: step {state['step']}, {state['seconds'] / 60:.1f} minutes", flush=True)
    random.seed(seed)
    torch.manual_seed(seed)
    shape_rng = random.Random(args.seed + state["step"])  # the same in all processes: none waits for a larger shape
    generator = torch.Generator(device=device).manual_seed(seed)
    budget = 60 * (args.budget or state["schedule"] / 60 + args.minutes)

    bank, held_out = frames.split(textures.load(args.textures, args.limit))
    bank, held_out = bank.to(device), held_out.to(device)
    whole = list(frames.samples(held_out, args.evaluate_on, haze=task.scenes.get("haze", 0.0))) if group.rank == 0 else []
    shapes = [tuple(int(x) for x in s.split("x")) for s in args.shapes.split(",")]
    pixels = args.batch * shapes[0][0] * shapes[0][1] * shapes[0][2]
    forward = torch.compile(net) if args.compile else net
    bf16 = args.precision == "bf16" or args.precision == "auto" and layers.bf16_is_fast(bank.device)

    def save():
        if group.rank == 0:
            checkpoint.save(path, dict(model=net.state_dict(), ema=average.state_dict(), optimiser=optimiser.state_dict(), state=state, config=args.config, task=args.task, arguments=vars(args)))

    os.makedirs(args.out, exist_ok=True)
    log = open(os.path.join(args.out, "log.csv"), "a", newline="")
    table = csv.writer(log)
    if log.tell() == 0:
        table.writerow(["step", "minutes", "samples", "samples_per_s", "rate", *task.columns, *task.measures])
    clock = time.process_time if args.cpu_time else time.time
    start = last = clock()
    began, clock0, told = state["seconds"], state["schedule"], state["samples"]
    sums, counted, next_evaluation, next_save = torch.zeros(len(task.columns), device=device), 0, args.evaluate_every * 60, 60
    net.train()
    ending = False
    while not ending:
        progress = min(1.0, state["schedule"] / budget)
        rate = learning_rate(progress, args.rate)
        for g in optimiser.param_groups:
            g["lr"] = rate
        optimiser.zero_grad(set_to_none=True)
        for _ in range(args.accumulate):
            n, h, w = shape_rng.choice(shapes)
            batch = max(1, round(pixels / (n * h * w)))
            with torch.no_grad():
                s = windows.sample(bank, batch, n, h, w, motion=1.0 if state.get("full_motion") else motion_range(progress), generator=generator, size=args.frame, **task.scenes)
            with torch.autocast(bank.device.type, torch.bfloat16, enabled=bf16):
                out = task.forward(forward, s)
            loss, logged = task.loss(net, out, s)
            (loss / args.accumulate).backward()
            sums += torch.stack(logged)
            counted += 1
            state["samples"] += batch * group.world
        group.average(net.parameters())
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        if torch.isfinite(norm):  # a broken step is left out, not applied
            optimiser.step()
        decay = min(0.998, (1 + state["step"]) / (10 + state["step"]))
        with torch.no_grad():
            for a, b in zip(average.state_dict().values(), net.state_dict().values()):
                a.lerp_(b, 1 - decay) if a.is_floating_point() else a.copy_(b)
        state["step"] += 1
        elapsed = clock() - start
        state["seconds"], state["schedule"] = began + elapsed, clock0 + elapsed
        ending = group.agree(elapsed >= args.minutes * 60)  # asked once a step: the last one is logged and evaluated by whoever's clock ends it
        if group.rank == 0 and (state["step"] % 100 == 0 or ending):
            mean = (sums / counted).tolist()
            found = [""] * len(task.measures)
            if elapsed >= next_evaluation or ending:
                found = [f"{x:.4g}" for x in task.evaluate(average, whole)]
                next_evaluation += args.evaluate_every * 60
            speed = (state["samples"] - told) / (clock() - last)
            row = [state["step"], f"{state['seconds'] / 60:.2f}", state["samples"], f"{speed:.2f}", f"{rate:.2e}", *(f"{x:.3f}" for x in mean), *found]
            table.writerow(row), log.flush()
            print(*row, flush=True)
            told, last = state["samples"], clock()
            sums.zero_()
            counted = 0
        if clock() - start >= next_save:
            save()
            next_save += 120
    save()
    log.close()


if __name__ == "__main__":
    sys.exit(main())
