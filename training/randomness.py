"""All random numbers of a run, with a state that a checkpoint can hold."""
import random

import torch


class Randomness:
    """Four sources: Python's and PyTorch's global ones, `generator` on the training device (scenes), and `shared`, which draws the same in
    every process (window shapes, synthetic or real data), so that no process waits for another with larger windows."""

    def __init__(self, seed, rank, device):
        self.device = device
        random.seed(seed + 1000 * rank)
        torch.manual_seed(seed + 1000 * rank)
        self.generator = torch.Generator(device=device).manual_seed(seed + 1000 * rank)
        self.shared = random.Random(seed)

    def state(self):
        cuda = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None
        return dict(python=random.getstate(), torch=torch.get_rng_state(), cuda=cuda, generator=self.generator.get_state(), shared=self.shared.getstate())

    def restore(self, state):
        random.setstate(state["python"])
        torch.set_rng_state(state["torch"].cpu())  # states are bytes on the CPU, also a GPU's
        if state["cuda"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"].cpu(), self.device)
        self.generator.set_state(state["generator"].cpu())
        self.shared.setstate(state["shared"])
