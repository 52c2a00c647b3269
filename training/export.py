"""Write a checkpoint as the two graphs that package flow loads, with its model card.

    python3 -m training.export --checkpoint runs/tiny/checkpoint.pt --to models/winwin-tiny [--table table.json]

encoder.onnx: `frame` uint8 [1, H, W, 3] -> features; decoder.onnx: `a.*`, `b.*` (features of two frames) -> `flow` [1, H, W, 2] in
pixels and `log_scale` [1, H, W]. Any H and W: the network pads and crops itself. Attention is com.microsoft.MultiHeadAttention, so that
ONNX Runtime never stores a tokens x tokens matrix. encoder.fp16.onnx and decoder.fp16.onnx are the same in half precision. Also writes parity/: two small frames and what PyTorch says of them, for the tests.
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

from training import checkpoint, evaluate, flowfiles, half

OPSET = 17
TEXTURES = ("metadata-extractor-images (free use), GroceryStoreDataset (MIT), clothing-dataset-small (CC0), Debian wallpapers: gnome-backgrounds, mate-backgrounds, "
            "plasma-workspace-wallpapers, lomiri-wallpapers, ukui-wallpapers (free licences)")


def token_positions(tokens_map):
    """(x, y) of each token of a map [1, C, r, c]: [1, r*c, 2], without shapes known beforehand."""
    one = torch.ones_like(tokens_map[:, :1])
    return torch.cat([one.cumsum(3) - 1, one.cumsum(2) - 1], 1).flatten(2).transpose(1, 2)


class EncoderGraph(nn.Module):
    names = ("tokens", "keys", "p8", "p4", "c8", "c4", "size")

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, frame):
        size = torch._shape_as_tensor(frame)[1:3]
        x = frame.permute(0, 3, 1, 2).float()
        h, w = x.shape[2], x.shape[3]
        x = F.pad(x, (0, (16 - w % 16) % 16, 0, (16 - h % 16) % 16), mode="replicate")
        f = self.encoder(x, token_positions(x[:, :1, ::16, ::16]), 1)
        return tuple(f[n] for n in self.names[:-1]) + (size,)


class DecoderGraph(nn.Module):
    one = ("tokens", "keys", "p8", "p4", "c8", "c4", "size")
    two = ("tokens", "keys", "c8", "c4")

    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, *features):
        a = dict(zip(self.one, features))
        b = dict(zip(self.two, features[len(self.one):]))
        like = a["p8"][:, :1, ::2, ::2]
        xy = token_positions(like)
        out = self.decoder(a, b, xy, xy, torch.zeros(1, 2, 1, 1), (1, 0, like.shape[2], like.shape[3]))
        h, w = a["size"][0], a["size"][1]
        return out["flow"][:, :, :h, :w].permute(0, 2, 3, 1), out["log_scale"][:, 0, :h, :w]


def graphs(net, folder):
    """Export both graphs of a network in evaluation mode."""
    net = net.eval().to(memory_format=torch.contiguous_format)
    encoder, decoder = EncoderGraph(net.encoder), DecoderGraph(net.decoder)
    frame = (torch.rand(1, 112, 176, 3) * 255).byte()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, two = dict(zip(encoder.names, encoder(frame))), dict(zip(encoder.names, encoder(frame.flip(1))))
        axes = {"tokens": {1: "t"}, "keys": {1: "t"}, "size": {}}
        axes.update({n: {2: "h" + n[1], 3: "w" + n[1]} for n in ("p8", "p4", "c8", "c4")})
        options = dict(opset_version=OPSET, do_constant_folding=True, custom_opsets={"com.microsoft": 1})
        if torch.__version__ >= "2.5":
            options["dynamo"] = False
        torch.onnx.export(encoder, (frame,), os.path.join(folder, "encoder.onnx"), input_names=["frame"], output_names=list(encoder.names),
                          dynamic_axes={"frame": {1: "H", 2: "W"}, **{n: a for n, a in axes.items() if a}}, **options)
        names = ["a." + n for n in decoder.one] + ["b." + n for n in decoder.two]
        inputs = tuple(one[n] for n in decoder.one) + tuple(two[n] for n in decoder.two)
        torch.onnx.export(decoder, inputs, os.path.join(folder, "decoder.onnx"), input_names=names, output_names=["flow", "log_scale"],
                          dynamic_axes={**{n: axes[n[2:]] for n in names if axes[n[2:]]}, "flow": {1: "H", 2: "W"}, "log_scale": {1: "H", 2: "W"}}, **options)


def parity(net, folder):
    """Two made frames of an odd size and PyTorch's answer, which the Go tests hold ONNX Runtime to."""
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


