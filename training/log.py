"""log.csv of a run, one row for every EVERY steps; training.curves draws it."""
import csv
import os
import time

import torch

EVERY = 100


class Log:
    """Means of what a step reports, collected between rows. `columns` come from the loss, `measures` from an evaluation."""

    def __init__(self, folder, columns, measures, device):
        os.makedirs(folder, exist_ok=True)
        self.file = open(os.path.join(folder, "log.csv"), "a", newline="")
        self.table, self.measures = csv.writer(self.file), measures
        if self.file.tell() == 0:
            self.table.writerow(["step", "minutes", "samples", "samples_per_s", "rate", *columns, *measures])
        self.sums, self.batches, self.samples, self.since = torch.zeros(len(columns), device=device), 0, 0, time.time()

    def add(self, values, samples):
        """One batch: the values of `columns` as tensors (none: it reports nothing), and its number of samples."""
        if values:
            self.sums += torch.stack(values)
            self.batches += 1
        self.samples += samples

    def row(self, counters, rate, measured):
        """Write a row; `measured` is None where nothing was evaluated."""
        speed = self.samples / max(1e-9, time.time() - self.since)
        found = [f"{x:.4g}" for x in measured] if measured else [""] * len(self.measures)
        row = [counters["step"], f"{counters['seconds'] / 60:.2f}", counters["samples"], f"{speed:.2f}", f"{rate:.2e}", *(f"{x:.3f}" for x in (self.sums / max(1, self.batches)).tolist()), *found]
        self.table.writerow(row)
        self.file.flush()
        print(*row, flush=True)
        self.sums.zero_()
        self.batches, self.samples, self.since = 0, 0, time.time()
