"""Make training pairs from real clips, labelled by a network that has been trained already.

    python3 -m training.videos models/winwin-tiny --clips DIR --out pairs
    python3 -m training.train --data pairs=pairs/train --init models/winwin-tiny ...

A network is most accurate on small motion and when it sees the frames large. So frames further apart get their flow from the steps between
consecutive frames where the network does not find it at once, all at full size. The network then learns, from windows of such a pair at full or half
size, what it could follow in small steps. A pixel has no label where the flow forth and back disagrees, where its surroundings look different in the
other frame, and where they have too little texture to show motion: there the label would be the network's own guess.

Writes train/ and, for every HOLD_OUT-th scene, held-out/: frames and flow as PNG (KITTI's format) and pairs.tsv with their names.
"""
import argparse
import csv
import glob
import itertools
import os
import re
import sys

import cv2
import numpy as np
import torch

from training import checkpoint, flowfiles, layers

SIZE = 1280, 704        # width, height of the frames
KINDS = (".mp4", ".webm", ".mkv", ".mov", ".avi")
HOLD_OUT = 5
AGREE = 0.5, 0.05       # px and share of the flow's length by which the flow forth and back may disagree
SURROUNDINGS = 21       # px, side of the square in which texture and likeness are measured
LEAST_TEXTURE = 0.5     # grey levels per pixel in the direction of the weakest gradient, root mean square
LEAST_LIKENESS = 0.7    # correlation of the surroundings with those in the other frame
LEAST_KNOWN = 0.01      # share of a frame's pixels that have a label; pairs with less are left out


def scene_of(path):
    """The name of a clip without a last -a, -b, ...: clips of one source stay on one side of the split."""
    return re.sub(r"-[a-z]$", "", os.path.splitext(os.path.basename(path))[0])


def clips(folder):
    """[(path, whether it is held out)] of the clips in a folder, sorted. FileNotFoundError if there are none."""
    paths = sorted(p for p in glob.glob(os.path.join(folder, "*")) if p.lower().endswith(KINDS))
    if not paths:
        raise FileNotFoundError(f"{folder}: no clips found ({', '.join(KINDS)})")
    names = sorted({scene_of(p) for p in paths})
    return [(p, names.index(scene_of(p)) % HOLD_OUT == HOLD_OUT - 1) for p in paths]


def cover(frame, size=SIZE):
    """The middle of a frame, scaled so that it fills `size` (width, height)."""
    h, w = frame.shape[:2]
    scale = max(size[0] / w, size[1] / h)
    if scale != 1:
        frame = cv2.resize(frame, (max(size[0], round(w * scale)), max(size[1], round(h * scale))), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    y, x = (frame.shape[0] - size[1]) // 2, (frame.shape[1] - size[0]) // 2
    return np.ascontiguousarray(frame[y:y + size[1], x:x + size[0]])


def runs(path, count, length, size=SIZE):
    """`count` runs of `length` consecutive frames, spread evenly over a clip: lists of uint8 [H, W, 3] RGB. ValueError if the clip is too short."""
    video, frames = cv2.VideoCapture(path), []
    while (read := video.read())[0]:
        frames.append(read[1])
    if len(frames) < length:
        raise ValueError(f"{path}: OpenCV reads {len(frames)} frames, and {length} are needed")
    for start in np.linspace(0, len(frames) - length, count + 2)[1:-1].astype(int):
        yield [cover(f[..., ::-1], size) for f in frames[start:start + length]]


def sample_at(values, at):
    """Values [H, W, ...] at positions at [H, W, 2], bilinear; NaN outside."""
    return cv2.remap(values, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(np.nan,) * 4)


def positions(flow):
    """Where a flow [H, W, 2] takes each pixel."""
    h, w = flow.shape[:2]
    return flow + np.stack(np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)), -1)


def followed(steps):
    """The flow that follows `steps`, a list of flows [H, W, 2] from each frame to the next, NaN = unknown."""
    total = steps[0]
    for step in steps[1:]:
        total = total + sample_at(step, positions(np.nan_to_num(total)))  # unknown plus anything stays unknown
    return total


def allowed(flow):
    """Disagreement in pixels that a flow [H, W, 2] is allowed: [H, W]."""
    return AGREE[0] + AGREE[1] * np.linalg.norm(flow, axis=-1)


def agreeing(forth, back):
    """`forth` with NaN where `back` does not lead back: both [H, W, 2]."""
    returned = np.linalg.norm(forth + sample_at(back, positions(forth)), axis=-1)
    return np.where((returned <= allowed(forth))[..., None], forth, np.nan).astype(np.float32)  # NaN is never <=