def errors(table, name):
    """The means of training.evaluate's table in the card's form: one row for each data set and method."""
    count = lambda group: sum(group in evaluate.groups_of(n) for n in table["pairs"])
    return [dict(data=group, method=name if method == "ours" else method, pairs=count(group), epe=round(m["epe"], 3), px1=round(m["px1"], 3), fl=round(m["fl"], 3))
            for group, row in table["means"].items() for method, m in row.items()]


def card_page(card, table):
    """The model card for people to read, Markdown."""
    t = card["training"]
    page = [f"# {card['name']}", "", "Written by `python3 -m training.export`; `model.json` says the same to programs.", "",
            f"- {card['parameters']:,} parameters, float32 and float16; a binocular vision transformer with matching and refinement (training/network.py)",
            f"- trained from nothing for {t['steps']:,} steps, {t['samples']:,} samples of two windows (or one larger), {t['minutes']:g} minutes on {t['device']}; code at {t['commit']}",
            f"- data: {t['data']}", f"- licence of the weights: {card['licence']}",
            "- trained for motion of up to 200 pixels at Full HD, on made scenes; where nothing has texture it is unsure, and `--style confidence` shows where", ""]
    if table:
        page += ["## Errors on whole frames", "", "`synthetic` and `synthetic-full-hd`: seeded scenes painted with textures that were never trained on; networks are chosen on these. The other pairs are real or "
                 "rendered by others, and only reported. Zero flow, Farneback and DIS (medium) of OpenCV on the same pairs.", "", evaluate.markdown(table)]
    return "\n".join(page)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--to", required=True, help="model directory to write")
    p.add_argument("--table", help="table.json of training.evaluate, copied into the card")
    p.add_argument("--device-note", default="2 CPU cores", help="what it was trained on")
    args = p.parse_args()
    net, saved = checkpoint.load_average(args.checkpoint)
    os.makedirs(args.to, exist_ok=True)
    graphs(net, args.to)
    at = lambda name: os.path.join(args.to, name)
    half.pair(at("encoder.onnx"), at("decoder.onnx"), at("encoder.fp16.onnx"), at("decoder.fp16.onnx"))
    parity(net, at("parity"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(__file__) or ".").stdout.strip()
    state = saved["state"]
    name = "winwin-" + saved["config"]
    card = dict(format=1, name=name, version="1", precisions=["fp32", "fp16"], parameters=sum(v.numel() for v in net.parameters()),
                training=dict(commit=commit, steps=state["step"], samples=state["samples"], minutes=round(state["seconds"] / 60, 1), device=args.device_note,
                              data="synthetic scenes rendered in windows; textures: " + TEXTURES),
                errors=errors(json.load(open(args.table)), name) if args.table else [], licence="Apache-2.0")
    with open(at("model.json"), "w") as f:
        json.dump(card, f, indent=1)
        f.write("\n")
    with open(at("README.md"), "w") as f:
        f.write(card_page(card, json.load(open(args.table)) if args.table else None))
    for name in ("encoder.onnx", "decoder.onnx", "encoder.fp16.onnx", "decoder.fp16.onnx"):
        print(name, os.path.getsize(at(name)) // 1024, "KiB")


if __name__ == "__main__":
    main()
