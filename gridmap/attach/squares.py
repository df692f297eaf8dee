"""Edges sorted into the squares of a lattice: what the locator looks up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .edges import BITS, ONE, Edges
from .lattice import SHARED, Cells, Lattice

#: Slack around squares, in sides: an edge so near to a square counts as touching it. Far more
#: than rounding can move a point (1e-10 of a side), far less than anything that matters.
SLACK = 1e-6

#: Sides of a square in the order in which a free one is looked for, and by number in `Cells`.
BELOW, ABOVE, LEFT, RIGHT = range(4)

#: Rounding error of ``w - (w1 + (u - u1) * slope)``, as a share of the largest coordinate:
#: less than 14 roundings of 2**-53 each of at most twice that.
ERROR = 2.0**-48


class _Strips(NamedTuple):
    """Each edge in each column it touches, from left to right: the rows it touches there."""

    edge: NDArray[np.int32]
    column: NDArray[np.int32]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    starts: NDArray[np.intp]  # the first strip of each edge


class _Touches(NamedTuple):
    """Each edge in each square it touches, and which sides it touches (bit of the side)."""

    edge: NDArray[np.int32]
    square: NDArray[np.int32]
    sides: NDArray[np.uint8]


def build_cells(edges: Edges, lattice: Lattice) -> Cells:
    """Sort edges into the squares of a lattice.

    Parameters
    ----------
    edges : Edges
        As from `find_edges`.
    lattice : Lattice
        Laid over them.

    Returns
    -------
    Cells

    Examples
    --------
    >>> import shapely
    >>> from gridmap.attach.edges import find_edges
    >>> from gridmap.attach.lattice import lay_lattice
    >>> edges = find_edges(np.array([shapely.box(0, 0, 4, 4)]))
    >>> cells = build_cells(edges, lay_lattice(edges.ends, side=1.6))
    >>> int(cells.raster[2 * 5 + 2])  # the square in the middle lies in polygon 0
    0
    """
    if not len(edges.ends):
        nowhere = np.full(lattice.rows * lattice.columns, -1, dtype=np.int32)
        return Cells(nowhere, np.empty((0, 2), dtype=np.int64), np.empty((0, 5)), 0.0)
    strips = _cut_strips(edges.ends, lattice)
    lower = _sum_upwards(edges, strips, lattice)
    touches, across = _touch_squares(edges, strips, lattice)
    order = np.argsort(touches.square)
    first = np.flatnonzero(np.diff(touches.square[order], prepend=-1))
    square = touches.square[order[first]]
    sides = np.bitwise_or.reduceat(touches.sides[order], first)
    free, base = _find_base(square, sides, lower, across, lattice)
    listed, counts = _list_edges(touches.edge[order], first, square, sides, free, lattice)
    base, free = _borrow(square, sides, free, base, lower, lattice)
    lines = _turn(edges, listed, np.repeat(free, counts))
    starts = np.cumsum(counts) - counts
    head = np.column_stack([base, starts << 24 | counts << 2 | free])
    return Cells(_paint(lower, square, lattice), head, lines, _tolerance(lattice))


def _tolerance(lattice: Lattice) -> float:
    right = lattice.x + lattice.columns * lattice.side
    above = lattice.y + lattice.rows * lattice.side
    return ERROR * max(abs(lattice.x), abs(lattice.y), abs(right), abs(above))


def _cut_strips(ends: NDArray[np.float64], lattice: Lattice) -> _Strips:
    x1, x2 = (ends[:, 0] - lattice.x) / lattice.side, (ends[:, 2] - lattice.x) / lattice.side
    y1, y2 = (ends[:, 1] - lattice.y) / lattice.side, (ends[:, 3] - lattice.y) / lattice.side
    width = x2 - x1
    slope = np.divide(y2 - y1, width, out=np.zeros_like(width), where=width > 0)
    left = np.floor(x1 - SLACK).astype(np.int32)
    counts = np.floor(x2 + SLACK).astype(np.int32) - left + 1
    edge = np.repeat(np.arange(len(ends), dtype=np.int32), counts)
    starts = np.cumsum(counts) - counts
    column = np.arange(len(edge), dtype=np.int32) - np.repeat(starts - left, counts).astype(
        np.int32)
    at_x, at_y, rise = x1[edge], y1[edge], slope[edge]
    before = np.where(column - SLACK <= at_x, at_y, at_y + (column - SLACK - at_x) * rise)
    after = column + (1 + SLACK)
    behind = np.where(after >= x2[edge], y2[edge], at_y + (after - at_x) * rise)
    low = np.floor(np.minimum(before, behind) - 2 * SLACK).astype(np.int32)
    high = np.floor(np.maximum(before, behind) + 2 * SLACK).astype(np.int32)
    return _Strips(edge, column, low, high, starts)


def _sum_upwards(
    edges: Edges, strips: _Strips, lattice: Lattice
) -> NDArray[np.int64]:
    """Return the label at the middle of the lower side of each square, where it is free.

    One row more than the lattice has: the last is the upper side of the highest squares.
    """
    jumps = np.zeros((lattice.rows + 1, lattice.columns), dtype=np.int64)
    middle = (strips.column + 0.5) * lattice.side + lattice.x
    left, right = edges.ends[:, 0][strips.edge], edges.ends[:, 2][strips.edge]
    hit = np.flatnonzero((left <= middle) & (middle < right))
    place = (strips.high[hit] + 1, strips.column[hit])
    np.add.at(jumps, place, edges.jump[strips.edge[hit]])
    return np.cumsum(jumps, axis=0, out=jumps)


def _touch_squares(
    edges: Edges, strips: _Strips, lattice: Lattice
) -> tuple[_Touches, NDArray[np.int64]]:
    """Return every touched square, and the label at the middle of each left side.

    One column more than the lattice has: the last is the right side of the squares there.
    """
    before = _neighbours(strips, -1)
    behind = _neighbours(strips, 1)
    counts = strips.high - strips.low + 1
    strip = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    starts = np.cumsum(counts) - counts
    row = np.arange(len(strip), dtype=np.int32) - np.repeat(
        starts - strips.low, counts).astype(np.int32)
    goes_on = (row >= behind[0][strip]) & (row <= behind[1][strip])
    came = (row >= before[0][strip]) & (row <= before[1][strip])
    sides = ((row > strips.low[strip]).astype(np.uint8) << BELOW
             | (row < strips.high[strip]).astype(np.uint8) << ABOVE
             | came.astype(np.uint8) << LEFT | goes_on.astype(np.uint8) << RIGHT)
    edge, column = strips.edge[strip], strips.column[strip]
    last = np.flatnonzero(~goes_on)
    across = _sum_rightwards(edges, edge[last], row[last], column[last], lattice)
    square = row * np.int32(lattice.columns) + column
    return _Touches(edge, square, sides.astype(np.uint8)), across


def _neighbours(
    strips: _Strips, step: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the rows of the same edge one column further; none at its end."""
    low, high = np.roll(strips.low, -step), np.roll(strips.high, -step)
    ends = strips.starts if step < 0 else np.append(strips.starts[1:], len(low)) - 1
    low[ends], high[ends] = 1, 0
    return low, high


