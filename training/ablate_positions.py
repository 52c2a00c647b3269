"""Rotary against absolute positions, with several seeds, on frames up to three times as large as in training.

    python3 -m training.ablate_positions --minutes 10 --seeds 3 --out training/ablation

Every network trains from scratch on windows of 2x128x128 pixels from virtual frames of ablate.FRAME, on one CPU thread, for the same CPU time.
Errors are measured on the same synthetic whole frames for all: of the training size, twice and three times as large each way. Writes positions.md.
A network whose checkpoint is complete is not trained again.
"""
import os
import statistics
from concurrent.futures import ThreadPoolExecutor

from training import ablate, checkpoint, frames, tasks, textures

POSITIONS = ("rope", "absolute")
SCALES = (1, 2, 3)  # times ablate.FRAME


def errors(out, held_out, count):
    """Endpoint error in px and share of pixels above 1 px in %, means over `count` frames, for each of SCALES: [(epe, px1), ...]."""
    net, _ = checkpoint.load_average(os.path.join(out, "checkpoint.pt"))
    found = []
    for scale in SCALES:
        size = tuple(scale * side for side in ablate.FRAME)
        found.append(tasks.Flow.evaluate(net, frames.samples(held_out, count, sizes=(size,)))[:2])
    return found


def markdown(table, args):
    """table: {positions: [errors() of each seed]}."""
    sizes = ["{}x{}".format(*(scale * side for side in ablate.FRAME)) for scale in SCALES]
    lines = [f"`{args.config}`, {args.minutes:g} minutes of CPU time each, one thread, windows of 2x128x128; EPE in px / 1px in % on {args.frames} synthetic whole frames of each size", "",
             "| positions | seed | " + " | ".join(sizes) + " |", "|---|---|" + "---|" * len(sizes)]
    for positions, seeds in table.items():
        for seed, found in enumerate(seeds, 1):
            lines.append(f"| {positions} | {seed} | " + " | ".join(f"{epe:.2f} / {px1:.1f}" for epe, px1 in found) + " |")
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
        train = lambda positions, seed: pool.submit(ablate.run, f"{positions} {seed}", "2x128x128", positions, 4, args, seed)
        pairs = [[train(positions, seed) for positions in POSITIONS] for seed in range(1, args.seeds + 1)]
        folders = {positions: [pair[i].result()[0] for pair in pairs] for i, positions in enumerate(POSITIONS)}
    _, held_out = frames.split(textures.load(args.textures))
    table = {positions: [errors(out, held_out, args.frames) for out in outs] for positions, outs in folders.items()}
    text = markdown(table, args)
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "positions.md"), "w") as f:
        f.write(text)
    print(text)


if __name__ == "__main__":
    main()
