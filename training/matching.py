"""Global matching: where each token of frame 1 is found in frame 2, and repair of the matches that are uncertain.

Both steps are attention whose values are positions or displacements. A penalty on squared distance fits into the
same dot product: -w|p - q|^2 = 2w p.q - w|q|^2 - w|p|^2, and the last term is the same for all keys. So a Full-HD pair
needs no tokens x tokens matrix. All of this runs in float32.

Shapes: B samples of T tokens; positions and displacements (x, y) in tokens.
"""
import math
from dataclasses import dataclass

import torch
from torch import nn

from training import layers, operators

MAX_LOG_WEIGHT = math.log(0.25)  # log of the largest weight of a squared distance


@dataclass
class Expectation:
    """What each token of frame 1 expects before it looks for its match. Float tensors [B, T, ...].

    A token with texture can find its match anywhere. A token of a plain wall looks like thousands of others and has to stay near.
    """
    distance_weight: torch.Tensor     # [..., 1] weight of a squared distance in matching
    displacement: torch.Tensor        # [..., 2] that this distance is measured from
    confidence: torch.Tensor          # [..., 1] log weight of the token's match in propagation, beside its variance
    propagation_weight: torch.Tensor  # [..., 1] weight of a squared distance in propagation


class MatchingPrior(nn.Module):
    """The decoder's tokens [B, T, width] -> Expectation."""
    def __init__(self, width):
        super().__init__()
        self.log_distance_weight = nn.Parameter(torch.tensor(-6.0))
        self.log_propagation_weight = nn.Parameter(torch.tensor(-3.0))
        self.linear = layers.zero_init(nn.Linear(width, 5))

    def forward(self, x):
        p = self.linear(x).float()
        weight = lambda log: log.clamp(max=MAX_LOG_WEIGHT).exp()
        return Expectation(weight(self.log_distance_weight + p[..., 0:1]), p[..., 1:3], p[..., 3:4], weight(self.log_propagation_weight + p[..., 4:5]))


class Matching(nn.Module):
    """Expected position in frame 2 of each token of frame 1, from similarities of stem, encoder and decoder features.

    The three depths overlap in what they say, so their dot product is taken in `compared` channels, less than half as many.

    Frame 2's tokens look for their matches in frame 1 too, without a distance penalty (forward-backward consistency). If the round trip of a token, to its
    match and on to the match of that, ends elsewhere, the token is hidden in frame 2 or its match is wrong.
    """
    POOL = 2  # means of POOL x POOL tokens of frame 2 look for their match: a quarter of the arithmetic, and no less accurate

    def __init__(self, width, channels, compared):
        super().__init__()
        self.channels = channels
        self.query = nn.Linear(width, channels)
        self.narrow_query = nn.Linear(3 * channels, compared, bias=False)
        self.narrow_key = nn.Linear(3 * channels, compared, bias=False)
        with torch.no_grad():
            nn.init.orthogonal_(self.narrow_query.weight)
            self.narrow_key.weight.copy_(self.narrow_query.weight)
        self.log_temperature = nn.Parameter(torch.tensor([2.0, 2.0, 2.0]))  # of stem, encoder, decoder similarity

    def queries(self, x, keys):
        """Queries of frame 1's tokens: x [B, T, width] from the decoder, keys [B, T, 3*channels] from its encoder -> [B, T, 3*channels]."""
        return torch.cat([keys[..., :2 * self.channels], layers.unit(self.query(x))], -1)

    def temperatures(self):
        """The temperature of each channel of queries and keys: [3*channels]."""
        return self.log_temperature.exp()[:, None].expand(-1, self.channels).flatten()

    def narrowed(self, queries, keys):
        """Queries and keys, [B, T, 3*channels], unit vectors for each depth, in the channels that are compared: [B, T, compared] each. Their dot
        products are the logits."""
        return self.narrow_query(queries * self.temperatures()), self.narrow_key(keys)

    def forward(self, q, k, expected, distance_weight, xy1, xy2, grid):
        """q [B, T1, compared], k [B, T2, compared] from `narrowed`. expected [B, T1, 2]: position that distances are measured from; distance_weight
        [B, T1, 1]; xy1 [B, T1, 2], xy2 [B, T2, 2]: token positions of windows of grid (rows, columns). Returns position [B, T1, 2] in
        tokens, variance [B, T1, 1] and the round trip's squared length [B, T1, 1] in tokens squared."""
        back = self.back(q, k, xy1, xy2, grid)
        q = torch.cat([q * operators.token_count_scale(k), 2 * distance_weight * expected, distance_weight, torch.zeros_like(distance_weight)], -1)
        k = torch.cat([k, xy2, -(xy2 ** 2).sum(-1, keepdim=True), torch.zeros_like(xy2[..., :1])], -1)
        moments = operators.attention(q, k, torch.cat([xy2, xy2 ** 2, back, torch.zeros_like(back)], -1), 1)
        position, trip = moments[..., :2], moments[..., 4:6] - xy1
        variance = (moments[..., 2:4] - position ** 2).sum(-1, keepdim=True).clamp(min=0)
        return position, variance, (trip ** 2).sum(-1, keepdim=True)

    @torch.no_grad()
    def back(self, q, k, xy1, xy2, grid):
        """Position in frame 1 of each token of frame 2: [B, T2, 2]. Tokens of a pool share a displacement."""
        pooled = layers.pool_tokens(k, *grid, self.POOL) * operators.token_count_scale(q)
        displacement = operators.attention(pooled, q, xy1, 1) - layers.pool_tokens(xy2, *grid, self.POOL)
        return xy2 + layers.share_tokens(displacement, *grid, self.POOL)


