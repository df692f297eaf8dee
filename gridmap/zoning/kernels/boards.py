"""The board that drawings are made on: units of some parts in a row, and the arcs between them.

A row of a unit, and of a grid that is the sum of its units, holds the mass that sizes a
grid, the area, the outline, the cost (of grids only), then the masses of further limits,
then the moments of what should be alike in a grid: the weight, the sum of squares, and a
first moment for each quality.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

MASS, AREA, OUTLINE, COST, MORE = 0, 1, 2, 3, 4

FOUR_PI = 4.0 * math.pi


class Board(NamedTuple):
    """Units of one or more parts in a row, and the arcs between them.

    ``length`` is the border of each arc in metres, ``fence`` what it costs to leave the
    barrier along it inside a grid (or no row at all where there are none). ``linked`` says
    of an arc that its neighbour borders the next one around the unit. ``anchor`` is the
    place that the first two qualities of each grid are drawn to, missing where there is
    none. ``limits`` is the number of further masses.
    """

    start: NDArray[np.int32]
    neighbour: NDArray[np.int32]
    length: NDArray[np.float64]
    fence: NDArray[np.float64]
    linked: NDArray[np.bool_]
    unit: NDArray[np.float64]
    anchor: NDArray[np.float64]
    limits: int


@compiled
def link_ring(start, neighbour):  # type: ignore[no-untyped-def]
    """Say for each arc whether its neighbour borders the next one around the unit."""
    linked = np.zeros(len(neighbour), np.bool_)
    for u in range(len(start) - 1):
        first, last = start[u], start[u + 1]
        for arc in range(first, last):
            after = neighbour[arc + 1 if arc + 1 < last else first]
            v = neighbour[arc]
            for other in range(start[v], start[v + 1]):
                if neighbour[other] == after:
                    linked[arc] = True
                    break
    return linked


@compiled
def tally(board, label, grids):  # type: ignore[no-untyped-def]
    """Return the sums of each grid, a row each, and how many units it has."""
    columns = board.unit.shape[1]
    state = np.zeros((grids, columns))
    count = np.zeros(grids, np.int32)
    for u in range(len(label)):
        grid = label[u]
        count[grid] += 1
        for column in range(columns):
            state[grid, column] += board.unit[u, column]
        for arc in range(board.start[u], board.start[u + 1]):
            if label[board.neighbour[arc]] == grid:
                state[grid, OUTLINE] -= board.length[arc]
    return state, count