def merged(direct, stepwise):
    """The direct flow, or the stepwise one where the two disagree or the direct one is unknown: steps are safer, but their errors add up."""
    use = np.linalg.norm(direct - stepwise, axis=-1) <= allowed(direct)
    use |= np.isnan(stepwise[..., 0])
    return np.where(use[..., None], direct, stepwise)


def box(values):
    return cv2.boxFilter(values, -1, (SURROUNDINGS, SURROUNDINGS))


def textured(gray):
    """Where the surroundings of a pixel show motion in every direction: float32 [H, W] -> bool [H, W]."""
    smooth = cv2.GaussianBlur(gray, (0, 0), 1.0)  # noise and codec artefacts are no texture
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    xx, yy, xy = box(dx * dx), box(dy * dy), box(dx * dy)
    return (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy) >= LEAST_TEXTURE ** 2


def alike(gray1, gray2, flow):
    """Where the surroundings of a pixel of frame 1 correlate with those that `flow` names in frame 2: bool [H, W]."""
    there = np.nan_to_num(sample_at(gray2, positions(np.nan_to_num(flow))))
    a, b = gray1 - box(gray1), there - box(there)
    return box(a * b) >= LEAST_LIKENESS * np.sqrt(np.maximum(box(a * a) * box(b * b), 1e-3))  # a running sum may end below 0


def both_flows(net, one, two):
    """Flow from one frame, uint8 [H, W, 3], to the other and back: two arrays float32 [H, W, 2]."""
    device = next(net.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=layers.bf16_is_fast(device)):
        flows, _ = net.estimate(one, two, both_ways=True)
    return tuple(flows.float().cpu().numpy())


def flow_between(flows, i, j):
    """Flow from frame i to frame j, NaN where unknown. flows: {(i, j): flow}, checked with `agreeing`."""
    way = 1 if i < j else -1
    return merged(flows[i, j], followed([flows[k, k + way] for k in range(i, j, way)]))


def write_run(net, frames, folder, name):
    """Label all pairs of a run of frames and write those with enough labels. Returns rows of pairs.tsv."""
    flows = {}
    for i, j in itertools.combinations(range(len(frames)), 2):
        forth, back = both_flows(net, frames[i], frames[j])
        flows[i, j], flows[j, i] = agreeing(forth, back), agreeing(back, forth)
    for i, frame in enumerate(frames):
        cv2.imwrite(os.path.join(folder, f"{name}_{i}.png"), frame[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    grays = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in frames]
    rich, rows = [textured(gray) for gray in grays], []
    for i, j in sorted(flows):
        flow, pair = flow_between(flows, i, j), f"{name}_{i}-{j}"
        flow[~(rich[i] & alike(grays[i], grays[j], flow))] = np.nan
        if np.isfinite(flow[..., 0]).mean() >= LEAST_KNOWN:
            flowfiles.write_kitti(os.path.join(folder, f"{pair}.png"), flow)
            rows.append((f"clips/{pair}", f"{name}_{i}.png", f"{name}_{j}.png", f"{pair}.png"))
    return rows


def make(net, listed, out, count, length):
    """Write the pairs of the clips that `clips` lists into the folder `out`. A clip that cannot be used is reported and left out."""
    tables = {}
    for side in ("train", "held-out"):
        os.makedirs(os.path.join(out, side), exist_ok=True)
        tables[side] = [("name", "frame1", "frame2", "flow")]
    for path, held_out in listed:
        side, name = "held-out" if held_out else "train", os.path.splitext(os.path.basename(path))[0]
        try:
            for k, frames in enumerate(runs(path, count, length)):
                tables[side] += write_run(net, frames, os.path.join(out, side), f"{name}-{k}")
        except ValueError as error:
            print(f"videos: {error}; left out", file=sys.stderr)
            continue
        print(path, flush=True)
    for side, rows in tables.items():
        with open(os.path.join(out, side, "pairs.tsv"), "w", newline="") as f:
            csv.writer(f, delimiter="\t").writerows(rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint")
    p.add_argument("--clips", required=True, help="folder of clips, one continuous shot each")
    p.add_argument("--out", required=True)
    p.add_argument("--runs", type=int, default=2, help="runs of consecutive frames from each clip (default: %(default)s)")
    p.add_argument("--frames", type=int, default=4, help="frames of a run: a run of n gives n (n - 1) pairs (default: %(default)s)")
    p.add_argument("--threads", type=int, default=0)
    args = p.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    try:
        net = checkpoint.load_average(args.checkpoint)[0]
        if torch.cuda.is_available():
            net = net.cuda()
        make(net, clips(args.clips), args.out, args.runs, args.frames)
    except OSError as error:
        sys.exit(f"videos: {error}")


if __name__ == "__main__":
    main()
