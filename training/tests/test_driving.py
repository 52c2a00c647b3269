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


def nearer(scene):
    """The direction in which the ground comes nearer: unit vectors [B, 2], 0 without a ground."""
    grain = scene.grain[:, driving.GROUND]
    return grain / grain.norm(dim=-1, keepdim=True).clamp(min=1e-6)


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
    towards = nearer(scene)
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


def test_standing_objects_move_as_the_ground_at_their_foot(bank, monkeypatch):
    monkeypatch.setattr(driving, "STANDING", 1.0)
    monkeypatch.setattr(driving, "SIDES", 0.0)
    g = torch.Generator().manual_seed(3)
    scene = scenes.Scenes(bank, torch.rand(32, 1, 2, generator=g) * 300 + 100, 200, (640, 480), 1.0, g, forward=1.0, objects=8)
    towards = nearer(scene)
    angles = torch.linspace(0, 2 * torch.pi, 400)
    rim = torch.stack([angles.cos(), angles.sin()])
    compared = 0
    for layer in range(2, scene.layers):
        still = has(scene, 1) & (scene.wave[:, layer] == 0).flatten(1).all(1)
        outline = scene.centre[:, layer, :, None] + torch.linalg.inv(scene.outline[:, layer].reshape(-1, 2, 2)) @ rim
        foot = torch.take_along_dim(outline, (towards[:, :, None] * outline).sum(1).argmax(1)[:, None, None], 2).permute(1, 0, 2)[:, :, None, None]
        ground, own = (scene.motion(foot, l)[:, :, 0, 0, 0] - foot[:, :, 0, 0, 0] for l in (1, layer))
        apart, moved = (ground - own).norm(dim=0), ground.norm(dim=0)
        agree = apart < 0.1 * moved + 0.1
        compared += still.sum().item()
        assert agree[still].float().mean() > 0.35, f"layer {layer}: not all objects move themselves"
    assert compared > 60


def test_far_objects_are_higher_and_smaller_than_near_ones(bank, monkeypatch):
    monkeypatch.setattr(driving, "STANDING", 1.0)
    g = torch.Generator().manual_seed(4)
    scene = scenes.Scenes(bank, torch.rand(64, 1, 2, generator=g) * 300 + 100, 200, (640, 480), 1.0, g, forward=1.0, objects=8)
    grounds = has(scene, driving.GROUND)
    towards = nearer(scene)
    half_axes = torch.linalg.inv(scene.outline.reshape(64, -1, 2, 2))
    down = towards[:, None]
    foot = ((scene.centre - scene.pivot[:, :1]) * down).sum(-1) + (down[..., None, :] @ half_axes).norm(dim=(-2, -1))
    feet = foot[grounds][:, 4:]  # after ground and walls; painted from far to near
    assert (feet > 0).all() and (feet[:, 1:] >= feet[:, :-1] - 1e-3).all()
    assert scene.radius[grounds][:, 4].mean() < 0.8 * scene.radius[grounds][:, -1].mean()
