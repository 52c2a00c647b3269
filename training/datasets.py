"""Loaders for the data sets of the field, for those who own them, and windows cut out of their pairs.

Each function lists (frame 1, frame 2, flow) paths as the data set lies on disk once unpacked; unknown flow (NaN, above 1e9, KITTI's
valid = 0, TartanAir's mask) stays NaN and is masked in the losses, never zeroed.
"""
import glob
import os
import random

import numpy as np
import torch

from training import flowfiles, windows


def _listed(rows, root, what):
    if not rows:
        raise FileNotFoundError(f"{root}: no pairs of {what} here; name the folder that its archive unpacks to")
    return rows


def chairs(root, split="train"):
    """FlyingChairs: data/00001_{img1,img2}.ppm, _flow.flo; FlyingChairs_train_val.txt says 1 (train) or 2 (val) for each."""
    rows = [(f.replace("_flow.flo", "_img1.ppm"), f.replace("_flow.flo", "_img2.ppm"), f) for f in sorted(glob.glob(os.path.join(root, "data", "*_flow.flo")))]
    table = os.path.join(root, "FlyingChairs_train_val.txt")
    if os.path.exists(table):
        kinds = np.loadtxt(table, dtype=int, ndmin=1)
        want = 1 if split == "train" else 2
        rows = [r for r in rows if kinds[int(os.path.basename(r[2])[:5]) - 1] == want]
    return _listed(rows, root, "FlyingChairs")


def things(root, split="train", style="clean"):
    """FlyingThings3D: frames_{clean,final}pass/TRAIN/A/0000/left/0006.png; optical_flow/.../into_{future,past}/left/*.pfm."""
    part, rows = "TRAIN" if split == "train" else "TEST", []
    for side in ("left", "right"):
        for folder in sorted(glob.glob(os.path.join(root, f"frames_{style}pass", part, "*", "*", side))):
            scene = os.path.relpath(os.path.dirname(folder), os.path.join(root, f"frames_{style}pass"))
            images = sorted(glob.glob(os.path.join(folder, "*.png")))
            for a, b in zip(images, images[1:]):
                for one, two, way, name in ((a, b, "into_future", "IntoFuture"), (b, a, "into_past", "IntoPast")):
                    number = os.path.basename(one)[:4]
                    flow = os.path.join(root, "optical_flow", scene, way, side, f"OpticalFlow{name}_{number}_{side[0].upper()}.pfm")
                    if os.path.exists(flow):
                        rows.append((one, two, flow))
    return _listed(rows, root, "FlyingThings3D")


