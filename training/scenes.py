"""Synthetic scenes that are analytic in pixel coordinates, rendered only inside windows.

A scene is a background and objects in painter's order. A layer has a photo texture, an analytic silhouette,
a plane homography and a smooth non-rigid warp. Frame 1 shows a layer at its own coordinates p, frame 2 at

    motion(p) = centre + shift + M (p - centre) / (1 + g . (p - centre)) + waves(p),

so the flow motion(p) - p is exact. Frame 2 is drawn through the inverse, a few fixed-point steps on the waves.
No full frame is ever drawn in training: only the pixels of the windows exist.
"""
import math
from dataclasses import dataclass

import torch

from training import textures

WAVES = 2  # plane waves in a layer's non-rigid warp
LOBES = 3  # plane waves that make a silhouette wavy
FARTHEST, NEAREST = 0.7, 1.3  # inverse depth, 1 = the middle of the scene
MAX_FAINT_CONTRAST = 0.25  # share of its texture's contrast that a faint layer keeps at most
FAINT_BACKGROUNDS = 1.6  # backgrounds are faint so much more often than objects


@dataclass
class View:
    """What is seen in the windows of one frame.

    image: float [B, n, h, w, 3], 0-255; layer: int64 [B, n, h, w], the visible layer (0 = background);
    xy: float [B, n, h, w, 2], pixel coordinates in the virtual frame.
    """
    image: torch.Tensor
    layer: torch.Tensor
    xy: torch.Tensor


def grid(origins, height, width):
    """Pixel coordinates of windows: origins float [B, n, 2] (x, y) -> [B, n, h, w, 2]."""
    y = torch.arange(height, device=origins.device, dtype=torch.float32)
    x = torch.arange(width, device=origins.device, dtype=torch.float32)
    base = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)
    return origins[:, :, None, None, :] + base


