"""Synthetic whole frames with exact flow: what a network is chosen on. Seeded, and painted with held-out textures."""
import random

import torch

from training import windows

HELD_OUT = 20  # every 20th texture is never trained on


def split(bank):
    """(training textures, held-out textures)."""
    held = torch.arange(len(bank)) % HELD_OUT == HELD_OUT - 1
    return bank[~held].contiguous(), bank[held].contiguous()


SIZES = ((512, 384), (640, 480), (1024, 448))
FULL_HD = ((1920, 1088),)


def samples(held_out, count=12, seed=7, sizes=SIZES, haze=0.0):
    """`count` whole frames as windows.Sample of one window each, always the same ones for a seed and bank."""
    generator = torch.Generator(device=held_out.device).manual_seed(seed)
    rng = random.Random(seed)
    for i in range(count):
        w, h = sizes[i % len(sizes)]
        yield windows.sample(held_out, 1, 1, h, w, motion=0.6, generator=generator, rng=rng, size=(w, h), objects=8, haze=haze)
