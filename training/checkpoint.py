"""Checkpoints: written to a temporary name, then renamed, so that a cut never leaves half a file."""
import os

import torch

from training import network, warm_start


def save(path, state):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".tmp", "wb") as f:
        torch.save(state, f)
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)


def load(path, device="cpu"):
    try:
        return torch.load(path, map_location=device, weights_only=False)
    except TypeError:  # PyTorch before 2.0
        return torch.load(path, map_location=device)


def load_average(path):
    """The flow network with a checkpoint's EMA weights, ready to run: what ships. And the checkpoint itself."""
    saved = load(path)
    net = network.WinWin(network.CONFIGS[saved["config"]])
    warm_start.load(net, saved["ema"])
    return net.eval(), saved
