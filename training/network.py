"""The network: a binocular vision transformer that estimates optical flow, on windows or on whole frames.

    frame 1 -> stem -> encoder -> tokens --+--> decoder -> matching -> propagation -> refinement 1/16 -> 1/8 -> 1/4 -> flow
    frame 2 -> stem -> encoder -> tokens --+    (cross-attention)

After Win-Win (Leroy et al., ICLR 2024): Siamese encoder, binocular decoder, rotary positions (RoPE), training on a
few windows and one pass over the whole frame. Two priors are ours to add: global matching (the flow is where a
token's match is; GMFlow, Xu et al., CVPR 2022) and warped local refinement with convex upsampling (PWC-Net, RAFT).
Nothing depends on the extent of the input, so windows and frames share every weight.

Shapes: B samples of n windows; W = B*n windows in a row; a window has h x w pixels and t = h*w/256 tokens; T = n*t
tokens of one sample. Flow is (x, y) = (right, down). Convolutions run channels-last.
"""
import contextlib
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from training.correlation import local_correlation

PATCH = 16
MOST_NEARNESS = math.log(0.25)  # log of the largest weight of a squared distance in tokens
TRAINED_KEYS = 128  # attention logits are scaled by log(keys) / log(TRAINED_KEYS)


@dataclass
class Config:
    """A network's sizes. `tiny` trains on a CPU; `small` is the one to train on a GPU."""
    name: str = "tiny"
    stem: tuple = (32, 64, 96)   # channels at strides 2, 4, 8
    blocks: tuple = (1, 1)       # residual blocks at strides 4, 8
    width: int = 128             # of a token
    heads: int = 4
    encoder: int = 2             # transformer blocks
    decoder: int = 2
    match: int = 64              # channels of a matching head, for each of three depths
    correlation: tuple = (64, 32)  # channels that are correlated at strides 8, 4
    hidden: tuple = (96, 96, 64)  # channels of the refinement's state at strides 16, 8, 4
    steps: tuple = (2, 3, 3)     # refinement steps at strides 16, 8, 4
    radius: tuple = (4, 4, 3)    # of the local correlation at strides 16, 8, 4
    positions: str = "rope"      # or "absolute" (sine-cosine), for the comparison


CONFIGS = {
    "tiny": Config(),
    "small": Config("small", (48, 96, 128), (2, 2), 256, 8, 8, 6, 128, (96, 64), (160, 160, 96), (3, 4, 3), (4, 4, 4)),
}


# ---------------------------------------------------------------- layers

class Norm(nn.LayerNorm):
    """LayerNorm in float32, as autocast has it on a GPU and, in PyTorch 1.13, has not on a CPU."""
    def forward(self, x):
        return super().forward(x.float()).to(x.dtype) if x.dtype == torch.bfloat16 else super().forward(x)


class ChannelNorm(Norm):
    """LayerNorm over the channels of a [W, C, h, w] map: each pixel alone, so windows and frames agree."""
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.a, self.b = nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.b.weight), nn.init.zeros_(self.b.bias)

    def forward(self, x):
        return x + self.b(F.relu(self.a(self.norm(x))))


class _Fused(torch.autograd.Function):
    """softmax(q k^T) v as one operator in the exported graph: ONNX Runtime's MultiHeadAttention never stores the T x T matrix."""
    @staticmethod
    def forward(ctx, q, k, v, heads):
        split = lambda x: x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)
        return torch.softmax(split(q) @ split(k).transpose(-1, -2), -1).matmul(split(v)).transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(g, q, k, v, heads):
        return g.op("com.microsoft::MultiHeadAttention", q, k, v, num_heads_i=heads, scale_f=1.0).setType(v.type())


