"""Layers of the network: normalisation, residual convolutions, rotary positions, attention over (pooled) tokens.

Nothing here depends on the extent of the input, so that windows and whole frames share every weight.
"""
import contextlib

import torch
import torch.nn.functional as F
from torch import nn

from training import operators

BF16_FLAGS = {"amx_bf16", "avx512_bf16"}  # instruction sets that multiply bfloat16 faster than float32


def bf16_is_fast(device):
    """Whether bfloat16 multiplies faster than float32 on this device: any GPU, and a CPU with BF16_FLAGS."""
    if device.type == "cuda":
        return True
    try:
        with open("/proc/cpuinfo") as f:
            return not BF16_FLAGS.isdisjoint(f.read().split())
    except OSError:
        return False


@contextlib.contextmanager
def full_precision(device):
    """No autocast and no TF32 inside: squares of positions reach thousands, which half precision does not resolve."""
    allowed, torch.backends.cuda.matmul.allow_tf32 = torch.backends.cuda.matmul.allow_tf32, False
    try:
        with torch.autocast("cuda" if device.type == "cuda" else "cpu", enabled=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed


class Norm(nn.LayerNorm):
    """LayerNorm in float32, also under a CPU's autocast, where PyTorch 1.13 would compute it in bfloat16."""
    def forward(self, x):
        return super().forward(x.float()).to(x.dtype) if x.dtype == torch.bfloat16 else super().forward(x)


class ChannelNorm(Norm):
    """LayerNorm over the channels of each pixel of x [W, C, h, w]."""
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Residual(nn.Module):
    """x + two 3x3 convolutions of the normalised x; the identity at the start of training."""
    def __init__(self, channels):
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.first, self.second = nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 3, padding=1)
        zero_init(self.second)

    def forward(self, x):
        return x + self.second(F.relu(self.first(self.norm(x))))


