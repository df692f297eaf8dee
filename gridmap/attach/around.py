"""What the lattice tells about a footprint by its box, without a look at its shape."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from . import locator
from .edges import BITS, ONE
from .lattice import Cells
from .locator import Locator
from .places import NOWHERE

#: Boxes that reach over more squares than this, either way, are not looked at.
SPAN = 4


class Spread(NamedTuple):
    """What is known about each footprint."""

    holder: NDArray[np.int32]  # polygon that holds all of its box, in order of code, or -1
    tidy: NDArray[np.bool_]  # exactly one polygon covers each point of its box


class _Pairs(NamedTuple):
    """Each box with each square it touches."""

    box: NDArray[np.intp]
    square: NDArray[np.int64]


def look_around(footprints: NDArray[np.object_], ready: Locator) -> Spread:
    """Ask the lattice about the squares that the box of each footprint touches.

    Parameters
    ----------
    footprints : array of shapely polygons
    ready : Locator
        With the engine "geos" there is no lattice, and nothing is known.

    Returns
    -------
    Spread

    Examples
    --------
    >>> from gridmap.attach.locator import build_locator
    >>> from gridmap.sketch import sketch_grids
    >>> ready = build_locator(sketch_grids("AB", side_m=90), engine="numpy", side_m=20)
    >>> homes = shapely.box([40, 80], [40, 40], [55, 100], [50, 60])
    >>> look_around(homes, ready).holder.tolist()
    [0, -1]
    """
    return look_at_boxes(shapely.bounds(footprints), ready)


def look_at_boxes(bounds: NDArray[np.float64], ready: Locator) -> Spread:
    """Ask the lattice about the squares that boxes touch; see `look_around`.

    Examples
    --------
    >>> from gridmap.attach.locator import build_locator
    >>> from gridmap.sketch import sketch_grids
    >>> ready = build_locator(sketch_grids("AB", side_m=90), engine="numpy", side_m=20)
    >>> look_at_boxes(np.array([[40.0, 40, 50, 60]]), ready).holder.tolist()
    [0]
    """
    holder = np.full(len(bounds), NOWHERE, dtype=np.int32)
    tidy = np.zeros(len(bounds), dtype=bool)
    if ready.engine == "geos" or not len(bounds):
        return Spread(holder, tidy)
    near, pairs = _find_squares(bounds, ready)
    unclear = np.bincount(pairs.box[~_find_tidy(ready.cells)[pairs.square]],
                          minlength=len(bounds)) > 0
    tidy[near] = ~unclear[near]
    free = tidy & ~_find_touched(bounds, pairs, ready.cells)
    x, y = (bounds[free, :2] + bounds[free, 2:]).T / 2
    holder[free] = locator.find_numbers(ready, x, y)
    return Spread(holder, tidy)


def _find_squares(bounds: NDArray[np.float64], ready: Locator) -> tuple[NDArray[np.intp], _Pairs]:
    """Return the boxes of at most `SPAN` squares either way, with their squares."""
    squares = ready.lattice
    real = (bounds - [squares.x, squares.y] * 2) / squares.side
    last = [squares.columns - 1, squares.rows - 1] * 2
    box: NDArray[np.int64] = np.clip(real, 0, last).astype(np.int64)
    left, below = box[:, 0], box[:, 1]
    wide, high = box[:, 2] - left + 1, box[:, 3] - below + 1
    near = np.flatnonzero((wide <= SPAN) & (high <= SPAN))
    counts = (wide * high)[near]
    each = np.repeat(near, counts)
    step = np.arange(len(each)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = below[each] + step // wide[each], left[each] + step % wide[each]
    return near, _Pairs(each, row * squares.columns + column)


def _find_tidy(cells: Cells) -> NDArray[np.bool_]:
    """Say of each square whether exactly one polygon covers each point of it."""
    tidy = cells.raster > NOWHERE
    if not len(cells.head):
        return tidy
    counts = cells.head[:, 1] >> 2 & 0x3FFFFF
    steps = np.rint(cells.edges[:, 4] / ONE) != 0  # one polygon more or less across the edge
    number = np.repeat(np.arange(len(counts)), counts)
    uneven = np.bincount(number, weights=steps, minlength=len(counts)) > 0
    covers = (cells.head[:, 0] + (ONE >> 1)) >> BITS
    crossed = np.flatnonzero((cells.raster < NOWHERE) & (cells.raster >= -1 - len(counts)))
    tidy[crossed] = ((covers == 1) & ~uneven)[-2 - cells.raster[crossed]]
    return tidy


def _find_touched(
    bounds: NDArray[np.float64], pairs: _Pairs, cells: Cells
) -> NDArray[np.bool_]:
    """Say of each box whether an edge in one of its squares touches it."""
    number = -2 - cells.raster[pairs.square].astype(np.int64)
    crossed = np.flatnonzero((number >= 0) & (number < len(cells.head)))
    entry = cells.head[number[crossed], 1]
    counts = entry >> 2 & 0x3FFFFF
    pair = np.repeat(crossed, counts)
    start = np.repeat((entry >> 24) - (np.cumsum(counts) - counts), counts)
    line = cells.edges[start + np.arange(len(pair))]
    side, box = np.repeat(entry & 3, counts), pairs.box[pair]
    # Turn the boxes as the edges are turned: the free side below.
    x1, y1, x2, y2 = bounds[box].T
    u1, u2 = np.where(side < 2, x1, y1), np.where(side < 2, x2, y2)
    w1, w2 = np.where(side < 2, y1, x1), np.where(side < 2, y2, x2)
    w1, w2 = np.where(side & 1, -w2, w1), np.where(side & 1, -w1, w2)
    left, right = np.maximum(u1, line[:, 0]), np.minimum(u2, line[:, 1])
    with np.errstate(invalid="ignore"):  # an upright edge has no slope: call it touching
        one = line[:, 2] + (left - line[:, 0]) * line[:, 3]
        other = line[:, 2] + (right - line[:, 0]) * line[:, 3]
        over = np.minimum(one, other) > w2 + cells.tolerance
        under = np.maximum(one, other) < w1 - cells.tolerance
    touches = (left <= right) & ~over & ~under
    touched: NDArray[np.bool_] = np.bincount(box[touches], minlength=len(bounds)) > 0
    return touched
