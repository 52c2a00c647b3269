import os
import sys

import cv2
import numpy as np
import pytest
import torch

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, ROOT)
DATA = os.path.join(ROOT, "..", "shared", "data")
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))


@pytest.fixture(scope="session")
def data():
    """Folder of the real test material; CI has it and must not skip."""
    if not os.path.isdir(DATA):
        if os.environ.get("CI"):
            pytest.fail(f"CI needs {DATA}")
        pytest.skip(f"no real test material at {DATA}")
    return DATA


@pytest.fixture(scope="session")
def bank():
    """Made textures: coloured noise at several scales, so that tests need no photographs."""
    g = torch.Generator().manual_seed(0)
    side = 320
    total = 0
    for cell in (4, 16, 64):
        coarse = torch.rand(12, 3, side // cell, side // cell, generator=g)
        total = total + torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
    rgb = ((total / 3 - 0.5) * 2 + 0.5).clamp(0, 1) * 255
    out = torch.empty((12, side, side, 4), dtype=torch.uint8)
    out[..., :3] = rgb.permute(0, 2, 3, 1).byte()
    out[..., 3] = (torch.arange(12) % 4)[:, None, None]
    return out


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A folder of 25 made photographs, as textures lie on a disk."""
    root = tmp_path_factory.mktemp("textures")
    os.makedirs(root / "photos")
    rng = np.random.RandomState(0)
    for i in range(25):
        small = rng.randint(0, 256, (20, 20, 3), np.uint8)
        cv2.imwrite(str(root / "photos" / f"{i:02d}.png"), cv2.resize(small, (200, 180), interpolation=cv2.INTER_CUBIC))
    return str(root)
