"""Writing the graphs and the card of a peer, and running them with wwflow beside the code that they come from."""
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import types

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from training import flowfiles

OPSET = 16  # has GridSample


class Peer:
    """An author's network. Subclasses write graphs and give the flow of the original code.

    name, parameters: of the card. input: the card's entry of that name. size: (width, height) if the graph takes one size only.
    """
    name, parameters, input, size = "", 0, {}, None

    def write(self, folder):
        """Write the graphs and model.json; return their names."""
        raise NotImplementedError

    def flow(self, image1, image2):
        """Flow of the original code, float [1, 2, H, W], of float images [1, 3, H, W] in the card's range and channels."""
        raise NotImplementedError

    def card(self, folder):
        """Write model.json."""
        card = {"format": 2, "name": self.name, "version": "authors", "parameters": self.parameters, "input": self.input, "output": {"layout": "NCHW"},
                "licence": "see the authors' code and weights"}
        with open(os.path.join(folder, "model.json"), "w") as f:
            json.dump(card, f, indent=1)
            f.write("\n")
        return "model.json"


@contextlib.contextmanager
def path(*folders):
    """Import from these folders, as the authors' scripts do."""
    sys.path[:0] = folders
    try:
        yield
    finally:
        del sys.path[:len(folders)]


def without_hub():
    """Let code be imported that inherits a class of huggingface_hub for downloads, where that package is missing."""
    if importlib.util.find_spec("huggingface_hub") is not None:
        return

    class Mixin:
        def __init_subclass__(cls, **_):
            pass
    sys.modules["huggingface_hub"] = types.SimpleNamespace(PyTorchModelHubMixin=Mixin)


def state(weights, *keys):
    """The tensors of a checkpoint, without the prefix of DataParallel, below one of the keys if it has it."""
    saved = torch.load(weights, map_location="cpu")
    for key in keys:
        saved = saved.get(key, saved)
    return {name.removeprefix("module."): value for name, value in saved.items()}


def export(module, inputs, file, names, outputs, axes):
    """Write an ONNX file. axes: {name: {dimension: name of its size}}."""
    options = {"dynamo": False} if torch.__version__ >= "2.5" else {}
    torch.onnx.export(module.eval(), inputs, file, input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=OPSET, **options)


def pictures(width, height, seed=1):
    """Two random smooth images that differ by a shift of (3, 2) pixels, float [1, 3, H, W], whole numbers 0-255."""
    random = np.random.RandomState(seed)
    coarse = torch.from_numpy(random.rand(1, 3, height // 6 + 4, width // 6 + 4).astype(np.float32) * 255)
    fine = F.interpolate(coarse, scale_factor=6, mode="bicubic", align_corners=False).clamp(0, 255).round()
    return fine[..., 4:4 + height, 6:6 + width].contiguous(), fine[..., 2:2 + height, 3:3 + width].contiguous()


def reference(peer, first, second):
    """Flow [h, w, 2] of the original code for two RGB images uint8 [h, w, 3], padded as the card states."""
    h, w = first.shape[:2]
    multiple, least = peer.input.get("multiple", 1), peer.input.get("minimum", 1)
    extra = [-(-max(n, least) // multiple) * multiple - n for n in (w, h)]
    before = [e // 2 if peer.input.get("padding") == "center" else 0 for e in extra]
    if peer.input.get("channels") == "BGR":
        first, second = first[..., ::-1], second[..., ::-1]
    images = [torch.from_numpy(np.ascontiguousarray(x)).permute(2, 0, 1)[None].float() for x in (first, second)]
    images = [F.pad(x, (before[0], extra[0] - before[0], before[1], extra[1] - before[1]), mode="replicate") for x in images]
    flow = peer.flow(*images)[0, :, before[1]:before[1] + h, before[0]:before[0] + w]
    return flow.permute(1, 2, 0).numpy()


def estimated(wwflow, model, first, second):
    """Flow [h, w, 2] of two RGB images uint8 [h, w, 3] as the program estimates it."""
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        for name, image in (("1.png", first), ("2.png", second)):
            cv2.imwrite(at(name), image[..., ::-1])
        subprocess.run([wwflow, "pair", at("1.png"), at("2.png"), "-o", at("flow.flo"), "--model", model, "--device", "cpu", "--quiet"], check=True)
        return flowfiles.read(at("flow.flo"))


def samples(peer):
    """(name, first, second, None) of synthetic pictures, RGB uint8, in sizes that were not traced."""
    for width, height in [peer.size] if peer.size else [(171, 139), (256, 192)]:
        yield f"{width}x{height}", *(x[0].permute(1, 2, 0).byte().numpy() for x in pictures(width, height)), None
