"""Export another network's own code and checkpoint as a folder that `wwflow --model` runs.

    python3 -m training.peers raft    --code RAFT/core  --weights raft-small.pth --small --to models/raft-small
    python3 -m training.peers searaft --code SEA-RAFT   --weights Tartan-C-T-TSKH-spring540x960-S.pth --config SEA-RAFT/config/eval/spring-S.json --to models/searaft
    python3 -m training.peers neuflow --code NeuFlow_v2 --weights neuflow_mixed.pth --size 768x432 --to models/neuflow

The code and the weights are their authors', under their licences. Without --weights the network has seeded random weights, which only
tests want. wwflow then runs the exported graphs beside the authors' code and the largest difference of the flow is printed, on synthetic
pictures, or with --pairs on those that a folder's pairs.tsv lists.
"""
import argparse
import importlib
import os
import shutil
import warnings

import numpy as np
import torch

from training import evaluate, measures
from training.peers import graph

TOLERANCE = 0.01  # pixels
NETWORKS = ("raft", "searaft", "neuflow")


def size(text):
    """WIDTHxHEIGHT as two integers."""
    width, height = text.lower().split("x")
    return int(width), int(height)


def main(arguments=None):
    p = argparse.ArgumentParser(prog="python3 -m training.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("network", choices=NETWORKS)
    p.add_argument("--code", required=True, help="folder of the authors' code")
    p.add_argument("--weights", help="the authors' checkpoint; random weights without it")
    p.add_argument("--to", required=True, help="model folder to write")
    p.add_argument("--small", action="store_true", help="raft: the small network")
    p.add_argument("--iterations", type=int, help="number of refinements; default: the authors'")
    p.add_argument("--config", help="searaft: the JSON file of the checkpoint in config/eval")
    p.add_argument("--size", type=size, default=(768, 432), help="neuflow: the fixed size, WIDTHxHEIGHT, multiples of 16")
    p.add_argument("--seed", type=int, default=0, help="of random weights")
    p.add_argument("--wwflow", default=shutil.which("wwflow") or "./wwflow", help="the program to compare with")
    p.add_argument("--pairs", help="folder of real pairs with pairs.tsv, to compare on")
    args = p.parse_args(arguments)
    if not os.path.isdir(args.code):
        p.error(f"--code: there is no folder {args.code}")
    if args.weights and not os.path.isfile(args.weights):
        p.error(f"--weights: there is no file {args.weights}")
    os.makedirs(args.to, exist_ok=True)
    torch.manual_seed(args.seed)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the authors' code and of tracing
        peer = importlib.import_module(f"training.peers.{args.network}").load(args)
        for name in peer.write(args.to):
            print(f"{name}: {os.path.getsize(os.path.join(args.to, name)) // 1024} KiB")
        if os.path.isfile(args.wwflow):
            compare(peer, args)
        else:
            print(f"not compared: there is no program {args.wwflow}; make build, or name it with --wwflow")


def compare(peer, args):
    """Print the differences from the authors' code. Above TOLERANCE fail: by the largest on synthetic pictures, by the mean over real pairs."""
    largest, means, errors = 0.0, [], []
    for name, first, second, truth in evaluate.real_pairs(args.pairs) if args.pairs else graph.samples(peer):
        want, got = graph.reference(peer, first, second), graph.estimated(args.wwflow, args.to, first, second)
        apart = np.linalg.norm(got - want, axis=-1)
        largest = max(largest, float(apart.max()))
        means.append(float(apart.mean()))
        line = f"{name}: largest difference {apart.max():.2e} px, mean {apart.mean():.1e} px, of flow up to {np.linalg.norm(want, axis=-1).max():.3g} px"
        if truth is not None:
            errors.append([measures.summary(f, truth)["epe"] for f in (want, got)])
            line += "; endpoint error: authors' code {:.3f} px, wwflow {:.3f} px".format(*errors[-1])
        print(line, flush=True)
    if errors:
        print("mean endpoint error: authors' code {:.3f} px, wwflow {:.3f} px".format(*np.mean(errors, 0)))
    # on real pairs a chain of refinements amplifies rounding where the flow is ambiguous: there PyTorch differs from itself in float64, too
    if not (np.mean(means) if args.pairs else largest) <= TOLERANCE:
        raise SystemExit(f"the exported graphs do not reproduce the authors' code to {TOLERANCE} px")


if __name__ == "__main__":
    main()
