"""Export a checkpoint as the two ONNX graphs that package flow loads, with its model card.

    python3 -m training.export --checkpoint runs/tiny/checkpoint.pt --to models/winwin-tiny [--table table.json]

encoder.onnx: `frame` uint8 [1, H, W, 3] -> features. decoder.onnx: features of two frames (`a.*`, `b.*`) -> `flow` [1, H, W, 2] in pixels
and `log_scale` [1, H, W]. H and W are dynamic: the network pads and crops. encoder.fp16.onnx and decoder.fp16.onnx are the same in half
precision. parity/ gets two small frames and PyTorch's result for them, for the tests.
"""
import argparse
import json
import os
import subprocess
import warnings

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from training import card, checkpoint, export_forms, flowfiles, half

OPSET = 17


def token_positions(tokens_map):
    """(x, y) of each token of a map [1, C, r, c]: [1, r*c, 2], for r and c that are not known at export."""
    one = torch.ones_like(tokens_map[:, :1])
    return torch.cat([one.cumsum(3) - 1, one.cumsum(2) - 1], 1).flatten(2).transpose(1, 2)


class EncoderGraph(nn.Module):
    """frame uint8 [1, H, W, 3] -> OUTPUTS, of which `size` is (H, W)."""
    OUTPUTS = ("tokens", "keys", "p8", "p4", "c8", "c4", "c2", "c1", "size")

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, frame):
        size = torch._shape_as_tensor(frame)[1:3]
        x = frame.permute(0, 3, 1, 2).float()
        h, w = x.shape[2], x.shape[3]
        x = F.pad(x, (0, (16 - w % 16) % 16, 0, (16 - h % 16) % 16), mode="replicate")
        f = self.encoder(x, token_positions(x[:, :1, ::16, ::16]), 1)
        return tuple(f[n] for n in self.OUTPUTS[:-1]) + (size,)


class DecoderGraph(nn.Module):
    """FIRST features of frame 1 and SECOND features of frame 2 -> flow [1, H, W, 2], log_scale [1, H, W]."""
    FIRST = EncoderGraph.OUTPUTS
    SECOND = ("tokens", "keys", "c8", "c4", "c2", "c1")

    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, *features):
        a = dict(zip(self.FIRST, features))
        b = dict(zip(self.SECOND, features[len(self.FIRST):]))
        tokens_map = a["p8"][:, :1, ::2, ::2]
        xy = token_positions(tokens_map)
        out = self.decoder(a, b, xy, xy, torch.zeros(1, 2, 1, 1), (tokens_map.shape[2], tokens_map.shape[3]))
        h, w = a["size"][0], a["size"][1]
        return out["flow"][:, :, :h, :w].permute(0, 2, 3, 1), out["log_scale"][:, 0, :h, :w]


def graphs(net, folder):
    """Write encoder.onnx and decoder.onnx of a network."""
    net = net.eval().to(memory_format=torch.contiguous_format)
    encoder, decoder = EncoderGraph(net.encoder), DecoderGraph(net.decoder)
    frame = (torch.rand(1, 112, 176, 3) * 255).byte()
    axes = {"tokens": {1: "t"}, "keys": {1: "t"}, "size": {}, **{n: {2: "h" + n[1], 3: "w" + n[1]} for n in ("p8", "p4", "c8", "c4", "c2", "c1")}}
    options = dict(opset_version=OPSET, do_constant_folding=True, custom_opsets={"com.microsoft": 1})
    if torch.__version__ >= "2.5":
        options["dynamo"] = False
    with torch.no_grad(), warnings.catch_warnings(), export_forms.installed():
        warnings.simplefilter("ignore")
        one, two = (dict(zip(encoder.OUTPUTS, encoder(f))) for f in (frame, frame.flip(1)))
        torch.onnx.export(encoder, (frame,), os.path.join(folder, "encoder.onnx"), input_names=["frame"], output_names=list(encoder.OUTPUTS),
                          dynamic_axes={"frame": {1: "H", 2: "W"}, **{n: a for n, a in axes.items() if a}}, **options)
        names = ["a." + n for n in decoder.FIRST] + ["b." + n for n in decoder.SECOND]
        inputs = tuple(one[n] for n in decoder.FIRST) + tuple(two[n] for n in decoder.SECOND)
        torch.onnx.export(decoder, inputs, os.path.join(folder, "decoder.onnx"), input_names=names, output_names=["flow", "log_scale"],
                          dynamic_axes={**{n: axes[n[2:]] for n in names if axes[n[2:]]}, "flow": {1: "H", 2: "W"}, "log_scale": {1: "H", 2: "W"}}, **options)


def parity(net, folder):
    """Write two synthetic frames of an odd size and PyTorch's result for them, which the Go tests compare ONNX Runtime with."""
    os.makedirs(folder, exist_ok=True)
    rng = np.random.RandomState(3)
    base = cv2.GaussianBlur(rng.randint(0, 256, (160, 240, 3), np.uint8), (0, 0), 2).astype(np.float32)
    base = np.clip((base - 127) * 4 + 127, 0, 255).astype(np.uint8)
    one, two = base[20:120, 30:201], base[17:117, 35:206]  # 100 x 171; everything moves by (-5, 3)
    flow, scale = net.estimate(one.copy(), two.copy())
    for name, image in (("frame1.png", one), ("frame2.png", two)):
        cv2.imwrite(os.path.join(folder, name), image[..., ::-1])
    flowfiles.write_flo(os.path.join(folder, "flow.flo"), flow.numpy())
    np.save(os.path.join(folder, "log_scale.npy"), scale.numpy())


def present_commit():
    """Short hash of the code's commit."""
    return subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(__file__) or ".").stdout.strip()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--to", required=True, help="model directory to write")
    p.add_argument("--table", help="table.json of training.evaluate, copied into the card")
    p.add_argument("--device-note", default="2 CPU cores", help="what it was trained on")
    args = p.parse_args()
    net, saved = checkpoint.load_average(args.checkpoint)
    os.makedirs(args.to, exist_ok=True)
    at = lambda name: os.path.join(args.to, name)
    graphs(net, args.to)
    half.pair(at("encoder.onnx"), at("decoder.onnx"), at("encoder.fp16.onnx"), at("decoder.fp16.onnx"))
    parity(net, at("parity"))
    table = None
    if args.table:
        with open(args.table) as f:
            table = json.load(f)
    made = card.card(net, saved, present_commit(), args.device_note, table)
    with open(at("model.json"), "w") as f:
        json.dump(made, f, indent=1)
        f.write("\n")
    with open(at("README.md"), "w") as f:
        f.write(card.page(made, table))
    for name in ("encoder.onnx", "decoder.onnx", "encoder.fp16.onnx", "decoder.fp16.onnx"):
        print(name, os.path.getsize(at(name)) // 1024, "KiB")


if __name__ == "__main__":
    main()
