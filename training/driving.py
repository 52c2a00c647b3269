"""The motion of a camera that drives through a scene: over a ground, often between walls, past objects that stand or move themselves.

Every layer is a plane, so its inverse depth d is linear in the picture. While the camera advances by s, a point p moves to
e + (p - e) / (1 - s d(p)), where e is the vanishing point. With the layer's pivot c, D = 1 - s d(c) and G = -s grad d / D this is
c + (c - e)(1/D - 1) + (I - (c - e) G^T)/D (p - c) / (1 + G . (p - c)), a motion as scenes.Scenes has it.

Ground and walls reach the vanishing point, where d = 0. Their textures are seen in perspective. Most grounds are roads: nearly plain, with lines. Most
objects stand on the ground, so that what moves past tells how fast a plain road moves.
"""
import math
from dataclasses import dataclass

import torch

GROUND, WALLS = 1, (2, 3)  # layers
GROUNDS, SIDES = 0.8, 0.6  # shares of the scenes with a ground, and of its sides with a wall
CORNER = 10.0     # exponent of an outline: a parallelogram with slightly rounded corners
PAN = 0.2         # a turn of the camera shifts the picture by about this share of its motion
STANDING = 0.7    # share of the objects that stand on the ground, where there is one
SMALLEST = 0.3    # size of the farthest ones, relative to those as near as GROWN (inverse depth) and nearer
GROWN = 0.6
TILT, STANDING_TILT = 0.3, 0.05  # deviation of the change of an object's depth over its radius, as a share of its depth
LEAST_SCALE = 0.1  # of a texture in perspective: 1 at its plane's anchor, smaller towards the vanishing point
MAX_ADVANCE = 0.15  # of the distance at which the ground's inverse depth is 1
ROADS, LINED = 0.6, 0.7  # shares of the grounds that are roads, and of the roads with lines
ROAD_CONTRAST = 0.3  # share of its texture's contrast that a road keeps at most


@dataclass
class Plane:
    """A ground or a wall of each scene. float [B, 2]: grad d; the corner and the two edges of its parallelogram in pixels; the direction in which it
    comes nearer, a unit vector. anchor [B, 1]: how far from the vanishing point its texture has its own scale, in pixels."""
    slope: torch.Tensor
    corner: torch.Tensor
    edges: tuple
    towards: torch.Tensor
    anchor: torch.Tensor


def ground_and_walls(scene, drives, vanishing, lever):
    """[(layer, bool [B]: which scenes have it, Plane)]. lever [B, 1]: how far below the vanishing point the ground's inverse depth is 1, in pixels."""
    batch, size = scene.batch, scene.size.max() * 2
    # most grounds are below, some are a wall or a ceiling
    angle = torch.where(scene.pick(0.75, batch), math.pi / 2 + 0.1 * scene.randn(batch), 2 * math.pi * scene.rand(batch))
    down = torch.stack([torch.cos(angle), torch.sin(angle)], -1)
    right = torch.stack([down[:, 1], -down[:, 0]], -1)
    grounds = drives & scene.pick(GROUNDS, batch)
    planes = [(GROUND, grounds, Plane(down / lever, vanishing - right * size, (right * size * 2, down * size), down, lever * scene.uniform(0.5, 1.2, batch, 1)))]
    for layer, side in zip(WALLS, (-right, right)):
        away = scene.log_uniform(1.5, 8, batch, 1).maximum(0.4 * scene.size.max() / lever)
        high = scene.log_uniform(0.5, 8, batch, 1)  # both in heights of the camera over the ground
        edges = (side + down / away) * size / 2, (side - down * high / away) * size / 2
        plane = Plane(side / (lever * away), vanishing, edges, side, lever * away * scene.uniform(0.2, 0.6, batch, 1))
        chosen = grounds & scene.pick(SIDES, batch)
        if layer < scene.layers:
            planes.append((layer, chosen, plane))
    return planes


def put(scene, layer, chosen, plane, vanishing):
    """Give a layer of the scenes `chosen` the outline and the texture of a plane."""
    a, b = (edge[chosen] / 2 for edge in plane.edges)
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    scene.centre[chosen, layer] = plane.corner[chosen] + a + b
    scene.outline[chosen, layer] = torch.stack([b[:, 1], -b[:, 0], -a[:, 1], a[:, 0]], -1) / area[:, None]
    thinnest = area.abs() / torch.maximum(a.norm(dim=-1), b.norm(dim=-1))
    scene.edge[chosen, layer] = thinnest / (2 * CORNER)
    scene.corner[chosen, layer], scene.lobe_size[chosen, layer], scene.hole[chosen, layer] = CORNER, 0.0, -1.0
    scene.grain[chosen, layer] = (plane.towards / plane.anchor)[chosen]
    scene.grain_at[chosen, layer] = (vanishing + plane.towards * plane.anchor)[chosen]


def pave(scene, grounds, plane):
    """Turn a share of the grounds into roads, most with lines along the road. Sizes grow with the camera's height over the ground, which is `anchor`
    pixels of the texture."""
    batch = scene.batch
    roads = grounds & scene.pick(ROADS, batch)
    scene.road_contrast[roads, GROUND] = ROAD_CONTRAST * scene.rand(batch)[roads]
    width, spacing = scene.uniform(0.04, 0.15, batch, 1), scene.uniform(1.0, 3.5, batch, 1)
    period = scene.log_uniform(0.5, 4, batch, 1)
    solid = scene.uniform(0.3, 0.6, batch, 1)
    solid = torch.where(scene.pick(0.3, batch, 1), 2.0, solid)  # a line without gaps
    sizes = torch.cat([width, spacing, scene.rand(batch, 1) * spacing, period, period * solid], 1) * plane.anchor
    strength = scene.uniform(0.3, 1.0, batch) * (roads & scene.pick(LINED, batch))
    scene.lines[:, GROUND] = torch.cat([strength[:, None], sizes, plane.towards], 1)
    scene.line_colour[:, GROUND] = 255 - 35 * scene.rand(batch, 3)


