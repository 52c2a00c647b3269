"""Pairs from clips, labelled by a network: tested on clips whose motion is known."""
import os

import cv2
import numpy as np
import pytest
import torch

from training import datasets, flowfiles, videos

STEP = 3, -1  # px from each frame to the next


def texture(h, w, seed=0):
    noise = np.random.default_rng(seed).uniform(0, 255, (h, w)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 1.5), None, 20, 235, cv2.NORM_MINMAX)


def moving(count, w=128, h=96):
    """Frames of a texture that moves by STEP, with a plain area in the right half."""
    big = texture(h + 40, w + 40)
    frames = []
    for i in range(count):
        x, y = 20 - i * STEP[0], 20 - i * STEP[1]
        gray = big[y:y + h, x:x + w].copy()
        gray[:, w // 2 + 20:] = 128
        frames.append(np.repeat(gray.astype(np.uint8)[..., None], 3, -1))
    return frames


def uniform(x, y, h=96, w=128):
    return np.full((h, w, 2), (x, y), np.float32)


class Network(torch.nn.Module):
    """Knows the motion of one step and nothing else: to frames further on it says that nothing moves."""

    def __init__(self, frames):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.index = {f.tobytes(): i for i, f in enumerate(frames)}

    def estimate(self, one, two, both_ways):
        i, j = (self.index[f.tobytes()] for f in (one, two))
        step = torch.tensor(STEP).float() * (j - i if abs(j - i) == 1 else 0)
        flow = step.expand(*one.shape[:2], 2)
        return torch.stack([flow, -flow]), None


def test_steps_are_followed_and_lead_out_of_the_frame():
    f = videos.followed([uniform(3, -1)] * 4)
    inside = np.zeros((96, 128), bool)
    inside[3:, :118] = True  # the last step starts 9 px to the right and 3 px up; bilinear sampling needs a pixel to the right of that
    assert np.array_equal(np.isfinite(f[..., 0]), inside) and np.allclose(f[inside], (12, -4))


def test_a_step_that_changes_over_the_frame_is_sampled_where_the_steps_before_led():
    second = np.zeros((96, 128, 2), np.float32)
    second[..., 0] = np.arange(128)  # by its own column
    f = videos.followed([uniform(10, 0), second])
    assert np.allclose(f[0, :117, 0], 10 + np.arange(10, 127))


def test_flow_that_does_not_lead_back_is_unknown():
    back = uniform(-10, 0)
    back[:48] = -13
    f = videos.agreeing(uniform(10, 0), back)
    assert np.isnan(f[:48]).all() and np.isnan(f[:, 118:]).all() and (f[48:-1, :117] == (10, 0)).all()


def test_the_direct_flow_counts_where_the_steps_agree_or_are_unknown():
    steps = uniform(10.3, 0)
    steps[:10], steps[20:30] = np.nan, 30
    f = videos.merged(uniform(10, 0), steps)
    assert (f[20:30] == (30, 30)).all() and (f[:20] == (10, 0)).all() and (f[30:] == (10, 0)).all()
    direct = np.full_like(steps, np.nan)
    assert np.allclose(videos.merged(direct, uniform(4, 0)), (4, 0))


def test_plain_areas_and_single_edges_have_no_texture():
    gray = texture(96, 128)
    gray[:, 64:] = 128
    gray[48:, 64:] = 30  # a straight edge shows motion in one direction only
    rich = videos.textured(gray)
    assert rich[:, :64].all() and not rich[:, 90:].any()


def test_likeness_finds_where_flow_is_wrong():
    a, b = (f[..., 0].astype(np.float32) for f in moving(2))
    right, wrong = videos.alike(a, b, uniform(*STEP)), videos.alike(a, b, uniform(-8, 5))
    assert right[12:-12, 12:60].all() and wrong[12:-12, 12:60].mean() < 0.05


def test_a_run_of_frames_gets_the_labels_of_its_steps(tmp_path):
    frames = moving(4)
    rows = videos.write_run(Network(frames), frames, str(tmp_path), "clip")
    assert len(rows) == 12 and len(os.listdir(tmp_path)) == 4 + 12
    for name, one, two, flow in rows:
        i, j = (int(k) for k in name.split("_")[1].split("-"))
        f = flowfiles.read(str(tmp_path / flow))
        assert np.isfinite(f[20:-20, 20:60]).all() and np.isnan(f[:, 106:]).all(), name
        assert np.allclose(f[20:-20, 20:60], np.array(STEP) * (j - i)), name
        assert np.array_equal(flowfiles.read_frame(str(tmp_path / one)), frames[i]) and np.array_equal(flowfiles.read_frame(str(tmp_path / two)), frames[j])


def test_pairs_without_labels_are_left_out(tmp_path):
    plain = [np.full((96, 128, 3), 100 + i, np.uint8) for i in range(3)]
    assert videos.write_run(Network(plain), plain, str(tmp_path), "clip") == []


def write_clip(path, frames):
    h, w = frames[0].shape[:2]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (w, h))
    for f in frames:
        video.write(f)
    video.release()


