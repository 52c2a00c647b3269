"""Sums over the neighbours of a cell, and the padding that they need, with gradients that are added up in place.

PyTorch's own gradient of a slice is a map of zeros around it, one for each neighbour, which are then added: with the rows of local
correlation, a third of what a training step of winwin-tiny moved through memory in its backward pass.
"""
import torch
import torch.nn.functional as F


def pad_axis(x, reach, axis, fill=None):
    """x [W, C, h, w] with `reach` more cells on both sides along axis 2 (rows) or 3 (columns): `fill`, or the border's own value."""
    sides = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
    return F.pad(x, sides, mode="replicate") if fill is None else F.pad(x, sides, value=fill)


class _Mix(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weights, padded, shifts):
        h, w = weights.shape[2:]
        ctx.save_for_backward(weights, padded)
        ctx.shifts = shifts
        out = torch.zeros_like(padded[:, :, :h, :w])
        for i, (y, x) in enumerate(shifts):
            out.addcmul_(weights[:, i:i + 1], padded[:, :, y:y + h, x:x + w])
        return out

    @staticmethod
    def backward(ctx, grad):
        weights, padded = ctx.saved_tensors
        h, w = weights.shape[2:]
        grad_weights, grad_padded = torch.empty_like(weights), torch.zeros_like(padded)
        for i, (y, x) in enumerate(ctx.shifts):
            there = padded[:, :, y:y + h, x:x + w]
            torch.mul(grad[:, 0], there[:, 0], out=grad_weights[:, i])
            for c in range(1, grad.shape[1]):
                grad_weights[:, i].addcmul_(grad[:, c], there[:, c])
            grad_padded[:, :, y:y + h, x:x + w].addcmul_(weights[:, i:i + 1], grad)
        return grad_weights, grad_padded, None


def mix(weights, padded, shifts):
    """Sum of weights[:, i] * padded seen shifts[i] = (rows, columns) further: weights [W, N, h, w], padded [W, C, H, L] -> [W, C, h, w]."""
    return _Mix.apply(weights, padded, shifts)


class _AlongRows(torch.autograd.Function):
    """query [R, w, c], keys [R, L, c], shifts of columns -> [R, w, N]: for each row one matrix product, of which N diagonals are read."""

    @staticmethod
    def _diagonal(products, shift):
        rows, w, wide = products.shape
        return products.as_strided((rows, w), (w * wide, wide + 1), shift)

    @staticmethod
    def forward(ctx, query, keys, shifts):
        ctx.save_for_backward(query, keys)
        ctx.shifts = shifts
        products = torch.bmm(query, keys.transpose(1, 2))
        return torch.stack([_AlongRows._diagonal(products, shift) for shift in shifts], -1)

    @staticmethod
    def backward(ctx, grad):
        query, keys = ctx.saved_tensors
        products = grad.new_zeros(*query.shape[:2], keys.shape[1])
        for i, shift in enumerate(ctx.shifts):
            _AlongRows._diagonal(products, shift).copy_(grad[..., i])
        return torch.bmm(products, keys), torch.bmm(products.transpose(1, 2), query), None


def similarity(query, padded, shifts, axis):
    """query . padded seen each of `shifts` cells further along axis 2 (rows) or 3 (columns): query [W, C, h, w], padded [W, C, H, L], which is larger
    along that axis only -> [W, N, h, w]. In float32."""
    as_rows = (lambda t: t.permute(0, 2, 3, 1)) if axis == 3 else (lambda t: t.permute(0, 3, 2, 1))
    q, k = as_rows(query), as_rows(padded)
    with torch.autocast("cuda" if query.is_cuda else "cpu", enabled=False):
        found = _AlongRows.apply(q.reshape(-1, *q.shape[2:]).float(), k.reshape(-1, *k.shape[2:]).float(), shifts)
    found = found.reshape(*q.shape[:3], -1)
    return found.permute(0, 3, 1, 2) if axis == 3 else found.permute(0, 3, 2, 1)


class _LocalMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, side):
        count = _box(_box(torch.ones_like(x[:1, :1]), side, 2), side, 3)
        ctx.save_for_backward(count)
        ctx.side = side
        return _box(_box(x, side, 2), side, 3) / count

    @staticmethod
    def backward(ctx, grad):
        count, = ctx.saved_tensors
        return _box(_box(grad / count, ctx.side, 2), ctx.side, 3), None


def _box(x, side, axis):
    """Sums of `side` neighbours of x [W, C, h, w] along an axis; there is nothing beyond the border. Made of sums of 1, 2, 4, ... neighbours, as the binary
    digits of `side` say."""
    length, sums = x.shape[axis], pad_axis(x, side // 2, axis, 0.0)
    out, start, count = 0, 0, 1
    while True:
        if side & count:
            out, start = out + sums.narrow(axis, start, length), start + count
        if 2 * count > side:
            return out
        rest = sums.shape[axis] - count
        sums, count = sums.narrow(axis, 0, rest) + sums.narrow(axis, count, rest), 2 * count


def local_mean(x, side):
    """Mean of side x side cells, side odd, around every cell of x [W, C, h, w]; at the border, of those that exist. PyTorch's own pooling takes five times
    as long on a CPU."""
    return _LocalMean.apply(x, side)