def _sum_rightwards(
    edges: Edges,
    edge: NDArray[np.int32],
    row: NDArray[np.int32],
    column: NDArray[np.int32],
    lattice: Lattice,
) -> NDArray[np.int64]:
    """Add up the jumps along the middle of each row, behind the last square of each edge."""
    jumps = np.zeros((lattice.rows, lattice.columns + 1), dtype=np.int64)
    middle = (row + 0.5) * lattice.side + lattice.y
    y1, y2 = edges.ends[:, 1][edge], edges.ends[:, 3][edge]
    hit = (np.minimum(y1, y2) <= middle) & (middle < np.maximum(y1, y2))
    rightwards = np.where(y2 > y1, -edges.jump[edge], edges.jump[edge])
    np.add.at(jumps, (row[hit], column[hit] + 1), rightwards[hit])
    return np.cumsum(jumps, axis=1, out=jumps)


def _find_base(
    square: NDArray[np.int32],
    sides: NDArray[np.uint8],
    lower: NDArray[np.int64],
    across: NDArray[np.int64],
    lattice: Lattice,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first free side of each crossed square and its label; 4 where none is free."""
    row, column = square // lattice.columns, square % lattice.columns
    free = np.full(len(square), 4, dtype=np.int64)
    for side in (RIGHT, LEFT, ABOVE, BELOW):
        free[sides >> side & 1 == 0] = side
    labels = [lower[row, column], lower[row + 1, column],
              across[row, column], across[row, column + 1]]
    return free, np.choose(np.minimum(free, RIGHT), labels)


def _list_edges(
    edge: NDArray[np.int32],
    first: NDArray[np.intp],
    square: NDArray[np.int32],
    sides: NDArray[np.uint8],
    free: NDArray[np.int64],
    lattice: Lattice,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the edges of each crossed square, one square after the other, and how many.

    A square without a free side has those of the squares below it as well.
    """
    counts = np.diff(first, append=len(edge))
    enclosed = np.flatnonzero(free > RIGHT)
    if not len(enclosed):
        return edge, counts
    extra = {}
    for k in enclosed.tolist():  # a handful: 17 of 300,000 crossed squares in a city
        column = _down_to_free(k, square, sides, lattice)
        extra[k] = np.unique(np.concatenate([edge[first[c] : first[c] + counts[c]]
                                             for c in column]))
    longer = counts.copy()
    longer[enclosed] = [len(extra[k]) for k in enclosed.tolist()]
    starts = np.cumsum(longer) - longer
    listed = np.empty(longer.sum(), dtype=edge.dtype)
    listed[np.arange(len(edge)) + np.repeat(starts - first, counts)] = edge
    for k in enclosed.tolist():
        listed[starts[k] : starts[k] + longer[k]] = extra[k]
    return listed, longer


def _borrow(
    square: NDArray[np.int32],
    sides: NDArray[np.uint8],
    free: NDArray[np.int64],
    base: NDArray[np.int64],
    lower: NDArray[np.int64],
    lattice: Lattice,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give a square without a free side the base of the first free lower side below it."""
    base, free = base.copy(), free.copy()
    for k in np.flatnonzero(free > RIGHT).tolist():
        lowest = square[_down_to_free(k, square, sides, lattice)[-1]]
        base[k], free[k] = lower.ravel()[lowest], BELOW
    return base, free


def _down_to_free(
    k: int, square: NDArray[np.int32], sides: NDArray[np.uint8], lattice: Lattice
) -> list[int]:
    """Return the crossed squares from ``k`` down to the first with a free lower side."""
    column = [k]
    while sides[column[-1]] >> BELOW & 1:
        column.append(int(np.searchsorted(square, square[column[-1]] - lattice.columns)))
    return column


def _turn(
    edges: Edges, listed: NDArray[np.int32], side: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Turn edges so that the given side lies below, and write them as ``Cells.edges`` has it."""
    turned = np.empty((len(edges.ends), 2, 5))
    x1, y1, x2, y2 = edges.ends.T
    _write_lines(turned[:, 0], x1, y1, x2, y2, edges.jump)
    # Sideways u is y: an edge that rises keeps its direction, one that falls turns round.
    rises = y2 > y1
    _write_lines(turned[:, 1], np.minimum(y1, y2), np.where(rises, x1, x2),
                 np.maximum(y1, y2), np.where(rises, x2, x1),
                 np.where(rises, -edges.jump, edges.jump))
    lines: NDArray[np.float64] = turned[listed, side >> 1]
    lines[(side & 1).astype(bool), 2:] *= -1
    return lines


def _write_lines(
    lines: NDArray[np.float64],
    u1: NDArray[np.float64],
    w1: NDArray[np.float64],
    u2: NDArray[np.float64],
    w2: NDArray[np.float64],
    jump: NDArray[np.int64],
) -> None:
    """Fill ``lines``. A slope too steep for a number is not a number: no point is above it."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = (w2 - w1) / (u2 - u1)
    slope[~np.isfinite(slope)] = np.nan
    for column, values in enumerate((u1, u2, w1, slope, jump)):
        lines[:, column] = values


def _paint(
    lower: NDArray[np.int64], square: NDArray[np.int32], lattice: Lattice
) -> NDArray[np.int32]:
    """Return the raster: the label of squares that no edge crosses is that of their sides."""
    label = lower[1:].ravel()
    covers = (label + (ONE >> 1)) >> BITS
    raster = np.where(covers == 1, label - ONE - 1, -1).astype(np.int32)
    raster[covers > 1] = SHARED
    raster[square] = -2 - np.arange(len(square), dtype=np.int32)
    return raster
