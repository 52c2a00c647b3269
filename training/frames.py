"""Synthetic whole frames with exact flow, on which networks are chosen. Seeded, and painted with held-out textures."""
import random

import torch

from training import windows

HELD_OUT = 20  # every 20th texture is never trained on
SIZES = ((512, 384), (640, 480), (1024, 448))
FULL_HD = ((1920, 1088),)
FAINT = dict(motion=0.15, faint=0.6)    # sky, walls, asphalt, with motion as in most videos
TRIPOD = dict(tripod=1.0, faint=0.25)   # only objects with a motion of their own move; noise differs in each frame


def split(bank):
    """(training textures, held-out textures)."""
    held = torch.arange(len(bank)) % HELD_OUT == HELD_OUT - 1
    return bank[~held].contiguous(), bank[held].contiguous()


def samples(held_out, count=12, seed=7, sizes=SIZES, motion=0.6, **scene):
    """`count` whole frames as windows.Sample of one window each, always the same ones for a seed and bank.

    motion: share of the full range of motion; scene: other options of scenes.Scenes."""
    generator = torch.Generator(device=held_out.device).manual_seed(seed)
    rng = random.Random(seed)
    for i in range(count):
        w, h = sizes[i % len(sizes)]
        yield windows.sample(held_out, 1, 1, h, w, motion=motion, generator=generator, rng=rng, size=(w, h), objects=8, **scene)
