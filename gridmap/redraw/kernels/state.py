"""What grids hold while units change hands, and one unit changing hands."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...zoning.kernels.anneal import holds_together
from ...zoning.kernels.compiled import compiled

FOUR_PI = 4.0 * math.pi


class Land(NamedTuple):
    """Units and the borders between them, without arcs that no grid may cross.

    ``load`` has a column for each measure that is bounded, the one that sizes a grid first;
    ``cost`` is what moving a unit costs.
    """

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    length: NDArray[np.float64]
    load: NDArray[np.float64]
    cost: NDArray[np.float64]
    area: NDArray[np.float64]
    outline: NDArray[np.float64]
    place: NDArray[np.float64]


class Held(NamedTuple):
    """Sums of each grid: loads, area, outline and number of units, changed in place.

    ``mark`` and ``queue`` are the scratch space of a search, ``stamp`` its last mark.
    """

    load: NDArray[np.float64]
    area: NDArray[np.float64]
    outline: NDArray[np.float64]
    units: NDArray[np.int64]
    mark: NDArray[np.int64]
    queue: NDArray[np.int64]
    stamp: NDArray[np.int64]


@compiled
def tally(land, label, grids):  # type: ignore[no-untyped-def]
    """Return the sums of each grid."""
    size, measures = land.load.shape
    held = Held(
        np.zeros((grids, measures)), np.zeros(grids), np.zeros(grids),
        np.zeros(grids, np.int64), np.zeros(size, np.int64), np.empty(size, np.int64),
        np.zeros(1, np.int64),
    )
    for u in range(size):
        grid = label[u]
        held.units[grid] += 1
        held.area[grid] += land.area[u]
        held.outline[grid] += land.outline[u]
        for measure in range(measures):
            held.load[grid, measure] += land.load[u, measure]
        for arc in range(land.start[u], land.start[u + 1]):
            if label[land.neighbour[arc]] == grid:
                held.outline[grid] -= land.length[arc]
    return held


@compiled
def shared(land, label, u, grid):  # type: ignore[no-untyped-def]
    """Return the metres that a unit shares with a grid, and with how many of its units."""
    metres = 0.0
    met = 0
    for arc in range(land.start[u], land.start[u + 1]):
        if label[land.neighbour[arc]] == grid:
            metres += land.length[arc]
            met += 1
    return metres, met


@compiled
def can_leave(land, label, held, u):  # type: ignore[no-untyped-def]
    """Say whether the grid of a unit stays in one piece, and not empty, without it."""
    if held.units[label[u]] < 2:
        return False
    held.stamp[0] += 2
    return holds_together(
        land.start, land.neighbour, label, u, held.mark, held.stamp[0], held.queue
    )


@compiled
def move(land, label, held, u, new):  # type: ignore[no-untyped-def]
    """Give a unit to a grid."""
    old = label[u]
    left = shared(land, label, u, old)[0]
    gained = shared(land, label, u, new)[0]
    label[u] = new
    held.units[old] -= 1
    held.units[new] += 1
    held.area[old] -= land.area[u]
    held.area[new] += land.area[u]
    held.outline[old] += 2.0 * left - land.outline[u]
    held.outline[new] += land.outline[u] - 2.0 * gained
    for measure in range(land.load.shape[1]):
        held.load[old, measure] -= land.load[u, measure]
        held.load[new, measure] += land.load[u, measure]


@compiled
def roundness(area, outline):  # type: ignore[no-untyped-def]
    """Return the inverse of Polsby-Popper: 1 for a circle, more for anything else."""
    return outline * outline / (FOUR_PI * area) if area > 0.0 else 0.0


@compiled
def members(label, grids):  # type: ignore[no-untyped-def]
    """List the units grid by grid, and where each grid begins."""
    begin = np.zeros(grids + 1, np.int64)
    for u in range(len(label)):
        begin[label[u] + 1] += 1
    for grid in range(grids):
        begin[grid + 1] += begin[grid]
    fill = begin[:-1].copy()
    units = np.empty(len(label), np.int64)
    for u in range(len(label)):
        units[fill[label[u]]] = u
        fill[label[u]] += 1
    return begin, units


@compiled
def over(held, grid, high):  # type: ignore[no-untyped-def]
    """Return by how much a grid is over, in the measure that sizes it; 0 for one in range."""
    return max(held.load[grid, 0] - high[grid, 0], 0.0)


@compiled
def fits(land, held, u, grid, high, share):  # type: ignore[no-untyped-def]
    """Say whether a grid with one more unit stays below a share of every maximum."""
    for measure in range(land.load.shape[1]):
        load = held.load[grid, measure] + land.load[u, measure]
        if load > share * high[grid, measure]:
            return False
    return True
