"""Error measures of the field: endpoint error (EPE, pixels), 1px (%), Fl (%), pooled over known pixels."""
import numpy as np

BINS = ((0, 10), (10, 40), (40, float("inf")))


def endpoint_error(flow, truth):
    """flow, truth: float [H, W, 2]; NaN in truth = unknown. EPE of the known pixels, [n], and their true lengths, [n]."""
    flow, truth = np.asarray(flow, np.float64), np.asarray(truth, np.float64)
    known = np.isfinite(truth).all(-1)
    return np.linalg.norm(flow - truth, axis=-1)[known], np.linalg.norm(truth, axis=-1)[known]


def summary(flow, truth):
    """Dict of epe (px), px1 and fl (%), and EPE by speed bin (s0-10, s10-40, s40+; None where a bin is empty)."""
    error, length = endpoint_error(flow, truth)
    out = dict(epe=error.mean(), px1=100 * (error > 1).mean(), fl=100 * ((error > 3) & (error > 0.05 * length)).mean())
    for lo, hi in BINS:
        inside = (length >= lo) & (length < hi)
        out[f"s{lo}+" if hi == float("inf") else f"s{lo}-{hi}"] = error[inside].mean() if inside.any() else None
    return out


def mean(rows):
    """Mean over pairs of each measure, leaving out what a pair lacks."""
    keys = rows[0].keys()
    pick = {k: [r[k] for r in rows if r[k] is not None] for k in keys}
    return {k: float(np.mean(v)) if v else None for k, v in pick.items()}
