"""ONNX forms of training.operators: the same results, from operators that ONNX Runtime executes quickly at any frame size.

    with export_forms.installed():
        torch.onnx.export(...)
"""
import contextlib
import math

import torch
import torch.nn.functional as F

from training import correlation, operators

_eager_attention = operators.attention


class _FusedAttention(torch.autograd.Function):
    """Attention as ONNX Runtime's MultiHeadAttention, which never stores the tokens x tokens matrix."""
    @staticmethod
    def forward(ctx, q, k, v, heads):
        return _eager_attention(q, k, v, heads)

    @staticmethod
    def symbolic(g, q, k, v, heads):
        return g.op("com.microsoft::MultiHeadAttention", q, k, v, num_heads_i=heads, scale_f=1.0).setType(v.type())


def attention(q, k, v, heads):
    return _FusedAttention.apply(q, k, v, heads)


def token_count_scale(tokens):
    count = torch._shape_as_tensor(tokens)[1].to(tokens.device).float()
    return torch.log(count) / math.log(operators.TRAINED_TOKENS)


def pixel_grid(x):
    one = torch.ones_like(x[:1, :1])
    return one.cumsum(3) - 1, one.cumsum(2) - 1


def size(x):
    h_w = torch._shape_as_tensor(x)[2:].float()
    return h_w[0], h_w[1]


def sample(x, flow):
    """Four gathers. ONNX Runtime's GridSample plans all samples on one core first, which only pays for many channels."""
    column, row, inside = operators.targets(x, flow)
    h, w = torch._shape_as_tensor(x)[2:]
    left, upper = torch.minimum(column.floor(), (w - 2).float()), torch.minimum(row.floor(), (h - 2).float())
    corner, values = upper.long() * w + left.long(), x.flatten()
    across, down = column - left, row - upper
    between = lambda first, second, share: first + (second - first) * share
    upper_value = between(values[corner], values[corner + 1], across)
    lower_value = between(values[corner + w], values[corner + w + 1], across)
    return between(upper_value, lower_value, down), inside


def local_correlation(a, b, radius):
    return correlation.blocked(a * int(a.shape[1]) ** -0.5, b, radius)  # int: else the scale is computed in the graph, and on the CPU


def neighbour_similarity(query, padded, shifts, axis):
    length = query.shape[axis]
    return torch.cat([(query * padded.narrow(axis, shift, length)).sum(1, keepdim=True) for shift in shifts], 1)


def neighbour_mix(weights, padded, shifts):
    h, w = weights.shape[2:]
    return sum(weights[:, i:i + 1] * padded[:, :, y:y + h, x:x + w] for i, (y, x) in enumerate(shifts))


def double(x):
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def clamp(x, low, high):
    """Not a Clip: ONNX Runtime keeps its result in blocks of 16 channels, and would enlarge 16 channels where there is one."""
    return torch.maximum(torch.minimum(x, torch.tensor(float(high))), torch.tensor(float(low)))


def local_mean(x, side):
    """Means of rows, then of columns."""
    rows = F.avg_pool2d(x, (1, side), 1, (0, side // 2), count_include_pad=False)
    return F.avg_pool2d(rows, (side, 1), 1, (side // 2, 0), count_include_pad=False)


def channel_softmax(logits):
    """One channel after another: ONNX Runtime transposes a whole map twice for a softmax over its second axis. Slices, because chunk()
    becomes SplitToSequence, which the CUDA provider lacks: the map would be copied to the CPU and back."""
    parts = [logits[:, i:i + 1] for i in range(logits.shape[1])]
    top = parts[0]
    for part in parts[1:]:
        top = torch.maximum(top, part)
    exponentials = [torch.exp(part - top) for part in parts]
    total = exponentials[0]
    for e in exponentials[1:]:
        total = total + e
    return torch.cat(exponentials, 1) / total


def convolve_parts(conv, maps):
    """One convolution for each map, added up. ONNX Runtime stores maps in blocks of 16 channels: to put maps side by side that do not fill
    their blocks it unpacks, copies and packs them all."""
    total, start = 0, 0
    for i, (x, count) in enumerate(zip(maps, conv.parts)):
        part = F.conv2d(x, conv.weight[:, start:start + count], None if i else conv.bias, padding=conv.padding)
        total, start = total + part if i else part, start + count
    return total


def convolve_squares(conv, image):
    """One 6x6 convolution of stride 2: tap (ky, kx) of channel 4*c + 2*i + j is tap (2*ky + i, 2*kx + j) of channel c. No map is rearranged."""
    channels = conv.weight.shape[0]
    weight = (conv.weight / conv.SCALE).reshape(channels, 3, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3).reshape(channels, 3, 6, 6)
    return F.conv2d(image, weight, conv.bias, stride=2, padding=2)


def channels_last(x):
    return x


FORMS = dict(attention=attention, sample=sample, token_count_scale=token_count_scale, pixel_grid=pixel_grid, size=size,
             local_correlation=local_correlation, neighbour_similarity=neighbour_similarity, neighbour_mix=neighbour_mix,
             double=double, clamp=clamp, local_mean=local_mean, channel_softmax=channel_softmax, convolve_parts=convolve_parts,
             convolve_squares=convolve_squares, channels_last=channels_last)


@contextlib.contextmanager
def installed():
    """Replace the operators by their ONNX forms inside the block."""
    eager = {name: getattr(operators, name) for name in FORMS}
    try:
        for name, form in FORMS.items():
            setattr(operators, name, form)
        yield
    finally:
        for name, form in eager.items():
            setattr(operators, name, form)
