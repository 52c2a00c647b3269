"""Batches of window pairs: synthetic scenes, and windows cut from real data sets in a stated share."""
import torch

from training import datasets, windows


class Batches:
    """Batches for a run. The shape of a batch and whether it is real or synthetic are drawn from `random.shared`."""

    def __init__(self, args, task, bank, random):
        self.shapes, self.frame, self.scenes = args.shapes, args.frame, task.scenes
        self.bank, self.random = bank, random
        n, h, w = args.shapes[0]
        self.pixels = args.batch * n * h * w
        self.share = args.data_share if args.data else 0.0
        self.real = datasets.Pairs(args.data) if args.data else None
        if self.real:
            for shape in args.shapes:
                self.real.that_hold(*shape)  # better now than in an hour

    @torch.no_grad()
    def draw(self, motion):
        """A windows.Sample with motion up to the share `motion` of the full range (synthetic scenes only)."""
        n, h, w = self.random.shared.choice(self.shapes)
        batch = max(1, round(self.pixels / (n * h * w)))
        if self.share and self.random.shared.random() < self.share:
            return self.real.sample(batch, n, h, w, self.bank.device, self.random.generator)
        return windows.sample(self.bank, batch, n, h, w, motion=motion, generator=self.random.generator, size=self.frame, **self.scenes)
