"""Pack the texture images into one file of at most 40 MB, to travel to a GPU machine.

    python3 -m training.atlas --textures ../shared/data/textures --out runs/atlas.npz
"""
import argparse
import os

import cv2
import numpy as np

from training import textures


def pack(root, out, limit_mb=40, side=256):
    """JPEGs of side x side in one .npz, the quality lowered until the file fits. Returns (images, bytes, quality)."""
    paths = textures.files(root)
    squares = [textures.square(p, side) for p in paths]
    for quality in (92, 88, 84, 80, 75, 70, 60):
        coded = [cv2.imencode(".jpg", s[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].ravel() for s in squares]
        size = sum(len(c) for c in coded)
        if size < limit_mb * 1e6:
            break
    else:
        raise ValueError(f"{len(squares)} textures of {side} px don't fit {limit_mb} MB; lower --side")
    with open(out + ".tmp", "wb") as f:
        np.savez(f, data=np.concatenate(coded), ends=np.cumsum([len(c) for c in coded]), classes=np.uint8([textures.class_of(p) for p in paths]))
    os.replace(out + ".tmp", out)
    return len(squares), os.path.getsize(out), quality


def unpack(path, limit=None):
    """The atlas's images, uint8 [SIDE, SIDE, 3] RGB each, and their classes."""
    with np.load(path) as z:
        parts, classes = np.split(z["data"], z["ends"][:-1]), z["classes"]
    resize = lambda image: cv2.resize(image, (textures.SIDE, textures.SIDE), interpolation=cv2.INTER_CUBIC)
    return [resize(cv2.imdecode(p, cv2.IMREAD_COLOR))[..., ::-1] for p in parts[:limit]], classes[:limit]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--textures", default=textures.DEFAULT)
    p.add_argument("--out", required=True)
    p.add_argument("--limit-mb", type=float, default=40)
    p.add_argument("--side", type=int, default=256)
    args = p.parse_args()
    count, size, quality = pack(args.textures, args.out, args.limit_mb, args.side)
    print(f"{args.out}: {count} textures, {size / 1e6:.1f} MB, JPEG quality {quality}")


if __name__ == "__main__":
    main()