class TokenPropagation(nn.Module):
    """Attention over frame 1's own tokens: uncertain tokens take the displacement of confident ones that look alike and lie near.

    Not their mean: an affine motion is fitted to them (moving least squares, the attention's weights) and continued to the token's own position. So
    motion that grows towards the border grows on beyond it. Where positions say little about displacements a ridge holds the fit to the mean.
    """
    MIN_LOG_RIDGE, MAX_LOG_RIDGE = -1.0, 12.0  # logs of tokens squared
    QUICK = 10.0  # the optimiser moves all parameters equally fast, and the ridge and the trip's weight have far to go: their parameters count ten times

    def __init__(self, width, channels, compared):
        super().__init__()
        self.embed = nn.Linear(width, channels)
        self.narrow = nn.Linear(channels, compared, bias=False)  # tokens are compared in fewer channels, as in Matching
        nn.init.orthogonal_(self.narrow.weight)
        self.log_temperature = nn.Parameter(torch.tensor(2.0))
        self.log_variance_weight = nn.Parameter(torch.tensor(0.5))
        self.log_trip_weight = nn.Parameter(torch.tensor(-4.0 / self.QUICK))  # of the squared round trip beside the variance
        self.log_ridge = nn.Parameter(torch.tensor(4.0 / self.QUICK))
        self.adjust = layers.zero_init(nn.Linear(width, 3))  # what the matches change: confidence, logs of the distance's weight and of the ridge

    def forward(self, x, displacement, variance, trip, expectation, xy):
        """x [B, T, width], displacement [B, T, 2], variance and trip [B, T, 1] from Matching, xy [B, T, 2] -> displacement [B, T, 2]."""
        change = self.adjust(x)
        more_confident, nearer, stiffer = (change[..., i:i + 1] for i in range(3))
        look, weight = self.narrow(layers.unit(self.embed(x))), expectation.propagation_weight * nearer.clamp(max=2).exp()
        variance = variance + (self.QUICK * self.log_trip_weight).exp() * trip
        confidence = expectation.confidence + more_confident - self.log_variance_weight.exp() * torch.log(variance + 0.1)
        q = torch.cat([look * self.log_temperature.exp() * operators.token_count_scale(look), 2 * weight * xy, weight, torch.ones_like(weight)], -1)
        k = torch.cat([look, xy, -(xy ** 2).sum(-1, keepdim=True), confidence], -1)
        moments = operators.attention(q, k, self.products(displacement, xy), 1)
        return self.continued(moments, xy, (self.QUICK * (self.log_ridge + stiffer)).clamp(self.MIN_LOG_RIDGE, self.MAX_LOG_RIDGE).exp())

    @staticmethod
    def products(displacement, xy):
        """What the attention takes the mean of: d, p, p_x^2, p_y^2, p_x p_y, d_x p, d_y p and a 0, [B, T, 12]."""
        x, y = xy[..., :1], xy[..., 1:]
        return torch.cat([displacement, xy, x * x, y * y, x * y, displacement[..., :1] * xy, displacement[..., 1:] * xy, torch.zeros_like(x)], -1)

    @staticmethod
    def continued(moments, xy, ridge):
        """The affine fit at xy: mean d + cov(d, p) (cov(p, p) + ridge)^-1 (xy - mean p)."""
        d, p = moments[..., 0:2], moments[..., 2:4]
        px, py = p[..., :1], p[..., 1:]
        xx, yy, xy_ = moments[..., 4:5] - px * px + ridge, moments[..., 5:6] - py * py + ridge, moments[..., 6:7] - px * py
        away = xy - p
        ux, uy = away[..., :1], away[..., 1:]
        solved = torch.cat([yy * ux - xy_ * uy, xx * uy - xy_ * ux], -1) / (xx * yy - xy_ * xy_).clamp(min=1e-3)
        slope = torch.cat([((moments[..., 7 + 2 * i:9 + 2 * i] - d[..., i:i + 1] * p) * solved).sum(-1, keepdim=True) for i in range(2)], -1)
        return d + slope
