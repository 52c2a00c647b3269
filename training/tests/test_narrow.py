import pytest
import torch

from training import checkpoint, distill, frames, narrow, network, tasks

SIZES = dict(stem=(8, 16, 24), width=32, heads=2, encoder=1, decoder=1, review=1, match=16, correlation=(8, 8, 8), hidden=(16, 16, 16, 8), steps=(1, 2, 1), radius=(2, 2, 2), inside=((16, 16, 16),) * 3, later=())


NARROW = "--network", "inside=((8, 8, 4), (8, 8, 4), (8, 8, 4))"


@pytest.fixture
def teacher():
    """A network whose correlation steps do something, in which every second channel inside them repeats the one before, half as strong."""
    torch.manual_seed(4)
    net = network.WinWin(network.Config(**SIZES)).eval()
    with torch.no_grad():
        for step in distill.steps_of(net).values():
            step.head[2].weight *= 20
            for given in (step.evidence[0], step.mix, step.head[0]):
                given.weight[1::2], given.bias[1::2] = given.weight[::2] / 2, given.bias[::2] / 2
    return net


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(distill, "SIZES", ((96, 64), (64, 64)))
    monkeypatch.setattr(narrow, "STATISTICS", 2)
    monkeypatch.setattr(narrow.frames, "SIZES", ((128, 96),))


def pair(bank):
    """A synthetic pair of the kind that the least squares see."""
    sample = next(frames.samples(bank, 1, seed=901, **tasks.FLOW_SCENES))
    return sample.frame1[0, 0], sample.frame2[0, 0]


def sizes(*inside, later=()):
    return network.Config(**{**SIZES, "inside": (inside,) * 3, "later": later})


def lesson(teacher, bank):
    return next(iter(distill.Lessons(teacher, bank, seed=9)))


def test_channels_that_repeat_others_are_removed_without_a_change(teacher, bank, quick):
    small = narrow.narrowed(teacher, bank, sizes(8, 8, 8))
    assert [tuple(small.decoder.step8.state_dict()[f"{name}.weight"].shape[:2]) for name in ("evidence.0", "update", "head.2")] == [(8, 25), (16, 8), (3, 8)]
    assert torch.allclose(small.estimate(*pair(bank))[0], teacher.estimate(*pair(bank))[0], atol=1e-3)


def test_later_rounds_start_as_the_first_within_a_smaller_radius(teacher, bank, quick):
    small = narrow.narrowed(teacher, bank, sizes(16, 16, 16, later=(1, (16, 16, 16))))
    first, later = small.decoder.rounds(8)
    assert first is small.decoder.step8 and later is small.decoder.later8 and small.decoder.later4 is None
    assert torch.equal(first.evidence[0].weight.reshape(-1, 5, 5)[:, 1:4, 1:4], later.evidence[0].weight.reshape(-1, 3, 3))
    assert torch.equal(first.mix.weight, later.mix.weight)


def test_the_channel_that_matters_least_goes_and_the_rest_makes_up_for_it():
    cells = torch.randn(3, 1000, dtype=torch.float64)
    cells = torch.cat([cells, cells[:1] + cells[1:2] + 0.01 * torch.randn(1, 1000, dtype=torch.float64)])
    weight = torch.ones(1, 4, 1, 1, dtype=torch.float64)
    kept, back = narrow.fewer(torch.cov(cells), weight, 3)
    assert 2 in kept and len(kept) == 3, "no other channel says what channel 2 says"
    assert torch.allclose(back @ cells[kept], cells, atol=0.1)
    unread = weight.clone()
    unread[0, 2] = 0
    assert narrow.fewer(torch.cov(cells), unread, 3)[0] == [0, 1, 3], "nobody reads channel 2"


def test_narrow_steps_learn_what_wide_ones_do(teacher, bank, quick):
    small = narrow.narrowed(teacher, bank, sizes(6, 6, 4, later=(1, (6, 6, 4))))
    given, before = lesson(teacher, bank), {k: v.clone() for k, v in small.state_dict().items()}
    errors = lambda: {stride: sum(distill.errors(*small.decoder.rounds(stride), rounds)).item() for stride, rounds in given.items()}
    wrong, saves = errors(), []
    distill.train(teacher, small, bank, 120, 3e-3, save=lambda: saves.append(small.state_dict()), workers=0)
    assert all(now < 0.8 * wrong[stride] for stride, now in errors().items()), (wrong, errors())
    changed = {k for k, v in small.state_dict().items() if not torch.equal(v, before[k])}
    assert changed and all(k.startswith(("decoder.step", "decoder.later")) for k in changed) and len(saves) == 1


def test_rounds_are_recorded_as_the_network_runs_them(teacher, bank, quick):
    given = lesson(teacher, bank)
    assert {stride: len(rounds) for stride, rounds in given.items()} == {16: 1, 8: 2, 4: 1}
    first, second = given[8]
    assert torch.equal(first.after, second.hidden)
    for stride, rounds in given.items():
        state, change = distill.errors(*teacher.decoder.rounds(stride), rounds)
        assert state < 1e-6 and change < 0.05, "a step makes no error against itself"


def test_the_command_writes_a_checkpoint_of_the_narrow_network(teacher, images, tmp_path, quick, capsys):
    wide, out = str(tmp_path / "wide.pt"), str(tmp_path / "narrow.pt")
    checkpoint.save(wide, dict(task="flow", network=dict(SIZES), ema=teacher.state_dict(), model=teacher.state_dict(), optimiser={}, state=dict(step=7)))
    narrow.main([wide, *NARROW, "--frames", "2", "--textures", images, "--out", out])
    net, saved = checkpoint.load_average(out)
    assert net.config == sizes(8, 8, 4) and saved["state"]["step"] == 7 and "optimiser" not in saved
    narrow.main([wide, *NARROW, "--frames", "1", "--textures", images, "--out", out, "--start", out])
    with pytest.raises(SystemExit):
        narrow.main([wide, "--network", "later=(1, (8, 8, 4))", "--frames", "1", "--textures", images, "--out", out, "--start", out])
    assert f"{out} holds Config(" in capsys.readouterr().err


@pytest.mark.parametrize("change, message", [
    ("width=16", "only inside and later can be narrowed"),
    ("inside=((32, 16, 16), (16, 16, 16), (16, 16, 16))", "32 channels inside a step are more than the checkpoint's 16: choose fewer"),
    ("later=(3, (8, 8, 8))", "a radius of 3 is larger than the checkpoint's 2: choose a smaller one")])
def test_a_step_cannot_grow(change, message, teacher, images, tmp_path, quick, capsys):
    wide = str(tmp_path / "wide.pt")
    checkpoint.save(wide, dict(task="flow", network=dict(SIZES), ema=teacher.state_dict()))
    with pytest.raises(SystemExit):
        narrow.main([wide, "--network", change, "--textures", images, "--out", str(tmp_path / "out.pt")])
    assert message in capsys.readouterr().err and not (tmp_path / "out.pt").exists()
