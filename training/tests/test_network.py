import copy
import math
import random

import pytest
import torch
import torch.nn.functional as F

from training import arithmetic, configs, layers, losses, matching, network, operators, refinement, resampling, stencils, tasks, warm_start, windows
from training.correlation import banded, blocked, shifted

SMALL = network.Config("test", (8, 16, 24), (1, 1), 32, 2, 1, 1, 16, (48, 16), (8, 8, 8), (16, 16, 16, 8), (1, 2, 1), (2, 2, 2))


def make(config=SMALL, seed=0):
    torch.manual_seed(seed)
    return network.WinWin(config)


def test_banded_correlation_is_the_shifted_one_forwards_and_backwards():
    a, b = (torch.randn(2, 6, 5, 7, dtype=torch.double, requires_grad=True) for _ in range(2))
    x, y = banded(a, b, 3), shifted(a, b, 3)
    assert torch.allclose(x, y)
    g = torch.randn_like(x)
    for p, q in zip(torch.autograd.grad(x, (a, b), g), torch.autograd.grad(y, (a, b), g)):
        assert torch.allclose(p, q)


@pytest.mark.parametrize("width", [7, 16, 45])
def test_blocked_correlation_is_the_shifted_one(width):
    a, b = torch.randn(1, 6, 5, width), torch.randn(1, 6, 5, width)
    assert torch.allclose(blocked(a, b, 4), shifted(a, b, 4), atol=1e-5)


def test_sums_over_neighbours_have_the_gradients_of_their_definition():
    torch.manual_seed(0)
    double = lambda *shape: torch.randn(*shape, dtype=torch.double, requires_grad=True)
    weights, wide, shifts = double(2, 3, 4, 5), double(2, 2, 6, 9), ((0, 4), (2, 0), (1, 1))
    definition = sum(weights[:, i:i + 1] * wide[:, :, y:y + 4, x:x + 5] for i, (y, x) in enumerate(shifts))
    assert torch.allclose(stencils.mix(weights, wide, shifts), definition)
    assert torch.autograd.gradcheck(lambda w, p: stencils.mix(w, p, shifts), (weights, wide))
    for axis in (2, 3):
        query, keys = torch.randn(2, 3, 4, 5, requires_grad=True), torch.randn(2, 3, 4 + 4 * (axis == 2), 5 + 4 * (axis == 3), requires_grad=True)
        definition = torch.stack([(query * keys.narrow(axis, start, query.shape[axis])).sum(1) for start in (0, 3, 4)], 1)
        found = stencils.similarity(query, keys, (0, 3, 4), axis)
        assert torch.allclose(found, definition, atol=1e-5)
        g = torch.randn_like(found)
        for p, q in zip(torch.autograd.grad(found, (query, keys), g), torch.autograd.grad(definition, (query, keys), g)):
            assert torch.allclose(p, q, atol=1e-5)


def test_local_means_and_enlargement_are_pytorchs():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 8, dtype=torch.double, requires_grad=True)
    assert torch.allclose(stencils.local_mean(x, 5), F.avg_pool2d(x, 5, 1, 2, count_include_pad=False))
    assert torch.allclose(resampling.double(x), F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))
    for function in (lambda v: stencils.local_mean(v, 5), resampling.double):
        assert torch.autograd.gradcheck(function, x)


def test_log_sum_exp_in_pieces_has_the_gradients_of_the_whole(monkeypatch):
    monkeypatch.setattr(losses._LogSumExp, "CHUNK", 21)  # three rows at a time
    q, k = torch.randn(8, 4, dtype=torch.double, requires_grad=True), torch.randn(7, 4, dtype=torch.double, requires_grad=True)
    assert torch.allclose(losses.log_sum_exp(q, k), torch.logsumexp(q @ k.T, -1))
    assert torch.autograd.gradcheck(losses.log_sum_exp, (q, k))


