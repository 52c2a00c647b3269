"""Build a texture folder from Debian packages, for those who have no photographs of their own.

    python3 -m training.fetch_textures --out textures
    python3 -m training.train --textures textures ...

Downloads the packages with `apt-get download` (about 360 MB, no root needed; run `apt-get update` before if it does not find them), unpacks them
into a temporary folder and writes square crops at several scales, the most detailed ones:

    wallpapers/   of the wallpapers
    photos/       of the opaque insides of Tux Paint's stamps
    copyright/    the copyright file of each package
    SOURCES.tsv   crop, package, version, file in the package
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import cv2
import numpy as np

from training import textures

WALLPAPERS = ("gnome-backgrounds", "mate-backgrounds", "plasma-workspace-wallpapers", "ukui-wallpapers")
STAMPS = ("tuxpaint-stamps-default",)
CROPS = ((1, 1), (2, 6), (4, 12))  # (divisor of the image's short side, number of crops at most)
SIDE, MIN_SIDE = 560, 160          # pixels: of a written crop at most; of a crop in its image at least
MIN_DETAIL = 1.5                   # of a crop (see detail): what is smoother shows no motion


def download(package, folder):
    """Download and unpack a package. Returns the folder that it is unpacked to and its version. RuntimeError if apt-get or dpkg-deb fails."""
    out = os.path.join(folder, package)
    os.makedirs(out)

    def run(*command):
        done = subprocess.run(command, cwd=out, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    run("apt-get", "download", package)
    deb = next(f for f in os.listdir(out) if f.endswith(".deb"))
    version = run("dpkg-deb", "--field", deb, "Version").strip()
    run("dpkg-deb", "--extract", deb, "unpacked")
    os.remove(os.path.join(out, deb))
    return os.path.join(out, "unpacked"), version


def images(root):
    """Paths of the images under `root`, sorted. Of one picture in several sizes (1920x1080.jpg, 5120x2880.jpg; Sea.jpg, Sea_3840x2160.jpg) only
    the largest file."""
    largest = {}
    for folder, _, names in os.walk(root):
        for name in names:
            stem, kind = os.path.splitext(name)
            if kind.lower() not in (".jpg", ".jpeg", ".png", ".webp") or stem == "screenshot":
                continue
            path = os.path.join(folder, name)
            picture = os.path.join(folder, re.sub(r"(^|_)\d+x\d+$", "", stem))
            if picture not in largest or os.path.getsize(path) > os.path.getsize(largest[picture]):
                largest[picture] = path
    return sorted(largest.values())


def opaque_square(alpha):
    """The largest square of opaque pixels: (x, y, side). alpha: uint8 [H, W]."""
    mask = np.pad((alpha >= 250).astype(np.uint8), 1)
    reach = cv2.distanceTransform(mask, cv2.DIST_C, 3)  # the half side of the square around each pixel
    y, x = np.unravel_index(reach.argmax(), reach.shape)
    half = int(reach[y, x])
    return x - half, y - half, 2 * half - 1


def detail(crop):
    """Mean difference of neighbouring pixels in grey levels, with the crop at the size of a texture in training."""
    grey = cv2.cvtColor(cv2.resize(crop, (textures.SIDE, textures.SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY).astype(np.float32)
    return (np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()) / 2


def squares(image):
    """Crops of an image [H, W, 3], at most SIDE pixels wide: at each scale of CROPS the most detailed cells of a grid."""
    h, w = image.shape[:2]
    out = []
    for divisor, most in CROPS:
        side = min(h, w) // divisor
        if side < MIN_SIDE:
            continue
        across, down = w // side, h // side
        x0, y0 = (w - across * side) // 2, (h - down * side) // 2
        cells = [image[y:y + side, x:x + side] for y in range(y0, y0 + down * side, side) for x in range(x0, x0 + across * side, side)]
        best = sorted(((detail(cell), i) for i, cell in enumerate(cells)), reverse=True)[:most]
        chosen = [cells[i] for found, i in best if found >= MIN_DETAIL]
        out += [cv2.resize(c, (SIDE, SIDE), interpolation=cv2.INTER_AREA) if side > SIDE else c for c in chosen]
    return out


def read(path):
    """The image at `path`, BGR, cut to its opaque inside; None if OpenCV cannot read it."""
    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if image is None:
        return None
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 3 and image.shape[2] == 4 and image[..., 3].min() < 250:
        x, y, side = opaque_square(image[..., 3])
        image = image[y:y + side, x:x + side]
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


def fetch(out):
    """Write the crops of all packages below `out`, which must not exist. Returns the number of crops of each package."""
    os.makedirs(out)
    os.mkdir(os.path.join(out, "copyright"))
    counts = {}
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(out, "SOURCES.tsv"), "w") as sources:
        sources.write("crop\tpackage\tversion\tfile\n")
        for kind, packages in (("wallpapers", WALLPAPERS), ("photos", STAMPS)):
            os.makedirs(os.path.join(out, kind))
            for package in packages:
                root, version = download(package, folder)
                shutil.copy(os.path.join(root, "usr", "share", "doc", package, "copyright"), os.path.join(out, "copyright", package))
                counts[package] = 0
                for path in images(root):
                    image = read(path)
                    for crop in [] if image is None else squares(image):
                        name = os.path.join(kind, f"{package}-{counts[package]:04d}.jpg")
                        cv2.imwrite(os.path.join(out, name), crop, [cv2.IMWRITE_JPEG_QUALITY, 92])
                        sources.write(f"{name}\t{package}\t{version}\t{os.path.relpath(path, root)}\n")
                        counts[package] += 1
                shutil.rmtree(root)
                print(f"{package} {version}: {counts[package]} crops", flush=True)
    return counts


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True, help="folder to write; it must not exist")
    args = p.parse_args(argv)
    try:
        fetch(args.out)
    except (FileExistsError, RuntimeError) as error:
        sys.exit(f"fetch_textures: {error}")


if __name__ == "__main__":
    main()
