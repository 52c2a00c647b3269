import pytest
import torch

from training import driving, scenes


@pytest.fixture
def scene(bank):
    g = torch.Generator().manual_seed(11)
    return scenes.Scenes(bank, torch.rand(16, 1, 2, generator=g) * 300 + 100, 200, (640, 480), 1.0, g, forward=1.0)


def has(scene, layer):
    """Which scenes have the ground or the wall `layer`, bool [B]."""
    return scene.grain[:, layer].norm(dim=-1) > 0


@pytest.mark.parametrize("wall", driving.WALLS)
def test_a_wall_moves_as_the_ground_does_where_it_stands_on_it(scene, wall):
    both = has(scene, wall)
    assert 3 <= both.sum() < 16 and (has(scene, driving.GROUND) | ~both).all()
    # the wall's lower edge starts at its corner, the vanishing point, which is the pivot of both
    inverse = torch.linalg.inv(scene.outline[both, wall].reshape(-1, 2, 2))
    foot = scene.pivot[both, wall, :, None] + 2 * inverse[:, :, :1] * torch.linspace(0.05, 0.2, 8)
    p = torch.zeros(2, scene.batch, 1, 1, 8)
    p[:, both] = foot.permute(1, 0, 2)[:, :, None, None]
    ground, side = (scene.motion(p, layer)[:, both] for layer in (driving.GROUND, wall))
    moved = (ground - p[:, both]).norm(dim=0)
    assert moved.max() > 2 and (ground - side).norm(dim=0).max() < 0.01 * moved.max()


def test_the_ground_moves_faster_the_nearer_it_is(scene):
    grounds = has(scene, driving.GROUND)
    towards = scene.grain[:, driving.GROUND] / scene.grain[:, driving.GROUND].norm(dim=-1, keepdim=True).clamp(min=1e-6)
    away = torch.tensor([0.0, 20, 60, 100])
    p = (scene.pivot[:, driving.GROUND, :, None] + towards[:, :, None] * away).permute(1, 0, 2)[:, :, None, None]
    moved = (scene.motion(p, driving.GROUND) - p - scene.shift[:, driving.GROUND].T[:, :, None, None, None]).norm(dim=0)[grounds, 0, 0]
    assert (moved[:, 0] < 1e-3).all() and (moved[:, 1:] > moved[:, :-1]).all()


def test_a_texture_in_perspective_is_its_own_size_at_the_anchor_and_smaller_far_off():
    at, grain = torch.tensor([[50.0, 80.0]]), torch.tensor([[0.0, 0.02]])  # the vanishing point is at y = 30
    p = torch.tensor([[50.0, 51.0, 50.0, 51.0], [80.0, 80.0, 55.0, 55.0]])
    away, scale = driving.foreshorten(p, grain.expand(4, 2), at.expand(4, 2))
    assert away[:, 1].tolist() == [1, 0] and scale.tolist() == [1, 1, 0.5, 0.5]
    assert (away[0, 3] - away[0, 2]).item() == pytest.approx(2), "half as far from the vanishing point, twice as many texels"
    assert driving.contrast(scale).tolist() == pytest.approx([1, 1, 1.5 * 0.5 ** 1.5, 1.5 * 0.5 ** 1.5])
    same, scale = driving.foreshorten(p, torch.zeros(4, 2), torch.zeros(4, 2))
    assert torch.equal(same, p) and (scale == 1).all()


def test_lines_of_a_road_are_drawn_along_it():
    """A line 4 texels wide every 20, 10 texels long every 25, along y."""
    lines = torch.tensor([1.0, 4, 20, 10, 25, 10, 0, 1])
    y, x = torch.meshgrid(torch.arange(50.0), torch.arange(40.0), indexing="ij")
    away = torch.stack([x.flatten(), y.flatten()])
    drawn = driving.draw_lines(torch.zeros(2000, 3), away, torch.ones(2000), lines.expand(2000, 8), torch.full((2000, 3), 255.0))[:, 0].reshape(50, 40)
    assert (drawn[0] > 200).sum() == 6 and drawn[0].sum() == pytest.approx(2 * 4 * 255), "two lines of 4 texels"
    assert (drawn.sum(1) > 0).tolist() == ([True] * 10 + [False] * 15) * 2
