"""Correlation steps that learn to do what those of another network with the same maps do: the teacher's, with more channels or a larger radius.

The teacher estimates the flow of synthetic frames in both directions. At each stride, the student starts from the teacher's first state, sees the
correlations of the teacher's rounds, and learns to give the teacher's state and change of the flow after each of them. That shows a step exactly what to do
at every cell, so it learns about six times as fast as from the error of the flow (training/ablation/narrow.md).
"""
import copy
import math
import random
from typing import NamedTuple

import torch
from torch.utils.data import DataLoader, IterableDataset

from training import correlation, frames, refinement, tasks, windows

SIZES = (512, 384), (384, 256), (640, 384), (320, 320), (448, 320)
MOTIONS = 0.1, 0.3, 0.6, 1.0     # shares of the full range, drawn for each frame
SCENES = tasks.FLOW_SCENES, tasks.FLOW_SCENES, {}, frames.FAINT, frames.TRIPOD
STRIDES = 16, 8, 4
WARM_UP = 100        # frames
AVERAGE = 0.004      # share of the newest weights in the average
STATE_WEIGHT = 3.0   # of the state's error in the loss
SHORT = 0.05         # cells; what a change's error is relative to is at least this
REPORT, SAVE = 50, 500  # frames between lines, between checkpoints


class Round(NamedTuple):
    """What one round of a correlation step sees and gives (refinement.CorrelationStep.correct)."""
    hidden: torch.Tensor
    correlation: torch.Tensor
    shape: torch.Tensor
    after: torch.Tensor
    change: torch.Tensor


def steps_of(net):
    """{name: correlation step} of a network."""
    return {name: step for name, step in net.named_modules() if isinstance(step, refinement.CorrelationStep)}


def record(step, rounds):
    """Let a correlation step append each of its rounds to the list `rounds`."""
    correct = step.correct

    def recorded(hidden, *seen):
        after, change = correct(hidden, *seen)
        rounds.append(Round(hidden, *seen, after, change))
        return after, change

    step.correct = recorded


class Lessons(IterableDataset):
    """The teacher's rounds on one synthetic frame after another, in both directions: {stride: [Round, ...]}."""

    def __init__(self, teacher, bank, seed):
        self.teacher, self.bank, self.seed = teacher, bank, seed

    @torch.no_grad()
    def __iter__(self):
        rng, generator = random.Random(self.seed), torch.Generator().manual_seed(self.seed)
        teacher, rounds = copy.deepcopy(self.teacher), {stride: [] for stride in STRIDES}
        for stride, found in rounds.items():
            for step in set(teacher.decoder.rounds(stride)):
                record(step, found)
        while True:
            (w, h), scene = rng.choice(SIZES), rng.choice(SCENES)
            scene = {"motion": rng.choice(MOTIONS), "objects": 8, **scene}
            s = windows.sample(self.bank, 1, 1, h, w, generator=generator, rng=rng, size=(w, h), **scene)
            for found in rounds.values():
                found.clear()
            teacher.estimate(s.frame1[0, 0], s.frame2[0, 0], both_ways=True)
            yield {stride: list(found) for stride, found in rounds.items()}


def errors(first, later, rounds):
    """How far a stride's correlation steps are from the teacher's rounds: the state's squared error relative to its variance, and the change's error relative
    to its length."""
    hidden, state, change = rounds[0].hidden, 0, 0
    for i, r in enumerate(rounds):
        step = later if i else first
        hidden, ours = step.correct(hidden, correlation.central(r.correlation, step.radius), r.shape)
        state = state + ((hidden - r.after) ** 2).mean() / r.after.var()
        distance = (((ours - r.change) ** 2).sum(1) + 1e-6).sqrt()
        change = change + (distance / (SHORT + r.change.norm(dim=1))).clamp(max=2).mean()
    return state / len(rounds), change / len(rounds)


def train(teacher, student, bank, count, rate, seed=1, save=lambda: None, workers=1):
    """Train the student's correlation steps on `count` frames, along one cosine from `rate` to 0. At the end, and whenever `save` is called, the student
    has the averaged weights. workers: processes that run the teacher beside this one. Returns the errors of the last REPORT frames:
    {stride: (state, change)}."""
    parameters = [p for step in steps_of(student).values() for p in step.parameters()]
    average = [p.detach().clone() for p in parameters]
    optimiser = torch.optim.Adam(parameters, rate, betas=(0.9, 0.98))
    log = {stride: [] for stride in STRIDES}

    def exchange():
        for p, mean in zip(parameters, average):
            p.data, mean.data = mean.data, p.data

    for i, lesson in zip(range(count), DataLoader(Lessons(teacher, bank, seed), batch_size=None, num_workers=workers)):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (i + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * i / count))
        loss = 0
        for stride, rounds in lesson.items():
            state, change = errors(*student.decoder.rounds(stride), rounds)
            loss = loss + STATE_WEIGHT * state + change
            log[stride] = [*log[stride][1 - REPORT:], (state.item(), change.item())]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            torch._foreach_mul_(average, 1 - max(AVERAGE, 1 / (i + 2)))
            torch._foreach_add_(average, [p.detach() for p in parameters], alpha=max(AVERAGE, 1 / (i + 2)))
        if (i + 1) % REPORT == 0:
            print(i + 1, "  ".join(f"1/{stride}: state {s:.5f} change {c:.4f}" for stride, (s, c) in means(log).items()), flush=True)
        if (i + 1) % SAVE == 0:
            exchange()
            save()
            exchange()
    exchange()
    save()
    return means(log)


def means(log):
    """{key: means of the columns of its rows}."""
    return {key: tuple(sum(column) / len(column) for column in zip(*rows)) for key, rows in log.items()}
