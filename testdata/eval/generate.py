#!/usr/bin/python3
"""Writes tiny data sets in the layouts of MPI-Sintel, KITTI, Middlebury and FlyingChairs, flow files for each, and the figures
that a correct program prints. It computes them from the formulas in NumPy and uses nothing of wwflow.
Run it in its folder, with Debian's python3-numpy and python3-opencv.
"""
import json, os, shutil, struct
import cv2, numpy as np

H, W = 20, 28
rng = np.random.default_rng(20121007)


def make_folder(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)


def flo(path, flow):
    make_folder(path)
    with open(path, "wb") as f:
        f.write(b"PIEH" + struct.pack("<ii", W, H) + np.where(np.isnan(flow), 1e10, flow).astype("<f4").tobytes())


def kitti(path, flow):
    make_folder(path)
    known = ~np.isnan(flow).any(-1)
    out = np.zeros((H, W, 3), np.uint16)
    out[..., 2], out[..., 1] = (np.where(known, np.nan_to_num(flow[..., i]) * 64 + 32768, 0) for i in (0, 1))
    out[..., 0] = known
    cv2.imwrite(path, out)


def picture(path, pixels):
    make_folder(path)
    cv2.imwrite(path, pixels)


def frames(*paths):
    texture = cv2.GaussianBlur(rng.integers(0, 255, (H, W + 2, 3)).astype(np.uint8), (0, 0), 1)
    for i, path in enumerate(paths):
        picture(path, texture[:, i:i + W])


def pair(length):
    """Ground truth in steps of 1/64, which KITTI can store, with unknown pixels, and an estimate."""
    y, x = np.mgrid[0:H, 0:W]
    truth = np.stack([length * np.sin(x / 9 + y / 15), length * np.cos(y / 7)], -1) + rng.normal(0, 1, 2)
    truth = np.round(truth * 64) / 64
    estimate = np.round((truth + rng.normal(0, 1, truth.shape) ** 3 * 1.5) * 64) / 64
    truth[2:5, 20:26] = np.nan
    return truth.astype(np.float32), np.clip(estimate, -511, 511).astype(np.float32)


def errors(truth, estimate):
    t, e = truth.astype(np.float64), estimate.astype(np.float64)
    epe = np.linalg.norm(t - e, axis=-1)
    with_time = lambda f: np.concatenate([f, np.ones((H, W, 1))], -1)
    a, b = with_time(t), with_time(e)
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    length = np.linalg.norm(t, axis=-1)
    return dict(epe=epe, aae=np.degrees(np.arccos(np.clip(cosine, -1, 1))), length=length,
                fl=(epe > 3) & (epe > 0.05 * length), known=~np.isnan(epe))


def mean(parts):
    v = np.concatenate([np.asarray(p, float).ravel() for p in parts])
    return v.mean() if len(v) else None


expected = {}
for old in ("sintel", "kitti2012", "kitti2015", "middlebury", "chairs"):
    shutil.rmtree(old, ignore_errors=True)

# MPI-Sintel: two scenes of three and two frames, two passes.
rows = {"clean": [], "final": []}
for scene, count, length in (("alley_9", 3, 8), ("cave_9", 2, 60)):
    root = "sintel/data/training"
    for i in range(1, count):
        truth, _ = pair(length)
        occluded, invalid = rng.random((H, W)) < 0.2, rng.random((H, W)) < 0.05
        flo(f"{root}/flow/{scene}/frame_{i:04d}.flo", truth)
        picture(f"{root}/occlusions/{scene}/frame_{i:04d}.png", occluded * np.uint8(255))
        picture(f"{root}/invalid/{scene}/frame_{i:04d}.png", invalid * np.uint8(255))
        for p in rows:
            estimate = np.nan_to_num(truth) + rng.normal(0, 2 if p == "final" else 1, truth.shape).astype(np.float32)
            flo(f"sintel/flow/{p}/{scene}/frame_{i:04d}.flo", estimate)
            rows[p].append((errors(truth, estimate), occluded, ~invalid))
    for p in rows:
        frames(*[f"{root}/{p}/{scene}/frame_{i:04d}.png" for i in range(1, count + 1)])
