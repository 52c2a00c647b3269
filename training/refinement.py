"""Refinement of a flow field at one stride: correlation steps, edge-aware propagation, a warping step, upsampling to pixels.

Shapes: W windows of h x w cells at the current stride. flow [W, 2, h, w] is (x, y) in pixels of that stride, float32.
hidden [W, H, h, w] is the state that a stride's steps share.
"""
import torch
import torch.nn.functional as F
from torch import nn

from training import layers, operators, stencils


def cell_offsets(radius, device):
    """(dx, dy) of local_correlation's channels: float [(2r+1)^2, 2]."""
    r = torch.arange(-radius, radius + 1, device=device, dtype=torch.float32)
    dy, dx = torch.meshgrid(r, r, indexing="ij")
    return torch.stack([dx.flatten(), dy.flatten()], -1)


def flow_shape(flow):
    """The flow minus its 5x5 mean. Steps see this, not the flow's length: a long flow is as likely as a short one."""
    return flow - operators.local_mean(flow, 5)


class CorrelationStep(nn.Module):
    """Compares frame 1 with frame 2 warped by the current flow within `radius` cells, and corrects hidden state and flow.

    inside: channels of the evidence (what the correlation says), between the two convolutions of the state's update (no more than the state has), and of
    the head that the flow is read from.
    """
    def __init__(self, hidden, radius, inside, log_sharpness=1.0):
        super().__init__()
        self.radius, cells = radius, (2 * radius + 1) ** 2
        self.log_sharpness = nn.Parameter(torch.tensor(log_sharpness))
        evidence, update, head = inside
        self.evidence = nn.Sequential(nn.Conv2d(cells, evidence, 1), nn.ReLU())
        self.mix = layers.PartsConv((hidden, evidence, 8), min(update, hidden))
        self.update = nn.Conv2d(min(update, hidden), hidden, 3, padding=1)
        self.head = nn.Sequential(nn.Conv2d(hidden, head, 3, padding=1), nn.ReLU(), nn.Conv2d(head, 3, 1))
        with torch.no_grad():
            self.head[-1].weight[:2] *= 0.1
            self.head[-1].bias.zero_()

    def best_offset(self, correlation):
        """Soft arg max of correlation [W, (2r+1)^2, h, w]: [W, 2, h, w]. Its three sums are one 1x1 convolution."""
        offsets = cell_offsets(self.radius, correlation.device)
        likelihood = correlation.float() * self.log_sharpness.exp()
        likelihood = torch.exp(likelihood - likelihood.amax(1, keepdim=True))
        sums = F.conv2d(likelihood, torch.cat([offsets, torch.ones_like(offsets[:, :1])], 1).T[:, :, None, None])
        return sums[:, :2] / sums[:, 2:]

    def forward(self, hidden, a, b, flow):
        """a, b [W, C, h, w]: features of both frames to correlate -> hidden, flow."""
        hidden, change = self.correct(hidden, *self.compare(a, b, flow))
        return hidden, flow + change

    def compare(self, a, b, flow):
        """What a round sees: the correlation [W, (2r+1)^2, h, w] and the flow's shape [W, 2, h, w]."""
        return operators.local_correlation(a, operators.warp(b, flow), self.radius), flow_shape(flow)

    def correct(self, hidden, correlation, shape):
        """The state after a round that sees this, and what it adds to the flow: [W, H, h, w], [W, 2, h, w]."""
        best = self.best_offset(correlation)
        signed = torch.cat([best, shape], 1).to(hidden)
        mixed = self.mix(F.relu(hidden), self.evidence(correlation), torch.cat([F.relu(signed), F.relu(-signed)], 1))
        hidden = hidden + self.update(F.relu(mixed))
        out = self.head(F.relu(hidden)).float()
        return hidden, out[:, :2] + torch.sigmoid(out[:, 2:]) * best


