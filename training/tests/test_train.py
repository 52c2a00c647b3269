import csv
import dataclasses
import os
import re
import subprocess
import sys
import time

import fakes
import pytest
import torch

from training import ablate, ablate_choices, atlas, average, checkpoint, configs, distributed, network, options, parts, tasks, textures, train, windows
from training.batches import Batches, Prefetch
from training.randomness import Randomness

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LANDED = os.path.join(ROOT, "models", "winwin-tiny")
SMALL = ["--network", "stem=(8, 16, 24)", "width=32", "heads=2", "encoder=1", "decoder=1", "match=16", "correlation=(8, 8, 8)", "hidden=(16, 16, 16, 8)", "steps=(1, 2, 1)", "radius=(2, 2, 2)"]


def arguments(out, images, *more):
    return ["--out", str(out), "--textures", images, "--shapes", "2x32x32,1x32x64", "--batch", "2", "--evaluate-on", "1", "--device", "cpu", "--processes", "1", "--threads", "1", *SMALL, *more]


def run(out, images, *more):
    train.main(arguments(out, images, *more))
    return checkpoint.load(os.path.join(out, "checkpoint.pt"))


def equal(a, b):
    """Whether two nested values are the same, tensors bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    return a == b


def test_a_resumed_run_equals_an_uninterrupted_one(images, tmp_path):
    fakes.chairs(fakes.Folder(tmp_path / "chairs"))
    schedule = ("--budget-steps", "6", "--data", f"chairs={tmp_path / 'chairs'}", "--data-share", "0.5")
    whole = run(tmp_path / "whole", images, *schedule, "--steps", "4")
    half = run(tmp_path / "halves", images, *schedule, "--steps", "2")
    assert half["state"]["step"] == 2 and not equal(half["model"], whole["model"])
    resumed = run(tmp_path / "halves", images, *schedule, "--steps", "2")
    assert resumed["state"]["step"] == whole["state"]["step"] == 4 and resumed["state"]["samples"] == whole["state"]["samples"]
    for key in ("model", "ema", "optimiser", "random", "network"):
        assert equal(resumed[key], whole[key]), f"{key} differs after a resume"


def test_prefetching_keeps_the_order_of_batches_and_passes_errors_on(images, tmp_path):
    class Numbers:
        drawn = 0

        def draw(self, motion):
            self.drawn += 1
            if self.drawn == 4:
                raise ValueError("no textures")
            return self.drawn, motion

    numbers = Numbers()
    batches = Prefetch(numbers, torch.device("cpu"))
    assert [batches.draw(m) for m in (0.1, 0.2, 0.3)] == [(1, 0.1), (2, 0.1), (3, 0.2)]
    with pytest.raises(ValueError, match="no textures"):
        batches.draw(0.4)
    assert run(tmp_path, images, "--steps", "3", "--prefetch")["state"]["step"] == 3


def test_a_checkpoint_holds_the_whole_configuration(images, tmp_path):
    saved = run(tmp_path, images, "--budget-steps", "1", "--rate", "3e-4", "--seed", "5")
    assert saved["network"]["width"] == 32 and saved["network"]["steps"] == (1, 2, 1) and saved["config"] == "tiny" and saved["task"] == "flow"
    assert saved["options"]["rate"] == 3e-4 and saved["options"]["seed"] == 5 and saved["options"]["shapes"] == [(2, 32, 32), (1, 32, 64)]
    net, _ = checkpoint.load_average(str(tmp_path / "checkpoint.pt"))
    assert net.config.width == 32 and equal(dict(net.state_dict()), dict(saved["ema"]))
    earlier = {**saved, "network": {k: v for k, v in saved["network"].items() if k != "inside"}}
    checkpoint.save(str(tmp_path / "earlier.pt"), earlier)
    assert equal(dict(checkpoint.load_average(str(tmp_path / "earlier.pt"))[0].state_dict()), dict(saved["ema"])), "the sizes are the default ones"
    checkpoint.save(str(tmp_path / "earlier.pt"), {**earlier, "ema": {**saved["ema"], "decoder.step8.head.0.bias": torch.zeros(48)}})
    with pytest.raises(ValueError, match="earlier version: decoder.step8.head.0.bias has another size now"):
        checkpoint.load_average(str(tmp_path / "earlier.pt"))


def test_weights_from_before_narrow_matching_give_the_results_they_gave(images, tmp_path):
    saved = run(tmp_path, images, "--budget-steps", "1", *SMALL, "match=32")
    match = saved["network"]["match"]
    assert 3 * match > network.Config.compared[0] and match > network.Config.compared[1]
    wide = network.WinWin(network.Config(**{**saved["network"], "compared": (3 * match, match)})).eval()
    matching, propagation = wide.decoder.matching, wide.decoder.propagation
    with torch.no_grad():
        for layer in (matching.narrow_query, matching.narrow_key, propagation.narrow):
            layer.weight.copy_(torch.eye(len(layer.weight)))
    earlier = {k: v for k, v in wide.state_dict().items() if ".narrow" not in k}
    sizes = {k: v for k, v in saved["network"].items() if k != "compared"}
    checkpoint.save(str(tmp_path / "earlier.pt"), {**saved, "network": sizes, "ema": earlier})
    loaded, _ = checkpoint.load_average(str(tmp_path / "earlier.pt"))
    pair = [torch.rand(48, 64, 3) * 255 for _ in range(2)]
    assert torch.allclose(loaded.estimate(*pair)[0], wide.estimate(*pair)[0], atol=1e-3)


def test_sizes_of_steps_of_earlier_versions_are_understood():
    assert checkpoint.present_sizes(dict(hidden=(96, 96, 64, 16), inside=64), {})["inside"] == ((64, 96, 64),) * 3
    later = lambda steps, *names: checkpoint.present_sizes(dict(steps=steps, later=(2, (8, 8, 8))), dict.fromkeys(names))["later"]
    assert later((1, 3, 1), "decoder.step8.mix.weight") == later((1, 3, 1), "decoder.update8.mix.weight") == (), "they had no steps for later rounds"
    assert later((1, 3, 1), "decoder.step8.mix.weight", "decoder.later8.mix.weight") == later((1, 1, 1), "decoder.step8.mix.weight") == (2, (8, 8, 8))
    step4 = network.WinWin(network.Config(inside=((64, 96, 64),) * 3)).decoder.step4
    assert step4.update.in_channels == 64, "no more channels than the state has"


def test_the_log_has_a_row_for_each_leg_and_a_complete_schedule_ends_the_run(images, tmp_path, capsys):
    run(tmp_path, images, "--budget-steps", "3", "--steps", "2")
    run(tmp_path, images, "--budget-steps", "3", "--steps", "2")
    assert run(tmp_path, images, "--budget-steps", "3", "--steps", "2")["state"]["step"] == 3
    with open(tmp_path / "log.csv") as f:
        rows = list(csv.DictReader(f))
    assert [r["step"] for r in rows] == ["2", "3"] and all(float(r["frame_epe"]) > 0 and float(r["rate"]) > 0 for r in rows)
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.pt", "log.csv"]
    assert "the schedule is complete" in capsys.readouterr().out
    assert run(tmp_path, images, "--budget-steps", "3", "--steps", "2", "--restart-schedule")["state"]["step"] == 5


def test_a_run_is_not_resumed_with_another_network(images, tmp_path):
    run(tmp_path, images, "--budget-steps", "1")
    with pytest.raises(ValueError, match="holds another network .width 32, not 64.*--init"):
        run(tmp_path, images, "--budget-steps", "2", "--network", "width=64")


def test_init_copies_the_tensors_that_fit_and_starts_optimiser_and_schedule_afresh(images, tmp_path, capsys):
    first = run(tmp_path / "first", images, "--budget-steps", "2")
    second = run(tmp_path / "second", images, "--budget-steps", "1", "--rate", "0", "--init", str(tmp_path / "first" / "checkpoint.pt"), "--network", "match=8")
    assert "tensors copied" in capsys.readouterr().out
    other = [name for name, value in second["model"].items() if value.shape != first["ema"][name].shape]
    assert other and all("match" in name or name.startswith("decoder") for name in other)
    assert all(torch.equal(value, first["ema"][name]) for name, value in second["model"].items() if name not in other)
    assert second["state"]["step"] == 3 and second["state"]["samples"] > first["state"]["samples"], "the training before counts"
    assert second["state"]["schedule_step"] == 1 and second["state"]["full_motion"]
    steps = {float(v["step"]) for v in second["optimiser"]["state"].values()}
    assert steps == {1.0}, "the optimiser must be fresh"


def test_init_from_something_else_is_an_error():
    with pytest.raises(ValueError, match="no tensor with a name and shape of this network"):
        checkpoint.start_from(network.WinWin(network.Config()), dict(ema=dict(other=torch.zeros(3))))


def test_the_landed_checkpoint_is_small_and_can_be_resumed(images, tmp_path, capsys):
    assert sum(os.path.getsize(os.path.join(LANDED, f)) for f in os.listdir(LANDED) if f.startswith("checkpoint.part")) < 7e6
    landed = checkpoint.load(LANDED)
    parts.join(LANDED, str(tmp_path / "checkpoint.pt"))
    train.main([a for a in arguments(tmp_path, images, "--steps", "1", "--rate", "0", "--restart-schedule") if a not in SMALL])
    assert "resumed" in capsys.readouterr().out
    resumed = checkpoint.load(str(tmp_path / "checkpoint.pt"))
    assert resumed["state"]["step"] == landed["state"]["step"] + 1 and resumed["state"]["schedule_step"] == 1
    name = "encoder.down2.0.weight"
    assert torch.equal(resumed["model"][name], landed["ema"][name].float())


def test_a_checkpoint_travels_in_parts_and_is_resumed_from_them(images, tmp_path):
    first = run(tmp_path / "here", images, "--budget-steps", "4", "--steps", "2")
    os.makedirs(tmp_path / "parts")
    written = parts.pack(str(tmp_path / "here" / "checkpoint.pt"), str(tmp_path / "parts"))
    assert written and all(os.path.getsize(p) <= 16 * 2**20 for p in written)
    parts.join(str(tmp_path / "parts"), str(tmp_path / "there" / "checkpoint.pt"))
    joined = checkpoint.load(str(tmp_path / "there" / "checkpoint.pt"))
    assert equal(joined["state"], first["state"]) and equal(joined["network"], first["network"])
    assert all(torch.allclose(value, first["ema"][name], rtol=1e-3, atol=1e-4) for name, value in joined["model"].items())
    assert run(tmp_path / "there", images, "--budget-steps", "4", "--steps", "1")["state"]["step"] == 3


def test_a_run_goes_on_in_its_schedule_from_parts_with_the_optimiser(images, tmp_path):
    first = run(tmp_path / "here", images, "--budget-steps", "4", "--steps", "2")
    os.makedirs(tmp_path / "parts")
    parts.pack(str(tmp_path / "here" / "checkpoint.pt"), str(tmp_path / "parts"), resume=True)
    parts.join(str(tmp_path / "parts"), str(tmp_path / "there" / "checkpoint.pt"))
    joined = checkpoint.load(str(tmp_path / "there" / "checkpoint.pt"))
    for key in ("model", "ema"):
        assert all(torch.allclose(value, first[key][name], rtol=1e-3, atol=1e-4) for name, value in joined[key].items()), key
    for number, state in first["optimiser"]["state"].items():
        for moment in ("exp_avg", "exp_avg_sq"):
            value = joined["optimiser"]["state"][number][moment]
            assert value.dtype == torch.float32 and torch.allclose(value, state[moment], rtol=1e-2, atol=0), moment
    assert any((state["exp_avg_sq"] > 0).any() for state in joined["optimiser"]["state"].values())
    second = run(tmp_path / "there", images, "--budget-steps", "4", "--steps", "1")
    assert {float(state["step"]) for state in second["optimiser"]["state"].values()} == {3.0}


def test_the_mean_of_two_checkpoints_lies_between_them(images, tmp_path):
    first = run(tmp_path / "a", images, "--steps", "1")
    second = run(tmp_path / "b", images, "--steps", "1", "--seed", "2")
    mean = average.mean(first, second, 0.25)
    assert mean["state"] == second["state"] and "optimiser" not in mean
    for name, value in mean["ema"].items():
        if value.is_floating_point():
            assert torch.allclose(value, 0.75 * first["ema"][name] + 0.25 * second["ema"][name], atol=1e-6)
    mix, gate = "decoder.step8.mix.weight", "decoder.propagate8.gate.weight"
    earlier = {name: value[:, :-4] if name == mix else value for name, value in first["ema"].items() if name != gate}
    mean = average.mean({**first, "ema": earlier}, second, 0.25)["ema"]
    assert torch.allclose(mean[gate], 0.25 * second["ema"][gate]) and torch.allclose(mean[mix][:, -4:], 0.25 * second["ema"][mix][:, -4:])
    with pytest.raises(ValueError, match="different sizes"):
        average.mean({**first, "network": {**first["network"], "width": 1}}, second, 0.5)


def test_only_the_named_parts_are_trained(images, tmp_path):
    before = run(tmp_path / "before", images, "--steps", "1")
    only = ("--init", str(tmp_path / "before" / "checkpoint.pt"), "--only", "decoder.step2,decoder.upsampling")
    run(tmp_path / "after", images, *only, "--budget-steps", "4", "--steps", "2")
    after = run(tmp_path / "after", images, *only, "--budget-steps", "4", "--steps", "1")
    changed = {name for name, value in after["model"].items() if not torch.equal(value, before["ema"][name])}
    assert changed and all(name.startswith(("decoder.step2.", "decoder.upsampling.")) for name in changed)
    assert {float(state["step"]) for state in after["optimiser"]["state"].values()} == {3.0}
    whole = run(tmp_path / "after", images, "--budget-steps", "4", "--steps", "1")
    assert {float(state["step"]) for state in whole["optimiser"]["state"].values()} == {1.0}, "the optimiser of other parts does not fit"
    with pytest.raises(ValueError, match="--only decoder.stop"):
        run(tmp_path / "other", images, "--only", "decoder.stop", "--steps", "1")
    tokens = ("--token-shapes", "1x32x64", "--token-share", "1", "--steps", "1")
    with pytest.raises(ValueError, match="--token-shapes train nothing"):
        run(tmp_path / "other", images, *only, *tokens)
    assert run(tmp_path / "other", images, "--only", "decoder.propagation", *tokens)["state"]["step"] == 1


def test_two_processes_resume_a_run_of_one(images, tmp_path):
    run(tmp_path, images, "--budget-steps", "9", "--steps", "1")
    command = [sys.executable, "-m", "training.train", *arguments(tmp_path, images, "--budget-steps", "9", "--steps", "2", "--processes", "2")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0 and "resumed" in done.stdout, done.stderr[-2000:]
    saved = checkpoint.load(str(tmp_path / "checkpoint.pt"))
    assert saved["state"]["step"] == 3
    a, b = saved["random"]
    assert not torch.equal(a["generator"], b["generator"]), "each process has its own scenes"
    assert a["shared"] == b["shared"], "all processes use the same shapes"


def test_a_failing_process_ends_the_others(tmp_path, monkeypatch):
    (tmp_path / "worker.py").write_text("import os, sys, time\nsys.exit(3) if os.environ['RANK'] == '1' else time.sleep(100)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    start = time.time()
    assert distributed.launch("worker", [], 2) == 3 and time.time() - start < 60


def test_flow_training_goes_on_from_completion(images, tmp_path, capsys):
    before = run(tmp_path / "before", images, "--task", "completion", "--steps", "3")
    assert before["task"] == "completion" and not before["state"]["full_motion"]
    after = run(tmp_path / "after", images, "--init", str(tmp_path / "before" / "checkpoint.pt"), "--steps", "1", "--rate", "1e-9")
    assert not after["state"]["full_motion"], "weights of another task cannot match yet"
    for name in ("encoder.down4.0.weight", "encoder.blocks.0.mlp.0.weight", "decoder.blocks.0.cross.q.weight"):
        assert torch.allclose(after["model"][name], before["ema"][name], atol=1e-6) and not torch.equal(before["model"][name], before["ema"][name]), name


def test_completion_learns_to_paint_hidden_patches(bank):
    torch.manual_seed(0)
    s = dataclasses.replace(windows.sample(bank, 2, 1, 64, 64, light=False, generator=torch.Generator().manual_seed(1)))
    s.frame2, s.origin2 = s.frame1, s.origin1
    net = tasks.Completion.network(network.Config("test", (8, 16, 24), (1, 1), 32, 2, 1, 1, 16, (48, 16), (8, 8, 8), (16, 16, 16, 8), (1, 2, 1), (2, 2, 2), pool=(1, 1)))
    optimiser, errors = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], 3e-3), []
    for i in range(60):
        loss, _ = tasks.Completion.loss(net, tasks.Completion.forward(net, s, torch.Generator().manual_seed(i)), s)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(loss.item())
    assert errors[0] > 0.5 and errors[-1] < 0.7 * errors[0]
    assert all(0 < error < errors[0] for error in tasks.Completion.evaluate(net, [s]))


def test_batches_of_tokens_come_in_the_stated_share_and_one_way_has_no_backward_sample(bank, tmp_path):
    parsed = lambda *more: options.parse("", arguments(tmp_path, "", "--steps", "1", "--token-shapes", "1x64x96", "--token-share", "0.5", *more))
    drawn = [Batches(args, tasks.Flow, bank, Randomness(3, 0, bank.device)) for args in (parsed(), parsed("--one-way"))]
    samples = [drawn[0].draw(1.0) for _ in range(30)]
    assert 8 < sum(s.tokens_only for s in samples) < 22 and all(s.tokens_only == (s.frame1.shape[2:4] == (64, 96)) for s in samples)
    assert all(s.backward is not None for s in samples) and drawn[1].draw(1.0).backward is None


def test_the_choices_of_the_network_are_compared_at_equal_time(images, tmp_path, monkeypatch):
    calls = []
    def fake(name, options, args, seed=1, minutes=None):
        calls.append((name, minutes or args.minutes, "--init" in options))
        return name, 2.0, 100.0
    monkeypatch.setattr(ablate, "run", fake)
    monkeypatch.setattr(ablate, "errors", lambda out, held_out, size, count: (float(out[-1]), 20.0, 10.0))
    monkeypatch.setattr(sys, "argv", ["ablate_choices", "--minutes", "10", "--textures", images, "--out", str(tmp_path), "--jobs", "1"])
    ablate_choices.main()
    total = {}
    for name, minutes, _ in calls:
        total[name.replace(" before", "")] = total.get(name.replace(" before", ""), 0) + minutes
    assert len(total) == 2 * len(ablate_choices.CHOICES) and set(total.values()) == {10}
    assert [call for call in calls if call[2]] == [("completion first 1", 7.0, True), ("completion first 2", 7.0, True)]
    assert "| as shipped | 2.00 | 1.50 ± 0.50 / 20.0 / 10.0 |" in (tmp_path / "choices.md").read_text()


def test_real_data_comes_in_the_stated_share(bank, tmp_path):
    fakes.sintel(fakes.Folder(tmp_path))
    args = options.parse("", ["--budget", "1", "--shapes", "1x32x32", "--batch", "1", "--data", f"sintel={tmp_path}", "--data-share", "0.3"])
    batches = Batches(args, tasks.Flow, bank, Randomness(3, 0, torch.device("cpu")))
    real = sum(bool((batches.draw(1.0).frame1 == 10).all()) for _ in range(200))
    assert 40 <= real <= 80


def test_the_command_line_overrides_the_configuration(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("network = dict(name='mine', width=64)\ntraining = dict(batch=7, rate=1e-3, shapes='1x64x64', budget=20)\n")
    args = options.parse("", ["--config", str(file), "--rate", "2e-3", "--network", "heads=2"])
    assert (args.batch, args.rate, args.shapes, args.budget, args.seed) == (7, 2e-3, [(1, 64, 64)], 20, 1)
    assert args.network == network.Config(name="mine", width=64, heads=2)
    for option, key in (("--budget-steps", "budget_steps"), ("--minutes", "minutes"), ("--steps", "steps")):
        args = options.parse("", ["--config", str(file), option, "5"])
        assert args.budget is None and getattr(args, key) == 5, "a length on the command line replaces the configuration's"


@pytest.mark.parametrize("text, argv, message", [
    ("network = {}\ntraining = dict(budget=1, speed=3)\n", [], "has no option speed"),
    ("network = dict(depth=3)\ntraining = dict(budget=1)\n", [], "the network has no size depth"),
    ("network = {}\n", [], "does not define the dictionary training"),
    ("network = {}\ntraining = {}\n", [], "the run has no length"),
    ("network = {}\ntraining = dict(budget=1)\n", ["--shapes", "2x100x128"], "multiples of 16"),
    ("network = {}\ntraining = dict(budget=1)\n", ["--data", "sintel=x", "--task", "depth"], "flow only"),
    (None, [], "no configuration .*: choose one of small, tiny"),
])
def test_wrong_configurations_end_with_a_message(tmp_path, capsys, text, argv, message):
    file = tmp_path / "wrong.py"
    if text:
        file.write_text(text)
    with pytest.raises(SystemExit):
        options.parse("", ["--config", str(file), *argv])
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize("name", configs.names())
def test_shipped_configurations_are_valid(name):
    args = options.parse("", ["--config", name])
    assert args.network.name == name and (args.budget or args.budget_steps)


def test_an_atlas_holds_the_textures(images, tmp_path):
    path = str(tmp_path / "atlas.npz")
    count, size, _ = atlas.pack(images, path, side=128)
    bank, straight = textures.load(path), textures.load(images)
    assert count == 25 and bank.shape == straight.shape and size < 4e6
    assert (bank.float() - straight.float()).abs().mean() < 12
