"""Rotary against absolute positions, with several seeds, on frames up to three times as large as in training.

    python3 -m training.ablate_positions --minutes 10 --seeds 3 --out training/ablation

Every network trains from scratch on windows of 2x128x128 pixels from virtual frames of ablate.FRAME, on one CPU thread, for the same CPU time.
Errors are measured on the same synthetic whole frames for all: of the training size, twice and three times as large each way. Writes positions.md.
A network whose checkpoint is complete is not trained again.
"""
import os
import statistics
from concurrent.futures import ThreadPoolExecutor

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
    p = ablate.parser(__doc__, minutes=10, frames=8)
    p.add_argument("--seeds", type=int, default=3)
    p.add_argument("--jobs", type=int, default=2, help="networks that train at the same time (default: %(default)s)")
    args = p.parse_args()
    with ThreadPoolExecutor(args.jobs) as pool:
        train = lambda positions, seed: pool.submit(ablate.run, f"{positions} {seed}", POSITIONS[positions], args, seed)
        pairs = [[train(positions, seed) for positions in POSITIONS] for seed in range(1, args.seeds + 1)]
        folders = {positions: [pair[i].result()[0] for pair in pairs] for i, positions in enumerate(POSITIONS)}
    _, held_out = frames.split(textures.load(args.textures))
    sizes = [tuple(scale * side for side in ablate.FRAME) for scale in SCALES]
    table = {positions: [[ablate.errors(out, held_out, size, args.frames) for size in sizes] for out in outs] for positions, outs in folders.items()}
    text = markdown(table, args)
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "positions.md"), "w") as f:
        f.write(text)
    print(text)


if __name__ == "__main__":
    main()
