"""Windows of a pair of virtual frames: the sample that Win-Win trains on.

Positions are on the token grid of the virtual frame, PATCH pixels a token. A window of frame 2 is its window of frame 1, shifted by the median
true flow, rounded to tokens and jittered: without the jitter the position of the second window would give the mean motion away. Some samples
have both windows at the same position instead.
"""
import random
from dataclasses import dataclass

import torch

from training import camera, scenes
from training.network import PATCH

FRAMES = ((1920, 1088), (1248, 384), (1024, 448), (640, 480), (512, 384))  # sizes of virtual frames, width x height
TRIES = 100     # random placements of windows before they are put on a grid
FOLLOW = 0.85   # share of the samples whose second windows follow the flow


@dataclass
class Sample:
    """A batch of B samples of n windows of h x w pixels.

    frame1, frame2: float [B, n, h, w, 3], 0-255. origin1, origin2: int64 [B, n, 2], (x, y) in tokens.
    flow: float [B, n, h, w, 2], pixels of the virtual frame; NaN = unknown. layer: int64 [B, n, h, w], depth order (0 = farthest).
    visible: bool [B, n, h, w], whether the pixel can be found in some window of frame 2.
    centre_flow, centre_visible: the same at token centres, [B, n, h/PATCH, w/PATCH].
    inverse_depth: float [B, n, h, w]; kind: int64 [B, n, h, w], class of the texture; contrast: float [B, n, h, w], share of its texture's
    contrast that a surface keeps (1 except on faint surfaces). All three are None for real data.
    backward: the sample with its frames exchanged, of which only frames, origins, flow, layer and visibility are known; None for real data.
    tokens_only: whether it trains only what comes before refinement.
    """
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
    backward: "Sample" = None
    tokens_only: bool = False

    def both_ways(self):
        """This sample and its backward one as 2B samples, with what the losses need: origins, flow, visibility. Itself if it has no backward one."""
        if self.backward is None:
            return self
        names = ("origin1", "origin2", "flow", "layer", "visible", "centre_flow", "centre_visible")
        return Sample(None, None, *(torch.cat([getattr(self, n), getattr(self.backward, n)]) for n in names))


def capacity(rows, columns, size):
    """How many windows of rows x columns tokens fit a frame of `size` (width, height) pixels side by side: (across, down). No placement of
    equal rectangles holds more than this grid does."""
    return size[0] // PATCH // columns, size[1] // PATCH // rows


