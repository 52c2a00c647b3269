"""Local correlation: dot products of a map with shifted copies of another one, within a radius.

Three forms of one definition, which a test compares. `banded` trains: for each row of shifts the products are one batched matrix product,
and its diagonal band is read and written in place. `blocked` is exported to ONNX: its memory does not grow with the square of the width.
`shifted` is the plain definition.

All take a, b [W, C, h, w] and give [W, (2r+1)^2, h, w]: a . b(x + dx, y + dy), zero outside b; dy changes slowest.
"""
import torch
import torch.nn.functional as F


class _Banded(torch.autograd.Function):
    @staticmethod
    def _rows(b, dy, h):
        """Rows dy to dy + h of the padded b [n, h + 2r, w + 2r, c], as one batch: [n*h, w + 2r, c]."""
        return b[:, dy:dy + h].reshape(-1, b.shape[2], b.shape[3])

    @staticmethod
    def _band(products, r):
        """View of products [n, w, w + 2r] that keeps, for each column x, the columns x to x + 2r: [n, w, 2r + 1]."""
        n, w, wide = products.shape
        return products.as_strided((n, w, 2 * r + 1), (w * wide, wide + 1, 1))

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
            products = torch.bmm(rows, _Banded._rows(b, dy, h).transpose(1, 2))
            out[..., dy * side:(dy + 1) * side] = _Banded._band(products, r)
        return out.reshape(n, h, w, side * side).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved_tensors
        r, (n, h, w, c) = ctx.r, a.shape
        side = 2 * r + 1
        grad = grad.permute(0, 2, 3, 1).reshape(n * h, w, side * side)
        rows = a.reshape(n * h, w, c)
        grad_a, grad_b = torch.zeros_like(rows), torch.zeros_like(b)
        products = grad.new_zeros(n * h, w, w + 2 * r)
        for dy in range(side):
            _Banded._band(products, r).copy_(grad[..., dy * side:(dy + 1) * side])
            grad_a.baddbmm_(products, _Banded._rows(b, dy, h))
            grad_b[:, dy:dy + h] += torch.bmm(products.transpose(1, 2), rows).reshape(n, h, w + 2 * r, c)
        return grad_a.reshape(n, h, w, c).permute(0, 3, 1, 2), grad_b[:, r:r + h, r:r + w].permute(0, 3, 1, 2), None


def banded(a, b, radius):
    """The form for training: any number of windows, with gradients."""
    return _Banded.apply(a, b.to(a.dtype), radius)


def shifted(a, b, radius):
    """The definition, elementwise."""
    h, w = a.shape[2:]
    b = F.pad(b, (radius,) * 4)
    side = range(2 * radius + 1)
    return torch.cat([(a * b[:, :, y:y + h, x:x + w]).sum(1, keepdim=True) for y in side for x in side], 1)


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
