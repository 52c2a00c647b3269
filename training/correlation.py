"""Local correlation: dot products of a map with shifted copies of another, within a radius.

Two forms of one definition (a test compares them): `banded` for training, where for each row of shifts the products
are one batched matrix product whose diagonal band is read in place, backwards as well; and `shifted`, elementwise,
which exports to ONNX.
"""
import torch
import torch.nn.functional as F


class _Banded(torch.autograd.Function):
    @staticmethod
    def _rows(b, r, dy, h):
        return b[:, dy:dy + h].reshape(-1, b.shape[2], b.shape[3])

    @staticmethod
    def _band(full, r):
        n, w, wide = full.shape
        return full.as_strided((n, w, 2 * r + 1), (w * wide, wide + 1, 1))

    @staticmethod
    def forward(ctx, a, b, r):
        n, c, h, w = a.shape
        a = a.permute(0, 2, 3, 1).contiguous()
        b = F.pad(b.permute(0, 2, 3, 1), (0, 0, r, r, r, r)).contiguous()
        ctx.save_for_backward(a, b)
        ctx.r = r
        side = 2 * r + 1
        out = a.new_empty(n * h, w, side * side)
        rows = a.reshape(n * h, w, c)
        for dy in range(side):
            full = torch.bmm(rows, _Banded._rows(b, r, dy, h).transpose(1, 2))
            out[..., dy * side:(dy + 1) * side] = _Banded._band(full, r)
        return out.reshape(n, h, w, side * side).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        r, (n, h, w, c) = ctx.r, a.shape
        side = 2 * r + 1
        grad = grad.permute(0, 2, 3, 1).reshape(n * h, w, side * side)
        rows = a.reshape(n * h, w, c)
        da, db = torch.zeros_like(rows), torch.zeros_like(b)
        full = grad.new_zeros(n * h, w, w + 2 * r)
        for dy in range(side):
            _Banded._band(full, r).copy_(grad[..., dy * side:(dy + 1) * side])
            da.baddbmm_(full, _Banded._rows(b, r, dy, h))
            db[:, dy:dy + h] += torch.bmm(full.transpose(1, 2), rows).reshape(n, h, w + 2 * r, c)
        return da.reshape(n, h, w, c).permute(0, 3, 1, 2), db[:, r:r + h, r:r + w].permute(0, 3, 1, 2), None


def shifted(a, b, radius):
    """As local_correlation, elementwise."""
    h, w = a.shape[2:]
    if torch.onnx.is_in_onnx_export():
        size = torch._shape_as_tensor(a)[2:]
        h, w = size[0], size[1]
    b = F.pad(b, (radius,) * 4)
    side = range(2 * radius + 1)
    return torch.cat([(a * b[:, :, y:y + h, x:x + w]).sum(1, keepdim=True) for y in side for x in side], 1)


def local_correlation(a, b, radius):
    """a, b [W, C, h, w] -> [W, (2r+1)^2, h, w]: a . b(x + dx, y + dy) / sqrt(C), zero outside, rows of dy first."""
    a = a * a.shape[1] ** -0.5
    if torch.onnx.is_in_onnx_export():
        return shifted(a, b, radius)
    return _Banded.apply(a, b.to(a.dtype), radius)
