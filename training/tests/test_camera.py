import math

import pytest
import torch

from training import camera


def test_compression_with_fine_steps_changes_nothing_and_with_coarse_steps_makes_blocks():
    g = torch.Generator().manual_seed(0)
    image = torch.rand(2, 32, 48, 3, generator=g) * 255
    assert torch.allclose(camera.compress(image, 1e-3), image, atol=0.01)
    coarse = camera.compress(image, 400.0)
    assert torch.allclose(coarse[:, :8, :8].mean((1, 2)), image[:, :8, :8].mean((1, 2)), atol=26)
    assert coarse.std() < 0.5 * image.std()


@pytest.mark.parametrize("angle, row", [(0.0, True), (math.pi / 2, False)])
def test_shake_blurs_along_its_line_only(angle, row):
    spot = torch.zeros(1, 21, 21, 3)
    spot[0, 10, 10] = 1
    out = camera.blur(spot, camera.shake(6.0, angle))[0, ..., 0]
    along, across = (out[10], out[:, 10]) if row else (out[:, 10], out[10])
    assert (along > 0.01).sum() >= 6 and (across > 0.01).sum() == 1 and out.sum() == pytest.approx(1, abs=1e-4)


def test_blur_leaves_a_uniform_image_uniform_up_to_its_borders():
    flat = torch.full((1, 16, 16, 3), 100.0)
    line = camera.defocus(1.3)
    for kernel in (line[None], line[:, None], camera.shake(7.0, 0.5)):
        assert torch.allclose(camera.blur(flat, kernel), flat, atol=1e-2)


def test_frames_have_integer_values_and_repeat_with_the_seed():
    image = torch.rand(3, 2, 32, 32, 3) * 255
    a, b = (camera.shoot(image, image, torch.Generator().manual_seed(4)) for _ in range(2))
    assert all(torch.equal(x, y) for x, y in zip(a, b))
    assert a[0].min() >= 0 and a[0].max() <= 255 and torch.equal(a[0], a[0].round())


def test_a_camera_that_sharpens_draws_stronger_outlines():
    step = torch.zeros(1, 1, 32, 32, 3)
    step[..., 16:, :] = 100
    step = step + 50
    def outline(sharpen):  # with the same random numbers up to sharpening
        found = []
        for seed in range(12):
            first, _ = camera.shoot(step, step, torch.Generator().manual_seed(seed), sharpen)
            found.append((first[..., 16:18, :].mean() - first[..., 14:16, :].mean()) / (first[..., 26:30, :].mean() - first[..., 2:6, :].mean()))
        return torch.stack(found).mean()
    assert outline(1.0) > outline(0.0) + 0.1
