"""Tiny fakes with each data set's true layout; the loaders must find the right frames and keep unknown flow unknown."""
import os

import cv2
import h5py
import numpy as np
import pytest

from training import datasets, flowfiles, measures

H, W = 64, 96


@pytest.fixture
def lay(tmp_path):
    class Lay:
        root = str(tmp_path)

        def path(self, *parts):
            p = os.path.join(self.root, *parts)
            os.makedirs(os.path.dirname(p), exist_ok=True)
            return p

        def image(self, value, *parts):
            cv2.imwrite(self.path(*parts), np.full((H, W, 3), value, np.uint8))

        def flo(self, *parts):
            flowfiles.write_flo(self.path(*parts), flow())

        def kitti(self, *parts):
            f = flow()
            out = np.zeros((H, W, 3), np.uint16)
            out[..., 2], out[..., 1] = np.nan_to_num(f[..., 0]) * 64 + 32768, np.nan_to_num(f[..., 1]) * 64 + 32768
            out[..., 0] = np.isfinite(f[..., 0])
            cv2.imwrite(self.path(*parts), out)
    return Lay()


def flow():
    f = np.zeros((H, W, 2), np.float32) + np.float32([3.5, -2.25])
    f[:8] = np.nan
    return f


def chairs(lay):
    for i in (1, 2):
        lay.image(10, "data", f"{i:05d}_img1.ppm"), lay.image(20, "data", f"{i:05d}_img2.ppm"), lay.flo("data", f"{i:05d}_flow.flo")
    with open(lay.path("FlyingChairs_train_val.txt"), "w") as f:
        f.write("1\n2\n")
    return 1


def things(lay):
    for i in (6, 7):
        lay.image(i * 10 - 50, "frames_cleanpass", "TRAIN", "A", "0000", "left", f"{i:04d}.png")
    for way, name, i in (("into_future", "IntoFuture", 6), ("into_past", "IntoPast", 7)):
        with open(lay.path("optical_flow", "TRAIN", "A", "0000", way, "left", f"OpticalFlow{name}_{i:04d}_L.pfm"), "wb") as f:
            f.write(b"PF\n%d %d\n-1.0\n" % (W, H))
            np.dstack([flow(), np.zeros((H, W))]).astype("<f4")[::-1].tofile(f)
    return 2


def sintel(lay):
    for i in (1, 2):
        lay.image(i * 10, "training", "final", "alley_1", f"frame_{i:04d}.png")
    lay.flo("training", "flow", "alley_1", "frame_0001.flo")
    return 1


def kitti(lay):
    lay.image(10, "training", "image_2", "000000_10.png"), lay.image(20, "training", "image_2", "000000_11.png"), lay.kitti("training", "flow_occ", "000000_10.png")
    return 1


def hd1k(lay):
    lay.image(10, "hd1k_input", "image_2", "000003_0000.png"), lay.image(20, "hd1k_input", "image_2", "000003_0001.png")
    lay.kitti("hd1k_flow_gt", "flow_occ", "000003_0000.png"), lay.kitti("hd1k_flow_gt", "flow_occ", "000003_0001.png")
    return 1


def tartanair(lay):
    lay.image(10, "abandonedfactory", "Easy", "P000", "image_left", "000000_left.png"), lay.image(20, "abandonedfactory", "Easy", "P000", "image_left", "000001_left.png")
    f = flow()
    np.save(lay.path("abandonedfactory", "Easy", "P000", "flow", "000000_000001_flow.npy"), np.nan_to_num(f))
    np.save(lay.path("abandonedfactory", "Easy", "P000", "flow", "000000_000001_mask.npy"), (~np.isfinite(f[..., 0])).astype(np.uint8) * 100)
    return 1


def spring(lay):
    for i in (1, 2):
        lay.image(i * 10, "train", "0001", "frame_left", f"frame_left_{i:04d}.png")
    for way, i in (("FW", 1), ("BW", 2)):
        with h5py.File(lay.path("train", "0001", f"flow_{way}_left", f"flow_{way}_left_{i:04d}.flo5"), "w") as f:
            f.create_dataset("flow", data=flow().repeat(2, 0).repeat(2, 1), compression="gzip")
    return 2


@pytest.mark.parametrize("make", [chairs, things, sintel, kitti, hd1k, tartanair, spring])
def test_loader(lay, make):
    name = make.__name__
    expected = make(lay)
    rows = datasets.LOADERS[name](lay.root)
    assert len(rows) == expected
    for row in rows:  # later frames are brighter; backward flow starts at the later one
        one, two, f = datasets.read(row)
        backward = "BW" in row[2] or "into_past" in row[2]
        assert (one.mean() > two.mean()) == backward, "frames in the wrong order"
    assert np.isnan(f[:8]).all() and np.allclose(f[8:], [3.5, -2.25], atol=1 / 128), "unknown flow must stay unknown"
    s = datasets.Pairs(f"{name}:{lay.root}").sample(2, 2, 32, 32)
    assert s.flow.shape == (2, 2, 32, 32, 2) and not s.visible[s.flow.isnan().any(-1)].any()


def test_an_empty_folder_is_an_error_that_names_it(tmp_path):
    for loader in datasets.LOADERS.values():
        with pytest.raises(FileNotFoundError, match=str(tmp_path)):
            loader(str(tmp_path))


def test_files_that_are_no_flow_are_errors_that_name_them(tmp_path):
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


def test_real_pairs_are_read_as_their_readme_says(data):
    """Zero flow's error on the real pairs stands in the data's README: reading them must give it."""
    from training import evaluate
    found = {n: measures.summary(np.zeros_like(f), f)["epe"] for n, _, _, f in evaluate.real_pairs(data)}
    assert len(found) == 17 and np.mean(list(found.values())) == pytest.approx(14.053, abs=2e-3)
    assert found["kitti15/000000"] == pytest.approx(51.010, abs=2e-3) and found["middlebury/Venus"] == pytest.approx(3.802, abs=2e-3)