class Scenes:
    """A batch of scenes.

    focus [B, n, 2]: places (pixels) near which objects are put, so that windows are not empty; reach: how far around them (pixels).
    size: virtual frame (width, height). haze: how much of the farthest layer's colour the air hides (what tells depth in one frame).
    dynamic_texture: share of layers whose frame 2 shows another part of their texture, as water, smoke and reflections do: they move as
    layers, and nothing in them can be found again. forward: share of scenes whose camera drives through them, most over a ground, so that
    motion grows from its vanishing point to the border. faint: share of objects, and a larger one of backgrounds, that keep at most a
    quarter of their contrast, as sky, asphalt and walls. tripod: share of scenes in which only objects with a motion of their own move.
    """

    def __init__(self, bank, focus, reach, size, motion=1.0, generator=None, objects=6, haze=0.0, dynamic_texture=0.0, forward=0.0, faint=0.0, tripod=0.0):
        self.bank = bank.reshape(-1).view(torch.int32).reshape(bank.shape[:3])
        device, self.generator = bank.device, generator
        batch, layers = focus.shape[0], objects + 1
        self.batch, self.layers = batch, layers
        rand = lambda *s: torch.rand(*s, generator=generator, device=device)
        randn = lambda *s: torch.randn(*s, generator=generator, device=device)
        uniform = lambda lo, hi, *s: lo + (hi - lo) * rand(*s)
        log_uniform = lambda lo, hi, *s: torch.exp(uniform(math.log(lo), math.log(hi), *s))
        pick = lambda chance, *s: rand(*s) < chance

        # -- where objects are, and their outlines
        near = torch.randint(focus.shape[1], (batch, layers), generator=generator, device=device)
        centre = torch.gather(focus, 1, near[..., None].expand(-1, -1, 2)) + (rand(batch, layers, 2) * 2 - 1) * reach
        radius = log_uniform(0.10, 0.75, batch, layers) * reach
        aspect = torch.where(pick(0.2, batch, layers), log_uniform(0.04, 0.2, batch, layers), log_uniform(0.4, 1.0, batch, layers))
        angle = rand(batch, layers) * 2 * math.pi
        self.centre = centre
        c, s = torch.cos(angle), torch.sin(angle)
        self.outline = torch.stack([c / radius, s / radius, -s / (radius * aspect), c / (radius * aspect)], -1)
        self.corner = uniform(0.7, 2.5, batch, layers)  # exponent: 1 = ellipse, more = boxy
        self.lobe_k = randn(batch, layers, LOBES, 2) * uniform(1.0, 3.5, batch, layers, 1, 1)
        self.lobe_phase = rand(batch, layers, LOBES) * 2 * math.pi
        self.lobe_size = rand(batch, layers, LOBES) * uniform(0.0, 0.5, batch, layers, 1)
        self.hole = torch.where(pick(0.15, batch, layers), uniform(0.1, 0.4, batch, layers), torch.full((batch, layers), -1.0, device=device))
        self.edge = radius * aspect.clamp(max=1) * 0.5  # pixels for one unit of the outline function

        # -- motion: a camera shared with parallax, and objects of their own
        band = rand(batch, 1)
        length = torch.where(band < 0.33, log_uniform(0.1, 3, batch, 1), torch.where(band < 0.66, uniform(2, 30, batch, 1), log_uniform(20, 200, batch, 1)))
        length = length * motion
        heading = rand(batch, 1) * 2 * math.pi
        camera = torch.stack([length * torch.cos(heading), length * torch.sin(heading)], -1)  # [B, 1, 2]
        parallax = torch.cumsum(rand(batch, layers), 1)
        parallax = FARTHEST + (NEAREST - FARTHEST) * parallax / parallax[:, -1:]
        own_length = length * log_uniform(0.1, 1.5, batch, layers)
        own_heading = rand(batch, layers) * 2 * math.pi
        own = torch.stack([own_length * torch.cos(own_heading), own_length * torch.sin(own_heading)], -1)
        moves = pick(0.6, batch, layers)
        moves[:, 0] = False
        shift = camera * parallax[..., None] + own * moves[..., None]
        # turning and zooming displace a pixel `lever` away by about a share of the shift
        lever = uniform(60, 400, batch, layers)
        spin = lambda: (randn(batch, layers) * 0.4 * (length + 0.5) / lever).clamp(-0.5, 0.5)
        shared = pick(0.7, batch, 1)
        turn, zoom = spin(), spin() * 0.8
        turn = torch.where(shared & ~moves, turn[:, :1].expand_as(turn), turn)
        zoom = torch.where(shared & ~moves, zoom[:, :1].expand_as(zoom), zoom)
        zoom = torch.exp(zoom.clamp(-0.35, 0.35))
        skew = spin() * 0.3
        c, s = torch.cos(turn) * zoom, torch.sin(turn) * zoom
        self.matrix = torch.stack([c * (1 + skew), -s, s, c * (1 - skew)], -1)
        self.tilt = randn(batch, layers, 2) * (0.15 * (length + 0.3) / lever / lever)[..., None].clamp(max=3e-4)
        far = torch.tensor(size, device=device, dtype=torch.float32)
        pivot = torch.where(pick(0.5, batch, 1)[..., None], far * rand(batch, 1, 2), focus[:, :1])
        self.pivot = torch.where((shared & ~moves)[..., None], pivot.expand_as(centre), centre)
        self.pivot[:, 0] = pivot[:, 0]
        self.shift = shift
        self.inverse_depth = parallax  # inverse depth, 1 = the middle of the scene: what the camera's motion is multiplied by

        bend = pick(0.5, batch, layers, 1) * rand(batch, layers, WAVES)
        self.wave_length = uniform(40, 250, batch, layers, WAVES)
        heading = rand(batch, layers, WAVES) * 2 * math.pi
        self.wave_k = torch.stack([torch.cos(heading), torch.sin(heading)], -1) * (2 * math.pi / self.wave_length)[..., None]
        self.wave_phase = rand(batch, layers, WAVES) * 2 * math.pi
        heading = rand(batch, layers, WAVES) * 2 * math.pi
        size_ = bend * torch.minimum(self.wave_length * 0.03, 0.3 * (length[..., None] + 0.3))
        self.wave = torch.stack([torch.cos(heading), torch.sin(heading)], -1) * size_[..., None]

        still = pick(0.1, batch, layers)  # static layers: nothing of them moves
        still[:, 0] |= pick(0.1, batch)
        if tripod:
            still |= pick(tripod, batch, 1) & ~moves
        self.shift[still] = 0
        self.wave[still] = 0
        self.tilt[still] = 0
        self.matrix[still] = torch.tensor([1.0, 0, 0, 1], device=device)

        if forward:
            self._drive(pick(forward, batch), length, own * moves[..., None], far, radius)

        # -- texture: which image, and how it lies on the layer
        self.texture = torch.randint(bank.shape[0], (batch, layers), generator=generator, device=device)
        twin = pick(0.1, batch, layers)  # some layers repeat the background's texture: camouflage
        self.texture = torch.where(twin, self.texture[:, :1], self.texture)
        scale = log_uniform(0.35, 1.3, batch, layers)
        # sky and walls show next to nothing; water, foliage and bricks show the same thing again and again
        scale = torch.where(pick(0.12, batch, layers), log_uniform(0.01, 0.1, batch, layers), scale)
        self.tile = torch.where(pick(0.12, batch, layers), log_uniform(16, 100, batch, layers), torch.full((batch, layers), float(bank.shape[1]), device=device))
        angle = rand(batch, layers) * 2 * math.pi
        flip = torch.where(pick(0.5, batch, layers), 1.0, -1.0)
        c, s = torch.cos(angle) * scale, torch.sin(angle) * scale
        self.lay = torch.stack([c, -s, s * flip, c * flip], -1)
        self.lay_offset = rand(batch, layers, 2) * 2 * bank.shape[1]
        self.tone = torch.exp(randn(batch, layers, 3) * 0.12) * log_uniform(0.6, 1.4, batch, layers, 1)
        if haze:
            self.veil = haze * uniform(0.5, 1.0, batch, 1) * (NEAREST - self.inverse_depth) / (NEAREST - FARTHEST)
            self.air = uniform(120, 230, batch, 1, 3).expand(-1, layers, -1)
        self.hazy = bool(haze)
        self.dynamic_texture = pick(dynamic_texture, batch, layers) if dynamic_texture else torch.zeros(batch, layers, dtype=torch.bool, device=device)
        self.elsewhere = (rand(batch, layers, 2) * 2 - 1) * bank.shape[1] * self.dynamic_texture[..., None] if dynamic_texture else torch.zeros(batch, layers, 2, device=device)
        self.contrast = torch.ones(batch, layers, device=device)
        self.has_faint = bool(faint)
        if faint:
            self._fade(faint, max(size), rand)

        # what motion needs of each layer, one row a number: [ROWS, B, layers]
        flat = lambda t: t.reshape(batch, layers, -1)
        self.table = torch.cat([flat(t) for t in (self.pivot, self.shift, self.matrix, self.tilt, self.wave_k, self.wave_phase, self.wave)], 2).permute(2, 0, 1).contiguous()
        self.bends = (self.wave != 0).flatten(2).any(2).any(0).tolist()

    def _fade(self, share, extent, rand):
        """Take contrast from `share` of the objects and FAINT_BACKGROUNDS times as many backgrounds: their colour becomes the mean of their
        texture, a soft shade `extent` pixels long or so, and at most MAX_FAINT_CONTRAST of what the texture adds to its mean."""
        batch, layers = self.batch, self.layers
        chance = torch.full((batch, layers), share, device=self.bank.device)
        chance[:, 0] = min(1.0, share * FAINT_BACKGROUNDS)
        chosen = rand(batch, layers) < chance
        self.contrast = torch.where(chosen, MAX_FAINT_CONTRAST * rand(batch, layers) ** 2, self.contrast)
        texels = self.bank[self.texture][..., ::16, ::16].contiguous()
        self.mean_colour = texels.flatten(2).view(torch.uint8).reshape(batch, layers, -1, 4)[..., :3].float().mean(2)
        angle, turns = 2 * math.pi * rand(batch, layers), (0.3 + 1.7 * rand(batch, layers)) / extent
        self.shade_k = torch.stack([torch.cos(angle), torch.sin(angle)], -1) * (2 * math.pi * turns)[..., None]
        self.shade_phase = 2 * math.pi * rand(batch, layers)
        self.shade_size = 50 * rand(batch, layers) ** 2 * chosen

    def _drive(self, drives, length, own, far, radius):
        """Make the motion of the scenes `drives` [B] that of a camera on its way forwards (or back). A point at p comes to
        e + (p - e) / (1 - s d(p)): e is the vanishing point, s how far the camera goes, d the inverse depth, linear over a plane. With c the layer's
        own pivot, D = 1 - s d(c) and G = -s grad d / D that is c + (c - e)(1/D - 1) + (I - (c - e) G^T)/D (p - c) / (1 + G . (p - c)).
        length [B, 1] pixels at `lever` from the vanishing point where d is 1; own [B, layers, 2] what objects move by themselves."""
        batch, layers, device = self.batch, self.layers, far.device
        rand = lambda *s: torch.rand(*s, generator=self.generator, device=device)
        randn = lambda *s: torch.randn(*s, generator=self.generator, device=device)
        vanishing = (far * (0.25 + 0.5 * rand(batch, 2)))[:, None]
        lever = far.max() * (0.25 + 0.35 * rand(batch, 1))
        advance = (length / lever).clamp(max=0.3) * torch.where(rand(batch, 1) < 0.85, 1.0, -1.0)
        pivot = torch.cat([vanishing, self.centre[:, 1:]], 1)
        depth = 0.03 + 1.2 * ((self.inverse_depth - self.inverse_depth[:, :1]) / (NEAREST - FARTHEST)) ** 2
        slope = randn(batch, layers, 2) * 0.3 * (depth / radius)[..., None]
        slope[:, 0] = 0
        # the first object is the ground (or a wall, a ceiling): from the vanishing point outwards it comes nearer
        angle = torch.where(rand(batch) < 0.75, math.pi / 2 + 0.1 * randn(batch), 2 * math.pi * rand(batch))
        towards = torch.stack([torch.cos(angle), torch.sin(angle)], -1)
        ground, size = drives & (rand(batch) < 0.7), 2 * far.max()
        pivot[:, 1] = torch.where(ground[:, None], vanishing[:, 0], pivot[:, 1])
        slope[:, 1] = torch.where(ground[:, None], towards / lever, slope[:, 1])
        own = own.clone()
        own[ground, 1] = 0
        depth[:, 1] = torch.where(ground, torch.zeros_like(depth[:, 1]), depth[:, 1])
        self.centre[ground, 1] = (vanishing[:, 0] + size * towards)[ground]
        turned = torch.stack([towards[:, 0], towards[:, 1], -towards[:, 1], towards[:, 0]], -1) / size
        self.outline[ground, 1], self.edge[ground, 1] = turned[ground], size * 0.5
        self.corner[ground, 1], self.lobe_size[ground, 1], self.hole[ground, 1] = 2.5, 0.0, -1.0

        scale = 1 - advance * depth
        apart, tilt = pivot - vanishing, -advance[..., None] * slope / scale[..., None]
        skew = apart[..., :, None] * tilt[..., None, :]
        matrix = ((torch.eye(2, device=device) - skew) / scale[..., None, None]).flatten(2)
        shift = apart * (1 / scale - 1)[..., None] + 0.2 * length[..., None] * randn(batch, 1, 2) + own
        for value, driven in ((self.pivot, pivot), (self.shift, shift), (self.matrix, matrix), (self.tilt, tilt)):
            value[drives] = driven[drives]
        self.wave[drives[:, None] & (own == 0).all(-1)] = 0  # what stands is rigid

    # Points are planes, [2, B, n, h, w]: x and y each lie together in memory, which is twice as fast as pairs on a CPU.

    def _of(self, value, layer):
        """A layer's own value of [B, layers], [B, layers, k]: [B, 1, 1, 1] or [k, B, 1, 1, 1]."""
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

    @staticmethod
    def _bent(start, p, waves):
        """start plus the waves at p."""
        for k, phase, size in waves:
            start = torch.addcmul(start, torch.addcmul(torch.addcmul(phase, p[0], k[0]), p[1], k[1]).sin_(), size)
        return start

    def motion(self, p, layer):
        """Where points p [2, B, n, h, w] are in frame 2; `layer` is a number, the same for all, or int64 [B, n, h, w]."""
        pivot, shift, m, g, waves = self._motion_of(layer)
        u = p - pivot
        depth = torch.addcmul(torch.addcmul(torch.ones_like(g[0]), u[0], g[0]), u[1], g[1]).clamp_(min=0.3)
        moved = torch.stack([torch.addcmul(m[0] * u[0], u[1], m[1]), torch.addcmul(m[2] * u[0], u[1], m[3])])
        return self._bent(moved.div_(depth).add_(pivot + shift), p, waves)

    def inverse(self, q, layer, steps=4):
        """The point of a layer that frame 2 shows at q [2, B, n, h, w]: motion(inverse(q)) = q."""
        pivot, shift, m, g, waves = self._motion_of(layer)
        base, p = q - (pivot + shift), q
        # (M - v g^T) u = v by Cramer's rule; the determinant is linear in v
        whole, by_x, by_y = m[0] * m[3] - m[1] * m[2], g[1] * m[2] - g[0] * m[3], g[0] * m[1] - g[1] * m[0]
        for _ in range(steps if waves else 1):
            v = self._bent(base, p, [(k, phase, -size) for k, phase, size in waves])
            determinant = torch.addcmul(torch.addcmul(whole, v[0], by_x), v[1], by_y)
            p = torch.stack([torch.addcmul(m[3] * v[0], v[1], m[1], value=-1), torch.addcmul(m[0] * v[1], v[0], m[2], value=-1)]).div_(determinant).add_(pivot)
        return p

    def cover(self, p, layer):
        """Opacity of an object at its own coordinates p [2, B, n, h, w], [B, n, h, w], with an edge about a pixel wide."""
        o, centre, corner = self._of(self.outline, layer), self._of(self.centre, layer), self._of(self.corner, layer)
        x = torch.addcmul(torch.addcmul(-(o[0] * centre[0] + o[1] * centre[1]), p[0], o[0]), p[1], o[1])
        y = torch.addcmul(torch.addcmul(-(o[2] * centre[0] + o[3] * centre[1]), p[0], o[2]), p[1], o[3])
        xx, yy = x * x, y * y
        power = lambda t: (t + 1e-6).log_().mul_(corner).exp_()
        f = 1 - power(xx) - power(yy)
        for i in range(LOBES):
            k, phase, size = (self._of(t[:, :, i], layer) for t in (self.lobe_k, self.lobe_phase, self.lobe_size))
            f.addcmul_(torch.addcmul(torch.addcmul(phase, x, k[0]), y, k[1]).sin_(), size)
        hole = self._of(self.hole, layer)
        f = torch.minimum(f, torch.where(hole > 0, (xx + yy - hole) * 3, 1e3))
        return f.mul_(self._of(self.edge, layer)).add_(0.5).clamp_(0, 1)

    def _paint(self, p, which, offset):
        """Colour of points p [2, m] of the layers int64 [m], counted over all scenes (scene * layers + layer), whose textures lie at offset: [m, 3]."""
        own = lambda value: value.flatten(0, 1).index_select(0, which)
        u = torch.addcmul(torch.addcmul(own(offset[..., 0]), own(self.lay[..., 0]), p[0]), own(self.lay[..., 1]), p[1])
        v = torch.addcmul(torch.addcmul(own(offset[..., 1]), own(self.lay[..., 2]), p[0]), own(self.lay[..., 3]), p[1])
        colour = textures.sample(self.bank, own(self.texture), u, v, own(self.tile))
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
        q, shape = xy.movedim(-1, 0).contiguous(), xy.shape[:-1]
        top = torch.zeros(shape, dtype=torch.int64, device=xy.device)
        under = top
        p_top = p_under = self.inverse(q, 0) if second else q
        alpha = torch.ones(shape, device=xy.device)
        for l in range(1, self.layers):
            p = self.inverse(q, l) if second else q
            a = self.cover(p, l)
            covered = a > 0.05
            # what lies under the new layer is the layer that was seen here
            sink = covered & (alpha > 0.5)
            under = torch.where(sink, top, under)
            top = torch.where(covered, l, top)
            if second:  # in frame 1 a layer's own coordinates are the pixel's
                p_under = torch.where(sink, p_top, p_under)
                p_top = torch.where(covered, p, p_top)
            alpha = torch.where(covered, a, alpha)
        which = lambda layer: (layer + self.layers * torch.arange(self.batch, device=xy.device).reshape(-1, 1, 1, 1)).reshape(-1)
        offset = self.lay_offset + self.elsewhere if second else self.lay_offset
        image = self._paint(p_top.flatten(1), which(top), offset)
        soft = (alpha.reshape(-1) < 0.999).nonzero()[:, 0]  # at an edge, what lies under it shines through
        below = self._paint(p_under.flatten(1)[:, soft], which(under)[soft], offset)
        image[soft] = torch.lerp(below, image[soft], alpha.reshape(-1)[soft, None])
        return View(image.reshape(*shape, 3), torch.where(alpha > 0.5, top, under), xy)

    def flow(self, view):
        """Exact flow of frame 1's pixels, [B, n, h, w, 2] in pixels."""
        xy = view.xy.movedim(-1, 0)
        return (self.motion(xy, view.layer) - xy).movedim(0, -1).contiguous()

    def classes(self):
        """Class of each layer's texture, int64 [B, layers]."""
        return ((self.bank[:, 0, 0] >> 24) & 255).long()[self.texture]
