"""Batches of window pairs: synthetic scenes, and windows cut from real data sets in a stated share."""
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import torch

from training import datasets, windows

OBJECTS = 6           # in a scene of which windows show OBJECTS_AREA pixels; their number grows with the fourth root of the area
OBJECTS_AREA = 2 * 128 * 128


class Batches:
    """Batches for a run. The shape of a batch and whether it is real or synthetic are drawn from `random.shared`."""

    def __init__(self, args, task, bank, random):
        self.shapes, self.frame, self.scenes, self.one_way = args.shapes, args.frame, task.scenes, args.one_way
        self.token_shapes, self.token_share = args.token_shapes, args.token_share if args.token_shapes else 0.0
        self.bank, self.random = bank, random
        n, h, w = args.shapes[0]
        self.pixels = args.batch * n * h * w
        self.share = args.data_share if args.data else 0.0
        self.real = datasets.Pairs(args.data) if args.data else None
        if self.real:
            for shape in args.shapes + args.token_shapes:
                self.real.that_hold(*shape)  # better now than in an hour

    @torch.no_grad()
    def draw(self, motion):
        """A windows.Sample with motion up to the share `motion` of the full range (synthetic scenes only)."""
        tokens_only = self.token_share > 0 and self.random.shared.random() < self.token_share
        n, h, w = self.random.shared.choice(self.token_shapes if tokens_only else self.shapes)
        batch = max(1, round(self.pixels / (n * h * w)))
        if self.share and self.random.shared.random() < self.share:
            sample = self.real.sample(batch, n, h, w, self.bank.device, self.random.generator)
        else:
            objects = max(OBJECTS, round(OBJECTS * (n * h * w / OBJECTS_AREA) ** 0.25))
            sample = windows.sample(self.bank, batch, n, h, w, motion=motion, generator=self.random.generator, size=self.frame, objects=objects, **self.scenes)
        return dataclasses.replace(sample, backward=None if self.one_way else sample.backward, tokens_only=tokens_only)


class Prefetch:
    """Draws each batch while the step before it is computed: in a thread and, on a GPU, on a CUDA stream of its own. Rendering consists of many small
    kernels that leave a GPU idle. Python's random numbers are drawn by two threads then, so a run cannot be repeated exactly."""

    def __init__(self, batches, device):
        self.batches, self.device = batches, device
        self.thread, self.next, self.stream = ThreadPoolExecutor(1), None, None
        if device.type == "cuda":
            self.stream = torch.cuda.Stream(device)
            self.stream.wait_stream(torch.cuda.current_stream(device))  # the textures are there

    def draw(self, motion):
        """The next batch. `motion` counts for the one after it, except at first."""
        sample, drawn = (self.next or self.thread.submit(self._render, motion)).result()
        self.next = self.thread.submit(self._render, motion)
        if drawn is not None:
            current = torch.cuda.current_stream(self.device)
            current.wait_event(drawn)
            keep_for(current, sample)
        return sample

    def _render(self, motion):
        if self.stream is None:
            return self.batches.draw(motion), None
        with torch.cuda.device(self.device), torch.cuda.stream(self.stream):
            sample = self.batches.draw(motion)
            return sample, self.stream.record_event()


def keep_for(stream, sample):
    """Tell the allocator that `stream` uses the tensors of a windows.Sample, so that their memory is not given away before that."""
    for field in dataclasses.fields(sample):
        value = getattr(sample, field.name)
        if isinstance(value, windows.Sample):
            keep_for(stream, value)
        elif isinstance(value, torch.Tensor):
            value.record_stream(stream)
