"""The operators that training and export write differently: attention, warping, local correlation, sums over
neighbours, softmax over channels, some convolutions.

This is the eager form, for training and for PyTorch's own inference. Callers use `operators.warp(...)`, through the module, so that
`training.export_forms` can replace the functions while a graph is exported.
"""
import math

import torch
import torch.nn.functional as F

from training import correlation, resampling, stencils

TRAINED_TOKENS = 128  # tokens of a usual training sample: attention logits are scaled by log(tokens) / log(TRAINED_TOKENS)


def attention(q, k, v, heads):
    """Multi-head attention. q [B, Tq, heads*d] already scaled, k [B, Tk, heads*d], v [B, Tk, heads*e] -> [B, Tq, heads*e]."""
    q, k, v = (x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in (q, k, v))
    if hasattr(F, "scaled_dot_product_attention") and q.is_cuda:
        out = F.scaled_dot_product_attention(q * math.sqrt(q.shape[-1]), k, v)  # undo its own 1/sqrt(d)
    else:
        out = torch.softmax(q @ k.transpose(-1, -2), -1) @ v
    return out.transpose(1, 2).flatten(2)


def token_count_scale(tokens):
    """log(T) / log(TRAINED_TOKENS) for tokens [B, T, C]: keeps attention as sharp over 8,160 tokens as over 128."""
    return math.log(tokens.shape[1]) / math.log(TRAINED_TOKENS)


def pixel_grid(x):
    """Column and row number of every pixel of x [W, C, h, w]: float [1, 1, 1, w] and [1, 1, h, 1]."""
    h, w = x.shape[2:]
    return (torch.arange(w, device=x.device, dtype=torch.float32).reshape(1, 1, 1, w),
            torch.arange(h, device=x.device, dtype=torch.float32).reshape(1, 1, h, 1))


def size(x):
    """Height and width of x [W, C, h, w], as numbers that a flow can be divided by."""
    return x.shape[2], x.shape[3]


def warp(x, flow):
    """Bilinear samples of x [W, C, h, w] at each pixel plus flow [W, 2, h, w] (pixels of x); zero outside x.

    Sample positions stay float32: in bfloat16 they would be a tenth of a pixel off.
    """
    columns, rows = pixel_grid(x)
    h, w = size(x)
    grid_x = (flow[:, 0:1].float() + columns + 0.5) * 2 / w - 1
    grid_y = (flow[:, 1:2].float() + rows + 0.5) * 2 / h - 1
    grid = torch.cat([grid_x, grid_y], 1).permute(0, 2, 3, 1)
    return F.grid_sample(x.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False).to(x.dtype)


def targets(x, flow):
    """The column and the row of every pixel of x [W, C, h, w] after flow [W, 2, h, w], float [W, 1, h, w], or of the border if they are outside; and which
    are inside, bool. What is not a number is outside."""
    columns, rows = pixel_grid(x)
    h, w = size(x)
    column, row = flow[:, 0:1] + columns, flow[:, 1:2] + rows
    near_column, near_row = (torch.minimum(at, torch.as_tensor(last, dtype=torch.float32)) for at, last in ((column, w - 1), (row, h - 1)))
    zero = torch.zeros((), dtype=torch.float32, device=flow.device)
    near_column, near_row = torch.where(near_column > 0, near_column, zero), torch.where(near_row > 0, near_row, zero)
    return near_column, near_row, (column == near_column) & (row == near_row)


def sample(x, flow):
    """Bilinear samples of x [W, 1, h, w] at each pixel plus flow [W, 2, h, w], or at the border if that is outside; and which were inside, bool."""
    column, row, inside = targets(x, flow)
    h, w = size(x)
    grid = torch.cat([(column + 0.5) * 2 / w - 1, (row + 0.5) * 2 / h - 1], 1).permute(0, 2, 3, 1)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False), inside


def local_correlation(a, b, radius):
    """a, b [W, C, h, w] -> [W, (2r+1)^2, h, w]: a . b(x + dx, y + dy) / sqrt(C), zero outside b; dy changes slowest."""
    return correlation.banded(a * a.shape[1] ** -0.5, b, radius)


def neighbour_similarity(query, padded, shifts, axis):
    """stencils.similarity."""
    return stencils.similarity(query, padded, shifts, axis)


def neighbour_mix(weights, padded, shifts):
    """stencils.mix."""
    return stencils.mix(weights, padded, shifts)


def double(x):
    """resampling.double."""
    return resampling.double(x)


def clamp(x, low, high):
    """x limited to low and high, a map of few channels."""
    return x.clamp(low, high)


def local_mean(x, side):
    """stencils.local_mean."""
    return stencils.local_mean(x, side)


def channel_softmax(logits):
    """Softmax over the channels of logits [W, C, h, w]."""
    return logits.softmax(1)


def convolve_parts(conv, maps):
    """A layers.PartsConv."""
    return F.conv2d(torch.cat(maps, 1), conv.weight, conv.bias, padding=conv.padding)


def convolve_squares(conv, image):
    """A layers.HalvingConv."""
    return F.conv2d(channels_last(F.pixel_unshuffle(image / conv.SCALE, 2)), conv.weight, conv.bias, padding=1)


def channels_last(x):
    """x [W, C, h, w] in the memory layout that convolutions train fastest in."""
    return x.contiguous(memory_format=torch.channels_last)
