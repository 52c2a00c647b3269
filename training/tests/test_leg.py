"""The leg on a lent GPU, rehearsed: its minutes are too scarce to find a fault in them."""
import csv
import os
import subprocess
import sys

from training import atlas

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
MIB = 2**20


def leg(carried, scratch, out):
    """Run one leg as on another machine: only what is carried is there, and only `out` comes back. Returns what it printed."""
    for folder in (scratch, out):
        os.makedirs(folder)
    setting = dict(CARRIED=str(carried), TMPDIR=str(scratch), OUT=str(out), PYTHON=sys.executable, CONFIG="tiny", BATCH="2", SHAPES="2x32x32", COST="2x32x32", FRAMES="1", BUDGET="1")
    done = subprocess.run(["bash", "training/gpu_leg.sh", "0.05", "--evaluate-on", "1", "--device", "cpu"], cwd=ROOT, env={**os.environ, **setting}, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_two_legs_on_machines_that_know_nothing_of_each_other(images, tmp_path):
    carried = tmp_path / "carried"
    os.makedirs(carried)
    atlas.pack(images, str(carried / "atlas.npz"), side=128)
    steps = []
    for number in ("first", "second"):
        out = tmp_path / number / "out"
        text = leg(carried, tmp_path / number / "scratch", out)
        assert ("rendering" in text) == (number == "first") and ("resumed" in text) == (number == "second")
        back = sorted(os.listdir(out))
        assert back == ["checkpoint.part00", "log.csv", "table.json", "table.md"] and all(os.path.getsize(out / f) <= 16 * MIB for f in back)
        with open(out / "log.csv") as f:
            steps.append(int(list(csv.DictReader(f))[-1]["step"]))
        os.replace(out / "checkpoint.part00", carried / "checkpoint.part00")
    assert steps[1] > steps[0] > 0
