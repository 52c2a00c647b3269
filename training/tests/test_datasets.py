"""Loaders and file formats of real data sets, tested on small copies with the true layout (fakes.py)."""
import random

import fakes
import numpy as np
import pytest
import torch

from training import datasets, flowfiles, measures


@pytest.mark.parametrize("make", fakes.ALL)
def test_loader_finds_the_pairs_and_keeps_unknown_flow_unknown(tmp_path, make):
    name = make.__name__
    expected = make(fakes.Folder(tmp_path))
    rows = datasets.LOADERS[name](str(tmp_path))
    assert len(rows) == expected
    for row in rows:
        one, two, f = datasets.read(row)
        backward = "BW" in row[2] or "into_past" in row[2]
        assert (one.mean() > two.mean()) == backward, f"{row[2]}: frames in the wrong order"  # later frames are brighter
        assert np.isnan(f[:8]).all(), f"{row[2]}: unknown flow must stay unknown"
        assert np.allclose(f[8:], [3.5, -2.25], atol=1 / 128), row[2]


@pytest.fixture
def plain_draws(monkeypatch):
    """Pairs at their own size, windows anywhere."""
    monkeypatch.setattr(datasets, "HALVED", 0.0)
    monkeypatch.setattr(datasets, "PLACEMENTS", 1)


def test_windows_of_real_pairs_have_the_values_of_the_pair(tmp_path, plain_draws):
    fakes.sintel(fakes.Folder(tmp_path))
    s = datasets.Pairs(f"sintel={tmp_path}").sample(8, 2, 32, 32, generator=torch.Generator().manual_seed(0), rng=random.Random(0))
    assert s.frame1.shape == s.frame2.shape == (8, 2, 32, 32, 3) and s.flow.shape == (8, 2, 32, 32, 2)
    assert (s.frame1 == 10).all() and (s.frame2 == 20).all()
    unknown = s.flow.isnan().any(-1)
    rows = 16 * s.origin1[..., 1, None, None] + torch.arange(32)[:, None]
    assert torch.equal(unknown, (rows < 8).expand_as(unknown)) and unknown.any()
    assert (s.flow[~unknown] == torch.tensor([3.5, -2.25])).all() and s.centre_flow.isfinite().all()


def test_a_pixel_of_a_real_pair_is_visible_if_its_target_is_known_and_inside_the_frame_and_a_window(tmp_path, plain_draws):
    fakes.sintel(fakes.Folder(tmp_path))
    s = datasets.Pairs(f"sintel={tmp_path}").sample(128, 1, 32, 32, generator=torch.Generator().manual_seed(0), rng=random.Random(0))
    grid = torch.stack(torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="xy"), -1)
    target = grid + 16 * s.origin1[:, :, None, None] + torch.tensor([3.5, -2.25])
    in_frame = ((target >= 0) & (target <= torch.tensor([fakes.W - 1.0, fakes.H - 1.0]))).all(-1)
    local = (target - 16 * s.origin2[:, :, None, None]).round()
    in_window = ((local >= 0) & (local < 32)).all(-1)
    expected = in_frame & in_window & ~s.flow.isnan().any(-1)
    assert torch.equal(s.visible, expected) and expected.any() and not expected.all()
    assert (in_window & ~s.flow.isnan().any(-1) & ~in_frame).any(), "no window crosses the border: the test says nothing about it"


def test_spring_samples_are_merged_where_they_agree():
    flow = np.full((6, 8, 2), 5, np.float32)
    flow[0:2, 0:2, 0] = [[4.8, 5.0], [5.0, 5.2]]   # a smooth change inside a pixel: the mean counts
    flow[0:2, 2:4, 0] = [[5, 5], [5, 9]]           # two surfaces
    flow[2, 0] = np.nan                            # one unknown sample
    merged = datasets.merge_samples(flow)
    assert merged.shape == (3, 4, 2) and merged[0, 0] == pytest.approx([5.0, 5.0])
    unknown = np.isnan(merged).any(-1)
    assert unknown[0, 1] and unknown[1, 0] and unknown.sum() == 2 and (merged[~unknown] == 5).all()


