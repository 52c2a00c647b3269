import copy
import random

import pytest
import torch

from training import losses, network, windows
from training.correlation import blocked, local_correlation, shifted

SMALL = network.Config("test", (8, 16, 24), (1, 1), 32, 2, 1, 1, 16, (8, 8), (16, 16, 16), (1, 2, 1), (2, 2, 2))


def make(config=SMALL, seed=0):
    torch.manual_seed(seed)
    return network.WinWin(config)


def test_banded_correlation_is_the_shifted_one_forwards_and_backwards():
    a, b = (torch.randn(2, 6, 5, 7, dtype=torch.double, requires_grad=True) for _ in range(2))
    x, y = local_correlation(a, b, 3), shifted(a * 6 ** -0.5, b, 3)
    assert torch.allclose(x, y)
    g = torch.randn_like(x)
    for p, q in zip(torch.autograd.grad(x, (a, b), g), torch.autograd.grad(y, (a, b), g)):
        assert torch.allclose(p, q)


@pytest.mark.parametrize("width", [7, 16, 45])
def test_blocked_correlation_is_the_shifted_one(width):
    a, b = torch.randn(1, 6, 5, width), torch.randn(1, 6, 5, width)
    assert torch.allclose(blocked(a, b, 4), shifted(a, b, 4), atol=1e-5)


def test_only_relative_positions_count():
    net = make().eval()
    one, two = torch.rand(1, 2, 64, 64, 3) * 255, torch.rand(1, 2, 64, 64, 3) * 255
    here = torch.tensor([[[0, 0], [5, 2]]])
    with torch.no_grad():
        a = net(one, two, here, here + 1)["flow"]
        b = net(one, two, here + 20, here + 21)["flow"]
    assert torch.allclose(a, b, atol=2e-3)


def test_matching_is_a_softmax_of_similarity_minus_each_token_s_own_squared_distance():
    d = make().decoder
    torch.manual_seed(1)
    queries, keys = (torch.nn.functional.normalize(torch.randn(1, 12, 3, 16), dim=-1).flatten(2) for _ in range(2))
    guess, xy2, near = torch.rand(1, 12, 2) * 9, torch.rand(1, 12, 2) * 9, torch.rand(1, 12, 1)
    with torch.no_grad():
        there, variance = d.match(queries, keys, guess, near, xy2)
        part = lambda x: x.reshape(1, 12, 3, 16)
        similarity = (torch.einsum("bidc,bjdc->bijd", part(queries), part(keys)) * d.temperature.exp()).sum(-1) * network.log_keys(keys)
        share = (similarity - near * torch.cdist(guess, xy2) ** 2).softmax(-1)
    assert torch.allclose(there, share @ xy2, atol=1e-4)
    spread = (share * torch.cdist(share @ xy2, xy2) ** 2).sum(-1, keepdim=True)
    assert torch.allclose(variance, spread, atol=1e-3)


def test_two_windows_that_tile_a_frame_see_each_other():
    net = make().eval()
    frame = torch.rand(1, 64, 128, 3) * 255
    cut = torch.stack([frame[:, :, :64], frame[:, :, 64:]], 1)
    origin = torch.tensor([[[0, 0], [4, 0]]])
    with torch.no_grad():
        both = net(cut, cut, origin, origin)["matched"]
        alone = net(cut[:, :1], cut[:, :1], origin[:, :1], origin[:, :1])["matched"]
    assert not torch.allclose(both[:, :16], alone, atol=1e-4)


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


def test_upsampling_starts_nearly_bilinear():
    ramp = torch.arange(8.0).reshape(1, 1, 1, 8).expand(1, 2, 8, 8)
    mask = network.bilinear_mask(4).reshape(1, -1, 1, 1).expand(1, -1, 8, 8)
    fine = network.convex_upsample(ramp, mask, 4)[0, 0, 16, 8:24]
    assert (fine[1:] > fine[:-1]).all() and (fine - (torch.arange(8, 24) - 1.5) / 4).abs().max() < 0.2


SEED = 18


def test_overfits_one_pair(bank):
    """A fixed seed, one pair, less than two minutes on a CPU: EPE below 1 px, or something in the learning is broken."""
    net = make(network.Config("test", (16, 32, 48), (1, 1), 64, 4, 1, 1, 32, (32, 24), (48, 48, 32), (1, 2, 1), (4, 4, 3)))
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
        if epe < 0.5:
            break
    assert epe < 1, f"EPE {epe:.2f} px after {step + 1} steps"
