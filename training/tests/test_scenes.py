import random

import pytest
import torch
import torch.nn.functional as F

from training import frames, losses, scenes, textures, windows


def warped(image, flow):
    h, w = image.shape[:2]
    y, x = torch.meshgrid(torch.arange(h).float(), torch.arange(w).float(), indexing="ij")
    lattice = torch.stack([(x + flow[..., 0]) * 2 / (w - 1) - 1, (y + flow[..., 1]) * 2 / (h - 1) - 1], -1)
    return F.grid_sample(image.permute(2, 0, 1)[None], lattice[None], align_corners=True)[0].permute(1, 2, 0)


@pytest.mark.parametrize("forward", [0.0, 1.0])
@pytest.mark.parametrize("real", [False, True])
def test_frame_2_warped_by_the_true_flow_is_frame_1_where_visible(bank, request, real, forward):
    if real:
        bank = textures.load(request.getfixturevalue("data") + "/textures", limit=40)
    g = torch.Generator().manual_seed(3)
    s = windows.sample(bank, 6, 1, 192, 256, generator=g, rng=random.Random(3), light=False, size=(256, 192), motion=0.3 if forward else 1.0, forward=forward)
    for b in range(6):
        image1, image2 = s.frame1[b, 0].clamp(0, 255), s.frame2[b, 0].clamp(0, 255)
        difference = (warped(image2, s.flow[b, 0]) - image1).abs().mean(-1)
        seen = s.visible[b, 0]
        assert seen.float().mean() > 0.05
        assert difference[seen].mean() < 5, f"scene {b}: the flow is not that of the pictures"
        if s.flow[b].norm(dim=-1).mean() > 2:
            assert difference[seen].mean() < 0.3 * (image2 - image1).abs().mean()


def test_frame_1_warped_by_the_backward_flow_is_frame_2_where_visible(bank):
    s = windows.sample(bank, 6, 1, 192, 256, generator=torch.Generator().manual_seed(3), rng=random.Random(3), light=False, size=(256, 192)).backward
    for b in range(6):
        first, second = s.frame1[b, 0].clamp(0, 255), s.frame2[b, 0].clamp(0, 255)
        seen = s.visible[b, 0]
        difference = (warped(second, s.flow[b, 0]) - first).abs().mean(-1)
        assert seen.float().mean() > 0.05 and difference[seen].mean() < 5
        assert difference[seen].mean() < 0.3 * (second - first).abs().mean() or s.flow[b].norm(dim=-1).mean() < 2


def test_layers_with_dynamic_texture_move_but_nothing_in_them_is_found_again(bank):
    still, dynamic = (windows.sample(bank, 4, 1, 64, 64, generator=torch.Generator().manual_seed(6), rng=random.Random(6), light=False, size=(64, 64), motion=0.0, follow=0.0, dynamic_texture=x)
                      for x in (0.0, 1.0))
    assert still.flow.norm(dim=-1).mean() < 1 and dynamic.flow.norm(dim=-1).mean() < 1
    assert still.visible.float().mean() > 0.8 and not dynamic.visible.any()
    assert (dynamic.frame1 - dynamic.frame2).abs().mean() > 4 * (still.frame1 - still.frame2).abs().mean()


def test_faint_surfaces_keep_at_most_a_quarter_of_their_contrast(bank):
    s = windows.sample(bank, 8, 1, 96, 96, generator=torch.Generator().manual_seed(7), rng=random.Random(7), light=False, size=(512, 384), faint=1.0, objects=0)
    assert (s.contrast < scenes.MAX_FAINT_CONTRAST).all()
    full = windows.sample(bank, 8, 1, 96, 96, generator=torch.Generator().manual_seed(7), rng=random.Random(7), light=False, size=(512, 384), objects=0)
    detail = lambda image: (image - F.avg_pool2d(image[:, 0].permute(0, 3, 1, 2), 9, 1, 4, count_include_pad=False).permute(0, 2, 3, 1)[:, None]).abs().mean()
    assert (full.contrast == 1).all() and detail(s.frame1) < 0.3 * detail(full.frame1)


def in_pieces(bank, scattered, objects=3):
    return windows.sample(bank, 8, 1, 192, 256, generator=torch.Generator().manual_seed(13), rng=random.Random(13), light=False, size=(256, 192), objects=objects, scattered=scattered)


def test_objects_in_pieces_make_more_motion_boundaries_and_leave_other_scenes_alone(bank):
    boundaries = lambda s: ((s.flow[..., :, 1:, :] - s.flow[..., :, :-1, :]).norm(dim=-1) > 1).float().mean()
    assert boundaries(in_pieces(bank, 1.0)) > 2 * boundaries(in_pieces(bank, 0.0))
    assert (in_pieces(bank, 1.0, objects=0).frame1 == in_pieces(bank, 0.0, objects=0).frame1).float().mean() > 0.99


def test_frame_2_warped_by_the_true_flow_is_frame_1_inside_visible_pieces(bank):
    s = in_pieces(bank, 1.0)
    for b in range(8):
        flow, image1, image2 = s.flow[b, 0], s.frame1[b, 0].clamp(0, 255), s.frame2[b, 0].clamp(0, 255)
        neighbours = F.unfold(flow.permute(2, 0, 1)[:, None], 3, padding=1).reshape(2, 9, *flow.shape[:2])
        inside = s.visible[b, 0] & ((neighbours - flow.permute(2, 0, 1)[:, None]).norm(dim=0).amax(0) < 0.5)  # pixels of an edge show both sides
        difference = (warped(image2, flow) - image1).abs().mean(-1)[inside]
        assert len(difference) > 500 and difference.mean() < 5, f"scene {b}: the flow is not that of the pictures"


