"""Draw the log of a run as curves.png.

    python3 -m training.curves runs/tiny
"""
import argparse
import csv
import os

PANELS = (("matching", "flow"), ("window_epe", "frame_epe"), ("acc_stem", "acc_encoder", "acc_decoder", "acc_all"), ("samples_per_s",), ("rate",))


def draw(folder):
    """Write folder/curves.png from folder/log.csv. Returns its path."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    with open(os.path.join(folder, "log.csv")) as f:
        rows = list(csv.DictReader(f))
    fig, axes = plt.subplots(1, len(PANELS), figsize=(4 * len(PANELS), 3))
    for axis, names in zip(axes, PANELS):
        for name in names:
            points = [(float(r["minutes"]), float(r[name])) for r in rows if r.get(name)]
            if points:
                axis.plot(*zip(*points), marker="o" if len(points) < 20 else None, label=name)
        axis.set_xlabel("minutes")
        axis.legend(fontsize=7)
    fig.tight_layout()
    path = os.path.join(folder, "curves.png")
    fig.savefig(path, dpi=100)
    return path


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", help="folder of the run")
    print(draw(p.parse_args().folder))


if __name__ == "__main__":
    main()
