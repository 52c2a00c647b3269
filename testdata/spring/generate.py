#!/usr/bin/python3
"""Writes a tiny data set in the layout of Spring, flow files for it, and the tables that a correct program prints.

It computes the tables from the formulas of the benchmark in NumPy and uses nothing of wwflow.
Run it in its folder, with Debian's python3-numpy, python3-h5py and python3-pil. It writes data/, flow/ and expected.json.
"""
import json, os, shutil
import h5py, numpy as np
from PIL import Image

W, H = 48, 32  # instead of 1920 x 1080
TRAIN = {"0001": 3, "0002": 2}  # number of frames of each sequence
TEST = {"0003": 3}
rng = np.random.default_rng(20230619)


def save(path, array):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if path.endswith(".png"):
        Image.fromarray(array).save(path)
    else:
        with h5py.File(path, "w") as f:
            f.create_dataset("flow", data=array, compression="gzip", compression_opts=5)


def smooth(h, w, cells, amplitude):
    """Smooth random numbers in steps of 1/64, which compress well."""
    small = rng.uniform(-amplitude, amplitude, (cells + 1, cells + 1))
    y, x = np.linspace(0, cells - 1e-6, h), np.linspace(0, cells - 1e-6, w)
    i, j = y.astype(int), x.astype(int)
    a, b = (y - i)[:, None], (x - j)[None, :]
    out = (small[i][:, j] * (1 - a) * (1 - b) + small[i + 1][:, j] * a * (1 - b)
           + small[i][:, j + 1] * (1 - a) * b + small[i + 1][:, j + 1] * a * b)
    return np.round(out * 64) / 64


def blobs(h, w, share, value=255):
    f = smooth(h, w, 5, 1)
    return np.where(f > np.quantile(f, 1 - share), value, 0).astype(np.uint8)


def frames(root, sequence, count):
    for camera in ("left", "right"):
        texture = np.stack([smooth(H, W + 2 * count, 12, 100) + 128 for _ in range(3)], -1).astype(np.uint8)
        for n in range(1, count + 1):
            save(f"{root}/{sequence}/frame_{camera}/frame_{camera}_{n:04d}.png", np.ascontiguousarray(texture[:, 2 * n - 2:][:, :W]))
        os.makedirs(f"{root}/{sequence}/cam_data", exist_ok=True)
    open(f"{root}/{sequence}/cam_data/intrinsics.txt", "w").write("1 1 1 1\n" * count)


def flows(count):
    for camera in ("left", "right"):
        for direction, numbers in (("FW", range(1, count)), ("BW", range(2, count + 1))):
            for n in numbers:
                yield direction, camera, n


def measure(truth, estimate, detail, match, rigid, sky, float16):
    """-> for each subset: (endpoint errors, longest true lengths) of its pixels."""
    if float16:
        truth, estimate = truth.astype(np.float16), estimate.astype(np.float16)
        four = np.stack([truth[i::2, j::2] for i in (0, 1) for j in (0, 1)], 0)
        difference = (four - estimate[None]).astype(np.float64)
        assert (four - estimate[None]).dtype == np.float16
    else:
        four = np.stack([truth[i::2, j::2] for i in (0, 1) for j in (0, 1)], 0).astype(np.float64)
        difference = four - estimate[None].astype(np.float64)
    error = np.linalg.norm(difference, axis=-1).min(axis=0)  # NaN if one of the four is NaN
    length = np.linalg.norm(four.astype(np.float64), axis=-1)
    half = lambda m: np.stack([m[i::2, j::2] for i in (0, 1) for j in (0, 1)], -1).astype(np.float32).mean(-1) >= 0.5
    speed = length.mean(axis=0)
    detail, match, rigid, sky = detail > 0, (match[..., 0] > 0) | (match[..., 1] > 0), half(rigid), half(sky)
    masks = {"all": np.ones(detail.shape, bool), "low detail": ~detail, "high detail": detail, "matched": ~match, "unmatched": match,
             "rigid": ~rigid, "non-rigid": rigid, "not sky": ~sky, "sky": sky,
             "s0-10": speed < 10, "s10-40": (speed >= 10) & (speed < 40), "s40+": speed >= 40}
    counts = ~np.isnan(error)
    return {k: (error[m & counts], length.max(axis=0)[m & counts]) for k, m in masks.items()}