def test_propagation_continues_an_affine_motion_beyond_the_tokens_that_are_sure_of_theirs():
    torch.manual_seed(3)
    propagation = matching.TokenPropagation(8, 4, 4)
    xy = torch.stack(torch.meshgrid(torch.arange(6.0), torch.arange(4.0), indexing="ij"), -1).reshape(1, -1, 2) - torch.tensor([2.5, 1.5])
    motion = xy @ torch.tensor([[0.3, -0.1], [0.2, 0.4]]) + torch.tensor([2.0, -1.0])
    sure = (xy[..., :1] < 1).float()  # the last two columns have found nothing
    found = torch.where(sure > 0, motion, torch.full_like(motion, 30.0))
    expectation = matching.Expectation(*(torch.zeros(1, 24, k) for k in (1, 2)), 20 * sure, torch.full((1, 24, 1), 1e-3))
    with torch.no_grad():
        propagation.embed.weight.zero_()
        propagation.log_ridge.fill_(-2.0)
        propagation.MIN_LOG_RIDGE = -9.0
        continued = propagation(torch.randn(1, 24, 8), found, torch.ones(1, 24, 1), torch.zeros(1, 24, 1), expectation, xy)
        propagation.log_ridge.fill_(2.0)
        mean = propagation(torch.randn(1, 24, 8), found, torch.ones(1, 24, 1), torch.zeros(1, 24, 1), expectation, xy)
    assert torch.allclose(continued, motion, atol=0.02)
    assert (mean - motion)[0, -4:].norm(dim=-1).min() > 0.5  # without the fit, the last column gets the mean of the others


def test_a_token_whose_round_trip_is_long_takes_the_motion_of_the_others():
    torch.manual_seed(3)
    propagation = matching.TokenPropagation(8, 4, 4)
    x, xy = torch.randn(1, 1, 8).expand(1, 24, 8), torch.stack(torch.meshgrid(torch.arange(6.0), torch.arange(4.0), indexing="ij"), -1).reshape(1, -1, 2)
    found, trip = torch.full((1, 24, 2), 3.0), torch.zeros(1, 24, 1)
    found[:, 9:11], trip[:, 9:11] = -20.0, 900.0
    expectation = matching.Expectation(*(torch.zeros(1, 24, k) for k in (1, 2, 1)), torch.full((1, 24, 1), 1e-3))
    with torch.no_grad():
        propagation.log_ridge.fill_(1.2)
        error = lambda trip: (propagation(x, found, torch.zeros(1, 24, 1), trip, expectation, xy) - 3).abs().max()
        assert error(trip) < 0.2 and error(torch.zeros_like(trip)) > 1


def test_a_second_look_changes_nothing_before_training():
    net = make()
    with torch.no_grad():
        x = torch.randn(1, 12, 32)
        expectation = net.decoder.prior(x)
        seen = net.decoder.look_again(x, torch.randn(1, 12, 2) * 5, torch.rand(1, 12, 1), torch.rand(1, 12, 1), expectation, torch.rand(1, 12, 2), (3, 4))
    assert torch.equal(seen, x)


def test_a_sample_for_tokens_only_trains_what_comes_before_refinement_and_not_the_stem(bank):
    net, sample = make(), windows.sample(bank, 2, 1, 64, 96)
    sample.tokens_only = True
    loss, parts = tasks.Flow.loss(net, tasks.Flow.forward(net, sample), sample)
    loss.backward()
    trained = [name for name, p in net.named_parameters() if p.grad is not None and p.grad.any()]
    assert not parts and all(name.startswith(network.TOKEN_PARTS) for name in trained)
    silent = "decoder.review"  # its first layers get a gradient once it says something
    assert all(part == silent or any(name.startswith(part) for name in trained) for part in network.TOKEN_PARTS)


def test_only_relative_positions_count():
    net = make().eval()
    one, two = torch.rand(1, 2, 64, 64, 3) * 255, torch.rand(1, 2, 64, 64, 3) * 255
    here = torch.tensor([[[0, 0], [5, 2]]])
    with torch.no_grad():
        a = net(one, two, here, here + 1)["flow"]
        b = net(one, two, here + 20, here + 21)["flow"]
    assert torch.allclose(a, b, atol=2e-3)


