#!/usr/bin/python3
"""Measures how fast the formulas of generate.py score Full-HD flow in NumPy.

  speed.py write DIR    writes a sequence of three frames with four ground truths, and flow files for them
  speed.py time DIR     reads and scores them once; prints pairs per second and the mean endpoint error
"""
import sys, time
import h5py, numpy as np
from PIL import Image

import generate

W, H = 1920, 1080
root, folder = sys.argv[2], sys.argv[2] + "/data/train/0001"


def write():
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:2 * H, 0:2 * W].astype(np.float32)
    for number in (1, 2, 3):
        generate.save(f"{folder}/frame_left/frame_left_{number:04d}.png", np.zeros((H, W, 3), np.uint8))
        generate.save(f"{folder}/maps/skymap_left/skymap_left_{number:04d}.png", np.where(y < 400 + 50 * np.sin(x / 90), 255, 0).astype(np.uint8))
    for i, (direction, camera, n) in enumerate(f for f in generate.flows(3) if f[1] == "left"):
        kind = f"flow_{direction}_{camera}"
        truth = np.stack([12 * np.sin(x / (300 + i)) + 0.01 * y, 9 * np.cos(y / 200) + 0.002 * x], -1).astype(np.float32)
        truth[x + y > 5000] *= 3
        truth[900:960, 700:2000] = np.nan
        estimate = (np.nan_to_num(truth[::2, ::2]) + rng.normal(0, 1, (H, W, 2))).astype(np.float32)
        generate.save(f"{folder}/{kind}/{kind}_{n:04d}.flo5", truth)
        generate.save(f"{root}/flow/0001/{kind}/{kind}_{n:04d}.flo5", estimate)
        small = np.where(np.sin(x[:H, :W] / 20) * np.cos(y[:H, :W] / 30) > 0.7, 255, 0).astype(np.uint8)
        generate.save(f"{folder}/maps/detailmap_{kind}/detailmap_{kind}_{n:04d}.png", small)
        generate.save(f"{folder}/maps/matchmap_{kind}/matchmap_{kind}_{n:04d}.png", np.stack([small, small[::-1], small], -1))
        generate.save(f"{folder}/maps/rigidmap_{direction}_{camera}/rigidmap_{direction}_{camera}_{n:04d}.png",
                      np.where(np.sin(x / 200) * np.cos(y / 300) > 0.5, 255, 0).astype(np.uint8))


def score():
    begin, measured = time.perf_counter(), []
    for direction, camera, n in (f for f in generate.flows(3) if f[1] == "left"):
        kind, turned = f"flow_{direction}_{camera}", f"{direction}_{camera}"
        flow = lambda path: h5py.File(path)["flow"][()]
        picture = lambda name: np.asarray(Image.open(f"{folder}/maps/{name}/{name}_{n:04d}.png"))
        measured.append(generate.measure(
            flow(f"{folder}/{kind}/{kind}_{n:04d}.flo5"), flow(f"{root}/flow/0001/{kind}/{kind}_{n:04d}.flo5"),
            picture(f"detailmap_{kind}"), picture(f"matchmap_{kind}"), picture(f"rigidmap_{turned}"), picture(f"skymap_{camera}"), False))
    table = generate.table(measured)
    print(len(measured) / (time.perf_counter() - begin), table["all"]["epe_pixels"])


{"write": write, "time": score}[sys.argv[1]]()
