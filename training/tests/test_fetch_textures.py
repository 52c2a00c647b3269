import os
import subprocess

import cv2
import numpy as np
import pytest

from training import fetch_textures, textures


def noise(height, width, channels=3, seed=0):
    rng = np.random.RandomState(seed)
    return cv2.resize(rng.randint(0, 256, (height // 10, width // 10, channels), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Two small packages and an `apt-get` that serves them."""
    archive = tmp_path / "archive"
    os.makedirs(archive)
    stamp = noise(400, 600, 4)
    stamp[..., 3] = 0
    stamp[50:350, 200:500, 3] = 255
    for name, files in (("walls", {"a/1080x1920.png": noise(400, 300), "a/5120x2880.png": noise(800, 1000), "a/screenshot.png": noise(400, 400), "flat.png": np.full((800, 800, 3), 90, np.uint8)}),
                        ("stamps", {"cat.png": stamp})):
        root = tmp_path / name
        for path, image in files.items():
            path = root / "usr" / "share" / name / path
            os.makedirs(path.parent, exist_ok=True)
            cv2.imwrite(str(path), image)
        os.makedirs(root / "usr" / "share" / "doc" / name)
        (root / "usr" / "share" / "doc" / name / "copyright").write_text(f"licence of {name}\n")
        os.makedirs(root / "DEBIAN")
        (root / "DEBIAN" / "control").write_text(f"Package: {name}\nVersion: 1.2-3\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: test\n")
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(root), str(archive / f"{name}.deb")], check=True, capture_output=True)
    apt = tmp_path / "bin" / "apt-get"
    os.makedirs(apt.parent)
    apt.write_text(f'#!/bin/sh\n[ "$1" = download ] && cp "{archive}/$2.deb" .\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(apt.parent), prepend=os.pathsep)
    monkeypatch.setattr(fetch_textures, "WALLPAPERS", ("walls",))
    monkeypatch.setattr(fetch_textures, "STAMPS", ("stamps",))


def test_a_folder_is_built_that_textures_load(packages, tmp_path):
    out = tmp_path / "out"
    fetch_textures.main(["--out", str(out)])
    rows = [line.split("\t") for line in (out / "SOURCES.tsv").read_text().splitlines()]
    assert rows[0] == ["crop", "package", "version", "file"] and {r[3] for r in rows[1:]} == {"usr/share/walls/a/5120x2880.png", "usr/share/stamps/cat.png"}
    assert {r[2] for r in rows[1:]} == {"1.2-3"} and (out / "copyright" / "walls").read_text() == "licence of walls\n"
    walls = [cv2.imread(str(out / r[0])).shape[0] for r in rows[1:] if r[1] == "walls"]
    assert sorted(walls) == [200] * 12 + [400] * 4 + [560], "whole, halves and quarters of the short side"
    assert [cv2.imread(str(out / r[0])).shape for r in rows[1:] if r[1] == "stamps"] == [(299, 299, 3)]
    bank = textures.load(str(out))
    assert len(bank) == 18 and sorted(set(bank[:, 0, 0, 3].tolist())) == [0, 1]


def test_a_package_that_cannot_be_downloaded_is_an_error(packages, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_textures, "STAMPS", ("missing",))
    with pytest.raises(SystemExit, match="apt-get download missing"):
        fetch_textures.main(["--out", str(tmp_path / "out")])


def test_a_folder_that_exists_is_left_alone(tmp_path):
    with pytest.raises(SystemExit, match="File exists"):
        fetch_textures.main(["--out", str(tmp_path)])


def test_the_opaque_square_is_the_largest_one():
    alpha = np.zeros((60, 80), np.uint8)
    alpha[10:40, 20:70] = 255
    x, y, side = fetch_textures.opaque_square(alpha)
    assert side == 29 and (alpha[y:y + side, x:x + side] == 255).all()