def draw_lines(colour, away, scale, lines, paint):
    """Draw the lines of roads into colour [m, 3], and return it; away [2, m]: the texture's points relative to the plane's anchor, and their `scale` [m], as foreshorten
    has them; lines [m, 8], paint [m, 3] as pave gives them."""
    lined = (lines[:, 0] > 0).nonzero()[:, 0]
    strength, width, spacing, start, period, solid, x, y = lines[lined].T
    away, pixel = away[:, lined], 1 / scale[lined]  # texels in a pixel
    across, along = away[0] * y - away[1] * x, away[0] * x + away[1] * y
    beside = (torch.remainder(across + start, spacing) - spacing / 2).abs()
    line = ((width / 2 - beside) / pixel + 0.5).clamp(0, 1) * (width / pixel).clamp(max=1)
    share = strength * line * (torch.remainder(along, period) < solid)
    colour[lined] = torch.lerp(colour[lined], paint[lined], share[:, None])
    return colour


def stand(scene, chosen, plane, vanishing, lever, depth):
    """Put the objects `chosen`, bool [B, layers], where their foot has the inverse depth `depth` [B, layers] on the ground, and make far ones smaller."""
    size = torch.where(chosen, SMALLEST + (1 - SMALLEST) * (depth / GROWN).clamp(max=1), 1.0)
    scene.outline, scene.edge, scene.radius = scene.outline / size[..., None], scene.edge * size, scene.radius * size
    half_axes = torch.linalg.inv(scene.outline.reshape(*depth.shape, 2, 2))  # its columns
    down = plane.towards[:, None]
    foot = ((scene.centre - vanishing[:, None]) * down).sum(-1) + (down[..., None, :] @ half_axes).norm(dim=(-2, -1))
    way = (depth * lever - foot) * chosen
    scene.centre = scene.centre + way[..., None] * down


def drive(scene, drives, length, own, nearness):
    """Replace the motion of the scenes `drives`, bool [B], of a scenes.Scenes.

    length [B, 1]: motion in pixels at `lever` from the vanishing point where d is 1; own [B, layers, 2]: the objects' own motion in pixels;
    nearness [B, layers]: 0 for the farthest layer, 1 for the nearest one.
    """
    batch, layers = scene.batch, scene.layers
    vanishing = scene.size * (0.25 + 0.5 * scene.rand(batch, 2))
    lever = scene.size.min() * scene.uniform(0.4, 1.0, batch, 1)
    advance = (length / lever).clamp(max=MAX_ADVANCE) * torch.where(scene.pick(0.85, batch, 1), 1.0, -1.0)
    depth = 0.03 + 1.2 * nearness ** 2
    planes = ground_and_walls(scene, drives, vanishing, lever)
    standing = planes[0][1][:, None] & scene.pick(STANDING, batch, layers)
    standing[:, 0] = False
    for layer, chosen, _ in planes:
        standing[:, layer] &= ~chosen
    stand(scene, standing, planes[0][2], vanishing, lever, depth)
    pivot = torch.cat([vanishing[:, None], scene.centre[:, 1:]], 1)
    slope = scene.randn(batch, layers, 2) * torch.where(standing, STANDING_TILT, TILT)[..., None] * (depth / scene.radius)[..., None]
    slope[:, 0] = 0
    own = own.clone()
    for layer, chosen, plane in planes:
        own[chosen, layer], depth[chosen, layer] = 0.0, 0.0
        pivot[chosen, layer], slope[chosen, layer] = vanishing[chosen], plane.slope[chosen]
        put(scene, layer, chosen, plane, vanishing)
        if layer == GROUND:
            pave(scene, chosen, plane)

    scale = 1 - advance * depth
    apart, tilt = pivot - vanishing[:, None], -advance[..., None] * slope / scale[..., None]
    skew = apart[..., :, None] * tilt[..., None, :]
    matrix = ((torch.eye(2, device=scene.device) - skew) / scale[..., None, None]).flatten(2)
    shift = apart * (1 / scale - 1)[..., None] + PAN * length[..., None] * scene.randn(batch, 1, 2) + own
    for value, driven in ((scene.pivot, pivot), (scene.shift, shift), (scene.matrix, matrix), (scene.tilt, tilt)):
        value[drives] = driven[drives]
    scene.wave[drives[:, None] & (own == 0).all(-1)] = 0  # the static scene is rigid


def foreshorten(p, grain, at):
    """Where a plane's texture lies: points p [2, m] of the picture, grain and at [m, 2] -> (points relative to `at` [2, m], scale [m]).

    grain = 0 changes nothing: the scale is 1.
    """
    away = p - at.T
    scale = torch.addcmul(torch.addcmul(torch.ones_like(away[0]), away[0], grain[:, 0]), away[1], grain[:, 1]).clamp_(min=LEAST_SCALE)
    return away / scale, scale


def contrast(scale):
    """The share of a texture's contrast that is left at a scale of perspective: far off, a pixel shows the mean of many texels."""
    return (1.5 * scale ** 1.5).clamp(max=1)
