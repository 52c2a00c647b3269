"""What a camera adds to a scene: exposure, shading, shadows, fog, blur, noise, sharpening and compression.

None of it moves with the scene, so none of it is in the flow. The two frames of most pairs differ little in it, as those of a video do; some
differ a lot.
"""
import math

import torch
import torch.nn.functional as F


def shoot(first, second, generator=None, sharpen=0.0):
    """Two frames as a camera records them: float [B, n, h, w, 3], 0-255, in and out; the result is rounded to integers. sharpen: how often the camera
    sharpens its pictures."""
    device, batch = first.device, first.shape[0]
    rand = lambda *s: torch.rand(*s, generator=generator, device=device)
    randn = lambda *s: torch.randn(*s, generator=generator, device=device)
    shape = (batch, 1, 1, 1)
    strength = rand(*shape, 1) ** 2
    gain, gamma, lift = torch.exp(randn(*shape, 3) * 0.10), torch.exp(randn(*shape, 1) * 0.15), randn(*shape, 1) * 12
    # some samples have a shadow or a fog bank, which drifts between the frames
    shadow = (rand(*shape, 1) < 0.25) * (0.2 + 0.4 * rand(*shape, 1))
    fog = (rand(*shape, 1) < 0.10) * (0.2 + 0.5 * rand(*shape, 1))
    grey = 140 + 80 * rand(*shape, 1)
    bands = [(randn(*shape) * 0.03, randn(*shape) * 0.03, rand(*shape) * 6.28, randn(*shape) * 0.3) for _ in range(4)]
    h, w = first.shape[2:4]
    y = torch.arange(h, device=device, dtype=torch.float32)[:, None]
    x = torch.arange(w, device=device, dtype=torch.float32)

    def wave(i, t):
        ky, kx, phase, drift = bands[i]
        return torch.sin(kx * x + ky * y + phase + drift * t).unsqueeze(-1)

    out = []
    for t, image in enumerate((first, second)):
        g = gain * torch.exp(randn(*shape, 3) * 0.10 * strength)
        e = gamma * torch.exp(randn(*shape, 1) * 0.15 * strength)
        v = (image * g / 255).clamp(1e-3, 2) ** e * 255 + lift + randn(*shape, 1) * 10 * strength
        v = v * (1 + 0.25 * strength * wave(0, 10 * t * strength[..., 0]))
        v = v * (1 - shadow * torch.sigmoid(12 * (wave(1, t) + 0.6 * wave(2, t) - 0.5)))
        out.append(torch.lerp(v, grey.expand_as(v), fog * (0.6 + 0.4 * wave(3, t))))
    both = torch.stack(out)
    if float(rand(1)) < 0.3:
        both = soften(both, 0.4 + 1.2 * float(rand(1)))
    elif float(rand(1)) < 0.15:
        both = blur(both, shake(2 + 8 * float(rand(1)), math.pi * float(rand(1))))
    both = both + torch.randn(both.shape, generator=generator, device=device) * (rand(1, batch, 1, 1, 1, 1) ** 2) * 8
    if sharpen and float(rand(1)) < sharpen:
        both = both + (both - soften(both, 0.6 + 0.6 * float(rand(1)))) * (0.3 + float(rand(1)))
    if float(rand(1)) < 0.2:
        both = compress(both, 4 + 28 * float(rand(1)))
    both = both.clamp_(0, 255).round_()
    return both[0], both[1]


def defocus(sigma):
    """A Gaussian kernel [k], for a horizontal and then a vertical blur. sigma in pixels."""
    r = 1 + int(sigma * 2)
    k = torch.exp(-0.5 * (torch.arange(-r, r + 1, dtype=torch.float32) / sigma) ** 2)
    return k / k.sum()


def soften(images, sigma):
    """Blur images [..., h, w, 3] by a Gaussian of sigma pixels."""
    line = defocus(sigma)
    return blur(blur(images, line[None]), line[:, None])


def shake(length, angle):
    """Kernel [k, k] of the motion blur of a shaken camera: a line, `length` pixels long, at `angle` radians."""
    r = 1 + int(length / 2)
    at = torch.arange(-r, r + 1, dtype=torch.float32)
    along = at * math.cos(angle) + at[:, None] * math.sin(angle)
    across = at[:, None] * math.cos(angle) - at * math.sin(angle)
    k = (length / 2 + 0.5 - along.abs()).clamp(0, 1) * (1 - across.abs()).clamp(0, 1)
    return k / k.sum()


def blur(images, kernel):
    """Blur images [..., h, w, 3] with a kernel of odd sides [k, l]; at the borders, the part of the kernel inside the image counts.

    A sum of shifted images: on a CPU a convolution of one channel is several times as slow, and most weights of a line are 0.
    """
    h, w = images.shape[-3:-1]
    y0, x0 = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = F.pad(images, (0, 0, x0, x0, y0, y0))
    inside = F.pad(torch.ones(1, h, w, 1, device=images.device), (0, 0, x0, x0, y0, y0))
    out, share = torch.zeros_like(images), torch.zeros(h, w, 1, device=images.device)
    for y, x in kernel.nonzero().tolist():
        weight = kernel[y, x].item()
        out.add_(padded[..., y:y + h, x:x + w, :], alpha=weight)
        share.add_(inside[0, y:y + h, x:x + w], alpha=weight)
    return out.div_(share)


def compress(images, step):
    """Block compression of images [..., h, w, 3] with sides that are multiples of 8: the 8x8 cosine transform of each channel is rounded to
    multiples of a step that grows with frequency, as in JPEG."""
    h, w = images.shape[-3:-1]
    i = torch.arange(8, device=images.device, dtype=torch.float32)
    basis = torch.cos((2 * i + 1) * i[:, None] * math.pi / 16) * 0.5
    basis[0] *= math.sqrt(0.5)
    steps = step * (1 + (i + i[:, None]) / 4)[..., None]
    blocks = images.reshape(*images.shape[:-3], h // 8, 8, w // 8, 8, 3).transpose(-4, -3)
    coefficients = torch.einsum("ui,vj,...ijc->...uvc", basis, basis, blocks)
    coefficients = (coefficients / steps).round() * steps
    blocks = torch.einsum("ui,vj,...uvc->...ijc", basis, basis, coefficients)
    return blocks.transpose(-4, -3).reshape(images.shape)