def sintel(root, split="train", style="final"):
    """MPI-Sintel: training/{clean,final}/SCENE/frame_0001.png, training/flow/SCENE/frame_0001.flo."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "training", "flow", "*", "frame_*.flo"))):
        scene, number = os.path.basename(os.path.dirname(flow)), int(os.path.basename(flow)[6:10])
        frame = lambda i: os.path.join(root, "training", style, scene, f"frame_{i:04d}.png")
        rows.append((frame(number), frame(number + 1), flow))
    return _listed(rows, root, "MPI-Sintel")


def kitti(root, split="train", truth="flow_occ"):
    """KITTI 2012 (colored_0) or 2015 (image_2): training/<images>/000000_{10,11}.png, training/flow_{occ,noc}/000000_10.png."""
    images = next((d for d in ("image_2", "colored_0", "image_0") if os.path.isdir(os.path.join(root, "training", d))), "image_2")
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "training", truth, "*_10.png"))):
        name = os.path.basename(flow)[:6]
        frame = lambda i: os.path.join(root, "training", images, f"{name}_{i}.png")
        rows.append((frame(10), frame(11), flow))
    return _listed(rows, root, "KITTI")


def hd1k(root, split="train"):
    """HD1K: hd1k_input/image_2/000000_0000.png, hd1k_flow_gt/flow_occ/000000_0000.png (KITTI's format)."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "hd1k_flow_gt", "flow_occ", "*.png"))):
        sequence, number = os.path.basename(flow)[:-4].split("_")
        frame = lambda i: os.path.join(root, "hd1k_input", "image_2", f"{sequence}_{i:04d}.png")
        if os.path.exists(frame(int(number) + 1)):
            rows.append((frame(int(number)), frame(int(number) + 1), flow))
    return _listed(rows, root, "HD1K")


def tartanair(root, split="train"):
    """TartanAir: SCENE/{Easy,Hard}/P000/image_left/000000_left.png, flow/000000_000001_flow.npy (and _mask.npy, nonzero = unknown)."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "*", "*", "P*", "flow", "*_flow.npy"))):
        first, second = os.path.basename(flow).split("_")[:2]
        frame = lambda n: os.path.join(os.path.dirname(os.path.dirname(flow)), "image_left", f"{n}_left.png")
        rows.append((frame(first), frame(second), flow))
    return _listed(rows, root, "TartanAir")


def spring(root, split="train"):
    """Spring: train/0001/frame_left/frame_left_0001.png, flow_{FW,BW}_left/flow_{FW,BW}_left_0001.flo5."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "train", "*", "flow_*_*", "*.flo5"))):
        _, way, side, number = os.path.basename(flow)[:-5].split("_")
        folder = os.path.dirname(os.path.dirname(flow))
        frame = lambda i: os.path.join(folder, f"frame_{side}", f"frame_{side}_{i:04d}.png")
        rows.append((frame(int(number)), frame(int(number) + (1 if way == "FW" else -1)), flow))
    return _listed(rows, root, "Spring")


LOADERS = {"chairs": chairs, "things": things, "sintel": sintel, "kitti": kitti, "hd1k": hd1k, "tartanair": tartanair, "spring": spring}


def read(row):
    """(frame 1, frame 2 uint8 [H, W, 3], flow float32 [H, W, 2], NaN = unknown) of a loader's row. ValueError where sizes differ."""
    one, two = flowfiles.read_frame(row[0]), flowfiles.read_frame(row[1])
    flow = flowfiles.read(row[2])
    mask = row[2].replace("_flow.npy", "_mask.npy")
    if mask != row[2] and os.path.exists(mask):
        flow = np.where(np.load(mask)[..., None] != 0, np.nan, flow).astype(np.float32)
    if flow.shape[:2] == (2 * one.shape[0], 2 * one.shape[1]):
        flow = flow[::2, ::2]  # Spring's 2x2 samples of a pixel; vectors are in Full-HD pixels already
    if one.shape != two.shape or flow.shape[:2] != one.shape[:2]:
        raise ValueError(f"{row[2]}: sizes differ: frames {one.shape[:2]} and {two.shape[:2]}, flow {flow.shape[:2]}")
    return one, two, flow


def cut(image, x, y, w, h):
    """A window of an image; what lies outside repeats the border."""
    ys = np.clip(np.arange(y, y + h), 0, image.shape[0] - 1)
    xs = np.clip(np.arange(x, x + w), 0, image.shape[1] - 1)
    return image[ys][:, xs]


class Pairs:
    """Samples of windows from owned data sets: spec is "chairs:/path,sintel:/path"."""

    def __init__(self, spec, split="train", seed=0):
        self.rows = []
        for part in spec.split(","):
            name, _, root = part.partition(":")
            if name not in LOADERS:
                raise ValueError(f"unknown data set {name!r}: one of {', '.join(LOADERS)}")
            self.rows += LOADERS[name](root, split)
        self.rng = random.Random(seed)

    def sample(self, batch, n, height, width, device="cpu"):
        """As windows.sample. Occlusion isn't known here: a pixel counts as visible where its target is inside its frame-2 window."""
        p, rng, made = windows.PATCH, self.rng, []
        while len(made) < batch:
            one, two, flow = read(rng.choice(self.rows))
            h, w = one.shape[:2]
            if h < height or w < width * n:
                raise ValueError(f"frames of {w}x{h} can't hold {n} windows of {width}x{height}")
            first, second, flows, o1, o2 = [], [], [], [], []
            for x, y in windows.place(n, height // p, width // p, (w, h), rng):
                f = cut(flow, x * p, y * p, width, height)
                known = f[np.isfinite(f).all(-1)]
                middle = np.median(known, 0) if len(known) else np.zeros(2)
                jitter = [(rng.random() - 0.5) * width, (rng.random() - 0.5) * height]
                shift = np.round((middle + np.array(jitter) * rng.random()) / p).astype(int) if rng.random() < 0.85 else np.zeros(2, int)
                first.append(cut(one, x * p, y * p, width, height))
                second.append(cut(two, (x + shift[0]) * p, (y + shift[1]) * p, width, height))
                flows.append(f), o1.append((x, y)), o2.append((x + shift[0], y + shift[1]))
            made.append((np.stack(first), np.stack(second), np.stack(flows), o1, o2))
        frame1, frame2, flow = (torch.from_numpy(np.stack([m[i] for m in made])).to(device).float() for i in range(3))
        origin1, origin2 = (torch.tensor([m[i] for m in made], device=device) for i in (3, 4))
        xy = torch.from_numpy(np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)).to(device).float()
        q = xy + flow - (origin2 - origin1).float()[:, :, None, None] * p
        inside = (q >= 0).all(-1) & (q[..., 0] <= width - 1) & (q[..., 1] <= height - 1) & torch.isfinite(flow).all(-1)
        c = p // 2
        centre = torch.nan_to_num(flow[:, :, c::p, c::p])
        return windows.Sample(frame1, frame2, origin1, origin2, flow, torch.zeros(flow.shape[:-1], dtype=torch.int64, device=device), inside, centre, inside[:, :, c::p, c::p])