class Propagation(nn.Module):
    """Edge-aware smoothing: a cell takes the mean flow of similar, confident cells of its row, then of its column, `rounds` times.

    The logit of a neighbour is query . key (unit vectors, learned temperature) + the neighbour's confidence - penalty * distance.
    A gate for each cell mixes the result with the cell's own flow. Two axes of 2*len(distances) neighbours cost far less than their product.
    """
    OUTSIDE = -50.0  # confidence beyond the border

    def __init__(self, hidden, features, distances, channels=32, rounds=2):
        super().__init__()
        self.distances, self.reach, self.rounds = (0, *distances, *(-d for d in distances)), max(distances), rounds
        self.register_buffer("away", torch.tensor([float(abs(d)) for d in self.distances]).reshape(1, -1, 1, 1), persistent=False)
        self.embed = layers.PartsConv((hidden, features), 2 * channels + 1, 1)
        self.log_temperature = nn.Parameter(torch.tensor(1.5))
        self.log_penalty = nn.Parameter(torch.tensor(-2.0))
        self.gate = layers.zero_init(nn.Conv2d(hidden + 1, 1, 1))
        nn.init.constant_(self.gate.bias, -2.0)

    def weights(self, query, key, confidence, axis):
        """Softmax weights of the neighbours along an axis: [W, len(distances), h, w]."""
        starts = [self.reach + d for d in self.distances]
        alike = operators.neighbour_similarity(query, stencils.pad_axis(key, self.reach, axis), starts, axis)
        confidences = stencils.pad_axis(confidence, self.reach, axis, self.OUTSIDE)
        confident = torch.cat([confidences.narrow(axis, start, confidence.shape[axis]) for start in starts], 1)
        return operators.channel_softmax(alike + confident - self.log_penalty.exp() * self.away)

    def forward(self, hidden, features, flow):
        """features [W, C, h, w] of frame 1 -> flow."""
        embedding = self.embed(F.relu(hidden), features).float()
        channels = embedding.shape[1] // 2
        query = F.normalize(embedding[:, :channels], dim=1) * self.log_temperature.exp()
        key = F.normalize(embedding[:, channels:2 * channels], dim=1)
        confidence = embedding[:, 2 * channels:]
        weights = {axis: self.weights(query, key, confidence, axis) for axis in (3, 2)}
        smooth = flow
        for _ in range(self.rounds):
            for axis, weight in weights.items():
                shifts = [(self.reach + d, 0) if axis == 2 else (0, self.reach + d) for d in self.distances]
                smooth = operators.neighbour_mix(weight, stencils.pad_axis(smooth, self.reach, axis), shifts)
        change = torch.log1p(((smooth - flow) ** 2).sum(1, keepdim=True))
        gate = torch.sigmoid(self.gate(torch.cat([F.relu(hidden), change.to(hidden)], 1)).float())
        return flow + gate * (smooth - flow)


def gradient_products(a, b, outlier):
    """What least squares need of a, b, float32 [W, 1, h, w] (Lucas and Kanade, 1981): x x, x y, y y, x d and y d, where x and y are the derivatives of both
    maps' mean and d = b - a: [W, 5, h, w]. A difference of `outlier` counts half, and a larger one less."""
    both, d = a + b, (b - a)[..., 1:-1, 1:-1]
    x = both[..., 1:-1, 2:] - both[..., 1:-1, :-2]  # four times the derivative
    y = both[..., 2:, 1:-1] - both[..., :-2, 1:-1]
    weight = 1 / (1 + (d / outlier) ** 2)
    u, v = weight * x, weight * y
    pairs = (u * x, 1 / 16), (u * y, 1 / 16), (v * y, 1 / 16), (u * d, 1 / 4), (v * d, 1 / 4)
    return F.pad(torch.cat([product * scale for product, scale in pairs], 1), (1, 1, 1, 1), mode="replicate")


def least_squares(products, ridge):
    """The displacement in cells from a to b that explains their difference by their gradients, from means of gradient_products over a window around each
    cell: [W, 2, h, w]. ridge is added to the squared gradients, so that plain surfaces stay where they are."""
    xx, xy, yy, xd, yd = (products[:, i:i + 1] for i in range(5))
    xx, yy = xx + ridge, yy + ridge
    return torch.cat([xy * yd - yy * xd, xy * xd - xx * yd], 1) / (xx * yy - xy * xy)


def squared_length(vectors):
    """[W, 2, h, w] -> [W, 1, h, w]."""
    return (vectors ** 2).sum(1, keepdim=True)


