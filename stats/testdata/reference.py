"""Motion statistics of flow files by NumPy and OpenCV, as the tests compare them with package stats.

    reference.py cameras.json NAME=FLOW...

prints {NAME: numbers}. FLOW is a .flo file or a KITTI PNG. cameras.json maps each name to a camera as package stats
prints it; its residual and follow are computed over all pixels. opencv has those of the similarity that OpenCV's RANSAC
finds, and the mean distance between the flow of the two cameras.
"""

import json
import sys

import cv2
import numpy as np


def read(path):
    """Returns the flow as float64 (height, width, 2), NaN where it is unknown."""
    if path.endswith(".png"):
        raw = cv2.imread(path, cv2.IMREAD_UNCHANGED)[:, :, ::-1].astype(np.float64)
        flow = (raw[:, :, :2] - 32768) / 64
        flow[raw[:, :, 2] == 0] = np.nan
        return flow
    with open(path, "rb") as file:
        file.read(4)
        width, height = np.fromfile(file, np.int32, 2)
        flow = np.fromfile(file, np.float32, 2 * width * height).astype(np.float64)
    flow[np.abs(flow) > 1e9] = np.nan
    return flow.reshape(height, width, 2)


def lengths(length):
    p = {q: float(np.percentile(length, q, method="inverted_cdf")) for q in (50, 90, 95, 99)}
    return {"mean": float(length.mean()), "median": p[50], "p90": p[90], "p95": p[95], "p99": p[99]}


def follow(flow, camera_flow):
    """Returns which pixels move with the camera, and the lengths of the differences."""
    difference = np.linalg.norm(flow - camera_flow, axis=-1)
    return difference <= 0.5 + 0.05 * np.linalg.norm(flow, axis=-1), difference


def measure(flow, camera):
    height, width = flow.shape[:2]
    known = ~np.isnan(flow).any(axis=-1)
    vectors = flow[known]
    length = np.linalg.norm(vectors, axis=-1)
    moving = length > 0.5
    angle = np.degrees(np.arctan2(vectors[moving, 1], vectors[moving, 0]))
    histogram = np.bincount(np.round(angle / 22.5).astype(int) % 16, weights=length[moving], minlength=16)

    y, x = np.nonzero(known)
    at = np.stack([x - (width - 1) / 2, y - (height - 1) / 2], axis=-1)
    angle = np.radians(-camera["roll"])
    turn = camera["zoom"] * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    ours = at @ turn.T - at + [-camera["pan"], camera["tilt"]]
    follows, difference = follow(vectors, ours)

    start, end = (np.ascontiguousarray(points[::7]) for points in (at, at + vectors))
    matrix, _ = cv2.estimateAffinePartial2D(start, end, ransacReprojThreshold=1.0, maxIters=5000, confidence=0.9999)
    theirs = at @ matrix[:, :2].T + matrix[:, 2] - at
    follows_theirs, difference_theirs = follow(vectors, theirs)
    return {
        "known": float(known.mean()),
        "length": lengths(length),
        "length_share": lengths(length / np.hypot(width, height)),
        "moving": float(moving.mean()),
        "directions": (histogram / max(histogram.sum(), 1e-30)).tolist(),
        "follow": float(follows.mean()),
        "residual": float(difference.mean()),
        "objects": float(difference[~follows].mean()) if not follows.all() else 0.0,
        "opencv": {
            "follow": float(follows_theirs.mean()),
            "residual": float(difference_theirs.mean()),
            "distance": float(np.linalg.norm(ours - theirs, axis=-1).mean()),
        },
    }


if __name__ == "__main__":
    cameras = json.load(open(sys.argv[1]))
    files = dict(a.split("=", 1) for a in sys.argv[2:])
    print(json.dumps({name: measure(read(path), cameras[name]) for name, path in files.items()}))
