"""Edges of polygons: shared ones once, each with the label that changes across it.

The label of a place says which polygons cover it: `ONE` for each of them plus its number,
counted from 1. So 0 is no polygon, ``ONE + n + 1`` is polygon n alone, and ``2 * ONE`` or
more an overlap. Labels add up, so the label at a place is the label at another place plus
the jumps at the edges between the two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

BITS = 40
ONE = 1 << BITS

_MIX = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)


class Edges(NamedTuple):
    """Segments from left to right, upright ones from below to above; no two the same."""

    ends: NDArray[np.float64]  # x1, y1, x2, y2
    jump: NDArray[np.int64]  # label above less label below; upright: left less right


def find_edges(polygons: NDArray[np.object_]) -> Edges:
    """Return the edges of polygons, those shared by neighbours merged into one.

    Parameters
    ----------
    polygons : array of shapely polygons or multipolygons
        All valid. They may overlap.

    Returns
    -------
    Edges

    Examples
    --------
    >>> edges = find_edges(shapely.box([0, 1], [0, 0], [1, 2], [1, 1]))
    >>> len(edges.ends)  # 4 of each square, one of them common
    7
    """
    parts, polygon = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    outer = np.append(True, part[1:] != part[:-1])[: len(rings)]
    inside_left = shapely.is_ccw(rings) == outer
    number = polygon[part].astype(np.int64)
    label = np.where(inside_left, 1, -1) * (ONE + 1 + number)
    sizes = shapely.get_num_coordinates(rings)
    xy = shapely.get_coordinates(rings)
    starts = np.ones(len(xy), dtype=bool)
    starts[np.cumsum(sizes) - 1] = False  # the last point of a ring starts no segment
    starts = np.flatnonzero(starts)
    ends = np.concatenate([xy[starts], xy[starts + 1]], axis=1)
    jump = np.repeat(label, sizes - 1)
    return _merge(*_point_right(ends, jump))


def _point_right(
    ends: NDArray[np.float64], jump: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    x1, y1, x2, y2 = ends.T
    point = (x1 == x2) & (y1 == y2)
    if point.any():
        ends, jump = ends[~point], jump[~point]
        x1, y1, x2, y2 = ends.T
    back = (x1 > x2) | ((x1 == x2) & (y1 > y2))
    ends[back] = ends[back][:, [2, 3, 0, 1]]
    return ends, np.where(back, -jump, jump)


def _merge(ends: NDArray[np.float64], jump: NDArray[np.int64]) -> Edges:
    """Add up the jumps of equal segments, found by sorting their hashes."""
    ends += 0.0  # -0.0 and 0.0 are the same place and must hash alike
    bits = ends.view(np.uint64)
    mixed = bits[:, 0] * np.uint64(_MIX[0])
    for column, factor in enumerate(_MIX[1:], start=1):
        mixed ^= mixed >> np.uint64(29)
        mixed += bits[:, column]
        mixed *= np.uint64(factor)
    order = np.argsort(mixed)
    new = np.append(True, mixed[order[1:]] != mixed[order[:-1]])[: len(order)]
    # Different segments with one hash stay apart; equal ones among them may stay apart, too,
    # which costs time but is not wrong.
    twin = np.flatnonzero(~new)
    alike = (ends[order[twin]] == ends[order[twin - 1]]).all(axis=1)
    new[twin[~alike]] = True
    first = np.flatnonzero(new)
    if not len(first):
        return Edges(ends, jump)
    return Edges(ends[order[first]], np.add.reduceat(jump[order], first))
