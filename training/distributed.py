"""Several processes that train one network: each renders its own samples, and the gradients are averaged."""
import os
import socket
import subprocess
import sys
import time

import torch


class Group:
    """The processes that torchrun (or launch) started, or this process alone."""

    def __init__(self, device):
        self.world = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        self.device = torch.device(device)
        if self.world > 1:
            if self.device.type == "cuda":
                self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
                torch.cuda.set_device(self.device)
            torch.distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")

    def average(self, parameters):
        """Replace the gradients by their mean over all processes, in one message."""
        if self.world == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in grads])
        torch.distributed.all_reduce(flat)
        flat /= self.world
        for g, part in zip(grads, flat.split([g.numel() for g in grads])):
            g.copy_(part.reshape(g.shape))

    def first(self, number):
        """Process 0's number, in every process."""
        if self.world == 1:
            return number
        shared = torch.tensor(number, dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(shared, 0)
        return shared.item()

    def gather(self, value):
        """The values of all processes, in the order of their ranks."""
        if self.world == 1:
            return [value]
        values = [None] * self.world
        torch.distributed.all_gather_object(values, value)
        return values


def launch(module, argv, processes):
    """Run `python -m module argv` in several processes of one group. Returns the first exit status that is not 0."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = dict(os.environ, MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE=str(processes))
    ranks = [subprocess.Popen([sys.executable, "-m", module, *argv], env=dict(env, RANK=str(i), LOCAL_RANK=str(i))) for i in range(processes)]
    try:
        while all(r.poll() is None for r in ranks):
            time.sleep(0.5)
        failed = [r.returncode for r in ranks if r.returncode]
        if failed:  # the other processes would wait for this one forever
            return failed[0]
        return max(r.wait() for r in ranks)
    finally:
        for r in ranks:
            r.terminate()
