"""Divide many blocks at once along lines equally far from two groups of points.

Lines are noded once for all blocks together; block by block it took twice as long, and
neighbours did not share the corners of cells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy  # its parts are loaded when they are first named
import shapely

from . import knit, mesh
from .rings import Flags, Floats, Ints, Shapes

#: Seeds nearer to each other than this are one: a millimetre.
DIGITS = 3
#: Lines reach this far over the border of their block, so that they are sure to meet it.
OVER_M = 0.01


class Seeds(NamedTuple):
    """Points that claim the land around them, each inside its own block only."""

    xy: Floats
    label: Ints  # whom the land goes to; 0 and up
    block: Ints


class Lines(NamedTuple):
    """Further lines that divide blocks."""

    shapes: Shapes
    block: Ints


class Divided(NamedTuple):
    """Faces that tile all blocks."""

    faces: Shapes
    block: Ints
    label: Ints  # of the nearest seed; -1 in a block without seeds


def divide_blocks(
    blocks: Shapes, seeds: Seeds, between: Lines, more: Lines, *, exact: bool
) -> Divided:
    """Divide blocks into faces and label each by the nearest seed of its block.

    Parameters
    ----------
    blocks : array of polygons
        A tiling to the last bit.
    seeds : Seeds
    between : Lines
        From `find_between`.
    more : Lines
        Divide the blocks as well.
    exact : bool
        As in `mesh.build_faces`.

    Returns
    -------
    Divided
        A block whose lines cannot be noded, because two run a nanometre apart, is whole.
    """
    more = _clip(blocks, more)
    lines = np.concatenate([between.shapes, more.shapes])
    cut = np.unique(np.r_[between.block, more.block])
    near = np.zeros(len(blocks), dtype=bool)  # neighbours get the new corners as well
    near[shapely.STRtree(blocks).query(blocks[cut])[1]] = True
    faces, block = _faces(blocks, np.flatnonzero(near), lines, exact=exact)
    rest = np.flatnonzero(~near)
    faces, block = np.concatenate([faces, blocks[rest]]), np.r_[block, rest]
    found = np.bincount(block, shapely.area(faces), minlength=len(blocks))
    bad = np.abs(found - shapely.area(blocks)) > 1e-9 * shapely.area(blocks)
    if bad.any():
        if exact:
            raise mesh.NotNodedError(f"{bad.sum()} blocks")
        kept = ~bad[block]
        faces = np.concatenate([faces[kept], blocks[bad]])
        block = np.r_[block[kept], np.flatnonzero(bad)]
        one = np.ones(len(faces), dtype="int64")
        faces = knit.knit(faces, one, one, snap_m=0.0).shapes
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    label = _nearest(blocks, seeds, inner, block)
    label[bad[block]] = -1
    return Divided(faces, block, label)


def _faces(
    blocks: Shapes, chosen: Ints, lines: Shapes, *, exact: bool
) -> tuple[Shapes, Ints]:
    """Node the walls of the chosen blocks with the lines; faces outside them are dropped."""
    walls = shapely.get_rings(shapely.get_parts(blocks[chosen]))
    faces = mesh.build_faces(np.concatenate([walls, lines]), exact=exact)
    inner = shapely.point_on_surface(faces)
    rank = mesh.lowest(len(faces), *mesh.find_covers(inner, blocks[chosen]))
    return faces[rank >= 0], chosen[rank[rank >= 0]]


def find_between(blocks: Shapes, seeds: Seeds) -> Lines:
    """Find the lines equally far from seeds of different labels, one bundle per block."""
    mixed = _mixed(seeds, len(blocks))[seeds.block]
    seeds = _once(Seeds(seeds.xy[mixed], seeds.label[mixed], seeds.block[mixed]))
    chosen, starts = np.unique(seeds.block, return_index=True)
    ends = np.r_[starts, len(seeds.block)][1:]
    bounds = shapely.bounds(blocks)
    # block by block: in one diagram, far apart, it takes three times as long
    edges = [_edges(seeds.xy[i:j], seeds.label[i:j], bounds[block])
             for block, i, j in zip(chosen, starts, ends, strict=True)]
    count = [len(some) for some in edges]
    if not sum(count):
        return Lines(np.empty(0, dtype=object), np.empty(0, dtype="int64"))
    bundle = np.repeat(np.arange(len(chosen)), count)
    lines = shapely.linestrings(np.concatenate(edges))
    return _clip(blocks, Lines(lines, chosen[bundle]))


def _edges(xy: Floats, label: Ints, bounds: Floats) -> Floats:
    """Edges of the Voronoi diagram between points of different labels."""
    middle = (bounds[:2] + bounds[2:]) / 2
    reach = 4 * max(float((bounds[2:] - bounds[:2]).max()), float(np.abs(xy - middle).max()), 1.0)
    # four points far away, so that every edge inside the block has two ends
    far = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * reach
    diagram = scipy.spatial.Voronoi(np.concatenate([xy - middle, far]))
    labels = np.r_[label, -1, -1, -1, -1]
    one, two = labels[diagram.ridge_points].T
    apart = np.flatnonzero((one != two) & (one >= 0) & (two >= 0))
    ends = [diagram.ridge_vertices[i] for i in apart.tolist()]
    at = np.array([pair for pair in ends if min(pair) >= 0], dtype="int64").reshape(-1, 2)
    return np.asarray(diagram.vertices[at] + middle)


def find_frontier(seeds: Seeds, size: int) -> Flags:
    """Say which seeds have one of another label next to them in their block.

    The land of the others does not touch a border, whatever becomes of them.
    """
    frontier = np.zeros(len(seeds.block), dtype=bool)
    mixed = np.flatnonzero(_mixed(seeds, size)[seeds.block])
    order = mixed[np.argsort(seeds.block[mixed], kind="stable")]
    starts = np.flatnonzero(np.diff(seeds.block[order])) + 1
    for some in np.split(order, starts):  # a diagram for each block
        if len(some) < 5:
            frontier[some] = True
            continue
        near = scipy.spatial.Delaunay(
            seeds.xy[some] - seeds.xy[some].mean(axis=0), qhull_options="QJ Pp")
        corner = some[near.simplices]
        mixed_ = (seeds.label[corner] != seeds.label[corner[:, :1]]).any(axis=1)
        frontier[corner[mixed_].ravel()] = True
    return frontier


def _mixed(seeds: Seeds, size: int) -> Flags:
    """Say which blocks have seeds of more than one label."""
    high = np.full(size, -1, dtype="int64")
    low = np.full(size, np.iinfo("int64").max)
    np.maximum.at(high, seeds.block, seeds.label)
    np.minimum.at(low, seeds.block, seeds.label)
    return np.asarray(high > low)


def _once(seeds: Seeds) -> Seeds:
    """Of seeds at one place in one block keep the first."""
    xy = seeds.xy.round(DIGITS)
    order = np.lexsort((np.arange(len(xy)), xy[:, 1], xy[:, 0], seeds.block))
    sorted_ = Seeds(xy[order], seeds.label[order], seeds.block[order])
    same = (sorted_.xy[1:] == sorted_.xy[:-1]).all(axis=1) & (np.diff(sorted_.block) == 0)
    kept = np.r_[True, ~same][: len(order)]
    return Seeds(sorted_.xy[kept], sorted_.label[kept], sorted_.block[kept])


def _middles(blocks: Shapes) -> Floats:
    bounds = shapely.bounds(blocks)
    return np.asarray((bounds[:, :2] + bounds[:, 2:]) / 2)


def _slots(blocks: Shapes, seeds: Seeds) -> tuple[Floats, float]:
    """Shifts that set every block in a square of its own, and how far it may reach."""
    middles = _middles(blocks)
    apart = np.abs(seeds.xy - middles[seeds.block]).max()
    bounds = shapely.bounds(blocks[np.unique(seeds.block)])
    reach = 4 * max(float((bounds[:, 2:] - bounds[:, :2]).max()), float(apart), 1.0)
    side = int(np.ceil(np.sqrt(len(blocks))))
    number = np.arange(len(blocks))
    where = np.stack([number % side, number // side], axis=1) * (4.0 * reach)
    return where - middles, reach


def _nearest(blocks: Shapes, seeds: Seeds, xy: Floats, block: Ints) -> Ints:
    """Return the label of the nearest seed in the same block; -1 where it has none."""
    label = np.full(len(block), -1, dtype="int64")
    seeded = np.isin(block, seeds.block)
    if seeded.any():
        seeds = _once(seeds)
        slots, _ = _slots(blocks, seeds)
        tree = scipy.spatial.cKDTree(seeds.xy + slots[seeds.block])
        label[seeded] = seeds.label[tree.query(xy[seeded] + slots[block[seeded]])[1]]
    return label


def _clip(blocks: Shapes, lines: Lines) -> Lines:
    """Cut lines off a hair outside their block."""
    if not len(lines.block):
        return lines
    order = np.argsort(lines.block, kind="stable")
    parts, owner = shapely.get_parts(lines.shapes[order], return_index=True)
    block, number = np.unique(lines.block[order][owner], return_inverse=True)
    bundles = shapely.multilinestrings(parts, indices=number)
    wider = shapely.buffer(blocks[block], OVER_M, join_style="mitre")
    return Lines(np.asarray(shapely.intersection(bundles, wider)), block)
