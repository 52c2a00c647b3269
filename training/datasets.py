"""Real data sets for those who own them, and batches of windows cut from their pairs.

A loader lists the (frame 1, frame 2, flow) paths of a data set as its archives unpack. Unknown flow (NaN, above 1e9, KITTI's valid = 0,
TartanAir's mask) stays NaN; the losses mask it.
"""
import csv
import glob
import os
import random

import cv2
import numpy as np
import torch

from training import flowfiles, scenes, windows
from training.network import PATCH

HALVED = 0.5     # share of the pairs that are seen at half size, where the windows fit them
PLACEMENTS = 4   # of the windows in a pair; the one with the most known flow is taken


def _listed(rows, root, what):
    """The rows, or FileNotFoundError if there are none."""
    if not rows:
        raise FileNotFoundError(f"{root}: no pairs of {what} found; name the folder that its archives unpack to")
    return rows


def chairs(root):
    """FlyingChairs: data/00001_{img1,img2}.ppm, _flow.flo; FlyingChairs_train_val.txt has 1 (train) or 2 (validation) for each pair."""
    rows = [(f.replace("_flow.flo", "_img1.ppm"), f.replace("_flow.flo", "_img2.ppm"), f) for f in sorted(glob.glob(os.path.join(root, "data", "*_flow.flo")))]
    table = os.path.join(root, "FlyingChairs_train_val.txt")
    if os.path.exists(table):
        kinds = np.loadtxt(table, dtype=int, ndmin=1)
        rows = [r for r in rows if kinds[int(os.path.basename(r[2])[:5]) - 1] == 1]
    return _listed(rows, root, "FlyingChairs")


def things(root):
    """FlyingThings3D, clean pass: frames_cleanpass/TRAIN/A/0000/left/0006.png; optical_flow/.../into_{future,past}/left/*.pfm."""
    frames, rows = os.path.join(root, "frames_cleanpass"), []
    for side in ("left", "right"):
        for folder in sorted(glob.glob(os.path.join(frames, "TRAIN", "*", "*", side))):
            scene = os.path.relpath(os.path.dirname(folder), frames)
            images = sorted(glob.glob(os.path.join(folder, "*.png")))
            for a, b in zip(images, images[1:]):
                for one, two, way, name in ((a, b, "into_future", "IntoFuture"), (b, a, "into_past", "IntoPast")):
                    number = os.path.basename(one)[:4]
                    flow = os.path.join(root, "optical_flow", scene, way, side, f"OpticalFlow{name}_{number}_{side[0].upper()}.pfm")
                    if os.path.exists(flow):
                        rows.append((one, two, flow))
    return _listed(rows, root, "FlyingThings3D")


