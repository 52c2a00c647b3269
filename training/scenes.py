"""Synthetic scenes that are analytic in pixel coordinates, rendered only inside windows.

A scene is a background and objects in painter's order. A layer has a photo texture, an analytic silhouette, a plane homography and a smooth
non-rigid warp. Frame 1 shows a layer at its own coordinates p, frame 2 at

    motion(p) = centre + shift + M (p - centre) / (1 + g . (p - centre)) + waves(p),

so the flow motion(p) - p is exact. Frame 2 is rendered through the inverse, with a few fixed-point steps for the waves. Training never
renders a whole frame: only the pixels of the windows are computed.
"""
import math
from dataclasses import dataclass

import torch

from training import driving, pieces, textures

WAVES = 2  # plane waves in a layer's non-rigid warp
LOBES = 3  # plane waves that make a silhouette wavy
FINE = 0.9, 1.6  # texels in a pixel, from and to
FARTHEST, NEAREST = 0.7, 1.3  # inverse depth, 1 = the middle of the scene
MAX_FAINT_CONTRAST = 0.25  # share of its texture's contrast that a faint layer keeps at most
FAINT_BACKGROUNDS = 1.6  # backgrounds are faint so much more often than objects


@dataclass
class View:
    """The windows of one frame, rendered.

    image: float [B, n, h, w, 3], 0-255; layer: int64 [B, n, h, w], the visible layer (0 = background);
    xy: float [B, n, h, w, 2], pixel coordinates in the virtual frame; origin: float [2, B, n, h, w], where frame 1 shows what is seen at xy.
    """
    image: torch.Tensor
    layer: torch.Tensor
    xy: torch.Tensor
    origin: torch.Tensor


def grid(origins, height, width):
    """Pixel coordinates of windows: origins float [B, n, 2] (x, y) -> [B, n, h, w, 2]."""
    y = torch.arange(height, device=origins.device, dtype=torch.float32)
    x = torch.arange(width, device=origins.device, dtype=torch.float32)
    base = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)
    return origins[:, :, None, None, :] + base


def bent(start, p, waves):
    """start plus the waves [(k [2, ...], phase, size [2, ...])] at p: all [2, B, n, h, w] or of a shape that fits."""
    for k, phase, size in waves:
        start = torch.addcmul(start, torch.addcmul(torch.addcmul(phase, p[0], k[0]), p[1], k[1]).sin_(), size)
    return start


def undo(q, pivot, shift, m, g, waves, steps):
    """The inverse of a layer's motion at q [2, B, n, h, w]; the rest as Scenes._motion_of gives it."""
    base, p = q - (pivot + shift), q
    # (M - v g^T) u = v by Cramer's rule; the determinant is linear in v
    whole, by_x, by_y = m[0] * m[3] - m[1] * m[2], g[1] * m[2] - g[0] * m[3], g[0] * m[1] - g[1] * m[0]
    for _ in range(steps if waves else 1):
        v = bent(base, p, [(k, phase, -size) for k, phase, size in waves])
        determinant = torch.addcmul(torch.addcmul(whole, v[0], by_x), v[1], by_y)
        p = torch.stack([torch.addcmul(m[3] * v[0], v[1], m[1], value=-1), torch.addcmul(m[0] * v[1], v[0], m[2], value=-1)]).div_(determinant).add_(pivot)
    return p


def opacity(p, outline, centre, corner, lobe_k, lobe_phase, lobe_size, hole, edge):
    """Opacity [B, n, h, w] of an object at its own coordinates p [2, B, n, h, w]; its silhouette's parameters [k, B, 1, 1, 1] or [B, 1, 1, 1]."""
    x = torch.addcmul(torch.addcmul(-(outline[0] * centre[0] + outline[1] * centre[1]), p[0], outline[0]), p[1], outline[1])
    y = torch.addcmul(torch.addcmul(-(outline[2] * centre[0] + outline[3] * centre[1]), p[0], outline[2]), p[1], outline[3])
    xx, yy = x * x, y * y
    f = 1 - (xx + 1e-6).log_().mul_(corner).exp_() - (yy + 1e-6).log_().mul_(corner).exp_()
    for i in range(LOBES):
        f.addcmul_(torch.addcmul(torch.addcmul(lobe_phase[i], x, lobe_k[2 * i]), y, lobe_k[2 * i + 1]).sin_(), lobe_size[i])
    f = torch.minimum(f, torch.where(hole > 0, (xx + yy - hole) * 3, 1e3))
    return f.mul_(edge).add_(0.5).clamp_(0, 1)


