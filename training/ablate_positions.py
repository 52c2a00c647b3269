"""Rotary against absolute positions, with several seeds, on frames up to three times as large as in training.

    python3 -m training.ablate_positions --minutes 10 --seeds 3 --out training/ablation

Every network trains from scratch on windows of 2x128x128 pixels from virtual frames of ablate.FRAME, on one CPU thread, for the same CPU time.
Errors are measured on the same synthetic whole frames for all: of the training size, twice and three times as large each way. Writes positions.md.
A network whose checkpoint is complete is not trained again.
"""
import statistics

from training import ablate, frames, textures

POSITIONS = {"rope": ablate.WINDOWS, "absolute": ablate.WINDOWS + ablate.ABSOLUTE}
SCALES = (1, 2, 3)  # times ablate.FRAME


def markdown(table, args):
    """table: {positions: for each seed, ablate.errors for each of SCALES}."""
    sizes = ["{}x{}".format(*(scale * side for side in ablate.FRAME)) for scale in SCALES]
    lines = [f"`{args.config}`, {args.minutes:g} minutes of CPU time each, one thread, windows of 2x128x128; EPE in px / 1px in % on {args.frames} synthetic whole frames of each size", "",
             "| positions | seed | " + " | ".join(sizes) + " |", "|---|---|" + "---|" * len(sizes)]
    for positions, seeds in table.items():
        for seed, found in enumerate(seeds, 1):
            lines.append(f"| {positions} | {seed} | " + " | ".join(f"{epe:.2f} / {px1:.1f}" for epe, px1, _ in found) + " |")
        if len(seeds) > 1:
            each = lambda at, k: [found[at][k] for found in seeds]
            cell = lambda at: " / ".join(f"{statistics.mean(each(at, k)):.{digits}f} ± {statistics.stdev(each(at, k)):.{digits}f}" for k, digits in ((0, 2), (1, 1)))
            lines.append(f"| **{positions}** | mean ± deviation | " + " | ".join(cell(at) for at in range(len(sizes))) + " |")
    return "\n".join(lines) + "\n"


def main():
    args = ablate.parser_with_seeds(__doc__, minutes=10, seeds=3).parse_args()
    trained = ablate.with_seeds(lambda positions, seed: ablate.run(f"{positions} {seed}", POSITIONS[positions], args, seed), POSITIONS, args)
    _, held_out = frames.split(textures.load(args.textures))
    sizes = [tuple(scale * side for side in ablate.FRAME) for scale in SCALES]
    table = {positions: [[ablate.errors(out, held_out, size, args.frames) for size in sizes] for out, _, _ in seeds] for positions, seeds in trained.items()}
    ablate.write(markdown(table, args), args, "positions.md")


if __name__ == "__main__":
    main()
