"""benchmarks/speed/torch_network.py: the PyTorch that wwflow is compared with."""
import json
import os
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def test_pytorch_is_measured_in_all_three_ways():
    command = [sys.executable, "benchmarks/speed/torch_network.py", "--width", "64", "--height", "48", "--time", "0.01"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["what"] for line in lines] == ["pair", "no-reuse", "tiles"], done.stderr[-2000:]
    assert all(line.get("ms", 0) > 0 for line in lines), lines