def compile_kernels():
    """Let PyTorch 2 fuse the loops over pixels into a kernel each. On a GPU most of the time of rendering goes into writing down what they compute
    on the way."""
    global undo, opacity
    undo, opacity = (torch.compile(f, dynamic=True) for f in (undo, opacity))
    textures.sample = torch.compile(textures.sample, dynamic=True)


class Scenes:
    """A batch of scenes.

    focus [B, n, 2]: places (pixels) near which objects are put, so that windows are not empty; reach: how far around them (pixels).
    size: virtual frame (width, height). objects: how many there are; smallest: the least radius of one, as a share of reach. haze: how much of
    the farthest layer's colour the air hides (what tells depth in one frame). dynamic_texture: share of layers whose frame 2 shows another part
    of their texture, as water, smoke and reflections do: they move as layers, and nothing in them can be found again. forward: share of scenes
    whose camera drives through them, most over a ground, so that motion grows from its vanishing point to the border. faint: share of objects,
    and a larger one of backgrounds, that keep at most a quarter of their contrast, as sky, asphalt and walls. faint_still: share of the faint
    backgrounds that stand still, whatever moves before them. tripod: share of scenes in which only objects with a motion of their own move. fine: share
    of layers that show FINE (from, to) texels in a pixel; most others show fewer, so they are smoother than what a good lens draws. scattered: share of
    objects that consist of many small pieces (training/pieces.py).
    """

    def __init__(self, bank, focus, reach, size, motion=1.0, generator=None, objects=6, smallest=0.10, haze=0.0, dynamic_texture=0.0, forward=0.0, faint=0.0, faint_still=0.0, tripod=0.0, fine=0.0, scattered=0.0):
        self.bank = bank.reshape(-1).view(torch.int32).reshape(bank.shape[:3])
        self.device, self.generator = bank.device, generator
        self.batch, self.layers = focus.shape[0], objects + 1
        self.size = torch.tensor(size, device=bank.device, dtype=torch.float32)
        # the order of these calls is the order of the random numbers: seeded scenes depend on it
        self._place(focus, reach, smallest)
        length, own, moves = self._move(focus, motion)
        self._bend(length)
        self._stop(moves, tripod)
        self.in_perspective = bool(forward)
        zeros = lambda *shape: torch.zeros(self.batch, self.layers, *shape, device=self.device)
        self.grain, self.grain_at, self.lines, self.line_colour = zeros(2), zeros(2), zeros(8), zeros(3)  # of planes in perspective: training.driving
        self.road_contrast = torch.ones(self.batch, self.layers, device=self.device)
        if forward:
            nearness = (self.inverse_depth - self.inverse_depth[:, :1]) / (NEAREST - FARTHEST)
            driving.drive(self, self.pick(forward, self.batch), length, own, nearness)
        self._texture(fine)
        self.hazy, self.has_faint = bool(haze), bool(faint)
        if haze:
            self.veil = haze * self.uniform(0.5, 1.0, self.batch, 1) * (NEAREST - self.inverse_depth) / (NEAREST - FARTHEST)
            self.air = self.uniform(120, 230, self.batch, 1, 3).expand(-1, self.layers, -1)
        self.dynamic_texture = torch.zeros(self.batch, self.layers, dtype=torch.bool, device=self.device)
        self.elsewhere = torch.zeros(self.batch, self.layers, 2, device=self.device)  # texels: how far a dynamic texture has changed
        if dynamic_texture:
            self.dynamic_texture = self.pick(dynamic_texture, self.batch, self.layers)
            self.elsewhere = (self.rand(self.batch, self.layers, 2) * 2 - 1) * bank.shape[1] * self.dynamic_texture[..., None]
        self.contrast = torch.ones(self.batch, self.layers, device=self.device)
        if faint:
            self._fade(faint, faint_still)
        self.in_pieces = None
        if scattered:
            self.in_pieces, self.piece_grid, self.cell = pieces.draw(self, scattered)
        self._tabulate_motion()

    # Random tensors of a shape, all from the scenes' generator
    def rand(self, *shape):
        return torch.rand(*shape, generator=self.generator, device=self.device)

    def randn(self, *shape):
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def uniform(self, low, high, *shape):
        return low + (high - low) * self.rand(*shape)

    def log_uniform(self, low, high, *shape):
        return torch.exp(self.uniform(math.log(low), math.log(high), *shape))

    def pick(self, chance, *shape):
        """Independent booleans that are True with this chance."""
        return self.rand(*shape) < chance

    def _place(self, focus, reach, smallest):
        """Where objects are, and their outlines: radii from `smallest` to 0.75 of `reach`."""
        near = torch.randint(focus.shape[1], (self.batch, self.layers), generator=self.generator, device=self.device)
        centre = torch.gather(focus, 1, near[..., None].expand(-1, -1, 2)) + (self.rand(self.batch, self.layers, 2) * 2 - 1) * reach
        radius = self.radius = self.log_uniform(smallest, 0.75, self.batch, self.layers) * reach
        aspect = torch.where(self.pick(0.2, self.batch, self.layers), self.log_uniform(0.04, 0.2, self.batch, self.layers), self.log_uniform(0.4, 1.0, self.batch, self.layers))
        angle = self.rand(self.batch, self.layers) * 2 * math.pi
        self.centre = centre
        c, s = torch.cos(angle), torch.sin(angle)
        self.outline = torch.stack([c / radius, s / radius, -s / (radius * aspect), c / (radius * aspect)], -1)
        self.corner = self.uniform(0.7, 2.5, self.batch, self.layers)  # exponent: 1 = ellipse, more = boxy
        self.lobe_k = self.randn(self.batch, self.layers, LOBES, 2) * self.uniform(1.0, 3.5, self.batch, self.layers, 1, 1)
        self.lobe_phase = self.rand(self.batch, self.layers, LOBES) * 2 * math.pi
        self.lobe_size = self.rand(self.batch, self.layers, LOBES) * self.uniform(0.0, 0.5, self.batch, self.layers, 1)
        self.hole = torch.where(self.pick(0.15, self.batch, self.layers), self.uniform(0.1, 0.4, self.batch, self.layers), torch.full((self.batch, self.layers), -1.0, device=self.device))
        self.edge = radius * aspect.clamp(max=1) * 0.5  # pixels for one unit of the outline function

    def _move(self, focus, motion):
        """Motion by a camera shared by all layers, with parallax, and by objects of their own. Returns length [B, 1], the scene's scale of motion
        in pixels; own [B, layers, 2], the objects' own shift in pixels; moves, bool [B, layers], which objects have one."""
        band = self.rand(self.batch, 1)
        length = torch.where(band < 0.33, self.log_uniform(0.1, 3, self.batch, 1), torch.where(band < 0.66, self.uniform(2, 30, self.batch, 1), self.log_uniform(20, 200, self.batch, 1)))
        length = length * motion
        heading = self.rand(self.batch, 1) * 2 * math.pi
        camera = torch.stack([length * torch.cos(heading), length * torch.sin(heading)], -1)  # [B, 1, 2]
        parallax = torch.cumsum(self.rand(self.batch, self.layers), 1)
        parallax = FARTHEST + (NEAREST - FARTHEST) * parallax / parallax[:, -1:]
        own_length = length * self.log_uniform(0.1, 1.5, self.batch, self.layers)
        own_heading = self.rand(self.batch, self.layers) * 2 * math.pi
        own = torch.stack([own_length * torch.cos(own_heading), own_length * torch.sin(own_heading)], -1)
        moves = self.pick(0.6, self.batch, self.layers)
        moves[:, 0] = False
        own = own * moves[..., None]
        shift = camera * parallax[..., None] + own
        # rotation and zoom displace a pixel at distance `lever` by about a part of the shift
        lever = self.uniform(60, 400, self.batch, self.layers)
        spin = lambda: (self.randn(self.batch, self.layers) * 0.4 * (length + 0.5) / lever).clamp(-0.5, 0.5)
        shared = self.pick(0.7, self.batch, 1)
        turn, zoom = spin(), spin() * 0.8
        turn = torch.where(shared & ~moves, turn[:, :1].expand_as(turn), turn)
        zoom = torch.where(shared & ~moves, zoom[:, :1].expand_as(zoom), zoom)
        zoom = torch.exp(zoom.clamp(-0.35, 0.35))
        skew = spin() * 0.3
        c, s = torch.cos(turn) * zoom, torch.sin(turn) * zoom
        self.matrix = torch.stack([c * (1 + skew), -s, s, c * (1 - skew)], -1)
        self.tilt = self.randn(self.batch, self.layers, 2) * (0.15 * (length + 0.3) / lever / lever)[..., None].clamp(max=3e-4)
        pivot = torch.where(self.pick(0.5, self.batch, 1)[..., None], self.size * self.rand(self.batch, 1, 2), focus[:, :1])
        self.pivot = torch.where((shared & ~moves)[..., None], pivot.expand_as(self.centre), self.centre)
        self.pivot[:, 0] = pivot[:, 0]
        self.shift = shift
        self.inverse_depth = parallax  # 1 = the middle of the scene; the camera's motion is multiplied by it
        return length, own, moves

    def _bend(self, length):
        """Waves of non-rigid motion in some layers."""
        bend = self.pick(0.5, self.batch, self.layers, 1) * self.rand(self.batch, self.layers, WAVES)
        self.wave_length = self.uniform(40, 250, self.batch, self.layers, WAVES)
        heading = self.rand(self.batch, self.layers, WAVES) * 2 * math.pi
        self.wave_k = torch.stack([torch.cos(heading), torch.sin(heading)], -1) * (2 * math.pi / self.wave_length)[..., None]
        self.wave_phase = self.rand(self.batch, self.layers, WAVES) * 2 * math.pi
        heading = self.rand(self.batch, self.layers, WAVES) * 2 * math.pi
        size_ = bend * torch.minimum(self.wave_length * 0.03, 0.3 * (length[..., None] + 0.3))
        self.wave = torch.stack([torch.cos(heading), torch.sin(heading)], -1) * size_[..., None]

    def _stop(self, moves, tripod):
        """Stop some layers, and in a share `tripod` of the scenes all that have no motion of their own."""
        still = self.pick(0.1, self.batch, self.layers)  # static layers
        still[:, 0] |= self.pick(0.1, self.batch)
        if tripod:
            still |= self.pick(tripod, self.batch, 1) & ~moves
        self._freeze(still)

    def _freeze(self, still):
        """Take all motion from the layers `still`, bool [B, layers]."""
        self.shift[still] = 0
        self.wave[still] = 0
        self.tilt[still] = 0
        self.matrix[still] = torch.tensor([1.0, 0, 0, 1], device=self.device)

    def _texture(self, fine):
        """Which texture each layer has, and how it lies on the layer."""
        self.texture = torch.randint(self.bank.shape[0], (self.batch, self.layers), generator=self.generator, device=self.device)
        twin = self.pick(0.1, self.batch, self.layers)  # some layers repeat the background's texture: camouflage
        self.texture = torch.where(twin, self.texture[:, :1], self.texture)
        scale = self.log_uniform(0.35, 1.3, self.batch, self.layers)
        if fine:
            scale = torch.where(self.pick(fine, self.batch, self.layers), self.log_uniform(*FINE, self.batch, self.layers), scale)
        # a small scale shows a smooth part of a texture, as sky and walls; a short tile repeats, as water, foliage and bricks
        scale = torch.where(self.pick(0.12, self.batch, self.layers), self.log_uniform(0.01, 0.1, self.batch, self.layers), scale)
        self.tile = torch.where(self.pick(0.12, self.batch, self.layers), self.log_uniform(16, 100, self.batch, self.layers), torch.full((self.batch, self.layers), float(self.bank.shape[1]), device=self.device))
        angle = self.rand(self.batch, self.layers) * 2 * math.pi
        flip = torch.where(self.pick(0.5, self.batch, self.layers), 1.0, -1.0)
        c, s = torch.cos(angle) * scale, torch.sin(angle) * scale
        self.lay = torch.stack([c, -s, s * flip, c * flip], -1)
        self.lay_offset = self.rand(self.batch, self.layers, 2) * 2 * self.bank.shape[1]
        texels = self.bank[:, ::16, ::16][self.texture]
        self.mean_colour = texels.flatten(2).view(torch.uint8).reshape(self.batch, self.layers, -1, 4)[..., :3].float().mean(2)
        self.tone = torch.exp(self.randn(self.batch, self.layers, 3) * 0.12) * self.log_uniform(0.6, 1.4, self.batch, self.layers, 1)

    def _tabulate_motion(self):
        """The parameters of each layer's motion, one in each row of self.table: [rows, B, layers]."""
        flat = lambda t: t.reshape(self.batch, self.layers, -1)
        self.table = torch.cat([flat(t) for t in (self.pivot, self.shift, self.matrix, self.tilt, self.wave_k, self.wave_phase, self.wave)], 2).permute(2, 0, 1).contiguous()
        self.bends = (self.wave != 0).flatten(2).any(2).any(0).tolist()

    def _fade(self, share, still):
        """Take contrast from a share of the objects and FAINT_BACKGROUNDS times as many backgrounds: their colour becomes the mean of their
        texture, a soft gradient, and at most MAX_FAINT_CONTRAST of the difference of texture and mean. A share `still` of these backgrounds stops."""
        batch, layers = self.batch, self.layers
        chance = torch.full((batch, layers), share, device=self.bank.device)
        chance[:, 0] = min(1.0, share * FAINT_BACKGROUNDS)
        chosen = self.rand(batch, layers) < chance
        self.contrast = torch.where(chosen, MAX_FAINT_CONTRAST * self.rand(batch, layers) ** 2, self.contrast)
        angle, turns = 2 * math.pi * self.rand(batch, layers), (0.3 + 1.7 * self.rand(batch, layers)) / self.size.max()
        self.shade_k = torch.stack([torch.cos(angle), torch.sin(angle)], -1) * (2 * math.pi * turns)[..., None]
        self.shade_phase = 2 * math.pi * self.rand(batch, layers)
        self.shade_size = 50 * self.rand(batch, layers) ** 2 * chosen
        if still:
            background = torch.zeros_like(chosen)
            background[:, 0] = chosen[:, 0] & self.pick(still, batch)
            self._freeze(background)

    # Points are [2, B, n, h, w]: x and y in separate planes are twice as fast on a CPU as interleaved pairs.

    def _of(self, value, layer):
        """One layer's entry of value [B, layers] or [B, layers, k]: [B, 1, 1, 1] or [k, B, 1, 1, 1]."""
        return value[:, layer].movedim(0, -1).reshape(*value.shape[2:], self.batch, 1, 1, 1)

    def _motion_of(self, layer):
        """pivot, shift [2, ...], matrix [4, ...], tilt [2, ...] and waves [(k [2, ...], phase, size [2, ...])] of a layer, or of a layer for each pixel."""
        if isinstance(layer, int):
            rows, bends = self.table[:, :, layer].reshape(-1, self.batch, 1, 1, 1), self.bends[layer]
        else:
            index = layer.reshape(1, self.batch, -1).expand(len(self.table), -1, -1)
            rows, bends = torch.gather(self.table, 2, index).reshape(-1, *layer.shape), any(self.bends)
        k, phase, size = (rows[10 + a * WAVES:10 + b * WAVES] for a, b in ((0, 2), (2, 3), (3, 5)))
        waves = [(k[2 * i:2 * i + 2], phase[i], size[2 * i:2 * i + 2]) for i in range(WAVES)] if bends else []
        return rows[0:2], rows[2:4], rows[4:8], rows[8:10], waves

    def motion(self, p, layer):
        """Positions in frame 2 of points p [2, B, n, h, w] of frame 1; layer: one number for all, or int64 [B, n, h, w]."""
        pivot, shift, m, g, waves = self._motion_of(layer)
        u = p - pivot
        depth = torch.addcmul(torch.addcmul(torch.ones_like(g[0]), u[0], g[0]), u[1], g[1]).clamp_(min=0.3)
        moved = torch.stack([torch.addcmul(m[0] * u[0], u[1], m[1]), torch.addcmul(m[2] * u[0], u[1], m[3])])
        return bent(moved.div_(depth).add_(pivot + shift), p, waves)

    def inverse(self, q, layer, steps=4):
        """The points of a layer that frame 2 shows at q [2, B, n, h, w]: motion(inverse(q)) = q."""
        return undo(q, *self._motion_of(layer), steps)

    def cover(self, p, layer):
        """Opacity [B, n, h, w] of an object at its own coordinates p [2, B, n, h, w], with an edge about one pixel wide."""
        whole = opacity(p, *(self._of(value, layer) for value in (self.outline, self.centre, self.corner, self.lobe_k.flatten(2), self.lobe_phase, self.lobe_size, self.hole, self.edge)))
        if self.in_pieces is None:
            return whole
        parts = pieces.opacity(p, self._of(self.piece_grid, layer), self._of(self.cell, layer))
        return torch.where(self._of(self.in_pieces, layer), torch.minimum(whole, parts), whole)

    def _paint(self, p, which, offset):
        """Colour [m, 3] of points p [2, m] of layers `which`, int64 [m], counted over all scenes (scene * layers + layer). offset [B, layers, 2]: texels."""
        own = lambda value: value.flatten(0, 1).index_select(0, which)
        if self.in_perspective:
            at = own(self.grain_at)
            away, scale = driving.foreshorten(p, own(self.grain), at)
            p = at.T + away
        u = torch.addcmul(torch.addcmul(own(offset[..., 0]), own(self.lay[..., 0]), p[0]), own(self.lay[..., 1]), p[1])
        v = torch.addcmul(torch.addcmul(own(offset[..., 1]), own(self.lay[..., 2]), p[0]), own(self.lay[..., 3]), p[1])
        colour = textures.sample(self.bank, own(self.texture), u, v, own(self.tile))
        if self.in_perspective:
            left = driving.contrast(scale) * own(self.road_contrast)
            colour = torch.lerp(own(self.mean_colour), colour, left[:, None])
            colour = driving.draw_lines(colour, away, scale, own(self.lines), own(self.line_colour))
        if self.has_faint:
            colour = torch.lerp(own(self.mean_colour), colour, own(self.contrast)[:, None])
            wave = torch.addcmul(torch.addcmul(own(self.shade_phase), own(self.shade_k[..., 0]), p[0]), own(self.shade_k[..., 1]), p[1]).sin_()
            colour = colour + (own(self.shade_size) * wave)[:, None]
        colour = colour * own(self.tone)
        if self.hazy:
            colour = torch.lerp(colour, own(self.air), own(self.veil)[:, None])
        return colour

    def view(self, xy, second):
        """Render windows at pixel coordinates xy [B, n, h, w, 2] of frame 1 or 2 -> View."""
        shape, flat = xy.shape[:-1], (self.batch, 1, 1, xy[0, ..., 0].numel())  # windows of any number and size look alike to a compiled function
        q = xy.movedim(-1, 0).reshape(2, *flat)
        top = torch.zeros(flat, dtype=torch.int64, device=xy.device)
        under = top
        p_top = p_under = self.inverse(q, 0) if second else q
        alpha = torch.ones(flat, device=xy.device)
        for l in range(1, self.layers):
            p = self.inverse(q, l) if second else q
            a = self.cover(p, l)
            covered = a > 0.05
            # the layer visible so far is now under the new one
            sink = covered & (alpha > 0.5)
            under = torch.where(sink, top, under)
            top = torch.where(covered, l, top)
            if second:  # in frame 1 a layer's own coordinates are the pixel coordinates
                p_under = torch.where(sink, p_top, p_under)
                p_top = torch.where(covered, p, p_top)
            alpha = torch.where(covered, a, alpha)
        which = lambda layer: (layer + self.layers * torch.arange(self.batch, device=xy.device).reshape(-1, 1, 1, 1)).reshape(-1)
        offset = self.lay_offset + self.elsewhere if second else self.lay_offset
        image = self._paint(p_top.flatten(1), which(top), offset)
        soft = (alpha.reshape(-1) < 0.999).nonzero()[:, 0]  # at an edge, the layer below shows through
        below = self._paint(p_under.flatten(1)[:, soft], which(under)[soft], offset)
        image[soft] = torch.lerp(below, image[soft], alpha.reshape(-1)[soft, None])
        opaque = alpha > 0.5
        layer, origin = torch.where(opaque, top, under), torch.where(opaque, p_top, p_under)
        return View(image.reshape(*shape, 3), layer.reshape(shape), xy, origin.reshape(2, *shape))

    def flow(self, view):
        """Exact flow of frame 1's pixels, [B, n, h, w, 2] in pixels."""
        xy = view.xy.movedim(-1, 0)
        return (self.motion(xy, view.layer) - xy).movedim(0, -1).contiguous()

    @staticmethod
    def backward_flow(view):
        """Flow of frame 2's pixels to frame 1, [B, n, h, w, 2] in pixels, as exact as `inverse` is."""
        return view.origin.movedim(0, -1) - view.xy

    def classes(self):
        """Class of each layer's texture, int64 [B, layers]."""
        return ((self.bank[:, 0, 0] >> 24) & 255).long()[self.texture]
