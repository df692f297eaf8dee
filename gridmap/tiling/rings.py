"""Polygons as flat arrays of segments, so that borders can be compared exactly.

Two polygons share a border where the same segment occurs in both, in opposite directions.
Whatever does not cancel that way is *loose*: the edge of a gap, of an overlap, of a vertex
that only one side has. A layer without loose segments, against its parent, tiles it; that
is a proof without any tolerance, and it takes one hash of every segment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

Shapes = NDArray[np.object_]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


class Rings(NamedTuple):
    """The rings of polygons, flat: ``xy`` of all vertices, each ring closed."""

    xy: Floats  # one row per vertex
    ring: Ints  # vertex -> ring
    part: Ints  # ring -> part, the shell of a part before its holes
    owner: Ints  # part -> position of the polygon


class Segments(NamedTuple):
    """The segments of rings: from vertex ``start`` to the next one, in ``owner``."""

    start: Ints  # position of the first vertex in Rings.xy
    owner: Ints  # position of the polygon
    key: Ints  # the same number for the same segment, whichever way it runs
    turn: Ints  # 1 or -1: whether the polygon lies left of the segment as ``key`` runs


def flatten(shapes: Shapes) -> Rings:
    """Take polygons apart into flat rings."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    # -0.0 and 0.0 are one place but two bit patterns
    return Rings(xy + 0.0, ring.astype("int64"), part.astype("int64"), owner.astype("int64"))


def rebuild(rings: Rings, size: int, *, multi: Flags) -> Shapes:
    """Put polygons together again; a ring of fewer than three places is left out.

    ``multi`` says for each of the ``size`` polygons whether it stays a MultiPolygon even
    with one part. A polygon of which nothing is left is None.
    """
    kept = np.bincount(rings.ring, minlength=len(rings.part)) >= 4
    rank = np.cumsum(kept) - 1
    inside = kept[rings.ring]
    shapes = np.full(size, None, dtype=object)
    if not kept.any():
        return shapes
    closed = shapely.linearrings(rings.xy[inside], indices=rank[rings.ring[inside]])
    shells = _is_shell(rings)
    alive = np.zeros(len(rings.owner), dtype=bool)
    alive[rings.part[kept & shells]] = True
    whole = alive[rings.part[kept]]
    part_rank = np.cumsum(alive) - 1
    parts = shapely.polygons(closed[whole], indices=part_rank[rings.part[kept][whole]])
    owner = rings.owner[alive]
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    count = np.bincount(owner, minlength=size)
    shapes[owner[first]] = parts[first]
    many = (count > 1) | (multi & (count > 0))
    chosen = many[owner]
    if chosen.any():
        order = np.cumsum(many) - 1
        shapes[many] = shapely.multipolygons(parts[chosen], indices=order[owner[chosen]])
    return shapes


def _is_shell(rings: Rings) -> Flags:
    return np.asarray(np.r_[True, rings.part[1:] != rings.part[:-1]][: len(rings.part)])


def place_ids(xy: Floats) -> Ints:
    """Number places: the same coordinates to the last bit get the same number."""
    bits = np.ascontiguousarray(xy).view(np.uint64)
    with np.errstate(over="ignore"):
        mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed += bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F)
    ids, firsts = pd.factorize(mixed)
    first = np.full(len(firsts), -1, dtype="int64")
    first[ids[::-1]] = np.arange(len(ids))[::-1]
    if not np.array_equal(xy[first[ids]], xy):  # two places with one hash: about never
        return np.unique(xy, axis=0, return_inverse=True)[1].astype("int64").ravel()
    return ids.astype("int64")


def segments(rings: Rings, places: Ints) -> Segments:
    """List the segments of rings; those of no length are left out."""
    starts = np.flatnonzero(rings.ring[:-1] == rings.ring[1:])
    here, there = places[starts], places[starts + 1]
    real = here != there
    starts, here, there = starts[real], here[real], there[real]
    low, high = np.minimum(here, there), np.maximum(here, there)
    key = pd.factorize(low * (np.int64(places.max(initial=0)) + 1) + high)[0].astype("int64")
    ring = rings.ring[starts]
    # shells run anticlockwise and holes clockwise, so that the polygon lies on the left
    right_way = _runs_anticlockwise(rings) == _is_shell(rings)
    turn = np.where(here < there, 1, -1) * np.where(right_way[ring], 1, -1)
    return Segments(starts, rings.owner[rings.part[ring]], key, turn.astype("int64"))


def _runs_anticlockwise(rings: Rings) -> Flags:
    """Say of each ring whether its signed area is above 0.

    Relative to the first vertex of each ring: with coordinates of millions of metres the
    plain formula loses thin rings.
    """
    if not len(rings.ring):
        return np.empty(0, dtype=bool)
    first = np.flatnonzero(np.r_[True, rings.ring[1:] != rings.ring[:-1]])
    local = rings.xy - rings.xy[first][rings.ring]
    x, y = local[:, 0], local[:, 1]
    same = rings.ring[:-1] == rings.ring[1:]
    cross = np.where(same, x[:-1] * y[1:] - x[1:] * y[:-1], 0.0)
    return np.asarray(np.bincount(rings.ring[:-1], weights=cross, minlength=len(first)) > 0)


def loose(pieces: Segments, group: Ints, weight: Ints) -> Flags:
    """Say of each segment whether it fails to cancel inside its group.

    Parameters
    ----------
    pieces : Segments
    group : array
        For each polygon, the group in which its borders must cancel.
    weight : array
        For each polygon 1, or -1 for a parent, whose border its children must cancel.
    """
    side = pd.factorize(pieces.key * (group.max(initial=0) + 1) + group[pieces.owner])[0]
    weights = weight[pieces.owner]
    total = np.bincount(side, weights=pieces.turn * weights)
    left = np.bincount(side, weights=(pieces.turn == 1) & (weights == 1))
    right = np.bincount(side, weights=(pieces.turn == -1) & (weights == 1))
    cancels = (total == 0) & (left <= 1) & (right <= 1)
    return np.asarray(~cancels[side])


def lines(rings: Rings, at: Ints) -> Shapes:
    """Make a line of each segment that starts at the given vertices."""
    ends = np.stack([rings.xy[at], rings.xy[at + 1]], axis=1)
    return np.asarray(shapely.linestrings(ends))


def chains(rings: Rings, at: Ints) -> Shapes:
    """Make lines of the segments that start at the given vertices, in rising order.

    Segments that follow each other in a ring make one line: noding lines of two vertices
    takes four times as long.
    """
    if not len(at):
        return np.empty(0, dtype=object)
    breaks = np.r_[True, at[1:] != at[:-1] + 1] | np.r_[True, np.diff(rings.ring[at]) != 0]
    starts = np.flatnonzero(breaks)
    count = np.diff(np.r_[starts, len(at)]) + 1
    line = np.repeat(np.arange(len(starts)), count)
    step = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    return np.asarray(shapely.linestrings(rings.xy[at[starts][line] + step], indices=line))
