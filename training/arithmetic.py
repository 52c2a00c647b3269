"""How many multiplications the network needs for a pair of frames, part by part.

    python3 -m training.arithmetic --config tiny --size 1920x1080

Counted in convolutions, linear layers, attention and local correlation, on PyTorch's meta device, so nothing is computed. In a video
the first frame's features are kept, so that a pair costs one encoding and one decoding.
"""
import argparse
from collections import Counter

import torch
from torch import nn

from training import configs, network, operators


class Count:
    """Counts multiply-accumulate operations (MAC) of a network's parts while it runs inside `with`: {name of the part: MAC}."""
    def __init__(self, net):
        self.net, self.parts, self.current = net, Counter(), ""

    def __enter__(self):
        self.hooks = [m.register_forward_pre_hook(self.enter(name)) for name, m in self.net.named_modules() if name]
        self.hooks += [m.register_forward_hook(self.layer) for m in self.net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
        self.eager = operators.attention, operators.local_correlation
        operators.attention, operators.local_correlation = self.attention, self.local_correlation
        return self

    def __exit__(self, *_):
        operators.attention, operators.local_correlation = self.eager
        for hook in self.hooks:
            hook.remove()

    def enter(self, name):
        def hook(*_):
            self.current = ".".join(name.split(".")[:2])
        return hook

    def layer(self, module, _, out):
        if isinstance(module, nn.Conv2d):
            self.parts[self.current] += out.numel() * module.weight[0].numel()
        else:
            self.parts[self.current] += out.numel() * module.in_features

    def attention(self, q, k, v, heads):
        self.parts["attention" if heads > 1 else "matching"] += q.shape[0] * q.shape[1] * k.shape[1] * (q.shape[2] + v.shape[2])
        return q.new_empty(*q.shape[:2], v.shape[2])

    def local_correlation(self, a, b, radius):
        self.parts["correlation"] += a.numel() * (2 * radius + 1) ** 2
        return a.new_empty(a.shape[0], (2 * radius + 1) ** 2, *a.shape[2:])


def pair(config, height, width):
    """MAC of one encoding and one decoding of whole frames, {part: MAC}. Sides are rounded up to whole tokens."""
    net = network.WinWin(config).eval().to("meta")
    rows, columns = -(-height // network.PATCH), -(-width // network.PATCH)
    frame = torch.empty(1, 3, rows * network.PATCH, columns * network.PATCH, device="meta")
    xy = network.positions(torch.zeros(1, 1, 2, dtype=torch.int64), rows, columns).to("meta")
    with torch.no_grad(), Count(net) as count:
        features = net.encoder(frame, xy, 1)
        net.decoder(features, features, xy, xy, torch.empty(1, 2, 1, 1, device="meta"), (rows, columns))
    return dict(count.parts)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--config", default="tiny", help="configuration (training/configs)")
    p.add_argument("--size", default="1920x1080", help="WxH of the frames")
    args = p.parse_args()
    width, height = (int(x) for x in args.size.split("x"))
    parts = pair(network.Config(**configs.load(args.config)[0]), height, width)
    for name, mac in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"{name:24} {mac / 1e9:8.2f} GMAC")
    print(f"{'all':24} {sum(parts.values()) / 1e9:8.2f} GMAC")


if __name__ == "__main__":
    main()