def test_runs_are_consecutive_frames_spread_over_a_clip(tmp_path):
    write_clip(tmp_path / "a.avi", [np.full((48, 64, 3), 10 + 10 * i, np.uint8) for i in range(20)])
    found = [[round((f.mean() - 10) / 10) for f in run] for run in videos.runs(str(tmp_path / "a.avi"), 2, 4, size=(64, 48))]
    assert found == [[5, 6, 7, 8], [10, 11, 12, 13]]
    with pytest.raises(ValueError, match="a.avi: OpenCV reads 20 frames, and 21 are needed"):
        next(videos.runs(str(tmp_path / "a.avi"), 1, 21))


@pytest.mark.parametrize("w, h", [(64, 48), (32, 24), (48, 96), (200, 50), (64, 47)])
def test_frames_of_any_size_fill_the_wanted_one(w, h):
    frame = np.zeros((h, w, 3), np.uint8)
    frame[h // 2 - 2:h // 2 + 2, w // 2 - 2:w // 2 + 2] = 255
    out = videos.cover(frame, (64, 48))
    assert out.shape == (48, 64, 3) and out[24, 32].min() > 200


def test_clips_of_one_scene_stay_on_one_side(tmp_path):
    for name in ("a-a.mp4", "a-b.mp4", "b.mp4", "c.webm", "d.mov", "e-a.mkv", "e-b.mkv", "notes.txt"):
        (tmp_path / name).touch()
    found = {os.path.basename(p): held for p, held in videos.clips(str(tmp_path))}
    assert found == {"a-a.mp4": False, "a-b.mp4": False, "b.mp4": False, "c.webm": False, "d.mov": False, "e-a.mkv": True, "e-b.mkv": True}
    with pytest.raises(FileNotFoundError, match="no clips found"):
        videos.clips(str(tmp_path / "nowhere"))


def test_written_kitti_flow_is_read_again(tmp_path):
    f = np.random.default_rng(0).uniform(-300, 300, (20, 30, 2)).astype(np.float32)
    f[0], f[1, 0] = np.nan, 600
    flowfiles.write_kitti(str(tmp_path / "f.png"), f)
    g = flowfiles.read(str(tmp_path / "f.png"))
    unknown = np.isnan(f[..., 0])
    unknown[1, 0] = True
    assert np.array_equal(np.isnan(g[..., 0]), unknown) and np.abs(g - f)[~unknown].max() <= 1 / 128


def test_a_folder_of_clips_becomes_a_data_set_and_a_broken_clip_is_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(videos, "both_flows", lambda net, one, two: (uniform(0, 0, *one.shape[:2]), uniform(0, 0, *one.shape[:2])))
    rich = np.repeat(texture(88, 160).astype(np.uint8)[..., None], 3, -1)
    for name in "abcde":
        write_clip(tmp_path / f"{name}.avi", [rich] * 3)
    (tmp_path / "b.avi").write_bytes(b"no video")
    out = tmp_path / "out"
    videos.make(None, videos.clips(str(tmp_path)), str(out), 1, 2)
    assert "b.avi: OpenCV reads 0 frames, and 2 are needed; left out" in capsys.readouterr().err
    assert [len(datasets.pairs(str(out / side))) for side in ("train", "held-out")] == [6, 2]
    one, two, flow = datasets.read(datasets.pairs(str(out / "train"))[0])
    assert one.shape == two.shape == (*videos.SIZE[::-1], 3) and np.nanmax(abs(flow)) == 0
