"""Windows of a pair of virtual frames: the sample that Win-Win trains on.

Positions are on the token grid of the virtual frame (PATCH pixels a token). Windows of frame 2 follow those of
frame 1 by the median true flow, rounded to tokens and jittered: without the jitter the place of the second
window would tell the network the mean motion for free. Some samples are co-located instead.
"""
import random
from dataclasses import dataclass

import torch

from training import camera, scenes

PATCH = 16
FRAMES = ((1920, 1088), (1248, 384), (1024, 448), (640, 480), (512, 384))  # virtual frames, width x height


@dataclass
class Sample:
    """frame1, frame2: float [B, n, h, w, 3], 0-255. origin1, origin2: int64 [B, n, 2], (x, y) in tokens.
    flow: float [B, n, h, w, 2], pixels of the virtual frame. layer: int64 [B, n, h, w], depth order (0 = farthest).
    inverse_depth: float [B, n, h, w]; kind: int64 [B, n, h, w], class of what is seen; both None where a data set has none.
    contrast: float [B, n, h, w], share of its texture's contrast that a surface keeps (1 but for faint ones); None where unknown.
    visible: bool [B, n, h, w], to be found again in some window of frame 2. centre_flow, centre_visible: the same at token centres [B, n, h/16, w/16]."""
    frame1: torch.Tensor
    frame2: torch.Tensor
    origin1: torch.Tensor
    origin2: torch.Tensor
    flow: torch.Tensor
    layer: torch.Tensor
    visible: torch.Tensor
    centre_flow: torch.Tensor
    centre_visible: torch.Tensor
    inverse_depth: torch.Tensor = None
    kind: torch.Tensor = None
    contrast: torch.Tensor = None


def place(n, rows, columns, size, rng):
    """n windows of rows x columns tokens in a frame of `size` pixels that don't overlap; [(x, y), ...] in tokens."""
    wide, high = size[0] // PATCH, size[1] // PATCH
    if columns > wide or rows > high:
        raise ValueError(f"a window of {rows}x{columns} tokens does not fit a frame of {high}x{wide} tokens")
    while True:
        spots = [(rng.randint(0, wide - columns), rng.randint(0, high - rows)) for _ in range(n)]
        if all(abs(a[0] - b[0]) >= columns or abs(a[1] - b[1]) >= rows for i, a in enumerate(spots) for b in spots[:i]):
            return spots


def seen_in(flow, xy, layer1, view2, origin2):
    """Whether frame 1's pixels are seen in the windows of frame 2: inside one, with their own layer on top."""
    q = xy + flow
    h, w = view2.layer.shape[2:4]
    visible = torch.zeros_like(layer1, dtype=torch.bool)
    for k in range(origin2.shape[1]):
        local = (q - PATCH * origin2[:, k].float()[:, None, None, None, :]).round().long()
        inside = (local[..., 0] >= 0) & (local[..., 0] < w) & (local[..., 1] >= 0) & (local[..., 1] < h)
        index = (local[..., 1].clamp(0, h - 1) * w + local[..., 0].clamp(0, w - 1)).reshape(len(q), -1)
        there = torch.gather(view2.layer[:, k].reshape(len(q), -1), 1, index).reshape(layer1.shape)
        visible |= inside & (there == layer1)
    return visible


def sample(bank, batch, n=2, height=128, width=128, motion=1.0, generator=None, rng=random, follow=0.85, size=None, light=True, objects=6, haze=0.0, dynamic_texture=0.0, forward=0.0, faint=0.0, tripod=0.0):
    """A batch of window pairs, rendered on the bank's device."""
    device = bank.device
    rows, columns = height // PATCH, width // PATCH
    fits = [s for s in FRAMES if s[0] // PATCH >= columns * n and s[1] // PATCH >= rows]
    size = size or rng.choice(fits or [(max(1920, width), max(1088, height))])
    origin1 = torch.tensor([place(n, rows, columns, size, rng) for _ in range(batch)], device=device)
    extent = torch.tensor([width, height], device=device, dtype=torch.float32)
    scene = scenes.Scenes(bank, origin1.float() * PATCH + extent / 2, max(width, height) * 0.6, size, motion, generator, objects, haze, dynamic_texture, forward, faint, tripod)
    view1 = scene.view(scenes.grid(origin1.float() * PATCH, height, width), second=False)
    flow = scene.flow(view1)
    # Where frame 2's windows are
    median = flow.reshape(batch, n, -1, 2).median(2).values / PATCH
    reach = torch.tensor([columns, rows], device=device, dtype=torch.float32)
    jitter = (torch.rand(batch, n, 2, generator=generator, device=device) * 2 - 1) * reach * 0.5
    jitter = jitter * torch.rand(batch, n, 1, generator=generator, device=device)
    following = torch.rand(batch, 1, 1, generator=generator, device=device) < follow
    offset = torch.where(following, (median + jitter).round(), torch.zeros_like(median))
    origin2 = origin1 + offset.long()
    if n == 1 and (height, width) == (size[1], size[0]):
        origin2 = origin1.clone()  # the whole frame: nothing to follow
    view2 = scene.view(scenes.grid(origin2.float() * PATCH, height, width), second=True)
    of_layer = lambda value: torch.gather(value, 1, view1.layer.reshape(batch, -1)).reshape(view1.layer.shape)
    visible = seen_in(flow, view1.xy, view1.layer, view2, origin2) & ~of_layer(scene.dynamic_texture)
    frame1, frame2 = camera.shoot(view1.image, view2.image, generator) if light else (view1.image, view2.image)
    h = PATCH // 2
    return Sample(frame1, frame2, origin1, origin2, flow, view1.layer, visible, flow[:, :, h::PATCH, h::PATCH], visible[:, :, h::PATCH, h::PATCH],
                  of_layer(scene.inverse_depth), of_layer(scene.classes()), of_layer(scene.contrast))
