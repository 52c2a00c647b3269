import os
import sys

import cv2
import numpy as np
import pytest
import torch

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, ROOT)
DATA = os.environ.get("WWFLOW_TESTDATA") or os.path.join(ROOT, "..", "shared", "data")
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))


def missing(what):
    """Skip the current test because `what` is missing, or fail it where WWFLOW_REQUIRE_ALL is set."""
    if os.environ.get("WWFLOW_REQUIRE_ALL"):
        pytest.fail(f"WWFLOW_REQUIRE_ALL is set, but {what}")
    pytest.skip(what)


@pytest.fixture(scope="session")
def data():
    """Folder of the real test material, named by WWFLOW_TESTDATA."""
    if not os.path.isdir(DATA):
        missing(f"there is no test material at {DATA}: set WWFLOW_TESTDATA")
    return DATA


@pytest.fixture(scope="session")
def bank():
    """Generated textures, coloured noise at several scales: uint8 [12, 320, 320, 4], as textures.load returns them."""
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
    """A texture folder with 25 generated images."""
    root = tmp_path_factory.mktemp("textures")
    os.makedirs(root / "photos")
    rng = np.random.RandomState(0)
    for i in range(25):
        small = rng.randint(0, 256, (20, 20, 3), np.uint8)
        cv2.imwrite(str(root / "photos" / f"{i:02d}.png"), cv2.resize(small, (200, 180), interpolation=cv2.INTER_CUBIC))
    return str(root)