def place(n, rows, columns, size, rng):
    """Random positions of n windows of rows x columns tokens that do not overlap, in a frame of `size` (width, height) pixels:
    [(x, y), ...] in tokens. ValueError if so many do not fit."""
    wide, high = size[0] // PATCH, size[1] // PATCH
    across, down = capacity(rows, columns, size)
    if n > across * down:
        raise ValueError(f"{n} windows of {columns * PATCH}x{rows * PATCH} pixels do not fit a frame of {size[0]}x{size[1]} without overlap: at most {across * down} do")
    for _ in range(TRIES):
        spots = [(rng.randint(0, wide - columns), rng.randint(0, high - rows)) for _ in range(n)]
        if all(abs(a[0] - b[0]) >= columns or abs(a[1] - b[1]) >= rows for i, a in enumerate(spots) for b in spots[:i]):
            return spots
    x0, y0 = rng.randint(0, wide - across * columns), rng.randint(0, high - down * rows)
    return [(x0 + i % across * columns, y0 + i // across * rows) for i in rng.sample(range(across * down), n)]


def found_in(flow, xy, layer1, layer2, origin2):
    """Whether pixels of frame 1 are seen in the windows of frame 2: inside one of them, with their own layer on top there.
    flow, xy: float [B, n, h, w, 2]; layer1, layer2: int64 [B, n, h, w]; origin2: int64 [B, n, 2] in tokens. bool [B, n, h, w]."""
    q = xy + flow
    h, w = layer2.shape[2:4]
    visible = torch.zeros_like(layer1, dtype=torch.bool)
    for k in range(origin2.shape[1]):
        local = (q - PATCH * origin2[:, k].float()[:, None, None, None, :]).round().long()
        inside = (local[..., 0] >= 0) & (local[..., 0] < w) & (local[..., 1] >= 0) & (local[..., 1] < h)
        index = (local[..., 1].clamp(0, h - 1) * w + local[..., 0].clamp(0, w - 1)).reshape(len(q), -1)
        there = torch.gather(layer2[:, k].reshape(len(q), -1), 1, index).reshape(layer1.shape)
        visible |= inside & (there == layer1)
    return visible


def at_centres(values):
    """Values at token centres: [B, n, h, w, ...] -> [B, n, h/PATCH, w/PATCH, ...]."""
    half = PATCH // 2
    return values[:, :, half::PATCH, half::PATCH]


def sample(bank, batch, n=2, height=128, width=128, motion=1.0, generator=None, rng=random, follow=FOLLOW, size=None, light=True, sharpen=0.0, **scene):
    """A batch of synthetic window pairs, rendered on the device of `bank` (textures.load).

    motion: share of the full range of motion. follow: share of the samples whose second windows follow the flow. size: (width, height) of the
    virtual frame, or None for one of FRAMES. light: whether a camera's effects are added (camera.shoot); sharpen: how
    often the camera sharpens. scene: options of scenes.Scenes. ValueError if the windows do not fit the frame.
    """
    device = bank.device
    rows, columns = height // PATCH, width // PATCH
    fits = [s for s in FRAMES if s[0] // PATCH >= columns * n and s[1] // PATCH >= rows]
    size = size or rng.choice(fits or [(max(1920, width), max(1088, height))])
    origin1 = torch.tensor([place(n, rows, columns, size, rng) for _ in range(batch)], device=device)
    extent = torch.tensor([width, height], device=device, dtype=torch.float32)
    layers = scenes.Scenes(bank, origin1.float() * PATCH + extent / 2, max(width, height) * 0.6, size, motion, generator, **scene)
    view1 = layers.view(scenes.grid(origin1.float() * PATCH, height, width), second=False)
    flow = layers.flow(view1)
    origin2 = follow_flow(origin1, flow, follow, generator)
    if n == 1 and (height, width) == (size[1], size[0]):
        origin2 = origin1.clone()  # a whole frame has nothing to follow
    view2 = layers.view(scenes.grid(origin2.float() * PATCH, height, width), second=True)
    of_layer = lambda value, view: torch.gather(value, 1, view.layer.reshape(batch, -1)).reshape(view.layer.shape)
    found = lambda flow, view, other, origin: found_in(flow, view.xy, view.layer, other.layer, origin) & ~of_layer(layers.dynamic_texture, view)
    visible = found(flow, view1, view2, origin2)
    back = layers.backward_flow(view2)
    back_visible = found(back, view2, view1, origin1)
    frame1, frame2 = camera.shoot(view1.image, view2.image, generator, sharpen) if light else (view1.image, view2.image)
    backward = Sample(frame2, frame1, origin2, origin1, back, view2.layer, back_visible, at_centres(back), at_centres(back_visible))
    return Sample(frame1, frame2, origin1, origin2, flow, view1.layer, visible, at_centres(flow), at_centres(visible),
                  of_layer(layers.inverse_depth, view1), of_layer(layers.classes(), view1), of_layer(layers.contrast, view1), backward)


def follow_flow(origin1, flow, follow, generator=None):
    """Positions of frame 2's windows, int64 [B, n, 2] in tokens: by the median flow and a jitter of at most half a window from origin1 in a
    share `follow` of the samples, at origin1 in the others. flow: float [B, n, h, w, 2] in pixels, NaN = unknown."""
    batch, n, height, width, _ = flow.shape
    device = flow.device
    median = torch.nan_to_num(flow.reshape(batch, n, -1, 2).nanmedian(2).values / PATCH)
    reach = torch.tensor([width // PATCH, height // PATCH], device=device, dtype=torch.float32)
    jitter = (torch.rand(batch, n, 2, generator=generator, device=device) * 2 - 1) * reach * 0.5
    jitter = jitter * torch.rand(batch, n, 1, generator=generator, device=device)
    following = torch.rand(batch, 1, 1, generator=generator, device=device) < follow
    return origin1 + torch.where(following, (median + jitter).round(), torch.zeros_like(median)).long()
