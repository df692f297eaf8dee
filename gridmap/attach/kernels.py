"""The compiled core of the locator. Importing this module imports numba."""

from __future__ import annotations

import numpy as np
from numba import njit

from .edges import BITS, ONE
from .lattice import SHARED
from .places import NOWHERE, UNSETTLED

HALF = ONE >> 1
BLOCK = 4096


@njit(cache=True, nogil=True, error_model="numpy")
def locate_points(  # type: ignore[no-untyped-def]
    x, y, left, below, side, columns, rows, raster, head, edges, tolerance, out
):
    """Write the polygon of each point to ``out``, UNSETTLED where only GEOS can tell.

    In blocks that fit into the nearest cache, in three sweeps: look the squares up, fetch
    the heads of those that edges cross, walk along their edges. So the processor waits for
    many squares at once instead of for one after the other.
    """
    crossed = np.empty(BLOCK, np.int32)
    base, entry = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    inverse = 1.0 / side
    for start in range(0, x.shape[0], BLOCK):
        stop = min(start + BLOCK, x.shape[0])
        found = 0
        for i in range(start, stop):
            u, w = (x[i] - left) * inverse, (y[i] - below) * inverse
            inside = (u >= 0.0) & (u < columns) & (w >= 0.0) & (w < rows)
            value = raster[np.int64(w) * columns + np.int64(u) if inside else 0]
            out[i] = value
            crossed[found] = i - start
            found += value < NOWHERE
        for k in range(found):
            value = out[start + crossed[k]]
            number = -2 - value if value != SHARED else 0
            base[k], entry[k] = head[number, 0], head[number, 1]
        for k in range(found):
            i = start + crossed[k]
            label, sure = follow_edges(x[i], y[i], base[k], entry[k], edges, tolerance)
            covers = (label + HALF) >> BITS
            held = label - ONE - 1 if covers == 1 else NOWHERE
            settled = sure and covers <= 1 and out[i] != SHARED
            out[i] = held if settled else UNSETTLED


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def follow_edges(x, y, label, entry, edges, tolerance):  # type: ignore[no-untyped-def]
    """Return the label of a point, and whether rounding can have played no part in it."""
    side = entry & 3
    first = entry >> 24
    u = x if side < 2 else y
    w = y if side < 2 else x
    w = -w if side & 1 else w
    sure = True
    for j in range(first, first + ((entry >> 2) & 0x3FFFFF)):
        above = w - (edges[j, 2] + (u - edges[j, 0]) * edges[j, 3])
        right = edges[j, 0] <= u
        # No branches: which way they go cannot be foreseen, and a wrong guess costs more
        # than the sums. Not "<= tolerance": an upright edge has no slope and is never sure.
        label += np.int64(edges[j, 4]) * (right & (u < edges[j, 1]) & (above > 0.0))
        sure &= not (right & (u <= edges[j, 1]) & (not abs(above) > tolerance))
    return label, sure