def test_half_of_the_pairs_are_seen_at_half_size_where_the_windows_fit(tmp_path):
    fakes.sintel(fakes.Folder(tmp_path))
    pairs, rng = datasets.Pairs(f"sintel={tmp_path}"), random.Random(0)
    widths = [pairs.draw(["sintel"], 1, 32, 32, rng)[0].shape[1] for _ in range(200)]
    assert set(widths) == {fakes.W, fakes.W // 2} and 80 < widths.count(fakes.W) < 120
    assert {pairs.draw(["sintel"], 1, 32, 64, rng)[0].shape[1] for _ in range(20)} == {fakes.W}


def test_a_pair_at_half_size_has_half_the_flow():
    one, flow = np.zeros((7, 9, 3), np.uint8), np.full((7, 9, 2), (8, -4), np.float32)
    one[2:4, 4:6], flow[0, 0] = 200, np.nan
    small, _, half = datasets.halve(one, one, flow)
    assert small.shape == (3, 4, 3) and (small[1, 2] == 200).all() and small.astype(int).sum() == 600
    assert half.shape == (3, 4, 2) and np.isnan(half[0, 0]).all() and (half[1:] == (4, -2)).all()


def test_windows_are_placed_where_flow_is_known():
    flow = np.full((64, 640, 2), np.nan, np.float32)
    flow[:, 320:] = 0
    inside = [datasets.Pairs.place(flow, 1, 32, 32, random.Random(seed))[0][0] >= 20 for seed in range(100)]
    assert 80 <= sum(inside) < 100  # 1 - 1/2 ** PLACEMENTS; some windows show the rest


def test_data_sets_too_small_for_the_windows_are_an_error_that_names_both_sizes(tmp_path):
    fakes.chairs(fakes.Folder(tmp_path))
    with pytest.raises(ValueError, match="4 windows of 48x48 pixels: chairs 96x64"):
        datasets.Pairs(f"chairs={tmp_path}").sample(1, 4, 48, 48)


@pytest.mark.parametrize("spec", ["chairs", "unknown=/tmp", "chairs="])
def test_a_wrong_data_option_is_an_error_that_names_the_data_sets(spec):
    with pytest.raises(ValueError, match="NAME=DIR, with a name of pairs, chairs"):
        datasets.Pairs(spec)


def test_an_empty_folder_is_an_error_that_names_it(tmp_path):
    for loader in datasets.LOADERS.values():
        with pytest.raises(FileNotFoundError, match=str(tmp_path)):
            loader(str(tmp_path))


def test_files_without_flow_are_errors_that_name_them(tmp_path):
    for name, content in (("a.flo", b"nonsense"), ("b.flo", np.float32(202021.25).tobytes() + np.int32([50, 50]).tobytes()), ("c.png", b"x"), ("d.pfm", b"P6\n")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ValueError, match=name):
            flowfiles.read(str(path))


def test_measures_leave_out_unknown_flow():
    truth = np.zeros((4, 4, 2))
    truth[0] = np.nan
    truth[1] = 100
    guess = np.zeros((4, 4, 2))
    guess[1] = 100, 96   # 4 px off: more than 3 px, but less than 5 % of 141 px
    guess[2, 0] = 0, 5
    m = measures.summary(guess, truth)
    assert m["epe"] == pytest.approx((4 * 4 + 5) / 12) and m["px1"] == pytest.approx(100 * 5 / 12) and m["fl"] == pytest.approx(100 / 12)
    assert m["s40+"] == pytest.approx(4) and m["s10-40"] is None


def test_zero_flow_on_the_real_pairs_has_the_documented_error(data):
    """The README of the test material gives the error of zero flow, so this checks the readers."""
    from training import evaluate
    found = {n: measures.summary(np.zeros_like(f), f)["epe"] for n, _, _, f in evaluate.real_pairs(data)}
    assert len(found) == 17 and np.mean(list(found.values())) == pytest.approx(14.053, abs=2e-3)
    assert found["kitti15/000000"] == pytest.approx(51.010, abs=2e-3) and found["middlebury/Venus"] == pytest.approx(3.802, abs=2e-3)