def attend(q, k, v, heads, scale=None):
    """Attention: q [B, Tq, heads*d], k [B, Tk, heads*d], v [B, Tk, heads*e] -> [B, Tq, heads*e]; q already scaled."""
    if torch.onnx.is_in_onnx_export():
        return _Fused.apply(q, k, v, heads)
    split = lambda x: x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    if hasattr(F, "scaled_dot_product_attention") and q.is_cuda:
        d = q.shape[-1]
        out = F.scaled_dot_product_attention(q * math.sqrt(d), k, v)  # undo its own 1/sqrt(d)
    else:
        out = torch.softmax(q @ k.transpose(-1, -2), -1) @ v
    return out.transpose(1, 2).flatten(2)


def log_keys(k):
    """log(number of keys) relative to training: keeps attention as sharp over 8,160 tokens as over 128."""
    n = torch._shape_as_tensor(k)[1].to(k) if torch.onnx.is_in_onnx_export() else torch.tensor(float(k.shape[1]), device=k.device)
    return torch.log(n.float()) / math.log(TRAINED_KEYS)


class Rope:
    """2-D rotary positions (RoFormer; base 100 as in CroCo v2): half of each head turns with the row, half with the column."""
    def __init__(self, xy, head, base=100.0):
        quarter = head // 4
        rate = base ** (-torch.arange(quarter, device=xy.device, dtype=torch.float32) / quarter)
        angle = torch.cat([xy[..., 1:2].float() * rate, xy[..., 0:1].float() * rate], -1)  # [B, T, head/2]
        self.cos, self.sin = torch.cos(angle).unsqueeze(2), torch.sin(angle).unsqueeze(2)

    def __call__(self, x, heads):
        b, t, c = x.shape
        x = x.reshape(b, t, heads, 2, c // heads // 2)
        a, z = x[..., 0, :], x[..., 1, :]
        return torch.cat([a * self.cos - z * self.sin, a * self.sin + z * self.cos], -1).reshape(b, t, c)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x, memory, rope_q, rope_k):
        q, k, v = self.q(x), self.k(memory), self.v(memory)
        if rope_q is not None:
            q, k = rope_q(q, self.heads), rope_k(k, self.heads)
        return self.out(attend(q * (self.scale * log_keys(k)), k, v, self.heads))


class Block(nn.Module):
    """Pre-norm transformer block; with cross=True it also looks at the other frame's tokens."""
    def __init__(self, width, heads, cross=False):
        super().__init__()
        self.norm1, self.norm2 = Norm(width), Norm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        if cross:
            self.norm_x, self.norm_m, self.cross = Norm(width), Norm(width), Attention(width, heads)

    def forward(self, x, rope, memory=None, rope_memory=None):
        y = self.norm1(x)
        x = x + self.attention(y, y, rope, rope)
        if memory is not None:
            x = x + self.cross(self.norm_x(x), self.norm_m(memory), rope, rope_memory)
        return x + self.mlp(self.norm2(x))


def bf16_is_fast(device):
    """Whether bfloat16 is this device's way to be fast: a GPU's, and that of a CPU with matrix units (AMX)."""
    if device.type == "cuda":
        return True
    try:
        with open("/proc/cpuinfo") as f:
            return "amx_bf16" in f.read()
    except OSError:
        return False


