"""Readers and writers of flow files. Flow is float32 [H, W, 2], (u, v) in pixels, NaN = unknown. A ValueError names the file that cannot be read."""
import os

import cv2
import numpy as np


def read_flo(path):
    """Middlebury .flo: magic number 202021.25, int32 width and height, then u and v of each pixel; above 1e9 = unknown."""
    with open(path, "rb") as f:
        if np.fromfile(f, "<f4", 1) != np.float32(202021.25):
            raise ValueError(f"{path}: not a .flo file (wrong magic number)")
        w, h = np.fromfile(f, "<i4", 2)
        data = np.fromfile(f, "<f4", 2 * w * h)
    if data.size != 2 * w * h:
        raise ValueError(f"{path}: truncated: {data.size} of {2 * w * h} values")
    flow = data.reshape(h, w, 2).copy()
    flow[(np.abs(flow) > 1e9).any(-1) | ~np.isfinite(flow).all(-1)] = np.nan
    return flow


def write_flo(path, flow):
    """Write Middlebury .flo; unknown flow is written as 1e10."""
    h, w = flow.shape[:2]
    flow = np.where(np.isfinite(flow).all(-1, keepdims=True), flow, 1e10).astype("<f4")
    with open(path, "wb") as f:
        np.array([202021.25], "<f4").tofile(f)
        np.array([w, h], "<i4").tofile(f)
        flow.tofile(f)


def read_kitti(path):
    """KITTI 16-bit PNG: u = (R - 32768) / 64, v = (G - 32768) / 64, B = valid."""
    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16 or image.ndim != 3:
        raise ValueError(f"{path}: not a 16-bit RGB PNG")
    flow = (image[..., 2:0:-1].astype(np.float32) - 32768) / 64
    flow[image[..., 0] == 0] = np.nan
    return flow


def write_kitti(path, flow):
    """Write a KITTI 16-bit PNG, in steps of 1/64 px; flow beyond 511 px is written as unknown."""
    known = np.isfinite(flow).all(-1) & (np.abs(flow) < 511).all(-1)
    image = np.zeros((*flow.shape[:2], 3), np.uint16)
    image[..., 2:0:-1] = np.where(known[..., None], np.round(np.nan_to_num(flow) * 64) + 32768, 0)
    image[..., 0] = known
    cv2.imwrite(path, image)


def read_pfm(path):
    """PFM (FlyingThings3D): three channels, the third unused, bottom row first; the sign of the scale gives the byte order."""
    with open(path, "rb") as f:
        kind = f.readline().strip()
        if kind not in (b"PF", b"Pf"):
            raise ValueError(f"{path}: not a PFM file")
        w, h = (int(x) for x in f.readline().split())
        order = "<" if float(f.readline()) < 0 else ">"
        channels = 3 if kind == b"PF" else 1
        data = np.fromfile(f, order + "f4", w * h * channels)
    if data.size != w * h * channels:
        raise ValueError(f"{path}: truncated")
    return data.reshape(h, w, channels)[::-1, :, :2].astype(np.float32)


def read_flo5(path):
    """Spring .flo5: HDF5 dataset `flow`, NaN = unknown. Ground truth has 3840x2160 samples, in Full-HD pixels."""
    import h5py
    with h5py.File(path, "r") as f:
        if "flow" not in f:
            raise ValueError(f"{path}: no dataset named flow")
        return f["flow"][()].astype(np.float32)


def read(path):
    """Flow in the format that the file name extension says. FileNotFoundError if the file does not exist."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path}: no such flow file")
    kind = os.path.splitext(path)[1].lower()
    readers = {".flo": read_flo, ".png": read_kitti, ".pfm": read_pfm, ".flo5": read_flo5, ".npy": lambda p: np.load(p).astype(np.float32)}
    if kind not in readers:
        raise ValueError(f"{path}: unknown flow format {kind}")
    return readers[kind](path)


def read_frame(path):
    """An image as uint8 [H, W, 3] RGB."""
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: OpenCV cannot read this image")
    return np.ascontiguousarray(image[..., ::-1])
