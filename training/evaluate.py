"""Measure a network, beside zero flow and OpenCV's Farneback and DIS (medium), on synthetic whole frames and on real pairs.

    python3 -m training.evaluate runs/tiny/checkpoint.pt --data ../shared/data --out runs/tiny/evaluation

Writes table.json, table.md and sheet.png (frame, truth, ours, DIS, error). Choose on the synthetic groups; the real pairs are only reported.
"""
import argparse
import json
import os

import cv2
import numpy as np
import torch

from training import checkpoint, datasets, flowfiles, frames, measures, textures


def zero(a, b):
    return np.zeros((*a.shape[:2], 2), np.float32)


def farneback(a, b):
    gray = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (a, b)]
    return cv2.calcOpticalFlowFarneback(*gray, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def dis(a, b):
    gray = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (a, b)]
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*gray, None)


def real_pairs(root):
    """(name, frame1, frame2, flow) of the pairs that root/pairs.tsv lists."""
    for name, one, two, flow in datasets.table(root):
        yield name, flowfiles.read_frame(one), flowfiles.read_frame(two), flowfiles.read(flow)


def synthetic_pairs(bank, count):
    """(name, frame1, frame2, flow, contrast) of frames painted with a bank's held-out textures: `count` as scenes of all kinds, a third as many
    each with faint surfaces, from a tripod, and in Full HD."""
    _, held_out = frames.split(bank)
    third = count // 3
    for group, samples in (("synthetic", frames.samples(held_out, count)),
                           ("synthetic-faint", frames.samples(held_out, third, seed=8, **frames.FAINT)),
                           ("synthetic-tripod", frames.samples(held_out, third, seed=9, **frames.TRIPOD)),
                           ("synthetic-full-hd", frames.samples(held_out, third, sizes=frames.FULL_HD))):
        for i, s in enumerate(samples):
            yield f"{group}/{i:02d}", s.frame1[0, 0].byte().numpy(), s.frame2[0, 0].byte().numpy(), s.flow[0, 0].numpy(), s.contrast[0, 0].numpy()


def paint(flow, top=None):
    """Flow as colours (hue = direction), for the contact sheet only: the product's colour wheel is in visualize/."""
    length = np.linalg.norm(np.nan_to_num(flow), axis=-1)
    top = top or max(1.0, np.percentile(length, 98))
    angle = np.arctan2(-np.nan_to_num(flow[..., 1]), -np.nan_to_num(flow[..., 0])) / (2 * np.pi) + 0.5
    hsv = np.stack([angle * 179, np.clip(length / top, 0, 1) * 255, np.full_like(length, 255)], -1).astype(np.uint8)
    out = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    out[~np.isfinite(flow).all(-1)] = 0
    return out


def strip(a, truth, ours, other, height=150):
    """One row of the contact sheet: frame, truth, ours, DIS, our error (white = 10 px)."""
    length = np.linalg.norm(truth, axis=-1)
    top = max(1.0, np.nanpercentile(length, 98))
    error = np.linalg.norm(ours - truth, axis=-1)
    error = np.repeat((np.clip(np.nan_to_num(error) / 10, 0, 1) * 255).astype(np.uint8)[..., None], 3, -1)
    cells = [a[..., ::-1], paint(truth, top), paint(ours, top), paint(other, top), error]
    width = int(a.shape[1] * height / a.shape[0])
    row = np.hstack([cv2.resize(np.ascontiguousarray(c), (width, height), interpolation=cv2.INTER_AREA) for c in cells])
    return cv2.resize(row, (1500, int(row.shape[0] * 1500 / row.shape[1])), interpolation=cv2.INTER_AREA)


