"""RAFT (Teed and Deng, ECCV 2020), small and large, from the authors' folder core/."""
import argparse
import os

import torch
from torch import nn

from training.peers import graph

SIDE = 8          # pixels of a feature
ITERATIONS = {True: 20, False: 32}  # of the small and the large network, as the authors evaluate on Sintel


class Encoder(nn.Module):
    """frame float [1, 3, H, W], 0-255 -> matching features and context."""
    OUTPUTS = ("fmap", "context")

    def __init__(self, raft):
        super().__init__()
        self.fnet, self.cnet = raft.fnet, raft.cnet

    def forward(self, frame):
        x = 2 * (frame / 255.0) - 1.0
        return self.fnet(x), self.cnet(x)


class Given(nn.Module):
    """A network that returns what it was given beforehand."""

    def forward(self, _):
        return self.value


class Decoder(nn.Module):
    """Features of two frames -> flow float [1, 2, H, W]. It is the authors' forward() with the features in place of its encoders."""

    def __init__(self, raft, iterations):
        super().__init__()
        self.raft, self.iterations = raft, iterations
        raft.fnet, raft.cnet = Given(), Given()

    def forward(self, fmap1, context, fmap2):
        self.raft.fnet.value, self.raft.cnet.value = (fmap1, fmap2), context
        image = fmap1.new_zeros(1, 3, SIDE * fmap1.shape[2], SIDE * fmap1.shape[3])  # only its size counts
        return self.raft(image, image, iters=self.iterations, test_mode=True)[1]


class Raft(graph.Peer):
    def __init__(self, raft, small, iterations):
        self.raft, self.iterations = raft.eval(), iterations
        self.name = "raft-small" if small else "raft"
        self.parameters = sum(p.numel() for p in raft.parameters())
        # the coarsest of four levels of correlation must have two pixels a side
        self.input = {"layout": "NCHW", "multiple": SIDE, "minimum": 128, "padding": "center"}

    def flow(self, image1, image2):
        return self.raft(image1, image2, iters=self.iterations, test_mode=True)[1]

    def write(self, folder):
        frame = graph.pictures(152, 136)[0]
        encoder = Encoder(self.raft).eval()
        fmap, context = encoder(frame)
        planes, coarse = {2: "H", 3: "W"}, {2: "h", 3: "w"}
        graph.export(encoder, (frame,), os.path.join(folder, "encoder.onnx"), ["frame"], list(Encoder.OUTPUTS),
                     {"frame": planes, **{n: coarse for n in Encoder.OUTPUTS}})
        kept = self.raft.fnet, self.raft.cnet
        names = ["a.fmap", "a.context", "b.fmap"]
        graph.export(Decoder(self.raft, self.iterations), (fmap, context, fmap.flip(3)), os.path.join(folder, "decoder.onnx"), names, ["flow"],
                     {**{n: coarse for n in names}, "flow": planes})
        self.raft.fnet, self.raft.cnet = kept
        return ["encoder.onnx", "decoder.onnx", self.card(folder)]


def load(args):
    with graph.path(args.code):
        from raft import RAFT
    network = RAFT(argparse.Namespace(small=args.small, mixed_precision=False, alternate_corr=False, dropout=0))
    if args.weights:
        network.load_state_dict(graph.state(args.weights))
    return Raft(network, args.small, args.iterations or ITERATIONS[args.small])
