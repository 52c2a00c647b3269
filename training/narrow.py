"""Correlation steps with fewer channels and a smaller radius for a trained network: less time per pair at nearly the same accuracy.

    python3 -m training.narrow CHECKPOINT --network "inside=((48, 64, 32), (64, 96, 64), (48, 64, 32))" "later=(2, (48, 64, 32))" \\
        --frames 5000 --textures DIR --out narrow.pt

First channels are removed: one after another, each time the one whose removal changes least what the next convolution gives, and that convolution is
fitted to those that are left (least squares over cells of synthetic frames). Then the steps are trained to do what those of the given network do
(training/distill.py). All other weights stay as they are.
"""
import argparse
import dataclasses

import torch

from training import checkpoint, correlation, distill, frames, network, options, tasks, textures

CELLS = 8000        # of a frame that count for the least squares
STATISTICS = 12     # frames
RIDGE = 1e-9        # of the mean variance, so that channels that say the same can be told apart


@dataclasses.dataclass
class Layer:
    """Channels that one module gives (behind a ReLU) and the next one reads from its input channel `start` on."""
    given: str
    read: str
    start: int


def layers_inside(hidden):
    """The layers of a correlation step with `hidden` channels of state, in the order of Config.inside."""
    return Layer("evidence.0", "mix", hidden), Layer("mix", "update", 0), Layer("head.0", "head.2", 0)


@torch.no_grad()
def moments(net, bank, steps):
    """Means [C] and covariances [C, C] of the layers' channels: {(step, layer): (mean, covariance)}, float64."""
    cells, handles = {}, []

    def keep(key):
        def hook(module, inputs, output):
            flat = torch.relu(output).double().transpose(0, 1).flatten(1)
            cells.setdefault(key, []).append(flat[:, torch.randperm(flat.shape[1])[:CELLS]])
        return hook

    for name, step in steps.items():
        for layer in layers_inside(step.update.out_channels):
            handles.append(step.get_submodule(layer.given).register_forward_hook(keep((name, layer.given))))
    for s in frames.samples(bank, STATISTICS, seed=901, **tasks.FLOW_SCENES):
        net.estimate(s.frame1[0, 0], s.frame2[0, 0])
    for handle in handles:
        handle.remove()
    together = {key: torch.cat(found, 1) for key, found in cells.items()}
    return {key: (x.mean(1), torch.cov(x, correction=0)) for key, x in together.items()}


def fewer(covariance, weight, count):
    """Which `count` channels to keep, and the matrix [C, count] that gives all of them back: least squares of what a convolution with `weight` [out, C, k, k]
    makes of them. Greedy."""
    importance = torch.einsum("oikl,ojkl->ij", weight, weight)
    covariance = covariance + RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=covariance.dtype)
    given = lambda kept: torch.linalg.solve(covariance[kept][:, kept], covariance[kept]).T
    loss = lambda kept: ((covariance - given(kept) @ covariance[kept]) * importance).sum().item()
    kept = list(range(len(covariance)))
    while len(kept) > count:
        kept.remove(min(kept, key=lambda channel: loss([k for k in kept if k != channel])))
    return kept, given(kept)


def remove(weights, layer, kept, back, mean):
    """Remove a layer's other channels from the weights of a step: those of the module that gives them, and of the one that reads them."""
    end = layer.start + len(mean)
    for kind in ("weight", "bias"):
        weights[f"{layer.given}.{kind}"] = weights[f"{layer.given}.{kind}"][kept]
    weight = weights[f"{layer.read}.weight"]
    part = weight[:, layer.start:end]
    weights[f"{layer.read}.bias"] = weights[f"{layer.read}.bias"] + part.sum((2, 3)) @ (mean - back @ mean[kept])
    weights[f"{layer.read}.weight"] = torch.cat([weight[:, :layer.start], torch.einsum("oikl,ij->ojkl", part, back), weight[:, end:]], 1)


def step_weights(wide, found, small):
    """Weights for a correlation step like `small` from those of a `wide` one. found: moments of the latter's layers, {layer.given: (mean, covariance)}.
    ValueError if `small` is larger."""
    if small.radius > wide.radius:
        raise ValueError(f"a radius of {small.radius} is larger than the checkpoint's {wide.radius}: choose a smaller one")
    weights = {k: v.double() for k, v in wide.state_dict().items()}
    weights["evidence.0.weight"] = correlation.central(weights["evidence.0.weight"], small.radius)
    for layer in layers_inside(wide.update.out_channels):
        (mean, covariance), count = found[layer.given], small.get_submodule(layer.given).out_channels
        if count > len(mean):
            raise ValueError(f"{count} channels inside a step are more than the checkpoint's {len(mean)}: choose fewer")
        if count < len(mean):
            part = weights[f"{layer.read}.weight"][:, layer.start:layer.start + len(mean)]
            remove(weights, layer, *fewer(covariance, part, count), mean)
    return weights


def narrowed(net, bank, sizes):
    """A network of other sizes (network.Config) with the weights of `net`, but for correlation steps of fewer channels and smaller radius. Rounds after the
    first that get a step of their own start from that of the first. `bank`: textures of the frames whose least squares count. ValueError if a step would
    grow."""
    given, small = distill.steps_of(net), network.WinWin(sizes)
    found = moments(net, bank, given)
    weights = {k: v for k, v in net.state_dict().items() if not k.startswith(tuple(f"{name}." for name in given))}
    for name, step in distill.steps_of(small).items():
        source = name if name in given else name.replace("later", "step")
        own = {layer: moment for (which, layer), moment in found.items() if which == source}
        weights.update({f"{name}.{k}": v for k, v in step_weights(given[source], own, step).items()})
    small.load_state_dict(checkpoint.full_precision(weights))
    return small.eval()


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint", help="of the network to narrow: a file, or a folder of checkpoint.part*")
    p.add_argument("--out", required=True, help="checkpoint to write")
    p.add_argument("--network", nargs="+", required=True, metavar="NAME=VALUE", help="sizes that differ from the checkpoint's: inside, later")
    p.add_argument("--start", help="checkpoint of a network of these sizes to start from, instead of least squares")
    p.add_argument("--frames", type=int, default=5000, help="synthetic frames to train on after the removal (default: %(default)s)")
    p.add_argument("--rate", type=float, default=1.5e-4, help="peak learning rate (default: %(default)s); much more destroys what least squares gave")
    p.add_argument("--textures", default=textures.DEFAULT, help="folder of texture images, or an atlas (default: %(default)s)")
    p.add_argument("--limit", type=int, help="use at most so many textures")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args(argv)
    changes = options.sizes(args.network)
    if changes.keys() - {"inside", "later"}:
        p.error(f"--network {' '.join(args.network)}: only inside and later can be narrowed")
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # a second process runs the given network
    bank, _ = frames.split(textures.load(args.textures, args.limit))
    net, saved = checkpoint.load_average(args.checkpoint)
    sizes = dataclasses.replace(net.config, **changes)
    try:
        small = checkpoint.load_average(args.start)[0] if args.start else narrowed(net, bank, sizes)
    except ValueError as error:
        p.error(str(error))
    if small.config != sizes:
        p.error(f"{args.start} holds {small.config}, not {sizes}")
    content = {k: v for k, v in saved.items() if k not in ("optimiser", "random")}

    def save():
        weights = small.state_dict()
        checkpoint.save(args.out, dict(content, network=dataclasses.asdict(sizes), model=weights, ema=weights))

    save()
    distill.train(net, small, bank, args.frames, args.rate, args.seed, save)


if __name__ == "__main__":
    main()
