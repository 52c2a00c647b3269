"""The textures of the synthetic scenes: a bank of square images.

The bank is one tensor of packed texels (RGB and a class) that stays on the training device. A texel is one int32, so a bilinear look-up takes
four gathers. training.fetch_textures downloads images for a bank; training.atlas packs them into one file.
"""
import glob
import os

import cv2
import numpy as np
import torch

SIDE = 320  # texels; every image is cropped to a square and resized to this side
FOLDERS = ("photos", "wallpapers", "clothing", "groceries")  # a texture's class is the index of its folder
DEFAULT = os.path.join(os.environ.get("WWFLOW_TESTDATA") or os.path.join(os.path.dirname(__file__), "..", "..", "shared", "data"), "textures")


def files(root=DEFAULT):
    """Paths of the texture images in the FOLDERS under `root`, sorted so that an index always means the same image. FileNotFoundError if none."""
    found = [p for f in FOLDERS for p in sorted(glob.glob(os.path.join(root, f, "*"))) if p.lower().endswith((".jpg", ".jpeg", ".png"))]
    if not found:
        raise FileNotFoundError(f"{root}: no images in the folders {', '.join(FOLDERS)}; python3 -m training.fetch_textures downloads some")
    return found


def class_of(path):
    """Class of the texture at `path`, an index of FOLDERS."""
    return FOLDERS.index(os.path.basename(os.path.dirname(path)))


def square(path, side=SIDE):
    """Centre square of the image at `path`, uint8 [side, side, 3] RGB. ValueError if the image cannot be read."""
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: OpenCV cannot read this image")
    h, w = image.shape[:2]
    s = min(h, w)
    y, x = (h - s) // 2, (w - s) // 2
    image = image[y:y + s, x:x + s, ::-1]
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if s > side else cv2.INTER_LINEAR)


def unpack(atlas, limit=None):
    """Images, uint8 [SIDE, SIDE, 3] RGB, and classes of the first `limit` textures of an atlas file (training.atlas)."""
    with np.load(atlas) as z:
        coded, classes = np.split(z["data"], z["ends"][:-1]), z["classes"]
    resize = lambda image: cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return [resize(cv2.imdecode(c, cv2.IMREAD_COLOR))[..., ::-1] for c in coded[:limit]], classes[:limit]


def load(root=DEFAULT, limit=None, seed=0):
    """The bank of a folder or an atlas (.npz): uint8 [n, SIDE, SIDE, 4], RGB and class. `limit` keeps a seeded subset of a folder, or the
    first textures of an atlas."""
    if str(root).endswith(".npz"):
        images, classes = unpack(root, limit)
    else:
        paths = files(root)
        if limit and limit < len(paths):
            keep = np.random.RandomState(seed).permutation(len(paths))[:limit]
            paths = [paths[i] for i in sorted(keep)]
        images, classes = [square(p) for p in paths], [class_of(p) for p in paths]
    bank = np.empty((len(images), SIDE, SIDE, 4), np.uint8)
    for texture, image, kind in zip(bank, images, classes):
        texture[..., :3], texture[..., 3] = image, kind
    return torch.from_numpy(bank)


def sample(bank, index, u, v, tile):
    """Bilinear look-up with mirrored repetition.

    bank: int32 [n, S, S] view of the texels. index: int64 [...], the texture. u, v: float [...], texel coordinates.
    tile: float [...], at most S: side of the part that is repeated, in texels. Returns float [..., 3], 0-255.
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
