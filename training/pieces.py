"""Layers that consist of many small pieces, such as leaves, fences and crowds: depth edges everywhere, at the cost of one layer.

The plane of such a layer is a grid of cells. Most cells show a piece, an ellipse whose place and size come from a hash of the cell. Outside the
layer's outline there are none.
"""
import math

import torch

from training import driving

CELL = 0.08, 0.3    # shorter side of a cell, as a share of the object's radius
LEAST_CELL = 8.0    # pixels
LONGER = 1.0, 4.0   # longer side of a cell, in shorter sides
GROWTH = 1.5, 4.0   # of the object: a tree, not a leaf
JITTER = 0.35       # range of a piece's place in its cell, in cells
RADII = 0.12, 0.45  # of a piece, in cells
PRESENT = 0.8       # share of the cells with a piece


def draw(scene, share):
    """Draw pieces for a share of the objects of a scenes.Scenes, and enlarge these objects. Returns which, bool [B, layers]; matrices from pixels to cells, [B, layers, 4];
    the shorter sides of the cells in pixels, [B, layers]."""
    batch, layers = scene.batch, scene.layers
    chosen = scene.pick(share, batch, layers) & (scene.corner != driving.CORNER)  # grounds and walls stay whole
    chosen[:, 0] = False
    cell = (scene.radius * scene.log_uniform(*CELL, batch, layers)).clamp(min=LEAST_CELL)
    longer = cell * scene.log_uniform(*LONGER, batch, layers)
    angle = scene.rand(batch, layers) * 2 * math.pi
    growth = torch.where(chosen, scene.log_uniform(*GROWTH, batch, layers), 1.0)
    scene.outline, scene.edge, scene.radius = scene.outline / growth[..., None], scene.edge * growth, scene.radius * growth
    c, s = torch.cos(angle), torch.sin(angle)
    return chosen, torch.stack([c / longer, s / longer, -s / cell, c / cell], -1), cell


def noise(i, j):
    """A hash of cells (i, j), from 0 to 1."""
    return torch.frac(torch.sin(i * 12.9898 + j * 78.233) * 437.585).abs()


def opacity(p, grid, cell):
    """Opacity of the pieces at a layer's own coordinates p [2, ...], with an edge about one pixel wide; matrix `grid` [4, ...] and `cell` as draw gives them."""
    u, v = p[0] * grid[0] + p[1] * grid[1], p[0] * grid[2] + p[1] * grid[3]
    i, j = u.floor(), v.floor()
    x = u - i - 0.5 + JITTER * (noise(i, j) - 0.5)
    y = v - j - 0.5 + JITTER * (noise(j + 0.5, i) - 0.5)
    size = noise(i + 0.25, j)
    radius = torch.where(size < PRESENT, RADII[0] + (RADII[1] - RADII[0]) * size / PRESENT, -1.0)
    return ((radius - torch.sqrt(x * x + y * y)) * cell + 0.5).clamp(0, 1)
