"""SEA-RAFT (Wang, Lipson and Deng, ECCV 2024) from the authors' repository."""
import argparse
import json
import os

import torch
from torch import nn

from training.peers import graph


class Graph(nn.Module):
    """image1, image2 float [1, 3, H, W], 0-255 -> flow [1, 2, H, W], log_scale [1, H, W].

    The network gives a mixture of two Laplace distributions; their expected absolute error is the mean of the scales by weight."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image1, image2):
        out = self.network(image1, image2, iters=self.network.args.iters, test_mode=True)
        flow, info = out["flow"][-1], out["info"][-1]
        weight = torch.softmax(info[:, :2], 1)
        large = info[:, 2].clamp(0, self.network.args.var_max)
        small = info[:, 3].clamp(self.network.args.var_min, 0)
        return flow, torch.log(weight[:, 0] * torch.exp(large) + weight[:, 1] * torch.exp(small))


class SeaRaft(graph.Peer):
    # the coarsest of four levels of correlation must have two pixels a side
    input = {"layout": "NCHW", "multiple": 8, "minimum": 128, "padding": "center"}

    def __init__(self, network, name):
        self.graph, self.name = Graph(network.eval()), name
        self.parameters = sum(p.numel() for p in network.parameters())

    def flow(self, image1, image2):
        return self.graph.network(image1, image2, test_mode=True)["flow"][-1]

    def write(self, folder):
        a, b = graph.pictures(152, 136)
        planes = {2: "H", 3: "W"}
        graph.export(self.graph, (a, b), os.path.join(folder, "model.onnx"), ["image1", "image2"], ["flow", "log_scale"],
                     {"image1": planes, "image2": planes, "flow": planes, "log_scale": {1: "H", 2: "W"}})
        return ["model.onnx", self.card(folder)]


class NoPadding:
    """In place of the authors' InputPadder: wwflow pads."""

    def __init__(self, shape):
        pass

    def pad(self, *images):
        return images

    def unpad(self, image):
        return image


def load(args):
    if not args.config:
        raise SystemExit("searaft needs --config, such as SEA-RAFT/config/eval/spring-S.json")
    with open(args.config) as f:
        config = argparse.Namespace(**json.load(f))
    if args.iterations:
        config.iters = args.iterations
    graph.without_hub()
    with graph.path(os.path.join(args.code, "core")):
        import extractor
        import raft
    extractor.ResNetFPN._init_weights = lambda *_: None  # weights for training, from the network
    raft.InputPadder = NoPadding
    network = raft.RAFT(config)
    if args.weights:
        network.load_state_dict(graph.state(args.weights), strict=False)  # as the authors load it
    return SeaRaft(network, "sea-raft-" + config.name)
