"""A bank of photographs that the synthetic scenes are painted with.

The bank is one tensor of packed texels (RGB and a class) that stays on the training device: a texel is one int32, so a
bilinear look-up is four gathers whatever the number of channels.
"""
import glob
import os

import cv2
import numpy as np
import torch

SIDE = 320  # texels; every image is cropped to a square and resized to this side
FOLDERS = ("photos", "wallpapers", "clothing", "groceries")
DEFAULT = os.path.join(os.path.dirname(__file__), "..", "..", "shared", "data", "textures")


def files(root=DEFAULT, folders=FOLDERS):
    """Paths of all texture images under `root`, sorted, so that an index means the same everywhere."""
    found = [p for f in folders for p in sorted(glob.glob(os.path.join(root, f, "*"))) if p.lower().endswith((".jpg", ".jpeg", ".png"))]
    if not found:
        raise FileNotFoundError(f"no texture images under {root}: name a folder that holds {', '.join(folders)}")
    return found


def square(path, side=SIDE):
    """Centre square of the image at `path` as uint8 [side, side, 3] RGB. ValueError where it can't be read."""
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: not an image that OpenCV reads")
    h, w = image.shape[:2]
    s = min(h, w)
    y, x = (h - s) // 2, (w - s) // 2
    image = image[y:y + s, x:x + s, ::-1]
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if s > side else cv2.INTER_LINEAR)


def load(root=DEFAULT, limit=None, seed=0):
    """Bank of textures: uint8 [n, SIDE, SIDE, 4], RGB and the image's class (its folder's place in FOLDERS). `limit` keeps a seeded subset."""
    if str(root).endswith(".npz"):
        from training import atlas
        images, classes = atlas.unpack(root, limit)
    else:
        paths = files(root)
        if limit and limit < len(paths):
            keep = np.random.RandomState(seed).permutation(len(paths))[:limit]
            paths = [paths[i] for i in sorted(keep)]
        images, classes = [square(p) for p in paths], [class_of(p) for p in paths]
    bank = np.empty((len(images), SIDE, SIDE, 4), np.uint8)
    for i, (image, kind) in enumerate(zip(images, classes)):
        bank[i, ..., :3], bank[i, ..., 3] = image, kind
    return torch.from_numpy(bank)


def class_of(path):
    """What a texture shows, by its folder: an index of FOLDERS."""
    return FOLDERS.index(os.path.basename(os.path.dirname(path)))


def sample(bank, index, u, v, tile):
    """Bilinear look-up with mirrored repetition.

    bank: int32 [n, S, S] view of the texels; index: int64 [...], u, v: float [...] texel coordinates;
    tile: float [...], at most S: how many texels of a side are repeated.
    Returns float [..., 3], 0-255.
    """
    s = bank.shape[1]
    def fold(x):  # mirrored repetition: the period is two tiles
        x = torch.remainder(x, 2 * tile)
        return torch.minimum(x, 2 * tile - x).clamp_(0, s - 1.001)
    u, v = fold(u), fold(v)
    x0, y0 = u.floor(), v.floor()
    fx, fy = (u - x0).unsqueeze(-1), (v - y0).unsqueeze(-1)
    base = (index * (s * s) + y0.long() * s + x0.long()).reshape(-1)
    flat = bank.reshape(-1)
    def tap(offset):
        texel = flat.index_select(0, base + offset)
        return texel.view(torch.uint8).reshape(*u.shape, 4)[..., :3].float()
    top = torch.lerp(tap(0), tap(1), fx)
    bottom = torch.lerp(tap(s), tap(s + 1), fx)
    return torch.lerp(top, bottom, fy)
