"""Local correlation: dot products of a map with shifted copies of another one, within a radius.

Three forms of one definition, which a test compares. `banded` trains: for each row of shifts the products are one batched matrix product,
and its diagonal band is read and written in place. `blocked` is exported to ONNX: its memory does not grow with the square of the width.
`shifted` is the plain definition.

All take a, b [W, C, h, w] and give [W, (2r+1)^2, h, w]: a . b(x + dx, y + dy), zero outside b; dy changes slowest.
"""
import math

import torch
import torch.nn.functional as F


class _Banded(torch.autograd.Function):
    """Rows of all windows stand under each other, 2r rows of padding below each window, so that rows dy to dy + M of b are one batch for every dy."""

    @staticmethod
    def _band(products, n, h, r):
        """View of products [n*(h + 2r), w, w + 2r] that keeps each window's own rows and, for column x, the columns x to x + 2r: [n, h, w, 2r + 1]."""
        _, w, wide = products.shape
        return products.as_strided((n, h, w, 2 * r + 1), ((h + 2 * r) * w * wide, w * wide, wide + 1, 1))

    @staticmethod
    def forward(ctx, a, b, r):
        n, c, h, w = a.shape
        side = 2 * r + 1
        a = F.pad(a.permute(0, 2, 3, 1), (0, 0, 0, 0, 0, 2 * r)).reshape(-1, w, c)
        b = F.pad(b.permute(0, 2, 3, 1), (0, 0, r, r, r, r)).reshape(-1, w + 2 * r, c)
        ctx.save_for_backward(a, b)
        ctx.sizes = n, h, r
        out = a.new_empty(n, h, w, side * side)
        count = len(a) - 2 * r
        products = a.new_empty(len(a), w, w + 2 * r)
        for dy in range(side):
            torch.bmm(a[:count], b[dy:dy + count].transpose(1, 2), out=products[:count])
            out[..., dy * side:(dy + 1) * side] = _Banded._band(products, n, h, r)
        return out.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        n, h, r = ctx.sizes
        (_, w, c), side, count = a.shape, 2 * r + 1, len(a) - 2 * r
        grad = grad.permute(0, 2, 3, 1)
        grad_a, grad_b = torch.zeros_like(a), torch.zeros_like(b)
        products = grad.new_zeros(len(a), w, w + 2 * r)
        for dy in range(side):
            _Banded._band(products, n, h, r).copy_(grad[..., dy * side:(dy + 1) * side])
            grad_a[:count].baddbmm_(products[:count], b[dy:dy + count])
            grad_b[dy:dy + count].baddbmm_(products[:count].transpose(1, 2), a[:count])
        grad_a = grad_a.reshape(n, h + 2 * r, w, c)[:, :h]
        grad_b = grad_b.reshape(n, h + 2 * r, w + 2 * r, c)[:, r:r + h, r:r + w]
        return grad_a.permute(0, 3, 1, 2), grad_b.permute(0, 3, 1, 2), None


def banded(a, b, radius):
    """The form for training: any number of windows, with gradients."""
    return _Banded.apply(a, b.to(a.dtype), radius)


def shifted(a, b, radius):
    """The definition, elementwise."""
    h, w = a.shape[2:]
    b = F.pad(b, (radius,) * 4)
    side = range(2 * radius + 1)
    return torch.cat([(a * b[:, :, y:y + h, x:x + w]).sum(1, keepdim=True) for y in side for x in side], 1)


def central(x, radius):
    """Of the shifts in the second axis of x, those within a smaller radius."""
    large = (math.isqrt(x.shape[1]) - 1) // 2
    middle = range(large - radius, large + radius + 1)
    return x[:, [y * (2 * large + 1) + column for y in middle for column in middle]]


BLOCK = 16  # columns of frame 1 whose products are one small matrix in `blocked`


def blocked(a, b, radius):
    """The form for export: one window of any size.

    For each row of shifts, blocks of BLOCK columns of a are multiplied by the BLOCK + 2r columns of b that they can meet. The diagonal band
    of each product is read by laying the matrix out again with rows that are one longer.
    """
    r, side, wide = radius, 2 * radius + 1, BLOCK + 2 * radius
    h, w, c = a.shape[2], a.shape[3], a.shape[1]
    spare = (BLOCK - w % BLOCK) % BLOCK
    a = F.pad(a, (0, spare)).permute(0, 2, 3, 1).reshape(h, -1, BLOCK, c)
    b = F.pad(b, (r, BLOCK - r + spare, r, r)).permute(0, 2, 3, 1).reshape(h + 2 * r, -1, BLOCK, c)
    b = torch.cat([b[:, :-1], b[:, 1:, :2 * r]], 2).transpose(2, 3)  # [h + 2r, blocks, c, wide]
    rows = []
    for dy in range(side):
        products = torch.matmul(a, b[dy:dy + h]).flatten(2)          # [h, blocks, BLOCK * wide]
        rows.append(F.pad(products, (0, BLOCK)).reshape(h, -1, BLOCK, wide + 1)[..., :side])
    out = torch.cat(rows, 3).reshape(1, h, -1, side * side)[:, :, :w]
    return out.permute(0, 3, 1, 2)
