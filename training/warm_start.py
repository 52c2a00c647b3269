"""Weights of earlier versions of the network as the start of the present one.

Parameters that were renamed are found under their old names; parts that are new keep the initialisation that makes them change
(almost) nothing; parts that are gone are left out. Only projections to fewer channels (Matching, TokenPropagation)
and steps of later rounds start at random and have to be learned; training.narrow starts the latter from the steps of the first rounds.
"""
import re

import torch

RENAMED = [  # (pattern of an old name, its replacement), all applied in this order
    (r"^(encoder\.(?:down[48]\.\d+|smooth[48]))\.a\.", r"\1.first."),
    (r"^(encoder\.(?:down[48]\.\d+|smooth[48]))\.b\.", r"\1.second."),
    (r"^decoder\.prior\.(weight|bias)$", r"decoder.prior.linear.\1"),
    (r"^decoder\.nearness$", "decoder.prior.log_distance_weight"),
    (r"^decoder\.alike_nearness$", "decoder.prior.log_propagation_weight"),
    (r"^decoder\.match_query\.", "decoder.matching.query."),
    (r"^decoder\.temperature$", "decoder.matching.log_temperature"),
    (r"^decoder\.alike\.", "decoder.propagation.embed."),
    (r"^decoder\.alike_temperature$", "decoder.propagation.log_temperature"),
    (r"^decoder\.trust$", "decoder.propagation.log_variance_weight"),
    (r"^decoder\.doubt16\.", "decoder.uncertainty16."),
    (r"^decoder\.update(\d+)\.sharpness$", r"decoder.step\1.log_sharpness"),
    (r"^decoder\.update(\d+)\.turn\.", r"decoder.step\1.update."),
    (r"^decoder\.update(\d+)\.", r"decoder.step\1."),
]


def present_name(name):
    """The name that a parameter of an earlier version has now."""
    for pattern, replacement in RENAMED:
        name = re.sub(pattern, replacement, name)
    return name


GROWN = {"decoder.found.weight"}  # linear layers that got inputs behind their old ones; elsewhere another size means other channels


def widened(name, old, new):
    """The weights of an old convolution [out, in, k, k] or of a layer of GROWN [out, in], with zeros for the input channels that were added behind them, as
    `new` has them."""
    fits = (old.dim() == 4 or name in GROWN) and old.shape[0] == new.shape[0] and old.shape[1] < new.shape[1] and old.shape[2:] == new.shape[2:]
    return torch.cat([old, torch.zeros_like(new[:, old.shape[1]:])], 1) if fits else None


def load(net, state):
    """Load into `net` what fits of a state dict of this or an earlier version.

    Returns (new, unused): names of net's parameters that keep their initialisation, and of the state's that found no place.
    """
    own, found, unused = net.state_dict(), {}, []
    for old_name, value in state.items():
        name = present_name(old_name)
        value = value.float() if value.is_floating_point() else value
        if name in own and own[name].shape != value.shape:
            value = widened(name, value, own[name])
        if name in own and value is not None:
            found[name] = value
        else:
            unused.append(old_name)
    net.load_state_dict(found, strict=False)
    return [name for name in own if name not in found], unused


def load_whole(net, state):
    """load, for weights that go on as they are: ValueError if a tensor has another size in `net`. Returns the names of net's parameters that keep their
    initialisation."""
    new, unused = load(net, state)
    misfits = [name for name in unused if present_name(name) in net.state_dict()]
    if misfits:
        raise ValueError(f"the checkpoint holds a network of an earlier version: {misfits[0]} has another size now, and {len(misfits) - 1} more; training.train --init can start from what fits")
    return new
