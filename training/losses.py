"""The losses of flow training: matching at three depths, flow at every step, and the likelihood that trains the confidence."""
import math

import torch
import torch.nn.functional as F

from training import layers, operators
from training.network import PATCH

NEGATIVES = 8192  # tokens among which a match has to be found: a Full-HD frame has 8,160


def matching_targets(centre_flow, visible, xy1, xy2):
    """The true match of each token of frame 1 among frame 2's tokens, as bilinear weights of the nearest ones.

    centre_flow [B, n, r, c, 2]: true flow at token centres, px; visible: bool [B, n, r, c]; xy1, xy2 [B, T, 2]: token positions.
    Returns weights [B, T, T], whose rows sum to 1, and use, bool [B, T]: the rows that have a match.
    """
    b, t = xy1.shape[:2]
    q = xy1.float() + centre_flow.reshape(b, t, 2) / PATCH
    hat = (1 - (q[:, :, None, :] - xy2.float()[:, None]).abs()).clamp(min=0)
    weight = hat[..., 0] * hat[..., 1]
    total = weight.sum(-1)
    use = visible.reshape(b, t) & (total > 0.5)
    return weight / total.clamp(min=1e-6).unsqueeze(-1), use


def matching(network, out, sample):
    """Cross-entropy of the token similarities against the true matches, at stem, encoder and decoder, and of their sum minus the distance penalty.

    The tokens of other samples are negatives too, NEGATIVES in all: a window has few wrong candidates, a frame thousands. Returns the loss, and
    for each of the four the share of tokens whose best match among their own sample's tokens is the true one: float [4].
    """
    b, t = out["queries"].shape[:2]
    target, use = matching_targets(sample.centre_flow, sample.centre_visible, out["xy1"], out["xy2"])
    temperatures = network.decoder.matching.log_temperature.exp()
    size = max(1, NEGATIVES // t)  # samples of a group
    loss, right, rows = out["queries"].sum() * 0, torch.zeros(4, device=target.device), 0
    for start in range(0, b, size):
        group = slice(start, start + size)
        count = int(use[group].sum())
        if count:
            part = {k: out[k][group] for k in ("queries", "keys", "expected", "xy2", "distance_weight")}
            group_loss, group_right = match_group(temperatures, part, target[group], use[group])
            loss, right, rows = loss + group_loss, right + group_right, rows + count
    return loss / max(1, 4 * rows), right / max(1, rows)


class _LogSumExp(torch.autograd.Function):
    CHUNK = 2 ** 22  # logits that are held at a time

    @staticmethod
    def parts(q, k):
        size = max(1, _LogSumExp.CHUNK // len(k))
        return [slice(start, start + size) for start in range(0, len(q), size)]

    @staticmethod
    def forward(ctx, q, k):
        sums = torch.cat([torch.logsumexp(q[part] @ k.T, -1) for part in _LogSumExp.parts(q, k)])
        ctx.save_for_backward(q, k, sums)
        return sums

    @staticmethod
    def backward(ctx, grad):
        q, k, sums = ctx.saved_tensors
        grad_q, grad_k = torch.empty_like(q), torch.zeros_like(k)
        for part in _LogSumExp.parts(q, k):
            share = torch.addmm(-sums[part, None], q[part], k.T).exp_()
            grad_q[part] = (share @ k) * grad[part, None]
            grad_k.addmm_(share.T, q[part] * grad[part, None])
        return grad_q, grad_k


def log_sum_exp(q, k):
    """log of the sum of exp(q . k) over all keys: q [R, d], k [N, d] -> [R]. The logits, R x N, are computed again for the gradient, piece by piece."""
    return _LogSumExp.apply(q, k)


def match_group(temperatures, out, target, use):
    """Of samples whose tokens are each other's negatives: the cross-entropies of all four depths, summed over the rows in `use`, and the number of
    rows that are right, float [4]."""
    queries, keys = out["queries"], out["keys"]
    b, t, width = queries.shape
    d = width // 3
    rows = use.reshape(-1).nonzero()[:, 0]
    target_rows = target.reshape(b * t, t)[rows]
    best = target_rows.argmax(-1)
    growth = math.log(b * t) / math.log(operators.TRAINED_TOKENS)
    loss, right, combined = 0.0, [], 0.0
    for i in range(3):
        q, k = queries[..., i * d:(i + 1) * d] * (temperatures[i] * growth), keys[..., i * d:(i + 1) * d]
        own = torch.bmm(q, k.transpose(1, 2)).reshape(b * t, t)[rows]  # among the tokens of a row's own sample
        loss = loss - (target_rows * (own - log_sum_exp(q.reshape(b * t, d)[rows], k.reshape(b * t, d))[:, None])).sum()
        right.append((own.argmax(-1) == best).sum())
        combined = combined + own
    gap = ((out["expected"][:, :, None] - out["xy2"].float()[:, None]) ** 2).sum(-1).reshape(b * t, t)[rows]
    combined = (combined - out["distance_weight"].reshape(b * t, 1)[rows] * gap).log_softmax(-1)
    loss = loss - (target_rows * combined).sum()
    right.append((combined.argmax(-1) == best).sum())
    return loss, torch.stack(right).detach()


def pool(flow, valid, stride):
    """Mean of flow [W, 2, h, w] over the valid pixels (float [W, 1, h, w]) of each cell of stride x stride pixels."""
    return F.avg_pool2d(flow * valid, stride) / F.avg_pool2d(valid, stride).clamp(min=1e-3)


TURN = 16.0  # px; errors below it count about linearly, errors above it like a logarithm


def robust(error):
    """A length in pixels as a loss: linear near 0, a logarithm far off, so that hopeless pixels don't drown the others."""
    return torch.log1p(error / TURN) * TURN


def length(vectors):
    """Length of vectors [W, 2, h, w], differentiable at 0: [W, 1, h, w]."""
    return (vectors ** 2).sum(1, keepdim=True).add(1e-4).sqrt()


STEP_SHARES = (("flows16", 16, 0.4), ("flows8", 8, 0.6), ("flows4", 4, 0.8), ("flows2", 2, 0.8))  # (steps, stride, weight of the last one's loss)
ROUGHNESS_SHARE = 0.5  # weight of roughness beside endpoint error
WEIGHT_HIDDEN = 0.7    # of pixels that no window of frame 2 shows, beside 1 of the others: they can only be guessed
SCALE_SHARE = 0.05     # weight of the likelihood that trains the confidence


class Goals:
    """The true flow of a windows.Sample at each stride, and how much each cell counts."""
    STRIDES = (PATCH, 8, 4, 2)

    def __init__(self, sample, weight_hidden=WEIGHT_HIDDEN, strides=STRIDES):
        b, n, h, w, _ = sample.flow.shape
        truth = sample.flow.reshape(b * n, h, w, 2).permute(0, 3, 1, 2)
        self.known = torch.isfinite(truth).all(1, keepdim=True)
        self.truth = torch.where(self.known, truth, torch.zeros_like(truth))
        self.grid = h // PATCH, w // PATCH
        self.weight = torch.where(sample.visible.reshape(b * n, 1, h, w), 1.0, weight_hidden) * self.known
        valid = self.known.float()
        self.at = {s: (pool(self.truth, valid, s), F.avg_pool2d(self.weight, s)) for s in strides}
        self.at[1] = self.truth, self.weight

    def loss(self, flow, stride):
        """Endpoint error in pixels of flow [W, 2, h/stride, w/stride] (in pixels of that stride), and its roughness: what the error differs from its own
        5x5 mean. Flow over a smooth surface should be smooth even where it is wrong."""
        goal, share = self.at[stride]
        difference = (flow * stride - goal) * (share > 0)
        rough = difference - operators.local_mean(difference, 5)
        error = robust(length(difference)) + ROUGHNESS_SHARE * robust(length(rough))
        return (error * share).sum() / share.sum().clamp(min=1)

    def token_loss(self, displacements):
        """The same for the tokens' displacements [B, T, 2], in tokens."""
        return self.loss(layers.to_map(displacements, *self.grid), PATCH)

    def error(self, flow):
        """Endpoint error in pixels of a flow [W, 2, h, w]: [W, 1, h, w], and its mean over the pixels that count fully."""
        error = ((flow.detach() - self.truth) ** 2).sum(1, keepdim=True).sqrt()
        counted = self.weight == 1
        return error, (error * counted).sum() / counted.sum().clamp(min=1)


def token_loss(out, sample):
    """The loss of the tokens' displacements, before and after propagation."""
    goals = Goals(sample, strides=(PATCH,))
    return 0.2 * goals.token_loss(out["matched"]) + goals.token_loss(out["coarse"])


def flow_loss(out, sample, weight_hidden=WEIGHT_HIDDEN):
    """The loss of the matching, every refinement step and the flow, and a Laplace likelihood of the flow's error. Returns it and the mean endpoint error
    (px) of the pixels that count fully."""
    goals = Goals(sample, weight_hidden)
    total = 0.2 * goals.token_loss(out["matched"]) + 0.4 * goals.token_loss(out["coarse"])
    for name, stride, share in STEP_SHARES:
        steps = out[name]
        for i, flow in enumerate(steps):
            total = total + share * 0.8 ** (len(steps) - 1 - i) * goals.loss(flow, stride)
    total = total + goals.loss(out["flow"], 1)
    error, mean = goals.error(out["flow"])
    log_scale = out["log_scale"]
    return total + SCALE_SHARE * ((error * torch.exp(-log_scale) + log_scale + math.log(2)) * goals.known).mean(), mean
