"""A training run: network, averaged weights, optimiser, counters and random numbers, and the checkpoint that holds them all.

Counters: step, samples and seconds count the whole training of the weights, also before --init; schedule (seconds) and schedule_step count since
the schedule started. full_motion: the network can match already, so scenes need not begin with short motion.
"""
import copy
import dataclasses
import os

import torch

from training import checkpoint, network, tasks, warm_start
from training.distributed import Group
from training.randomness import Randomness


class Run:
    """The run in the folder args.out: resumed from its checkpoint, started from args.init, or started from scratch."""

    def __init__(self, args):
        self.args, self.group = args, Group(args.device)
        self.device, self.task = self.group.device, tasks.TASKS[args.task]
        torch.manual_seed(args.seed)  # the same weights in all processes
        self.net = self.task.network(args.network).to(self.device).to(memory_format=torch.channels_last)
        self.counters = dict(step=0, samples=0, seconds=0.0, schedule=0.0, schedule_step=0, full_motion=False)
        self.path = os.path.join(args.out, "checkpoint.pt")
        saved = checkpoint.load(self.path, self.device) if os.path.exists(self.path) else None
        if args.init and not saved:
            self.start_from(args.init)
        self.average = copy.deepcopy(self.net).requires_grad_(False)
        if args.only:
            self.freeze_others(args.only)
        fused = dict(fused=True) if self.device.type == "cuda" else {}
        trained = [parameter for parameter in self.net.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, args.rate, weight_decay=1e-4, betas=(0.9, 0.98), **fused)
        if saved:
            self.counters.update(saved["state"])
        self.random = Randomness(args.seed + self.counters["step"], self.group.rank, self.device)
        if saved:
            self.resume(saved)

    def say(self, text):
        if self.group.rank == 0:
            print(text, flush=True)

    def freeze_others(self, parts):
        """Train only the parameters whose names begin with one of `parts`, of those that are trained otherwise. ValueError if a part has none."""
        unknown = [part for part in parts if not any(name.startswith(part) for name, _ in self.net.named_parameters())]
        if unknown:
            raise ValueError(f"--only {unknown[0]}: the network has no parameter whose name begins so")
        for name, parameter in self.net.named_parameters():
            parameter.requires_grad_(parameter.requires_grad and name.startswith(tuple(parts)))
        if self.args.token_shapes and not any(p.requires_grad and name.startswith(network.TOKEN_PARTS) for name, p in self.net.named_parameters()):
            raise ValueError(f"--only {','.join(parts)}: batches of --token-shapes train nothing of this. Leave --token-shapes out, or add one of {', '.join(network.TOKEN_PARTS)}")

    def start_from(self, path):
        """Take the weights of another run's checkpoint, and its counters of steps, samples and seconds."""
        saved = checkpoint.load(path, self.device)
        copied, tensors = checkpoint.start_from(self.net, saved)
        can_match = saved.get("task", "flow") == "flow"
        self.counters.update({k: saved["state"][k] for k in ("step", "samples", "seconds")}, full_motion=can_match)
        self.say(f"started from {path}: {copied} of {tensors} tensors copied")

    def resume(self, saved):
        """Go on from this run's own checkpoint. ValueError if it holds a network of other sizes. Tensors that an earlier version of the code did
        not have keep their initial values. The optimiser starts afresh then, and if other parts are trained now."""
        ours = dataclasses.asdict(self.args.network)
        differ = [f"{k} {saved['network'].get(k)}, not {v}" for k, v in ours.items() if saved["network"].get(k, v) != v]
        if differ:
            raise ValueError(f"{self.path} holds another network ({'; '.join(differ)}): choose another --out, and --init to start from its weights")
        new = warm_start.load_whole(self.net, saved["model"])
        warm_start.load_whole(self.average, saved["ema"])
        same = list(saved["model"]) == list(self.net.state_dict()) and saved.get("options", {}).get("only") == self.args.only
        if "optimiser" in saved and same:  # its state goes by the order of the tensors
            own = self.optimiser.state_dict()["param_groups"]  # those of a GPU name its own form of the step
            self.optimiser.load_state_dict(dict(saved["optimiser"], param_groups=own))
        if len(saved.get("random", ())) == self.group.world:
            self.random.restore(saved["random"][self.group.rank])
        if self.args.restart_schedule:
            self.counters.update(schedule=0.0, schedule_step=0, full_motion=True)
        self.say(f"resumed {self.path}: step {self.counters['step']}, {self.counters['seconds'] / 60:.1f} minutes" + (f", {len(new)} new tensors" if new else ""))

    def step(self):
        """Apply the gradients, averaged over all processes, and let the averaged weights follow."""
        self.group.average(self.net.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        if torch.isfinite(norm):  # gradients that overflow are dropped
            self.optimiser.step()
        step = self.counters["step"]
        decay = min(self.args.average, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_mul_(list(self.average.parameters()), decay)
            torch._foreach_add_(list(self.average.parameters()), list(self.net.parameters()), alpha=1 - decay)

    def save(self):
        """Write the checkpoint. All processes call this together: it holds the random numbers of each."""
        states = self.group.gather(self.random.state())
        if self.group.rank == 0:
            options = {k: v for k, v in vars(self.args).items() if k != "network"}
            checkpoint.save(self.path, dict(
                task=self.args.task, config=self.args.network.name, network=dataclasses.asdict(self.args.network), options=options,
                model=self.net.state_dict(), ema=self.average.state_dict(), optimiser=self.optimiser.state_dict(), state=self.counters, random=states))
