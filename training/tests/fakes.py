"""Small copies of real data sets: the true folder layout and file formats, with uniform images of W x H pixels.

Frame i has brightness 10 * i. Each function writes one data set and returns the number of pairs that the loader must find for training.
"""
import os

import cv2
import h5py
import numpy as np

from training import flowfiles

H, W = 64, 96


class Folder:
    """A data set on disk: writes uniform images and flow files under `root`."""

    def __init__(self, root):
        self.root = str(root)

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


def flow():
    """The flow of every pair: uniform, unknown in the top 8 rows."""
    f = np.zeros((H, W, 2), np.float32) + np.float32([3.5, -2.25])
    f[:8] = np.nan
    return f


def chairs(folder):
    for i in (1, 2):
        folder.image(10, "data", f"{i:05d}_img1.ppm"), folder.image(20, "data", f"{i:05d}_img2.ppm"), folder.flo("data", f"{i:05d}_flow.flo")
    with open(folder.path("FlyingChairs_train_val.txt"), "w") as f:
        f.write("1\n2\n")
    return 1


def things(folder):
    for i in (6, 7):
        folder.image(i * 10 - 50, "frames_cleanpass", "TRAIN", "A", "0000", "left", f"{i:04d}.png")
    for way, name, i in (("into_future", "IntoFuture", 6), ("into_past", "IntoPast", 7)):
        with open(folder.path("optical_flow", "TRAIN", "A", "0000", way, "left", f"OpticalFlow{name}_{i:04d}_L.pfm"), "wb") as f:
            f.write(b"PF\n%d %d\n-1.0\n" % (W, H))
            np.dstack([flow(), np.zeros((H, W))]).astype("<f4")[::-1].tofile(f)
    return 2


def sintel(folder):
    for i in (1, 2):
        folder.image(i * 10, "training", "final", "alley_1", f"frame_{i:04d}.png")
    folder.flo("training", "flow", "alley_1", "frame_0001.flo")
    return 1


def kitti(folder):
    folder.image(10, "training", "image_2", "000000_10.png"), folder.image(20, "training", "image_2", "000000_11.png"), folder.kitti("training", "flow_occ", "000000_10.png")
    return 1


def hd1k(folder):
    folder.image(10, "hd1k_input", "image_2", "000003_0000.png"), folder.image(20, "hd1k_input", "image_2", "000003_0001.png")
    folder.kitti("hd1k_flow_gt", "flow_occ", "000003_0000.png"), folder.kitti("hd1k_flow_gt", "flow_occ", "000003_0001.png")
    return 1


def tartanair(folder):
    folder.image(10, "abandonedfactory", "Easy", "P000", "image_left", "000000_left.png"), folder.image(20, "abandonedfactory", "Easy", "P000", "image_left", "000001_left.png")
    f = flow()
    np.save(folder.path("abandonedfactory", "Easy", "P000", "flow", "000000_000001_flow.npy"), np.nan_to_num(f))
    np.save(folder.path("abandonedfactory", "Easy", "P000", "flow", "000000_000001_mask.npy"), (~np.isfinite(f[..., 0])).astype(np.uint8) * 100)
    return 1


def spring(folder):
    for i in (1, 2):
        folder.image(i * 10, "train", "0001", "frame_left", f"frame_left_{i:04d}.png")
    for way, i in (("FW", 1), ("BW", 2)):
        with h5py.File(folder.path("train", "0001", f"flow_{way}_left", f"flow_{way}_left_{i:04d}.flo5"), "w") as f:
            f.create_dataset("flow", data=flow().repeat(2, 0).repeat(2, 1), compression="gzip")
    return 2


def pairs(folder):
    folder.image(10, "one.png"), folder.image(20, "two.png"), folder.flo("flow.flo")
    with open(folder.path("pairs.tsv"), "w") as f:
        f.write("name\tframe1\tframe2\tflow\nfirst\tone.png\ttwo.png\tflow.flo\n")
    return 1


ALL = (pairs, chairs, things, sintel, kitti, hd1k, tartanair, spring)
