"""Error measures of a flow field, pooled over the pixels whose true flow is known.

Endpoint error (EPE, px), 1px and Fl (%) are the field's. Three more say whether a flow is calm and sharp:
`boundary`, the EPE near motion boundaries; `faint`, the EPE on surfaces of low contrast; `moving`, the share (%) of still pixels that seem to move.
"""
import cv2
import numpy as np

BINS = ((0, 10), (10, 40), (40, float("inf")))
BOUNDARY_JUMP = 1.0    # px; true flow of two neighbours differs by more at a motion boundary
BOUNDARY_REACH = 8     # px; pixels so near count as near a boundary
FAINT_CONTRAST = 0.5   # share of a texture's contrast; surfaces below it are faint
STILL_LIMIT = 0.25     # px; a still pixel with a longer flow seems to move


def near_boundary(truth):
    """truth float [H, W, 2], NaN where unknown -> bool [H, W]: pixels within BOUNDARY_REACH of a motion boundary."""
    edge = np.zeros(truth.shape[:2], np.uint8)
    for axis in (0, 1):
        jump = np.linalg.norm(np.diff(truth, axis=axis), axis=-1) > BOUNDARY_JUMP  # False next to NaN
        first, second = (edge[:-1], edge[1:]) if axis == 0 else (edge[:, :-1], edge[:, 1:])
        first |= jump.astype(np.uint8)
        second |= jump.astype(np.uint8)
    return cv2.dilate(edge, np.ones((2 * BOUNDARY_REACH + 1,) * 2, np.uint8)) > 0


def summary(flow, truth, contrast=None):
    """flow, truth: float [H, W, 2]; NaN in truth = unknown. contrast: float [H, W], of the surface in each pixel, where it is known.

    Dict of epe (px), px1 and fl (%), EPE by speed bin (s0-10, s10-40, s40+), boundary, faint (px) and moving (%); None where no pixel counts.
    """
    flow, truth = np.asarray(flow, np.float64), np.asarray(truth, np.float64)
    known = np.isfinite(truth).all(-1)
    error, length = np.linalg.norm(flow - truth, axis=-1), np.linalg.norm(truth, axis=-1)
    over = lambda value, where: float(value[where & known].mean()) if (where & known).any() else None
    out = dict(epe=error[known].mean(), px1=100 * (error[known] > 1).mean(), fl=100 * ((error > 3) & (error > 0.05 * length))[known].mean())
    for low, high in BINS:
        out[f"s{low}+" if high == float("inf") else f"s{low}-{high}"] = over(error, (length >= low) & (length < high))
    out["boundary"] = over(error, near_boundary(truth))
    out["faint"] = None if contrast is None else over(error, np.asarray(contrast) < FAINT_CONTRAST)
    out["moving"] = over(100.0 * (np.linalg.norm(flow, axis=-1) > STILL_LIMIT), length == 0)
    return out


def mean(rows):
    """Mean over pairs of each measure, leaving out the pairs in which it is None."""
    pick = {k: [r[k] for r in rows if r[k] is not None] for k in rows[0]}
    return {k: float(np.mean(v)) if v else None for k, v in pick.items()}