def markdown(table):
    """The table as Markdown: EPE / 1px / Fl for each pair and method."""
    methods = list(next(iter(table["pairs"].values())))
    cell = lambda m: f"{m['epe']:.3f} / {m['px1']:.1f} / {m['fl']:.1f}"
    lines = ["EPE (px) / 1px (%) / Fl (%)", "", "| pair | " + " | ".join(methods) + " |", "|" + "---|" * (len(methods) + 1)]
    lines += [f"| {name} | " + " | ".join(cell(row[m]) for m in methods) + " |" for name, row in table["pairs"].items()]
    for group, row in table["means"].items():
        lines.append(f"| **mean: {group}** | " + " | ".join(cell(row[m]) for m in methods) + " |")
    lines += ["", "EPE (px) by speed bin and within 8 px of motion boundaries; on faint surfaces; still pixels that seem to move by more than 0.25 px (%). Means over pairs.",
              "", "| | " + " | ".join(methods) + " |", "|" + "---|" * (len(methods) + 1)]
    for group, row in table["means"].items():
        for b in ("s0-10", "s10-40", "s40+", "boundary", "faint", "moving"):
            if any(row[m].get(b) is not None for m in methods):
                lines.append(f"| {group}, {b} | " + " | ".join("–" if row[m].get(b) is None else f"{row[m][b]:.3f}" for m in methods) + " |")
    return "\n".join(lines) + "\n"


def groups_of(name):
    """The means that a pair counts in: its data set, and `real` for what was not made here."""
    return (name.split("/")[0],) if name.startswith("synthetic") else ("real", name.split("/")[0])


def run(net, bank=None, root=None, out=None, *, count):
    """Measure all methods on the synthetic frames (synthetic_pairs) of a bank of textures and on the real pairs of a folder, where given.

    Table: {pairs: {name: {method: measures}}, means: {group or data set: {method: measures}}}."""
    methods = {"zero": zero, "farneback": farneback, "dis": dis, "ours": lambda a, b: net.estimate(a.copy(), b.copy())[0].cpu().numpy()}
    table, rows = {"pairs": {}, "means": {}}, []
    todo = ([] if bank is None else [synthetic_pairs(bank, count)]) + ([real_pairs(root)] if root else [])
    for source in todo:
        for name, a, b, truth, *contrast in source:
            flows = {m: f(a, b) for m, f in methods.items()}
            table["pairs"][name] = {m: measures.summary(f, truth, *contrast) for m, f in flows.items()}
            rows.append(strip(a, truth, flows["ours"], flows["dis"]))
    groups = {}
    for name in table["pairs"]:
        for g in groups_of(name):
            groups.setdefault(g, []).append(name)
    for g, members in groups.items():
        table["means"][g] = {m: measures.mean([table["pairs"][n][m] for n in members]) for m in methods}
    if out:
        os.makedirs(out, exist_ok=True)
        with open(os.path.join(out, "table.json"), "w") as f:
            json.dump(table, f, indent=1)
        with open(os.path.join(out, "table.md"), "w") as f:
            f.write(markdown(table))
        cv2.imwrite(os.path.join(out, "sheet.png"), np.vstack(rows))
    return table


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint")
    p.add_argument("--data", default=os.path.join(os.path.dirname(__file__), "..", "..", "shared", "data"))
    p.add_argument("--out", help="folder for table.json, table.md, sheet.png")
    p.add_argument("--textures", help="folder of images, or an atlas, for the synthetic frames (default: the data's)")
    p.add_argument("--synthetic-only", action="store_true", help="leave out the real pairs: a network may be chosen on this")
    p.add_argument("--frames", type=int, default=12, help="number of synthetic frames, beside three sets of a third as many; fewer for a rehearsal")
    p.add_argument("--threads", type=int, default=0)
    args = p.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    net, _ = checkpoint.load_average(args.checkpoint)
    if torch.cuda.is_available():
        net = net.cuda()
    bank = textures.load(args.textures or os.path.join(args.data, "textures"))
    print(markdown(run(net, bank, None if args.synthetic_only else args.data, args.out, count=args.frames)))


if __name__ == "__main__":
    main()