@contextlib.contextmanager
def precise(x):
    """Squares of positions reach thousands: no half precision and no TF32 here, whatever the caller set."""
    allowed, torch.backends.cuda.matmul.allow_tf32 = torch.backends.cuda.matmul.allow_tf32, False
    try:
        with torch.autocast(x.device.type, enabled=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed


# ---------------------------------------------------------------- geometry

def up2(x):
    """Twice the size, bilinear; a flow's values are the caller's to scale."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def warp(x, flow):
    """Sample x [W, C, h, w] at each pixel plus flow [W, 2, h, w] (in pixels of x); zero outside."""
    h, w = x.shape[2:]
    if torch.onnx.is_in_onnx_export():
        size = torch._shape_as_tensor(x)[2:].to(torch.float32)
        h, w = size[0], size[1]
        xs = torch.ones_like(flow[:1, :1]).cumsum(3) - 1
        ys = torch.ones_like(flow[:1, :1]).cumsum(2) - 1
    else:
        xs = torch.arange(w, device=x.device, dtype=torch.float32).reshape(1, 1, 1, w)
        ys = torch.arange(h, device=x.device, dtype=torch.float32).reshape(1, 1, h, 1)
    gx = (flow[:, 0:1].float() + xs + 0.5) * 2 / w - 1
    gy = (flow[:, 1:2].float() + ys + 0.5) * 2 / h - 1
    lattice = torch.cat([gx, gy], 1).permute(0, 2, 3, 1)
    return F.grid_sample(x, lattice.to(x.dtype), mode="bilinear", padding_mode="zeros", align_corners=False)


def offsets(radius, like):
    """The (dx, dy) of local_correlation's channels: [(2r+1)^2, 2]."""
    r = torch.arange(-radius, radius + 1, device=like.device, dtype=torch.float32)
    side = len(r)
    return torch.stack([r.repeat(side), r.repeat_interleave(side)], -1)


def convex_upsample(flow, mask, factor):
    """RAFT's upsampling: every fine pixel is a convex mix of the 3x3 coarse flows around it.
    flow [W, c, h, w], mask [W, 9*factor^2, h, w] -> [W, c, factor*h, factor*w]; values are not scaled."""
    c = flow.shape[1]
    near = F.pad(flow, (1, 1, 1, 1), mode="replicate")
    if not torch.onnx.is_in_onnx_export():
        mask = mask.float().reshape(mask.shape[0], 1, 9, factor * factor, *mask.shape[2:]).softmax(2)
        near = F.unfold(near, 3).reshape(flow.shape[0], c, 9, 1, *flow.shape[2:])
        return F.pixel_shuffle((mask * near).sum(2).flatten(1, 2), factor)
    h, w = flow.shape[2], flow.shape[3]
    parts = mask.chunk(9, 1)  # slices: a softmax over the second axis of five would be transposed twice
    top = parts[0]
    for part in parts[1:]:
        top = torch.maximum(top, part)
    total, sums = 0, [0] * c
    for k, part in enumerate(parts):
        e = torch.exp(part - top)
        total = total + e
        sums = [s + e * near[:, i:i + 1, k // 3:k // 3 + h, k % 3:k % 3 + w] for i, s in enumerate(sums)]
    return torch.cat([F.pixel_shuffle(s / total, factor) for s in sums], 1)


def bilinear_mask(factor):
    """convex_upsample's logits for (nearly) bilinear interpolation: from all-equal weights, upsampling stays in blocks for thousands of steps."""
    d = (torch.arange(factor) + 0.5) / factor - 0.5
    w = torch.stack([(-d).clamp(min=0), 1 - d.abs(), d.clamp(min=0)])  # of the cell before, its own, the one behind
    logits = torch.log(w[:, None, :, None] * w[None, :, None, :] + 0.05).reshape(-1)
    return logits - logits.mean()


# ---------------------------------------------------------------- stages

class Encoder(nn.Module):
    """One frame -> its features: everything about it that a pair needs, so that a video's frame is encoded once."""
    def __init__(self, c):
        super().__init__()
        s2, s4, s8 = c.stem
        self.config = c
        self.down2 = nn.Sequential(nn.Conv2d(12, s2, 3, padding=1), nn.ReLU())
        self.down4 = nn.Sequential(nn.Conv2d(s2, s4, 3, 2, 1), *(Residual(s4) for _ in range(c.blocks[0])))
        self.down8 = nn.Sequential(ChannelNorm(s4), nn.Conv2d(s4, s8, 3, 2, 1), *(Residual(s8) for _ in range(c.blocks[1])))
        self.down16 = nn.Sequential(ChannelNorm(s8), nn.Conv2d(s8, c.width, 3, 2, 1))
        self.blocks = nn.ModuleList(Block(c.width, c.heads) for _ in range(c.encoder))
        self.norm = Norm(c.width)
        self.match_stem = nn.Sequential(Norm(c.width), nn.Linear(c.width, c.match))
        self.match_encoder = nn.Linear(c.width, c.match)
        self.match_key = nn.Linear(c.width, c.match)  # what the decoder's queries look for
        # top-down path: refinement sees what the transformer understood
        self.lateral8, self.top8 = nn.Conv2d(s8, s8, 1), nn.Conv2d(c.width, s8, 1)
        self.smooth8 = Residual(s8)
        self.lateral4, self.top4 = nn.Conv2d(s4, s4, 1), nn.Conv2d(s8, s4, 1)
        self.smooth4 = Residual(s4)
        self.correlate8, self.correlate4 = nn.Conv2d(s8, c.correlation[0], 1), nn.Conv2d(s4, c.correlation[1], 1)
        if c.positions == "absolute":
            self.absolute = nn.Linear(c.width, c.width)

    def forward(self, frame, xy, samples):
        """frame [W, 3, h, w] 0-255, sides multiples of 16; xy [B, T, 2] token positions -> dict of features."""
        c = self.config
        x = F.pixel_unshuffle((frame - 127.5) / 64, 2)
        if not torch.onnx.is_in_onnx_export():
            x = x.contiguous(memory_format=torch.channels_last)
        f4 = self.down4(self.down2(x))
        f8 = self.down8(f4)
        f16 = self.down16(f8)
        tokens = f16.flatten(2).transpose(1, 2).reshape(samples, -1, c.width)
        stem, rope = tokens, None
        if c.positions == "rope":
            rope = Rope(xy, c.width // c.heads)
        else:
            rate = 100.0 ** (-torch.arange(c.width // 4, device=xy.device) / (c.width / 4))
            angle = xy[..., None, :].float() * rate[:, None]
            tokens = tokens + self.absolute(torch.cat([angle.sin(), angle.cos()], -2).flatten(2))
        for block in self.blocks:
            tokens = block(tokens, rope)
        tokens = self.norm(tokens)
        top = tokens.reshape(f16.shape[0], -1, c.width).transpose(1, 2).reshape(f16.shape)
        p8 = self.smooth8(self.lateral8(f8) + up2(self.top8(top)))
        p4 = self.smooth4(self.lateral4(f4) + up2(self.top4(p8)))
        unit = lambda x: F.normalize(x.float(), dim=-1)
        keys = torch.cat([unit(self.match_stem(stem)), unit(self.match_encoder(tokens)), unit(self.match_key(tokens))], -1)
        return dict(tokens=tokens, keys=keys, p8=p8, p4=p4, c8=self.correlate8(p8), c4=self.correlate4(p4))


class Update(nn.Module):
    """One refinement step: local correlation around the current flow -> a better flow."""
    def __init__(self, hidden, radius, sharpness=1.0):
        super().__init__()
        self.radius, cells = radius, (2 * radius + 1) ** 2
        self.sharpness = nn.Parameter(torch.tensor(sharpness))
        self.evidence = nn.Sequential(nn.Conv2d(cells, 64, 1), nn.ReLU())
        self.mix = nn.Conv2d(hidden + 64 + 4, hidden, 3, padding=1)
        self.turn = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.head = nn.Sequential(nn.Conv2d(hidden, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, 3, 1))
        with torch.no_grad():
            self.head[-1].weight[:2] *= 0.1
            self.head[-1].bias.zero_()

    def forward(self, hidden, a, b, flow):
        """hidden [W, H, h, w]; a, b: correlated features of the frames; flow [W, 2, h, w] in pixels of this stride."""
        seen = local_correlation(a, warp(b, flow), self.radius)
        where = offsets(self.radius, a)
        # soft arg max of the correlation, its three sums as one 1x1 convolution
        likely = seen.float() * self.sharpness.exp()
        likely = torch.exp(likely - likely.amax(1, keepdim=True))
        sums = F.conv2d(likely, torch.cat([where, torch.ones_like(where[:, :1])], 1).T[:, :, None, None])
        best = sums[:, :2] / sums[:, 2:]
        # only the flow's shape around a pixel is told, not its length: a long flow is as likely as a short one
        bump = flow - F.avg_pool2d(flow, 5, 1, 2, count_include_pad=False)
        x = torch.cat([hidden, self.evidence(seen), best.to(hidden), bump.to(hidden)], 1)
        hidden = hidden + self.turn(F.relu(self.mix(F.relu(x))))
        out = self.head(F.relu(hidden)).float()
        return hidden, flow + out[:, :2] + torch.sigmoid(out[:, 2:]) * best


class Decoder(nn.Module):
    """Features of two frames -> flow."""
    def __init__(self, c):
        super().__init__()
        self.config = c
        s4, s8 = c.stem[1:]
        self.blocks = nn.ModuleList(Block(c.width, c.heads, cross=True) for _ in range(c.decoder))
        self.norm = Norm(c.width)
        self.match_query = nn.Linear(c.width, c.match)
        self.temperature = nn.Parameter(torch.tensor([2.0, 2.0, 2.0]))   # log, one for each depth
        self.nearness = nn.Parameter(torch.tensor(-6.0))                 # log of the penalty on squared distance in tokens
        self.alike = nn.Linear(c.width, c.match)
        self.alike_temperature = nn.Parameter(torch.tensor(2.0))
        self.alike_nearness = nn.Parameter(torch.tensor(-3.0))
        self.trust = nn.Parameter(torch.tensor(0.5))
        self.residual = nn.Linear(c.width, 2)
        nn.init.zeros_(self.residual.weight), nn.init.zeros_(self.residual.bias)
        h16, h8, h4 = c.hidden
        self.start16, self.doubt16 = nn.Conv2d(c.width, h16, 1), nn.Conv2d(3, h16, 1)
        self.start8, self.token8, self.state8 = nn.Conv2d(s8, h8, 1), nn.Conv2d(c.width, h8, 1), nn.Conv2d(h16, h8, 1)
        self.start4, self.state4 = nn.Conv2d(s4, h4, 1), nn.Conv2d(h8, h4, 1)
        self.update16, self.update8, self.update4 = (Update(h, r, s) for h, r, s in zip(c.hidden, c.radius, (math.log(10), 1.0, 1.0)))
        self.mask = nn.Sequential(nn.ReLU(), nn.Conv2d(h4, 96, 3, padding=1), nn.ReLU(), nn.Conv2d(96, 144, 1))
        with torch.no_grad():
            self.mask[-1].bias.copy_(bilinear_mask(4))
        self.scale = nn.Sequential(nn.ReLU(), nn.Conv2d(h4, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 1, 1))
        self.prior = nn.Linear(c.width, 5)
        nn.init.zeros_(self.prior.weight), nn.init.zeros_(self.prior.bias)

    def expect(self, x):
        """What each token of frame 1 expects before it looks for its match, from the decoder's tokens x [B, T, width]. A token of a wall finds
        its match anywhere in frame 2; one of a wall without texture looks alike everywhere, and must know that it had better stay near.
        Returns, float [B, T, ...]: the weight of a squared distance in matching [1], the displacement that it is measured from, in tokens [2],
        how sure a match is beyond what its spread says [1], and the weight of a squared distance in propagation [1]."""
        p = self.prior(x).float()
        return ((self.nearness + p[..., 0:1]).clamp(max=MOST_NEARNESS).exp(), p[..., 1:3], p[..., 3:4], (self.alike_nearness + p[..., 4:5]).clamp(max=MOST_NEARNESS).exp())

    def match(self, queries, keys, guess, near, xy2):
        """Global matching: expected position in frame 2 of each token of frame 1, and its spread.

        queries, keys [B, T, 3*match], unit vectors for each depth; guess [B, T, 2], where it is looked for first, near [B, T, 1] how near to
        that; xy2 [B, T, 2]. The logits (similarity at three depths minus a penalty on squared distance) are one dot product of widened vectors,
        so matching is attention with positions as values: -l|p-q|^2 = 2l p.q - l|q|^2 - l|p|^2, the last the same for all keys.
        Returns position [B, T, 2] in tokens and variance [B, T, 1] in tokens squared.
        """
        d = self.config.match
        t = self.temperature.exp() * log_keys(keys)
        q = torch.cat([queries[..., :d] * t[0], queries[..., d:2 * d] * t[1], queries[..., 2 * d:] * t[2], 2 * near * guess, near, torch.zeros_like(near)], -1)
        k = torch.cat([keys, xy2, -(xy2 ** 2).sum(-1, keepdim=True), torch.zeros_like(xy2[..., :1])], -1)
        v = torch.cat([xy2, xy2 ** 2], -1)
        there = attend(q, k, v, 1)
        variance = (there[..., 2:] - there[..., :2] ** 2).sum(-1, keepdim=True).clamp(min=0)
        return there[..., :2], variance

    def propagate(self, tokens, flow, variance, sure, near, xy):
        """Unsure tokens take the flow of sure tokens that look alike and lie near (attention over frame 1 itself)."""
        look = F.normalize(self.alike(tokens).float(), dim=-1)
        sure = sure - self.trust.exp() * torch.log(variance + 0.1)
        q = torch.cat([look * self.alike_temperature.exp() * log_keys(look), 2 * near * xy, near, torch.ones_like(near)], -1)
        k = torch.cat([look, xy, -(xy ** 2).sum(-1, keepdim=True), sure], -1)
        return attend(q, k, torch.cat([flow, flow], -1), 1)[..., :2]

    def forward(self, one, two, xy1, xy2, offset, shape, memory=None):
        """one, two: Encoder's features. xy1, xy2 [B, T, 2]: token positions of the windows. offset [W, 2, 1, 1]: where window 2 lies
        relative to window 1, in pixels. memory: frame 2's tokens and keys where they are more than the windows' own (distractors).
        Returns a dict: flow [W, 2, h, w] and log_scale [W, 1, h, w] in pixels, and what the losses need."""
        c = self.config
        middle = xy1.float().mean(1, keepdim=True)  # only differences count, and squares of small numbers are more exact
        xy1, xy2 = xy1.float() - middle, xy2.float() - middle
        tokens2, keys2 = (two["tokens"], two["keys"]) if memory is None else memory
        head = c.width // c.heads
        rope1, rope2 = (Rope(xy1, head), Rope(xy2, head)) if c.positions == "rope" else (None, None)
        x = one["tokens"]
        for block in self.blocks:
            x = block(x, rope1, tokens2, rope2)
        x = self.norm(x)
        d = c.match
        queries = torch.cat([one["keys"][..., :2 * d], F.normalize(self.match_query(x).float(), dim=-1)], -1)
        with precise(x):
            near, expected, sure, alike_near = self.expect(x.float())
            guess = xy1 + expected
            there, variance = self.match(queries, keys2.float(), guess, near, xy2)
            matched = there - xy1
            spread = self.propagate(x.float(), matched, variance, sure, alike_near, xy1)
        coarse = spread + self.residual(x).float()

        def as_map(t):
            return t.reshape(shape[0], -1, t.shape[-1]).transpose(1, 2).reshape(shape[0], t.shape[-1], *shape[2:])
        # at stride 16 what is compared are the matching's own queries and keys, and their similarities are its logits, a tenth of them
        temperature = self.temperature.exp().repeat_interleave(d) * (0.1 * math.sqrt(3 * d))
        a16, b16, tokens = as_map(queries * temperature), as_map(two["keys"].float()), as_map(x)
        # where matches are doubtful: spread out, distrusted, or not what their surroundings make of them
        doubt = torch.cat([torch.log(variance + 0.1), sure, torch.log1p(((matched - spread) ** 2).sum(-1, keepdim=True))], -1)
        hidden, flow16 = self.start16(tokens) + self.doubt16(as_map(doubt)), as_map(coarse) - offset / 16
        flows16 = []
        for _ in range(c.steps[0]):
            hidden, flow16 = self.update16(hidden, a16, b16, flow16.detach())
            flows16.append(flow16)
        flow8 = up2(flow16) * 2
        hidden = self.start8(one["p8"]) + up2(self.token8(tokens) + self.state8(hidden))
        flows8 = []
        for _ in range(c.steps[1]):
            hidden, flow8 = self.update8(hidden, one["c8"], two["c8"], flow8.detach())
            flows8.append(flow8)
        flow4 = up2(flow8) * 2
        hidden = self.start4(one["p4"]) + up2(self.state4(hidden))
        flows4 = []
        for _ in range(c.steps[2]):
            hidden, flow4 = self.update4(hidden, one["c4"], two["c4"], flow4.detach())
            flows4.append(flow4)
        flow = convex_upsample(flow4, self.mask(hidden), 4) * 4 + offset
        log_scale = F.interpolate(self.scale(hidden), scale_factor=4.0, mode="bilinear", align_corners=False).float().clamp(-4, 6)
        return dict(flow=flow, log_scale=log_scale, queries=queries, guess=guess + middle, near=near, matched=matched, variance=variance, coarse=coarse,
                    flows16=[f + offset / 16 for f in flows16], flows8=[f + offset / 8 for f in flows8], flows4=[f + offset / 4 for f in flows4])


def positions(origin, rows, columns):
    """Token positions of windows: origin [B, n, 2] in tokens -> [B, n*rows*columns, 2] (x, y)."""
    y = torch.arange(rows, device=origin.device)
    x = torch.arange(columns, device=origin.device)
    base = torch.stack([x.repeat(rows), y.repeat_interleave(columns)], -1)
    return (origin[:, :, None, :] + base).flatten(1, 2)


class WinWin(nn.Module):
    """Encoder and decoder: two frames' windows -> flow."""
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)

    def forward(self, frame1, frame2, origin1, origin2, distract=False):
        """frame1, frame2 float [B, n, h, w, 3], 0-255, sides multiples of 16; origins int [B, n, 2] in tokens. Decoder's dict."""
        b, n, h, w, _ = frame1.shape
        rows, columns = h // PATCH, w // PATCH
        xy1, xy2 = positions(origin1, rows, columns), positions(origin2, rows, columns)
        both = torch.cat([frame1, frame2]).reshape(2 * b * n, h, w, 3).permute(0, 3, 1, 2)
        features = self.encoder(both, torch.cat([xy1, xy2]), 2 * b)
        half = {k: v.chunk(2) for k, v in features.items()}
        one, two = ({k: v[i] for k, v in half.items()} for i in (0, 1))
        offset = ((origin2 - origin1) * PATCH).reshape(b * n, 2, 1, 1).float()
        memory = None
        if distract and b > 1:
            # another sample's windows, put beside this one's: tokens of frame 2 that match nothing
            away = torch.randint(-40, 41, (b, 1, 2), device=xy2.device)
            strange = xy2.roll(1, 0) - origin2.roll(1, 0)[:, :1] + origin2[:, :1] + away
            memory = (torch.cat([two["tokens"], two["tokens"].roll(1, 0)], 1), torch.cat([two["keys"], two["keys"].roll(1, 0)], 1))
            xy2 = torch.cat([xy2, strange], 1)
        out = self.decoder(one, two, xy1, xy2, offset, (b * n, 0, rows, columns), memory=memory)
        out.update(keys=two["keys"], xy1=xy1, xy2=xy2[:, :xy1.shape[1]])
        return out

    @torch.no_grad()
    def estimate(self, frame1, frame2):
        """Flow of whole frames: uint8 or float [H, W, 3] arrays or tensors, any size -> flow [H, W, 2], log scale [H, W]."""
        device = next(self.parameters()).device
        one, two = (torch.as_tensor(f).to(device).float()[None, None] for f in (frame1, frame2))
        h, w = one.shape[2:4]
        pad = lambda x: F.pad(x[:, 0].permute(0, 3, 1, 2), (0, -w % PATCH, 0, -h % PATCH), mode="replicate").permute(0, 2, 3, 1)[:, None]
        zero = torch.zeros(1, 1, 2, dtype=torch.int64, device=device)
        was, _ = self.training, self.eval()
        out = self(pad(one), pad(two), zero, zero)
        self.train(was)
        return out["flow"][0, :, :h, :w].permute(1, 2, 0), out["log_scale"][0, 0, :h, :w]
