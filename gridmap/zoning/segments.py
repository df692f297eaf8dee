"""Which pieces of outline two units share: exact by hashing, near by projection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

#: Coordinates count as equal when they round to the same tenth of a millimetre.
QUANTUM_M = 1e-4


class Segments(NamedTuple):
    """Straight pieces of the outlines of units, one row each."""

    ends: NDArray[np.float64]  # x1, y1, x2, y2
    owner: NDArray[np.int64]  # position of the unit
    length: NDArray[np.float64]


class Shared(NamedTuple):
    """Pieces of outline that two units share, one row each."""

    first: NDArray[np.int64]  # positions of the units, first < second
    second: NDArray[np.int64]
    length: NDArray[np.float64]
    ends: NDArray[np.float64]


def cut_segments(shapes: NDArray[np.object_]) -> Segments:
    """Cut the outlines of polygons into straight pieces.

    Parameters
    ----------
    shapes : array of Polygon or MultiPolygon
        In metres.

    Returns
    -------
    Segments
        Pieces of no length are left out.

    Examples
    --------
    >>> cut_segments(np.array([shapely.box(0, 0, 2, 1)])).length.tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    parts, part_of = shapely.get_parts(shapes, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    xy, at = shapely.get_coordinates(rings, return_index=True)
    joined = at[1:] == at[:-1]
    ends = np.hstack([xy[:-1], xy[1:]])[joined]
    owner = part_of[ring_of[at[:-1][joined]]]
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    long = length > QUANTUM_M
    return Segments(ends[long], owner[long].astype(np.int64), length[long])


def share_segments(segments: Segments, *, snap_m: float = 0.05) -> Shared:
    """Find the pieces of outline that lie on one another.

    Pieces with the same ends are found by hashing. What is left is compared piece by
    piece: two that run within ``snap_m`` of each other share the length on which they do,
    so that a vertex that only one of two neighbours has does no harm.

    Parameters
    ----------
    segments : Segments
        As `cut_segments` returns them.
    snap_m : float, default 0.05
        How far apart two pieces may run and still be one border, in metres.

    Returns
    -------
    Shared
        Ordered by first and second.
    """
    from .kernels import match

    partner = match.match_segments(_quantised(segments.ends), segments.owner)
    left = np.flatnonzero(partner >= 0)
    left = left[partner[left] > left]
    right = partner[left]
    exact = _shared(segments.owner[left], segments.owner[right], segments.length[left],
                    segments.ends[left])
    alone = np.flatnonzero(partner < 0)
    near = _share_near(segments.ends[alone], segments.owner[alone], snap_m)
    first = np.concatenate([exact.first, near.first])
    second = np.concatenate([exact.second, near.second])
    order = np.lexsort((second, first))
    return Shared(
        first[order],
        second[order],
        np.concatenate([exact.length, near.length])[order],
        np.concatenate([exact.ends, near.ends])[order],
    )


def _quantised(ends: NDArray[np.float64]) -> NDArray[np.int64]:
    """Write each piece as whole numbers, its lower end first."""
    whole = np.rint(ends / QUANTUM_M).astype(np.int64)
    turned = (whole[:, 0] > whole[:, 2]) | (
        (whole[:, 0] == whole[:, 2]) & (whole[:, 1] > whole[:, 3])
    )
    whole[turned] = whole[turned][:, [2, 3, 0, 1]]
    return np.ascontiguousarray(whole)


def _shared(
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    length: NDArray[np.float64],
    ends: NDArray[np.float64],
) -> Shared:
    return Shared(np.minimum(one, other), np.maximum(one, other), length, ends)


def _share_near(
    ends: NDArray[np.float64], owner: NDArray[np.int64], snap_m: float
) -> Shared:
    """Compare pieces that have no twin: how long do two of them run side by side?"""
    lines = shapely.linestrings(ends.reshape(-1, 2, 2))
    tree = shapely.STRtree(lines)
    one, other = tree.query(lines, predicate="dwithin", distance=snap_m)
    apart = (one < other) & (owner[one] != owner[other])
    one, other = one[apart], other[apart]
    length = _side_by_side(ends[one], ends[other], snap_m)
    long = length > max(snap_m, QUANTUM_M)
    return _shared(owner[one[long]], owner[other[long]], length[long], ends[one[long]])


def _side_by_side(
    one: NDArray[np.float64], other: NDArray[np.float64], snap_m: float
) -> NDArray[np.float64]:
    """Return the length on which two pieces run within ``snap_m``, 0 where they do not."""
    swap = np.hypot(*_run(one).T) < np.hypot(*_run(other).T)
    base = np.where(swap[:, None], other, one)
    short = np.where(swap[:, None], one, other)
    run = _run(base)
    size = np.hypot(*run.T)
    unit = run / size[:, None]
    along = np.empty((len(base), 2))
    off = np.empty((len(base), 2))
    for end in (0, 1):
        way = short[:, 2 * end : 2 * end + 2] - base[:, :2]
        along[:, end] = (way * unit).sum(axis=1)
        off[:, end] = np.abs(way[:, 0] * unit[:, 1] - way[:, 1] * unit[:, 0])
    overlap = np.minimum(along.max(axis=1), size) - np.maximum(along.min(axis=1), 0.0)
    return np.where((off <= snap_m).all(axis=1), np.maximum(overlap, 0.0), 0.0)


def _run(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    return ends[:, 2:] - ends[:, :2]
