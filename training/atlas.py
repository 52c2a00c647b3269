"""Pack texture images into one file of limited size, to carry them to a GPU machine.

    python3 -m training.atlas --textures textures --out .gpu/atlas.npz
"""
import argparse
import os

import cv2
import numpy as np

from training import textures

QUALITIES = (92, 88, 84, 80, 75, 70, 60)  # of JPEG, tried in this order


def pack(root, out, limit_mb=40, side=256):
    """Write all textures of a folder as JPEGs of side x side pixels into one .npz, at the best quality that fits `limit_mb`.
    Returns (images, bytes, quality). ValueError if even the lowest quality does not fit."""
    paths = textures.files(root)
    squares = [textures.square(p, side) for p in paths]
    for quality in QUALITIES:
        coded = [cv2.imencode(".jpg", s[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].ravel() for s in squares]
        if sum(len(c) for c in coded) < limit_mb * 1e6:
            break
    else:
        raise ValueError(f"{len(squares)} textures of {side} pixels do not fit {limit_mb} MB: lower --side")
    with open(out + ".tmp", "wb") as f:
        np.savez(f, data=np.concatenate(coded), ends=np.cumsum([len(c) for c in coded]), classes=np.uint8([textures.class_of(p) for p in paths]))
    os.replace(out + ".tmp", out)
    return len(squares), os.path.getsize(out), quality


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--textures", default=textures.DEFAULT, help="folder of texture images (default: %(default)s)")
    p.add_argument("--out", required=True, help="file to write, .npz")
    p.add_argument("--limit-mb", type=float, default=40, help="size limit in MB (default: %(default)s)")
    p.add_argument("--side", type=int, default=256, help="side of a stored texture in pixels (default: %(default)s)")
    args = p.parse_args()
    count, size, quality = pack(args.textures, args.out, args.limit_mb, args.side)
    print(f"{args.out}: {count} textures, {size / 1e6:.1f} MB, JPEG quality {quality}")


if __name__ == "__main__":
    main()
