"""Choices of the network and of its training, each against the shipped one, at equal CPU time.

    python3 -m training.ablate_choices --minutes 9 --seeds 2 --out training/ablation

Every network trains from scratch on windows of 2x128x128 pixels from virtual frames of ablate.FRAME, on one CPU thread. Errors are measured on the
same synthetic whole frames for all, of the training size and of ablate.LARGE. Writes choices.md. A complete network is not trained again.
"""
import os
import statistics

from training import ablate, frames, textures

CHOICES = {  # options of training.train
    "as shipped": (),
    "one direction of each pair": ("--one-way",),
    "no propagation at strides 8 and 4": ("--network", "propagation=((), ())"),
    "one step at stride 8": ("--network", "steps=(1, 1, 1)"),
    "keys and values not pooled": ("--network", "pool=(1, 1)"),
    "completion first": (),
}
COMPLETION_SHARE = 0.3  # of the CPU time of "completion first" goes to training.tasks.Completion


def train(choice, seed, args):
    """Train one network. Returns its folder and its samples/s, completion included."""
    name, options = f"{choice} {seed}", (*ablate.WINDOWS, *CHOICES[choice])
    if choice != "completion first":
        return ablate.run(name, options, args, seed)[:2]
    first, _, _ = ablate.run(name + " before", (*options, "--task", "completion"), args, seed, COMPLETION_SHARE * args.minutes)
    options += ("--init", os.path.join(first, "checkpoint.pt"))
    return ablate.run(name, options, args, seed, (1 - COMPLETION_SHARE) * args.minutes)[:2]


def cell(found):
    """The seeds' results [(epe, px1, fl), ...] as text: means, and half the range of the EPE."""
    means = [statistics.mean(values) for values in zip(*found)]
    spread = (max(f[0] for f in found) - min(f[0] for f in found)) / 2
    return f"{means[0]:.2f} ± {spread:.2f} / {means[1]:.1f} / {means[2]:.1f}"


def markdown(table, args):
    """table: {choice: for each seed (samples/s, errors at FRAME, errors at LARGE)}."""
    lines = [f"`{args.config}`, {args.minutes:g} minutes of CPU time each, one thread, windows of 2x128x128, {args.seeds} seeds. Means of the seeds; ±: half of their range. "
             f"EPE in px / 1px in % / Fl in % on {args.frames} synthetic whole frames of each size.", "",
             "| network | samples/s | {}x{} | {}x{} |".format(*ablate.FRAME, *ablate.LARGE), "|---|---|---|---|"]
    for choice, seeds in table.items():
        speeds, small, large = zip(*seeds)
        lines.append(f"| {choice} | {statistics.mean(speeds):.2f} | {cell(small)} | {cell(large)} |")
    return "\n".join(lines) + "\n"


def main():
    args = ablate.parser_with_seeds(__doc__, minutes=9, seeds=2).parse_args()
    trained = ablate.with_seeds(lambda choice, seed: train(choice, seed, args), CHOICES, args)
    _, held_out = frames.split(textures.load(args.textures))
    measured = lambda out: [ablate.errors(out, held_out, size, args.frames) for size in (ablate.FRAME, ablate.LARGE)]
    table = {choice: [(speed, *measured(out)) for out, speed in seeds] for choice, seeds in trained.items()}
    ablate.write(markdown(table, args), args, "choices.md")


if __name__ == "__main__":
    main()