def test_matching_is_a_softmax_of_similarity_minus_each_tokens_own_squared_distance():
    module = make().decoder.matching
    torch.manual_seed(1)
    queries, keys = (torch.nn.functional.normalize(torch.randn(1, 12, 3, 16), dim=-1).flatten(2) for _ in range(2))
    expected, xy1, xy2, weight = torch.rand(1, 12, 2) * 9, torch.rand(1, 12, 2) * 9, torch.rand(1, 12, 2) * 9, torch.rand(1, 12, 1)
    with torch.no_grad():
        position, variance, trip = module(*module.narrowed(queries, keys), expected, weight, xy1, xy2, (3, 4))
        part = lambda x: x.reshape(1, 12, 3, 16)
        similarity = (torch.einsum("bidc,bjdc->bijd", part(queries), part(keys)) * module.log_temperature.exp()).sum(-1) * operators.token_count_scale(keys)
        share = (similarity - weight * torch.cdist(expected, xy2) ** 2).softmax(-1)
        back = module.back(*module.narrowed(queries, keys), xy1, xy2, (3, 4))
    assert torch.allclose(position, share @ xy2, atol=1e-4)
    spread = (share * torch.cdist(share @ xy2, xy2) ** 2).sum(-1, keepdim=True)
    assert torch.allclose(variance, spread, atol=1e-3)
    assert torch.allclose(trip, ((share @ back - xy1) ** 2).sum(-1, keepdim=True), atol=1e-3)