class WarpStep(nn.Module):
    """Correction at stride 2 by warping alone: compares frame 1's features with frame 2's at the current flow, without a correlation volume."""
    def __init__(self, coarse, features, hidden):
        super().__init__()
        self.start = nn.Conv2d(coarse, hidden, 1)
        self.mix = layers.PartsConv((hidden, features, features, 2), hidden)
        self.update = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.head = layers.zero_init(nn.Conv2d(hidden, 2, 1))

    def forward(self, coarse, a, b, flow):
        """coarse [W, H, h/2, w/2]: state of the stride above; a, b [W, C, h, w] -> hidden, flow."""
        hidden = F.relu(self.mix(layers.upsample(self.start(coarse)), a, operators.warp(b, flow), flow_shape(flow).to(a)))
        hidden = F.relu(hidden + self.update(hidden))
        return hidden, flow + self.head(hidden).float()


class Upsampling(nn.Module):
    """Flow from stride 2 to pixels: a convex mix of the bilinearly enlarged flow at the pixel itself and REACH pixels away in four directions.

    Smooth flow stays smooth, whatever the weights; at an outline a pixel picks the side that it belongs to.
    """
    REACH = 4
    CENTRE_LOGIT = 3.0
    DIRECTIONS = (0, 0), (0, -1), (-1, 0), (1, 0), (0, 1)

    def __init__(self, hidden):
        super().__init__()
        self.logits = nn.Sequential(nn.Conv2d(hidden, 48, 1), nn.ReLU(), layers.zero_init(nn.Conv2d(48, 4 * len(self.DIRECTIONS), 1)))
        with torch.no_grad():
            self.logits[-1].bias[:4] = self.CENTRE_LOGIT

    def forward(self, hidden, flow):
        """hidden [W, H, h, w], flow [W, 2, h, w] in pixels of stride 2 -> flow [W, 2, 2h, 2w] in pixels."""
        weights = operators.channel_softmax(F.pixel_shuffle(self.logits(hidden), 2).float())
        fine = F.pad(layers.upsample(flow) * 2, (self.REACH,) * 4, mode="replicate")
        return operators.neighbour_mix(weights, fine, [((1 + dy) * self.REACH, (1 + dx) * self.REACH) for dx, dy in self.DIRECTIONS])


def grey(frame):
    """Grey levels of frame [W, 3, h, w], 0-255, relative to their mean and contrast around each pixel: [W, 1, h, w]. Exposure and shadows hardly change them."""
    levels = frame.mean(1, keepdim=True)
    detail = levels - operators.local_mean(levels, PixelStep.CONTRAST_WINDOW)
    return detail / (operators.local_mean(detail.abs(), PixelStep.CONTRAST_WINDOW) + PixelStep.NOISE)


class PixelStep(nn.Module):
    """Correction of a fraction of a pixel: least squares on both frames' grey levels, where a learned gate allows it.

    The features end at stride 2; what shows a tenth of a pixel are the pixels themselves.
    """
    CONTRAST_WINDOW = 7
    NOISE = 4.0      # contrast in grey levels below which a surface counts as plain
    BOXES = 9, 9     # sides of the window in cells of 2x2 pixels. Two boxes weigh its middle most, so the correction is as smooth as the flow
    RIDGE = 0.02
    LIMIT = 0.75     # pixels; longer corrections are taken for wrong
    OUTLIER = 0.75   # as what another object shows in the window
    FIRST_GATE = 3.0

    def __init__(self, hidden):
        super().__init__()
        self.gate = layers.zero_init(nn.Conv2d(hidden, 1, 1))
        nn.init.constant_(self.gate.bias, self.FIRST_GATE)

    def correction(self, a, b, flow):
        """What least squares add to flow [W, 2, h, w], in pixels: [W, 2, h/2, w/2]. a, b [W, 1, h, w]: `grey` of both frames. What leaves frame 2 counts as
        unchanged."""
        b, inside = operators.sample(b, flow)
        means = F.avg_pool2d(gradient_products(a, torch.where(inside, b, a), self.OUTLIER), 2)
        for side in self.BOXES:
            means = operators.local_mean(means, side)
        best = least_squares(means, self.RIDGE)
        return best / (1 + (squared_length(best) / self.LIMIT ** 2) ** 2)

    def forward(self, hidden, a, b, flow):
        """hidden [W, H, h/2, w/2]: state of stride 2 -> flow."""
        with torch.no_grad():
            correction = self.correction(a, b, flow)
        return flow + layers.upsample(torch.sigmoid(self.gate(hidden).float()) * correction)
