"""gpu_leg.sh, run on the CPU: time on a GPU machine is too scarce to find errors there."""
import csv
import os
import subprocess
import sys

from training import atlas, checkpoint

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MIB = 2**20


def leg(carried, scratch, out):
    """Run one leg as on another machine, which has only the folder `carried` and returns only `out`. Returns the output."""
    for folder in (scratch, out):
        os.makedirs(folder)
    settings = dict(CARRIED=str(carried), TMPDIR=str(scratch), OUT=str(out), PYTHON=sys.executable, CONFIG="tiny", FRAMES="1")
    options = ["--steps", "2", "--budget-steps", "4", "--batch", "2", "--shapes", "2x32x32", "--evaluate-on", "1", "--processes", "1", "--device", "cpu"]
    done = subprocess.run(["bash", "training/gpu_leg.sh", "5", *options], cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_two_legs_on_machines_that_share_only_the_carried_files(images, tmp_path):
    carried = tmp_path / "carried"
    os.makedirs(carried)
    atlas.pack(images, str(carried / "atlas.npz"), side=128)
    steps = []
    for number in ("first", "second"):
        out = tmp_path / number / "out"
        text = leg(carried, tmp_path / number / "scratch", out)
        assert ("rendering" in text) == (number == "first") and ("resumed" in text) == (number == "second")
        back = sorted(os.listdir(out))
        packed = [f for f in back if f.startswith("checkpoint.part")]
        assert len(packed) in (1, 2) and back == [*packed, "log.csv", "table.json", "table.md"] and all(os.path.getsize(out / f) <= 16 * MIB for f in back)
        optimiser = checkpoint.load(str(out))["optimiser"]
        with open(out / "log.csv") as f:
            steps.append(int(list(csv.DictReader(f))[-1]["step"]))
        assert {float(state["step"]) for state in optimiser["state"].values()} == {steps[-1]}
        for f in packed:
            os.replace(out / f, carried / f)
    assert steps == [2, 4]