def table(measured):
    """-> the figures of each subset, pooled over the pixels of several flows."""
    out = {}
    for subset in measured[0]:
        error = np.concatenate([m[subset][0] for m in measured])
        longest = np.concatenate([m[subset][1] for m in measured])
        n = len(error)
        if n == 0:
            out[subset] = dict(px1_percent=None, epe_pixels=None, fl_percent=None, wauc_percent=None, pixels=0)
            continue
        weights = [1 - (i - 1) / 100 for i in range(1, 101)]
        area = sum(w * (error <= i / 20).sum() / n for i, w in enumerate(weights, 1))
        out[subset] = dict(
            px1_percent=100 * (error > 1).sum() / n,
            epe_pixels=error.mean(),
            fl_percent=100 * ((error > 3) & (error > 0.05 * longest)).sum() / n,
            wauc_percent=100 * area / sum(weights),
            pixels=n)
    return out


def main():
    for old in ("data", "flow"):
        shutil.rmtree(old, ignore_errors=True)
    results = {"float64": {}, "float16": {}}  # number format -> (sequence, direction, camera, frame) -> measured
    for sequence, count in TRAIN.items():
        root = "data/train"
        frames(root, sequence, count)
        one_bit = sequence == "0001"  # one sequence has 1-bit maps, the other 8-bit maps
        binary = lambda m: m > 0 if one_bit else m
        skies = {c: {n: binary(blobs(2 * H, 2 * W, 0.2)) for n in range(1, count + 1)} for c in ("left", "right")}
        for direction, camera, n in flows(count):
            folder = f"{root}/{sequence}"
            speed = [4, 25, 80][(n + (camera == "right")) % 3]
            truth = np.stack([smooth(2 * H, 2 * W, 4, speed), smooth(2 * H, 2 * W, 4, speed)], -1).astype(np.float32)
            truth[40:44, 50:57] = np.nan  # an area, and one of four samples
            truth[11, 21] = np.nan
            truth[13, 31, 1] = np.nan
            noise = np.stack([smooth(H, W, 6, 1.5) ** 3, smooth(H, W, 6, 1.5) ** 3], -1)
            estimate = (np.nan_to_num(truth[::2, ::2]) + np.round(noise * 512) / 512).astype(np.float32)
            estimate[5, 7] = truth[10, 14] + np.float32([1, 0])  # an error of exactly one pixel, and of three
            estimate[6, 7] = truth[12, 14] + np.float32([0, 3])
            estimate[7, 7] = truth[15, 15]  # equal to one of the four samples
            detail, match = blobs(H, W, 0.3), np.stack([blobs(H, W, 0.1), blobs(H, W, 0.1), blobs(H, W, 0.5)], -1)
            rigid = binary(blobs(2 * H, 2 * W, 0.25))
            kind = f"flow_{direction}_{camera}"
            save(f"{folder}/{kind}/{kind}_{n:04d}.flo5", truth)
            save(f"flow/{sequence}/{kind}/{kind}_{n:04d}.flo5", estimate)
            save(f"{folder}/maps/detailmap_{kind}/detailmap_{kind}_{n:04d}.png", detail)
            save(f"{folder}/maps/matchmap_{kind}/matchmap_{kind}_{n:04d}.png", match)
            save(f"{folder}/maps/rigidmap_{direction}_{camera}/rigidmap_{direction}_{camera}_{n:04d}.png", rigid)
            save(f"{folder}/maps/skymap_{camera}/skymap_{camera}_{n:04d}.png", skies[camera][n])
            for mode in results:
                results[mode][sequence, direction, camera, n] = measure(
                    truth, estimate, detail, match, rigid, skies[camera][n], mode == "float16")
    for sequence, count in TEST.items():
        frames("data/test", sequence, count)
        for direction, camera, n in flows(count):
            kind = f"flow_{direction}_{camera}"
            save(f"flow/test/{sequence}/{kind}/{kind}_{n:04d}.flo5",
                 np.stack([smooth(H, W, 4, 20), smooth(H, W, 4, 20)], -1).astype(np.float32))

    expected = {}
    for mode, measured in results.items():
        pick = lambda test: table([m for k, m in measured.items() if test(k)])
        expected[mode] = {"train": pick(lambda k: True), "0001": pick(lambda k: k[0] == "0001"), "0002": pick(lambda k: k[0] == "0002"),
                          "FW left": pick(lambda k: k[1:3] == ("FW", "left")), "BW": pick(lambda k: k[1] == "BW")}
        assert all(row["pixels"] > 50 for row in expected[mode]["train"].values()), "a subset has too few pixels"
    with open("expected.json", "w") as f:
        json.dump(expected, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