def sintel(root):
    """MPI-Sintel, final pass: training/final/SCENE/frame_0001.png, training/flow/SCENE/frame_0001.flo."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "training", "flow", "*", "frame_*.flo"))):
        scene, number = os.path.basename(os.path.dirname(flow)), int(os.path.basename(flow)[6:10])
        frame = lambda i: os.path.join(root, "training", "final", scene, f"frame_{i:04d}.png")
        rows.append((frame(number), frame(number + 1), flow))
    return _listed(rows, root, "MPI-Sintel")


def kitti(root):
    """KITTI 2012 (colored_0) or 2015 (image_2): training/<images>/000000_{10,11}.png, training/flow_occ/000000_10.png."""
    images = next((d for d in ("image_2", "colored_0", "image_0") if os.path.isdir(os.path.join(root, "training", d))), "image_2")
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "training", "flow_occ", "*_10.png"))):
        name = os.path.basename(flow)[:6]
        frame = lambda i: os.path.join(root, "training", images, f"{name}_{i}.png")
        rows.append((frame(10), frame(11), flow))
    return _listed(rows, root, "KITTI")


def hd1k(root):
    """HD1K: hd1k_input/image_2/000000_0000.png, hd1k_flow_gt/flow_occ/000000_0000.png (KITTI's format)."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "hd1k_flow_gt", "flow_occ", "*.png"))):
        sequence, number = os.path.basename(flow)[:-4].split("_")
        frame = lambda i: os.path.join(root, "hd1k_input", "image_2", f"{sequence}_{i:04d}.png")
        if os.path.exists(frame(int(number) + 1)):
            rows.append((frame(int(number)), frame(int(number) + 1), flow))
    return _listed(rows, root, "HD1K")


def tartanair(root):
    """TartanAir: SCENE/{Easy,Hard}/P000/image_left/000000_left.png, flow/000000_000001_flow.npy (and _mask.npy, nonzero = unknown)."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "*", "*", "P*", "flow", "*_flow.npy"))):
        first, second = os.path.basename(flow).split("_")[:2]
        frame = lambda n: os.path.join(os.path.dirname(os.path.dirname(flow)), "image_left", f"{n}_left.png")
        rows.append((frame(first), frame(second), flow))
    return _listed(rows, root, "TartanAir")


def spring(root):
    """Spring: train/0001/frame_left/frame_left_0001.png, flow_{FW,BW}_left/flow_{FW,BW}_left_0001.flo5."""
    rows = []
    for flow in sorted(glob.glob(os.path.join(root, "train", "*", "flow_*_*", "*.flo5"))):
        _, way, side, number = os.path.basename(flow)[:-5].split("_")
        folder = os.path.dirname(os.path.dirname(flow))
        frame = lambda i: os.path.join(folder, f"frame_{side}", f"frame_{side}_{i:04d}.png")
        rows.append((frame(int(number)), frame(int(number) + (1 if way == "FW" else -1)), flow))
    return _listed(rows, root, "Spring")


def table(root):
    """(name, frame 1, frame 2, flow) of the pairs that root/pairs.tsv lists, as paths. name: None if there is no such column."""
    path = os.path.join(root, "pairs.tsv")
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such file; it lists the pairs of a folder, with columns frame1, frame2 and flow")
    with open(path, newline="") as f:
        return [(row.get("name"), *(os.path.join(root, row[k]) for k in ("frame1", "frame2", "flow"))) for row in csv.DictReader(f, delimiter="\t")]


def pairs(root):
    """The pairs of a table pairs.tsv: what training.videos writes, or pairs of your own."""
    return _listed([row[1:] for row in table(root)], root, "pairs.tsv")


LOADERS = {"pairs": pairs, "chairs": chairs, "things": things, "sintel": sintel, "kitti": kitti, "hd1k": hd1k, "tartanair": tartanair, "spring": spring}


def read(row):
    """(frame 1, frame 2 uint8 [H, W, 3], flow float32 [H, W, 2], NaN = unknown) of a loader's row. ValueError if the sizes differ."""
    one, two = flowfiles.read_frame(row[0]), flowfiles.read_frame(row[1])
    flow = flowfiles.read(row[2])
    mask = row[2].replace("_flow.npy", "_mask.npy")
    if mask != row[2] and os.path.exists(mask):
        flow = np.where(np.load(mask)[..., None] != 0, np.nan, flow).astype(np.float32)
    if flow.shape[:2] == (2 * one.shape[0], 2 * one.shape[1]):
        flow = merge_samples(flow)
    if one.shape != two.shape or flow.shape[:2] != one.shape[:2]:
        raise ValueError(f"{row[2]}: sizes differ: frames {one.shape[:2]} and {two.shape[:2]}, flow {flow.shape[:2]}")
    return one, two, flow


def merge_samples(flow, tolerance=0.5):
    """Spring's ground truth, 2x2 samples for each pixel, as one vector for each pixel: [2H, 2W, 2] -> [H, W, 2].

    The samples lie around the pixel's centre, so their mean is the flow there. A pixel with an unknown sample, or with one that differs by
    more than `tolerance` pixels from the mean (two surfaces meet in it), is unknown. The vectors are in Full-HD pixels already. This is a
    rule for training; the benchmark's own measure takes the best of the four samples.
    """
    h, w = flow.shape[0] // 2, flow.shape[1] // 2
    four = flow.reshape(h, 2, w, 2, 2).transpose(0, 2, 1, 3, 4).reshape(h, w, 4, 2)
    mean = four.mean(2)
    with np.errstate(invalid="ignore"):
        agree = np.linalg.norm(four - mean[:, :, None], axis=-1).max(-1) <= tolerance  # false where a sample is NaN
    return np.where(agree[..., None], mean, np.nan).astype(np.float32)


def halve(one, two, flow):
    """A pair as `read` returns it, at half its size."""
    even = lambda image: image[:image.shape[0] // 2 * 2, :image.shape[1] // 2 * 2]
    small = lambda image: cv2.resize(even(image), (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return small(one), small(two), merge_samples(even(flow)) / 2


def cut(image, x, y, w, h):
    """A window of an image; outside the image its border is repeated."""
    ys = np.clip(np.arange(y, y + h), 0, image.shape[0] - 1)
    xs = np.clip(np.arange(x, x + w), 0, image.shape[1] - 1)
    return image[ys][:, xs]


class Pairs:
    """The training pairs of one or more data sets. spec: "chairs=DIR,sintel=DIR". Each data set is drawn equally often."""

    def __init__(self, spec):
        self.sets = {}
        for part in spec.split(","):
            name, _, root = part.partition("=")
            if name not in LOADERS or not root:
                raise ValueError(f"{part}: write NAME=DIR, with a name of {', '.join(LOADERS)}")
            self.sets.setdefault(name, []).extend(LOADERS[name](root))
        self.sizes = {name: flowfiles.read_frame(rows[0][0]).shape[1::-1] for name, rows in self.sets.items()}

    def that_hold(self, n, height, width):
        """Names of the data sets whose first frame is large enough for n windows of height x width. ValueError if none is."""
        across_down = {name: windows.capacity(height // PATCH, width // PATCH, size) for name, size in self.sizes.items()}
        names = [name for name, (across, down) in across_down.items() if across * down >= n]
        if not names:
            sizes = ", ".join(f"{name} {w}x{h}" for name, (w, h) in self.sizes.items())
            raise ValueError(f"no data set has frames large enough for {n} windows of {width}x{height} pixels: {sizes}")
        return names

    def draw(self, names, n, height, width, rng):
        """A random pair of the data sets `names` that holds n windows of height x width, at its own or half size."""
        pair = read(rng.choice(self.sets[rng.choice(names)]))
        across, down = windows.capacity(height // PATCH, width // PATCH, (pair[0].shape[1] // 2, pair[0].shape[0] // 2))
        return halve(*pair) if across * down >= n and rng.random() < HALVED else pair

    @staticmethod
    def place(flow, n, height, width, rng):
        """Positions of n windows as windows.place returns them, where much of the flow is known."""
        known = np.isfinite(flow[..., 0])
        share = lambda spots: sum(known[y * PATCH:y * PATCH + height, x * PATCH:x * PATCH + width].sum() for x, y in spots)
        return max((windows.place(n, height // PATCH, width // PATCH, flow.shape[1::-1], rng) for _ in range(PLACEMENTS)), key=share)

    def sample(self, batch, n, height, width, device="cpu", generator=None, rng=random):
        """A batch as windows.sample returns it. Occlusions are not known: a pixel counts as visible where its target lies inside frame 2 and
        inside a window of frame 2. ValueError if a pair is too small for the windows."""
        names = self.that_hold(n, height, width)
        pairs = [self.draw(names, n, height, width, rng) for _ in range(batch)]
        places = [self.place(flow, n, height, width, rng) for _, _, flow in pairs]
        origin1 = torch.tensor(places, device=device)

        def windows_of(which, origins):
            cuts = [[cut(pair[which], x * PATCH, y * PATCH, width, height) for x, y in spots] for pair, spots in zip(pairs, origins)]
            return torch.from_numpy(np.stack([np.stack(c) for c in cuts])).to(device).float()

        frame1, flow = windows_of(0, places), windows_of(2, places)
        origin2 = windows.follow_flow(origin1, flow, windows.FOLLOW, generator)
        frame2 = windows_of(1, origin2.tolist())
        known = torch.isfinite(flow).all(-1)
        xy = scenes.grid(origin1.float() * PATCH, height, width)
        target = xy + torch.nan_to_num(flow)
        last = torch.tensor([one.shape[1::-1] for one, _, _ in pairs], device=device).reshape(batch, 1, 1, 1, 2) - 1
        inside = ((target >= 0) & (target <= last)).all(-1)
        layer = torch.zeros(flow.shape[:-1], dtype=torch.int64, device=device)
        visible = known & inside & windows.found_in(target - xy, xy, layer, layer, origin2)
        return windows.Sample(frame1, frame2, origin1, origin2, flow, layer, visible, torch.nan_to_num(windows.at_centres(flow)), windows.at_centres(visible))