def test_the_way_back_is_where_pools_of_frame_2_find_themselves_in_frame_1():
    module = matching.Matching(4, 1, 12)
    xy = network.positions(torch.tensor([[[0, 0], [9, 3]]]), 4, 6).float()  # two windows of 4 x 6
    square = (torch.arange(4)[:, None] // 2 * 3 + torch.arange(6) // 2).flatten()
    tokens = 100 * torch.eye(12)[torch.cat([square, 6 + square])][None]  # the four of each pool look alike, and like nothing else
    there = xy + torch.tensor([2.0, -1.0])
    assert torch.allclose(module.back(tokens, tokens, there, xy, (4, 6)), there, atol=1e-3)


def test_pooled_tokens_are_means_of_the_tokens_there_are():
    tokens = torch.arange(2 * 15, dtype=torch.float32).reshape(1, 30, 1)  # two windows of 3 x 5
    pooled = layers.pool_tokens(tokens, 3, 5, 2)
    assert pooled.shape == (1, 2 * 2 * 3, 1)
    first = tokens[0, :15, 0].reshape(3, 5)
    expected = torch.tensor([first[:2, :2].mean(), first[:2, 2:4].mean(), first[:2, 4].mean(), first[2, :2].mean(), first[2, 2:4].mean(), first[2, 4]])
    assert torch.equal(pooled[0, :6, 0], expected) and torch.equal(pooled[0, 6:, 0], expected + 15)
    shared = layers.share_tokens(pooled, 3, 5, 2)[0, :, 0].reshape(2, 3, 5)
    assert torch.equal(shared[:, 0, 0], pooled[0, ::6, 0]) and torch.equal(shared[:, 1], shared[:, 0]) and torch.equal(shared[:, 2, 4], pooled[0, 5::6, 0])


def test_propagation_smooths_flow_but_not_across_an_edge_in_the_features():
    torch.manual_seed(0)
    module = refinement.Propagation(4, 2, (1, 2, 4), channels=2)
    with torch.no_grad():
        module.embed.weight.zero_()
        module.embed.bias.zero_()
        module.embed.weight[0, 4], module.embed.weight[1, 5], module.embed.weight[2, 4], module.embed.weight[3, 5] = 1, 1, 1, 1  # query = key = feature
        module.log_temperature.fill_(3.0)
        module.log_penalty.fill_(-9.0)
        module.gate.bias.fill_(20.0)
    left = torch.arange(16) < 8
    features = torch.stack([left, ~left]).float()[None, :, None].expand(1, 2, 16, 16)
    step = torch.where(left, 0.0, 5.0).expand(1, 2, 16, 16)
    flow = module(torch.zeros(1, 4, 16, 16), features, step + torch.randn(1, 2, 16, 16) * 0.5).detach()
    assert (flow - step).std() < 0.15, "noise stays"
    assert (flow - step)[..., 7:9].abs().max() < 0.6, "the two sides mix"


def test_upsampling_keeps_a_ramp_and_never_leaves_the_range_of_the_coarse_flow():
    torch.manual_seed(0)
    module, hidden = refinement.Upsampling(8), torch.randn(1, 8, 12, 12)
    ramp = torch.arange(12.0).expand(1, 2, 12, 12)
    fine = module(hidden, ramp)[0, 0, 12, 8:16]
    assert torch.allclose(fine, 2 * ((torch.arange(8, 16) + 0.5) / 2 - 0.5), atol=1e-4)
    torch.nn.init.normal_(module.logits[-1].weight)
    coarse = torch.randn(1, 2, 12, 12)
    fine = module(hidden, coarse)
    assert fine.shape == (1, 2, 24, 24) and fine.min() >= 2 * coarse.min() and fine.max() <= 2 * coarse.max()


def texture(x, y):
    """Three smooth channels at points x, y [h, w]: [1, 3, h, w]."""
    return torch.stack([torch.sin(0.5 * x + 0.3 * y), torch.cos(0.4 * x - 0.6 * y), torch.sin(0.7 * y)])[None]


def points(height, width):
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    return x, y


def grey_texture(x, y):
    return texture(x, y).sum(1, keepdim=True)


def test_least_squares_find_a_displacement_of_less_than_a_cell():
    x, y = points(32, 40)
    true = torch.tensor([0.3, -0.2])
    products = refinement.gradient_products(grey_texture(x, y), grey_texture(x - true[0], y - true[1]), math.inf)
    best = refinement.least_squares(stencils.local_mean(products, 7), 1e-4)[0, :, 4:-4, 4:-4]
    assert (best - true[:, None, None]).norm(dim=0).max() < 0.03


def test_outliers_hardly_count_in_least_squares():
    x, y = points(32, 40)
    a, b = grey_texture(x, y), grey_texture(x - 0.3, y + 0.2)
    b[..., 10:14, 10:14] += 5
    error = lambda outlier: (refinement.least_squares(stencils.local_mean(refinement.gradient_products(a, b, outlier), 15), 1e-4)[0, :, 12, 12] - torch.tensor([0.3, -0.2])).norm()
    assert error(0.5) < 0.15 and error(0.5) < 0.5 * error(math.inf)


def test_a_warping_step_compares_the_frames_and_does_not_see_the_length_of_a_flow():
    torch.manual_seed(0)
    step, coarse, still = refinement.WarpStep(4, 3, 6), torch.randn(1, 4, 8, 10), torch.zeros(1, 2, 16, 20)
    a, b = torch.randn(1, 3, 16, 20), torch.randn(1, 3, 16, 20)
    far = torch.tensor([3.0, -2.0])[None, :, None, None].expand(1, 2, 16, 20)
    change = lambda b, flow: (step(coarse, a, b, flow)[1] - flow)[..., 5:-5, 5:-5]
    assert not change(b, still).any(), "at first it leaves the flow as it is"
    torch.nn.init.normal_(step.head.weight)
    assert (change(b, still) - change(a, still)).abs().max() > 0.1
    moved = torch.roll(b, (-2, 3), (2, 3))
    assert torch.allclose(change(moved, far), change(b, still), atol=1e-4)


def test_a_pixel_step_finds_tenths_of_a_pixel_in_any_light():
    torch.manual_seed(0)
    x, y = points(96, 128)
    picture = lambda x, y: 127 + 40 * texture(x, y)
    true = torch.tensor([6.3, -2.2])[None, :, None, None].expand(1, 2, 96, 128)
    a, b = refinement.grey(picture(x, y)), refinement.grey(picture(x - 6.3, y + 2.2) * 0.6 + 20)
    step, flow = refinement.PixelStep(4), true + torch.tensor([0.2, -0.1])[None, :, None, None]
    after = step(torch.randn(1, 4, 48, 64), a, b, flow)
    assert (after - true)[..., 8:-8, 16:-16].norm(dim=1).max() < 0.13, "it was 0.22"
    assert torch.equal(step(torch.randn(1, 4, 48, 64), a, b, flow + 500), flow + 500), "nothing is seen outside the frame"
    plain = refinement.grey(torch.full((1, 3, 96, 128), 80.0))
    assert torch.equal(step(torch.randn(1, 4, 48, 64), plain, plain, flow), flow)


def test_weights_of_the_first_version_find_their_place():
    net, other = make(seed=1), make(seed=2)
    old_names = {"encoder.down4.1.first.weight": "encoder.down4.1.a.weight", "encoder.smooth8.second.bias": "encoder.smooth8.b.bias",
                 "decoder.prior.linear.weight": "decoder.prior.weight", "decoder.prior.log_distance_weight": "decoder.nearness",
                 "decoder.prior.log_propagation_weight": "decoder.alike_nearness", "decoder.matching.query.bias": "decoder.match_query.bias",
                 "decoder.matching.log_temperature": "decoder.temperature", "decoder.propagation.embed.weight": "decoder.alike.weight",
                 "decoder.propagation.log_temperature": "decoder.alike_temperature", "decoder.propagation.log_variance_weight": "decoder.trust",
                 "decoder.uncertainty16.weight": "decoder.doubt16.weight", "decoder.step8.log_sharpness": "decoder.update8.sharpness",
                 "decoder.step4.update.weight": "decoder.update4.turn.weight", "decoder.step16.head.0.bias": "decoder.update16.head.0.bias"}
    state = other.state_dict()
    old = {old_name: state[name] for name, old_name in old_names.items()}
    old["decoder.update8.mix.weight"] = state["decoder.step8.mix.weight"][:, :-4]
    old["decoder.found.weight"] = state["decoder.found.weight"][:, :-1] + 1
    other_size = {"decoder.mask.1.weight": torch.zeros(3), "decoder.matching.narrow_key.weight": state["decoder.matching.narrow_key.weight"][:, :-3]}
    new, unused = warm_start.load(net, {**old, **other_size})
    assert unused == list(other_size) and len(new) == len(state) - len(old)
    assert all(torch.equal(net.state_dict()[name], state[name]) for name in old_names)
    mix = net.decoder.step8.mix.weight
    assert torch.equal(mix[:, :-4], state["decoder.step8.mix.weight"][:, :-4]) and not mix[:, -4:].any()
    found = net.decoder.found.weight
    assert torch.equal(found[:, :-1], old["decoder.found.weight"]) and not found[:, -1].any()


def test_a_full_hd_pair_costs_at_most_115_gmac():
    assert sum(arithmetic.pair(network.Config(**configs.load("tiny")[0]), 1080, 1920).values()) < 115e9


def test_counted_arithmetic_is_that_of_the_layers():
    c = SMALL
    parts = arithmetic.pair(c, 64, 96)
    tokens, pooled, back = 4 * 6, 1 * 2, 2 * 3
    assert parts["encoder.down2"] == 32 * 48 * 12 * 8 * 9
    assert parts["attention"] == (3 + c.review) * tokens * pooled * 2 * c.width  # self-attention of both, cross-attention, review
    assert parts["matching"] == tokens ** 2 * ((c.compared[0] + 4 + 8) + (c.compared[1] + 4 + 12)) + back * tokens * (c.compared[0] + 2)
    assert parts["encoder.match_key"] == tokens * c.width * c.match


def test_two_windows_that_tile_a_frame_see_each_other():
    net = make().eval()
    frame = torch.rand(1, 64, 128, 3) * 255
    cut = torch.stack([frame[:, :, :64], frame[:, :, 64:]], 1)
    origin = torch.tensor([[[0, 0], [4, 0]]])
    with torch.no_grad():
        both = net(cut, cut, origin, origin)["matched"]
        alone = net(cut[:, :1], cut[:, :1], origin[:, :1], origin[:, :1])["matched"]
    assert not torch.allclose(both[:, :16], alone, atol=1e-4)


def test_both_ways_is_each_way_alone(bank):
    net = make().eval()
    s = windows.sample(bank, 2, 2, 64, 64, generator=torch.Generator().manual_seed(1), rng=random.Random(1))
    with torch.no_grad():
        both = net(s.frame1, s.frame2, s.origin1, s.origin2, both_ways=True)
        ways = [net(*way) for way in ((s.frame1, s.frame2, s.origin1, s.origin2), (s.frame2, s.frame1, s.origin2, s.origin1))]
    for name in ("flow", "queries", "keys", "xy1", "xy2"):
        assert torch.allclose(both[name], torch.cat([way[name] for way in ways]), atol=1e-3), name
    assert torch.equal(s.both_ways().flow, torch.cat([s.flow, s.backward.flow]))


def test_matching_looks_among_a_limited_number_of_tokens(bank, monkeypatch):
    net = make()
    s = windows.sample(bank, 3, 1, 64, 64, generator=torch.Generator().manual_seed(1), rng=random.Random(1))
    with torch.no_grad():
        out = net(s.frame1, s.frame2, s.origin1, s.origin2)
        together, _ = losses.matching(net, out, s)
        monkeypatch.setattr(losses, "NEGATIVES", 16)  # the tokens of one sample
        apart, right = losses.matching(net, out, s)
        target, use = losses.matching_targets(s.centre_flow, s.centre_visible, out["xy1"], out["xy2"])
        temperatures = net.decoder.matching.log_temperature.exp()
        each = [losses.match_group(temperatures, {k: v[i:i + 1] for k, v in out.items() if torch.is_tensor(v)}, target[i:i + 1], use[i:i + 1]) for i in range(3)]
    rows = int(use.sum())
    assert torch.allclose(apart, sum(loss for loss, _ in each) / (4 * rows)) and torch.allclose(right, sum(r for _, r in each) / rows)
    assert apart < together - 0.1, "fewer wrong candidates are easier"


def test_any_size_gives_flow_of_that_size():
    for h, w in ((33, 70), (64, 64), (100, 17)):
        flow, scale = make().estimate(torch.rand(h, w, 3) * 255, torch.rand(h, w, 3) * 255)
        assert flow.shape == (h, w, 2) and scale.shape == (h, w) and torch.isfinite(flow).all()


@pytest.mark.parametrize("positions", ["rope", "absolute"])
def test_unknown_flow_gives_no_gradient_and_no_nan(bank, positions):
    config = copy.copy(SMALL)
    config.positions = positions
    net = make(config)
    s = windows.sample(bank, 2, 2, 64, 64, generator=torch.Generator().manual_seed(0), rng=random.Random(0))
    s.flow[0] = float("nan")
    out = net(s.frame1, s.frame2, s.origin1, s.origin2, distract=True)
    loss = losses.flow_loss(out, s)[0] + losses.matching(net, out, s)[0]
    loss.backward()
    assert torch.isfinite(loss) and all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)
    missing = [n for n, p in net.named_parameters() if p.grad is None]
    assert not missing, f"never trained: {missing}"


SEED = 18


def test_overfits_one_pair(bank):
    """A fixed seed, one pair, less than a minute on a CPU: EPE below 1 px, or something in the learning is broken."""
    net = make(network.Config("test", (16, 32, 48), (1, 1), 64, 4, 1, 1, 32, (48, 24), (32, 24, 8), (48, 48, 32, 16), (1, 2, 1), (4, 4, 3)))
    s = windows.sample(bank, 1, 1, 96, 128, motion=0.5, generator=torch.Generator().manual_seed(SEED), rng=random.Random(SEED), size=(1024, 448), follow=1.0, light=False)
    assert s.flow.norm(dim=-1).mean() > 2, "the pair must move"
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)
    epe = None
    for step in range(400):
        for g in optimiser.param_groups:
            g["lr"] = 2e-3 * min(1, (400 - step) / 200)
        out = net(s.frame1, s.frame2, s.origin1, s.origin2)
        flow, epe = losses.flow_loss(out, s, weight_hidden=1.0)
        optimiser.zero_grad()
        (flow + losses.matching(net, out, s)[0]).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        if epe < 1:
            break
    assert epe < 1, f"EPE {epe:.2f} px after {step + 1} steps"
