"""Draw many layers of borders as one: what runs within reach of a senior border becomes it.

Layers come senior first. Corners of a junior layer move onto senior corners, else onto senior
borders; where a junior border passes a senior corner, it is led through it. A border that
runs along a senior one within reach is then the same border to the last bit. Senior borders
stay where they are: at most they get a corner in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from scipy.spatial import cKDTree

from ..tiling import rings
from ..tiling.rings import Flags, Floats, Ints, Shapes

#: How often a border is led through the corners that it passes.
ROUNDS = 4


class Net(NamedTuple):
    """Borders as straight pieces between corners; each piece once."""

    xy: Floats  # of the corners
    ends: Ints  # two corners of each piece, the lower number first


def snap_borders(layers: Sequence[Shapes], *, reach_m: float) -> Net:
    """Return the borders of all layers, with those within reach of each other united.

    Parameters
    ----------
    layers : sequence of arrays of polygons
        The most senior first.
    reach_m : float
        How far a corner may move, in metres; along a senior border half as far again.

    Returns
    -------
    Net
        Pieces may still cross. The order of the polygons in a layer does not matter.

    Examples
    --------
    >>> first, second = shapely.box(0, 0, 10, 10), shapely.box(0.3, 0, 9.8, 10)
    >>> net = snap_borders([np.array([first]), np.array([second])], reach_m=1.0)
    >>> len(net.ends)
    4
    """
    net = Net(np.empty((0, 2)), np.empty((0, 2), dtype=np.int64))
    for shapes in layers:
        own = _take_apart(shapes)
        net = own if not len(net.ends) else _add(net, own, reach_m)
    return net


def _take_apart(shapes: Shapes) -> Net:
    """Return the borders of polygons, corners in the order of their coordinates."""
    flat = rings.flatten(shapes)
    if not len(flat.xy):
        return Net(np.empty((0, 2)), np.empty((0, 2), dtype=np.int64))
    order = np.lexsort((flat.xy[:, 1], flat.xy[:, 0]))
    ranked = flat.xy[order]
    new = np.r_[True, (ranked[1:] != ranked[:-1]).any(axis=1)]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    joined = flat.ring[:-1] == flat.ring[1:]
    return Net(ranked[new], _tidy(np.stack([place[:-1][joined], place[1:][joined]], axis=1)))


def _tidy(ends: Ints) -> Ints:
    """Return pieces once each, those of no length left out."""
    ends = np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1)
    width = np.int64(ends.max(initial=0)) + 1
    key = np.unique(ends[:, 0] * width + ends[:, 1])
    return np.stack([key // width, key % width], axis=1)


def _add(net: Net, own: Net, reach_m: float) -> Net:
    at = np.full(len(own.xy), -1, dtype=np.int64)
    near, corner = cKDTree(net.xy).query(own.xy, distance_upper_bound=reach_m)
    hit = np.isfinite(near)
    at[hit] = corner[hit]
    loose = np.flatnonzero(~hit)
    piece, foot, along, held = _project(net, own.xy[loose], reach_m)
    # a foot beside a senior corner is that corner: otherwise the next net would move it there
    near, corner = cKDTree(net.xy).query(foot, distance_upper_bound=reach_m)
    beside = held & np.isfinite(near)
    at[loose[beside]] = corner[beside]
    loose, foot, piece, along, held = (
        part[~beside] for part in (loose, foot, piece, along, held))
    xy = np.concatenate([net.xy, np.where(held[:, None], foot, own.xy[loose])])
    at[loose] = len(net.xy) + np.arange(len(loose))
    split = _split(net.ends, piece[held], along[held], at[loose[held]])
    fixed = np.ones(len(xy), dtype=bool)
    fixed[at[loose[~held]]] = False
    led = _drop_known(_tidy(at[own.ends]), split)
    for _ in range(ROUNDS):  # a border that was led aside may pass another corner
        before, led = led, _drop_known(_tidy(_lead_through(xy, led, fixed, reach_m)), split)
        if np.array_equal(before, led):
            break
    return Net(xy, _tidy(np.concatenate([split, led])))


def _drop_known(ends: Ints, known: Ints) -> Ints:
    width = max(ends.max(initial=0), known.max(initial=0)) + 1
    return ends[~np.isin(ends @ [width, 1], known @ [width, 1])]


def _project(net: Net, spots: Floats, reach_m: float) -> tuple[Ints, Floats, Floats, Flags]:
    """Return the piece within reach that is nearest to each spot, and the foot on it."""
    piece = np.full(len(spots), -1, dtype=np.int64)
    tree = shapely.STRtree(shapely.linestrings(net.xy[net.ends]))
    spot, found = tree.query_nearest(shapely.points(spots), max_distance=reach_m)
    order = np.lexsort((found, spot))  # of equally near pieces the first
    first = order[np.flatnonzero(np.diff(spot[order], prepend=-1))]
    piece[spot[first]] = found[first]
    held = piece >= 0
    start = net.xy[net.ends[piece, 0]]
    run = net.xy[net.ends[piece, 1]] - start
    along = ((spots - start) * run).sum(axis=1) / (run**2).sum(axis=1)
    held &= (along > 0) & (along < 1)
    return piece, start + along[:, None] * run, along, held


def _split(ends: Ints, piece: Ints, along: Floats, corner: Ints) -> Ints:
    """Put corners into pieces, in the order in which they lie on them."""
    order = np.lexsort((corner, along, piece))
    piece, corner = piece[order], corner[order]
    if not len(piece):
        return ends
    whole = np.ones(len(ends), dtype=bool)
    whole[piece] = False
    used = np.flatnonzero(~whole)
    # each split piece as a run of corners: its start, those in between, its end
    run = np.concatenate([used, piece, used])
    rank = np.r_[np.zeros(len(used)), np.ones(len(piece)), np.full(len(used), 2)]
    stop = np.concatenate([ends[used, 0], corner, ends[used, 1]])
    order = np.lexsort((np.arange(len(run)), rank, run))
    run, stop = run[order], stop[order]
    joined = run[1:] == run[:-1]
    return np.concatenate([ends[whole], np.stack([stop[:-1], stop[1:]], axis=1)[joined]])


def _lead_through(xy: Floats, ends: Ints, fixed: Flags, reach_m: float) -> Ints:
    """Lead junior pieces through the fixed corners that they pass within reach."""
    corners = np.flatnonzero(fixed)
    tree = shapely.STRtree(shapely.points(xy[corners]))
    piece, found = tree.query(shapely.linestrings(xy[ends]), predicate="dwithin",
                              distance=reach_m)
    corner = corners[found]
    inner = (ends[piece, 0] != corner) & (ends[piece, 1] != corner)
    piece, corner = piece[inner], corner[inner]
    start = xy[ends[piece, 0]]
    run = xy[ends[piece, 1]] - start
    along = ((xy[corner] - start) * run).sum(axis=1) / (run**2).sum(axis=1)
    between = (along > 0) & (along < 1)
    return _split(ends, piece[between], along[between], corner[between])