expected["sintel"] = {}
for p, results in rows.items():
    pick = lambda test: mean(e["epe"][e["known"] & valid & test(e["length"], occ)] for e, occ, valid in results)
    expected["sintel"][p] = [pick(lambda l, o: True), pick(lambda l, o: ~o), pick(lambda l, o: o),
                             pick(lambda l, o: l < 10), pick(lambda l, o: (l >= 10) & (l < 40)), pick(lambda l, o: l >= 40)]

# KITTI: three pictures; flow_noc is a part of flow_occ.
for name, image in (("kitti2012", "colored_0"), ("kitti2015", "image_2")):
    results = []
    for n in range(3):
        truth, estimate = pair(30)
        noc = truth.copy()
        noc[rng.random((H, W)) < 0.25] = np.nan
        cars = np.zeros((H, W), np.uint8)
        cars[8:16, 4 + n:14] = 1 + n
        root = f"{name}/data/training"
        frames(f"{root}/{image}/{n:06d}_10.png", f"{root}/{image}/{n:06d}_11.png")
        kitti(f"{root}/flow_occ/{n:06d}_10.png", truth)
        kitti(f"{root}/flow_noc/{n:06d}_10.png", noc)
        kitti(f"{name}/flow/{n:06d}_10.png", estimate)
        if name == "kitti2015":
            picture(f"{root}/obj_map/{n:06d}_10.png", cars)
        results.append((errors(truth, estimate), errors(noc, estimate), cars > 0))
    fl = lambda which, test=lambda r: True: 100 * mean(r[which]["fl"][r[which]["known"] & test(r)] for r in results)
    if name == "kitti2012":
        each = lambda which, what: mean([[what(r[which]["epe"][r[which]["known"]])] for r in results])
        expected[name] = {"training": [each(0, lambda e: 100 * (e > 3).mean()), each(1, lambda e: 100 * (e > 3).mean()),
                                       each(0, np.mean), each(1, np.mean), fl(0), fl(1)]}
    else:
        epe = lambda which: mean(r[which]["epe"][r[which]["known"]] for r in results)
        expected[name] = {"training": [fl(0, lambda r: ~r[2]), fl(0, lambda r: r[2]), fl(0), fl(1), epe(0), epe(1)]}

# Middlebury: two sequences, and their mean.
expected["middlebury"] = {}
for name, length in (("Alpha", 2), ("Beta", 20)):
    truth, estimate = pair(length)
    frames(f"middlebury/data/other-data/{name}/frame10.png", f"middlebury/data/other-data/{name}/frame11.png")
    flo(f"middlebury/data/other-gt-flow/{name}/flow10.flo", truth)
    flo(f"middlebury/flow/{name}/flow10.flo", estimate)
    e = errors(truth, estimate)
    expected["middlebury"][f"{name}/flow10"] = [e["epe"][e["known"]].mean(), e["aae"][e["known"]].mean()]
expected["middlebury"]["mean"] = list(np.mean(list(expected["middlebury"].values()), axis=0))

# FlyingChairs: three pairs; the second is for validation.
results = []
for n in (1, 2, 3):
    truth, estimate = pair(6)
    truth = np.nan_to_num(truth)
    root = "chairs/data/data"
    frames(f"{root}/{n:05d}_img1.ppm", f"{root}/{n:05d}_img2.ppm")
    flo(f"{root}/{n:05d}_flow.flo", truth)
    flo(f"chairs/flow/{n:05d}_flow.flo", estimate)
    results.append(errors(truth, estimate))
with open("chairs/data/FlyingChairs_train_val.txt", "w") as f:
    f.write("1\n2\n1\n")
figures = lambda r: [mean(e["epe"] for e in r), 100 * mean(e["epe"] > 1 for e in r), 100 * mean(e["fl"] for e in r)]
expected["chairs"] = {"all": figures(results), "val": figures(results[1:2])}

with open("expected.json", "w") as f:
    json.dump(expected, f, indent=1)
    f.write("\n")
