"""The mean of the averaged weights of two checkpoints of one network: what was learned lately, without forgetting what was learned before
(weight-space ensembles of a fine-tuned network: Wortsman et al., CVPR 2022).

    python3 -m training.average models/winwin-tiny runs/tiny/checkpoint.pt runs/tiny/mean.pt --share 0.5

The counters and options are those of the second checkpoint. Checkpoints of earlier versions of the network count with their new parts as they are
before any training. Choose the share on synthetic frames.
"""
import argparse

from training import checkpoint, network, tasks, warm_start


def weights(saved):
    """A checkpoint's averaged weights under the names and in the shapes of the present network."""
    net = tasks.TASKS[saved.get("task", "flow")].network(network.Config(**saved["network"]))
    warm_start.load_whole(net, saved["ema"])
    return net.state_dict()


def mean(first, second, share):
    """`second` with weights of (1 - share) first + share second, without optimiser and random state. ValueError if the networks differ."""
    if first["network"] != second["network"]:
        raise ValueError("the checkpoints hold networks of different sizes")
    blend = lambda a, b: a.lerp(b, share) if b.is_floating_point() else b
    ours = weights(first)
    blended = {k: blend(ours[k], v) for k, v in weights(second).items()}
    kept = {k: v for k, v in second.items() if k not in ("optimiser", "random")}
    return {**kept, "model": blended, "ema": blended}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("first")
    p.add_argument("second")
    p.add_argument("to", help="checkpoint to write")
    p.add_argument("--share", type=float, default=0.5, help="share of the second checkpoint, 0 to 1 (default: %(default)s)")
    args = p.parse_args()
    if not 0 <= args.share <= 1:
        p.error(f"--share {args.share:g}: choose a number from 0 to 1")
    checkpoint.save(args.to, mean(checkpoint.load(args.first), checkpoint.load(args.second), args.share))


if __name__ == "__main__":
    main()
