import csv
import os
import subprocess
import sys

from training import atlas, checkpoint, parts, textures

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def train(out, images, *more):
    done = subprocess.run([sys.executable, "-m", "training.train", "--out", out, "--textures", images, "--shapes", "2x32x32", "--batch", "2", "--evaluate-every", "99", "--evaluate-on", "1",
                           "--threads", "1", *more], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return checkpoint.load(os.path.join(out, "checkpoint.pt")), done.stdout


def test_a_leg_trains_resumes_and_logs_and_two_processes_agree(images, tmp_path):
    out = str(tmp_path / "run")
    first, _ = train(out, images, "--minutes", "0.05", "--budget", "1")
    assert first["state"]["step"] > 0
    second, text = train(out, images, "--minutes", "0.05", "--budget", "1", "--processes", "2")
    assert "resumed" in text and second["state"]["step"] > first["state"]["step"]
    assert second["state"]["seconds"] > first["state"]["seconds"]
    with open(os.path.join(out, "log.csv")) as f:
        rows = list(csv.DictReader(f))
    assert rows and float(rows[-1]["frame_epe"]) > 0 and float(rows[-1]["rate"]) > 0
    assert not [f for f in os.listdir(out) if f.endswith(".tmp")]
    # over a narrow road to another machine and on from there
    carried, far = tmp_path / "parts", str(tmp_path / "far")
    os.makedirs(carried)
    assert all(os.path.getsize(p) <= 16 * 2**20 for p in parts.pack(os.path.join(out, "checkpoint.pt"), str(carried)))
    parts.join(str(carried), os.path.join(far, "checkpoint.pt"))
    third, _ = train(far, images, "--minutes", "0.05", "--budget", "1")
    assert third["state"]["step"] > second["state"]["step"]


def test_atlas_holds_the_textures(images, tmp_path):
    path = str(tmp_path / "atlas.npz")
    count, size, _ = atlas.pack(images, path, side=128)
    bank, straight = textures.load(path), textures.load(images)
    assert count == 25 and bank.shape == straight.shape and size < 4e6
    assert (bank.float() - straight.float()).abs().mean() < 12