class PartsConv(nn.Conv2d):
    """A convolution of maps [W, parts[i], h, w], which stand side by side in its input channels."""
    def __init__(self, parts, channels, side=3):
        super().__init__(sum(parts), channels, side, padding=side // 2)
        self.parts = parts

    def forward(self, *maps):
        return operators.convolve_parts(self, maps)


class HalvingConv(nn.Conv2d):
    """A 3x3 convolution of the 2x2 squares of an image [W, 3, h, w], divided by SCALE: [W, channels, h/2, w/2]."""
    SCALE = 64

    def __init__(self, channels):
        super().__init__(12, channels, 3, padding=1)

    def forward(self, image):
        return operators.convolve_squares(self, image)


def zero_init(layer):
    """Zero weights and bias: the layer adds nothing until it has learned something. Returns the layer."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def upsample(x, factor=2):
    """x [W, C, h, w] enlarged by `factor`, bilinear. Values are not scaled: a flow in pixels needs `* factor`."""
    return operators.double(x) if factor == 2 else F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


def unit(x):
    """Vectors of unit length along the last axis, float32."""
    return F.normalize(x.float(), dim=-1)


def to_map(tokens, rows, columns):
    """Tokens [B, n*rows*columns, C] of n windows a sample as maps [B*n, C, rows, columns]."""
    channels = tokens.shape[-1]
    return tokens.reshape(-1, rows, columns, channels).permute(0, 3, 1, 2)


def to_tokens(maps, samples):
    """Maps [samples*n, C, rows, columns] as tokens [samples, n*rows*columns, C]."""
    return maps.flatten(2).transpose(1, 2).reshape(samples, -1, maps.shape[1])


def pool_tokens(tokens, rows, columns, side):
    """Mean of every side x side tokens of each window; at the right and lower border, of those that exist.

    [B, n*rows*columns, C] -> [B, n*ceil(rows/side)*ceil(columns/side), C].
    """
    pooled = F.avg_pool2d(to_map(tokens, rows, columns), side, ceil_mode=True, count_include_pad=False)
    return to_tokens(pooled, tokens.shape[0])


def share_tokens(pooled, rows, columns, side):
    """Each token gets what pool_tokens' mean of its square became: [B, n*ceil(rows/side)*ceil(columns/side), C] -> [B, n*rows*columns, C]."""
    maps = to_map(pooled, (rows + side - 1) // side, (columns + side - 1) // side)
    maps = F.interpolate(maps, scale_factor=float(side), mode="nearest")[:, :, :rows, :columns]
    return to_tokens(maps, pooled.shape[0])


class Rope:
    """Rotary positions in two dimensions (RoFormer; base 100 as in CroCo v2): half of each head turns with the row, half with the column.

    Made for positions xy [B, T, 2] in tokens; called with x [B, T, heads*d].
    """
    def __init__(self, xy, head_width, base=100.0):
        quarter = head_width // 4
        rate = base ** (-torch.arange(quarter, device=xy.device, dtype=torch.float32) / quarter)
        angle = torch.cat([xy[..., 1:2].float() * rate, xy[..., 0:1].float() * rate], -1)  # [B, T, d/2]
        self.cos, self.sin = torch.cos(angle).unsqueeze(2), torch.sin(angle).unsqueeze(2)

    def __call__(self, x, heads):
        b, t, c = x.shape
        x = x.reshape(b, t, heads, 2, c // heads // 2)
        real, imaginary = x[..., 0, :], x[..., 1, :]
        return torch.cat([real * self.cos - imaginary * self.sin, real * self.sin + imaginary * self.cos], -1).reshape(b, t, c)


class Attention(nn.Module):
    """Multi-head attention of x [B, Tq, C] over memory [B, Tk, C]. rope_x, rope_memory: their positions, or None.

    tokens: the tokens that memory was pooled from (or memory itself); their number scales the logits.
    """
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x, memory, rope_x, rope_memory, tokens):
        q, k, v = self.q(x), self.k(memory), self.v(memory)
        if rope_x is not None:
            q, k = rope_x(q, self.heads), rope_memory(k, self.heads)
        return self.out(operators.attention(q * (self.scale * operators.token_count_scale(tokens)), k, v, self.heads))


class Positions:
    """Where tokens are: their windows' rows and columns, and rotary positions of all tokens and of those that keys and values are made of.

    xy [B, n*rows*columns, 2] in tokens. pool: keys and values are made of means of pool x pool tokens. With head_width None the tokens carry
    absolute positions already, and there is no rotation.
    """
    def __init__(self, xy, rows, columns, head_width, pool):
        self.rows, self.columns, self.pool = rows, columns, pool
        self.rope = self.memory_rope = None
        if head_width is not None:
            self.rope = Rope(xy, head_width)
            self.memory_rope = Rope(self.memory(xy.float()), head_width) if pool > 1 else self.rope

    def memory(self, tokens):
        """The tokens that keys and values are made of."""
        return pool_tokens(tokens, self.rows, self.columns, self.pool) if self.pool > 1 else tokens


class Block(nn.Module):
    """Pre-norm transformer block; with cross=True it also attends to the other frame's tokens; with silent=True it is the identity at first."""
    def __init__(self, width, heads, cross=False, silent=False):
        super().__init__()
        self.norm1, self.norm2 = Norm(width), Norm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        if cross:
            self.norm_x, self.norm_m, self.cross = Norm(width), Norm(width), Attention(width, heads)
        if silent:
            zero_init(self.attention.out)
            zero_init(self.mlp[-1])

    def forward(self, x, here, other=None, there=None):
        """x, other [B, T, C]: tokens of this frame and of the other; here, there: their Positions."""
        y = self.norm1(x)
        x = x + self.attention(y, here.memory(y), here.rope, here.memory_rope, y)
        if other is not None:
            memory = self.norm_m(other)
            x = x + self.cross(self.norm_x(x), there.memory(memory), here.rope, there.memory_rope, other)
        return x + self.mlp(self.norm2(x))
