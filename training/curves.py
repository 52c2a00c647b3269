"""Draw a run's log.csv: python3 -m training.curves runs/tiny"""
import csv
import os
import sys


def main():
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    folder = sys.argv[1]
    with open(os.path.join(folder, "log.csv")) as f:
        rows = list(csv.DictReader(f))
    panels = [("matching", "flow"), ("window_epe", "frame_epe"), ("acc_stem", "acc_encoder", "acc_decoder", "acc_all"), ("samples_per_s",), ("rate",)]
    fig, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 3))
    for axis, names in zip(axes, panels):
        for name in names:
            points = [(float(r["minutes"]), float(r[name])) for r in rows if r.get(name)]
            if points:
                axis.plot(*zip(*points), marker="o" if len(points) < 20 else None, label=name)
        axis.set_xlabel("minutes")
        axis.legend(fontsize=7)
    fig.tight_layout()
    fig.savefig(os.path.join(folder, "curves.png"), dpi=100)
    print(os.path.join(folder, "curves.png"))


if __name__ == "__main__":
    main()
