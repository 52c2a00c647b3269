"""NeuFlow v2 (Zhang et al., 2024) from the authors' repository. Its graph has a fixed size, because the code keeps tensors of one size."""
import os

import torch
import torch.nn.functional as F
from torch import nn

from training.peers import graph


class Graph(nn.Module):
    """image1, image2 float [1, 3, H, W], BGR, 0-255 -> flow [1, 2, H, W]. The authors' code divides its arguments in place."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image1, image2):
        return self.network(image1.clone(), image2.clone())[-1]


def attention(query, key, value, dropout_p=0.0):
    """torch.nn.functional.scaled_dot_product_attention, which PyTorch has from 2.0 on and older ONNX exporters lack."""
    return torch.softmax(query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5, -1) @ value


class NeuFlow(graph.Peer):
    name, input = "neuflow-v2", {"layout": "NCHW", "channels": "BGR"}

    def __init__(self, network, size):
        self.graph, self.size = Graph(network.eval()), size
        self.parameters = sum(p.numel() for p in network.parameters())

    def flow(self, image1, image2):
        return self.graph(image1, image2)

    def write(self, folder):
        graph.export(self.graph, graph.pictures(*self.size), os.path.join(folder, "model.onnx"), ["image1", "image2"], ["flow"], None)
        return ["model.onnx", self.card(folder)]


def load(args):
    width, height = args.size
    if width % 16 or height % 16:
        raise SystemExit(f"--size {width}x{height}: neuflow needs multiples of 16")
    graph.without_hub()
    with graph.path(args.code):
        from NeuFlow import neuflow
    F.scaled_dot_product_attention = attention
    network = neuflow.NeuFlow()
    if args.weights:
        network.load_state_dict(graph.state(args.weights, "model"))
    network.eval().init_bhwd(1, height, width, "cpu", amp=False)
    return NeuFlow(network, args.size)