def test_fine_textures_have_more_detail_in_a_pixel(bank):
    def detail(share):
        s = windows.sample(bank, 8, 1, 96, 96, generator=torch.Generator().manual_seed(12), rng=random.Random(12), light=False, size=(512, 384), objects=0, fine=share)
        return (s.frame1[..., 1:, :] - s.frame1[..., :-1, :]).abs().mean().item()
    assert detail(1.0) > 1.15 * detail(0.0)


def test_from_a_tripod_only_objects_with_a_motion_of_their_own_move(bank):
    s = windows.sample(bank, 8, 1, 96, 96, generator=torch.Generator().manual_seed(8), rng=random.Random(8), size=(512, 384), tripod=1.0)
    still = s.flow.norm(dim=-1) == 0
    assert still[s.layer == 0].all() and not still.all()


def test_a_share_of_the_faint_backgrounds_stands_still(bank):
    def still(share):
        s = windows.sample(bank, 8, 1, 64, 64, generator=torch.Generator().manual_seed(9), rng=random.Random(9), size=(512, 384), objects=0, faint=1.0, faint_still=share)
        return (s.flow.abs().amax((1, 2, 3, 4)) < 1e-3).float().mean().item()
    assert still(1.0) == 1 and still(0.0) < 0.5


def test_inverse_undoes_motion(bank):
    g = torch.Generator().manual_seed(1)
    scene = scenes.Scenes(bank, torch.rand(4, 2, 2, generator=g) * 400 + 100, 80, (640, 480), 1.0, g)
    p = torch.rand(2, 4, 1, 20, 20, generator=g) * 200 + 150
    for layer in range(scene.layers):
        error = (scene.inverse(scene.motion(p, layer), layer, steps=8) - p).norm(dim=0)
        assert error.median() < 0.05


def test_a_camera_on_its_way_forwards_sees_the_ground_flow_away_from_the_vanishing_point(bank):
    g = torch.Generator().manual_seed(2)
    s = windows.sample(bank, 8, 1, 192, 320, generator=g, rng=random.Random(2), light=False, size=(320, 192), motion=0.3, follow=0.0, forward=1.0)
    grows = 0
    for b in range(8):
        length = s.flow[b, 0].norm(dim=-1)
        border = torch.cat([length[:16].reshape(-1), length[-16:].reshape(-1), length[:, :16].reshape(-1), length[:, -16:].reshape(-1)])
        grows += bool(border.median() > length[64:128, 107:213].median())
    assert torch.isfinite(s.flow).all() and grows >= 6


def test_lengths_of_flow_cover_small_and_large(bank):
    g = torch.Generator().manual_seed(5)
    s = windows.sample(bank, 64, 1, 32, 32, generator=g, rng=random.Random(5))
    length = s.flow.norm(dim=-1).mean((1, 2, 3))
    assert (length < 3).float().mean() > 0.2 and (length > 30).float().mean() > 0.15 and length.max() < 600


def test_windows_dont_overlap_and_lie_on_the_token_grid(bank):
    for seed in range(20):
        spots = windows.place(4, 6, 6, (640, 480), random.Random(seed))
        cells = {(x + i, y + j) for x, y in spots for i in range(6) for j in range(6)}
        assert len(cells) == 4 * 36 and max(c[0] for c in cells) < 40 and max(c[1] for c in cells) < 30


def test_a_window_is_a_cut_of_the_frame(bank):
    """The same scene, drawn whole and in a window, has the same pixels: nothing depends on what is drawn beside."""
    g = torch.Generator().manual_seed(2)
    scene = scenes.Scenes(bank, torch.tensor([[[160.0, 96.0]]]), 100, (320, 192), 1.0, g)
    whole = scene.view(scenes.grid(torch.zeros(1, 1, 2), 192, 320), second=True)
    part = scene.view(scenes.grid(torch.tensor([[[64.0, 32.0]]]), 96, 128), second=True)
    assert torch.allclose(whole.image[:, :, 32:128, 64:192], part.image, atol=0.51)


def test_matching_target_is_the_true_position(bank):
    g = torch.Generator().manual_seed(4)
    s = windows.sample(bank, 3, 2, 96, 96, generator=g, rng=random.Random(4), motion=0.3)
    from training.network import positions
    xy1, xy2 = positions(s.origin1, 6, 6), positions(s.origin2, 6, 6)
    target, use = losses.matching_targets(s.centre_flow, s.centre_visible, xy1, xy2)
    expected = (target @ xy2.float() - xy1)[use] * 16
    truth = s.centre_flow.reshape(3, -1, 2)[use]
    assert use.any() and target[use].sum(-1).allclose(torch.ones(int(use.sum())))
    assert (expected - truth).norm(dim=-1).median() < 1.0


def test_synthetic_frames_are_the_same_every_time(bank):
    a, b = (list(frames.samples(bank, 2)) for _ in range(2))
    assert all(torch.equal(p.frame1, q.frame1) and torch.equal(p.frame2, q.frame2) and torch.equal(p.flow, q.flow) for p, q in zip(a, b))
