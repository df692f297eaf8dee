"""How much must move at least, whoever redraws: proven, not estimated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .kernels.state import Land

#: Stands in for nothing as the length of a step, which sparse graphs cannot hold.
STEP = 1e-9


def least_moved(
    land: Land,
    home: NDArray[np.int64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    free: NDArray[np.bool_],
) -> float:
    """Return the mass that changes its grid in any drawing that brings all into range.

    What a grid holds over its maximum has to leave it. A grid ``d`` below its minimum has
    three ways, and takes the cheapest: all that it holds leaves it; or it is filled with
    mass of grids in range; or it is filled out of another grid out of range, and then, as
    it must hang together, it also takes in all units on a way there, which runs through
    grids in range. Nothing is counted twice: the first two are told apart by the grid
    that the mass comes from, the last ones by the grid that it goes to.

    Parameters
    ----------
    land : Land
        The first column of its load is what is counted.
    home : array of int
        The grid of each unit so far, -1 for a unit that has none.
    low, high : arrays
        What each grid may hold.
    free : array of bool
        Grids that may be redrawn; others count as in range.

    Examples
    --------
    >>> from gridmap.redraw.examples import row_of_units
    >>> land = row_of_units([5, 5, 1, 1, 1])
    >>> home = np.array([0, 0, 1, 1, 1])
    >>> least_moved(land, home, np.array([4.0, 4.0]), np.array([8.0, 8.0]), np.ones(2, bool))
    2.0
    """
    mass = land.load[:, 0]
    known = home >= 0
    held = np.bincount(home[known], mass[known], minlength=len(low))[: len(low)]
    units = np.bincount(home[known], minlength=len(low))[: len(low)]
    over = np.where(free, np.maximum(held - high, 0.0), 0.0)
    short = free & (held < low) & (units > 0)
    if not short.any() or not known.all():  # new units may fill a grid, and are no move
        return float(over.sum())
    away = _ways(land, home, (over > 0) | short)
    least = np.minimum(np.minimum(held, low - held), away[: len(low)])
    return float(over.sum() + least[short].sum())


def _ways(
    land: Land, home: NDArray[np.int64], odd: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the least mass on a way from each odd grid to the nearest other odd one."""
    size = len(home)
    source = np.repeat(np.arange(size), np.diff(land.start))
    weight = np.where(odd[home], 0.0, land.load[:, 0])
    graph = csr_array((weight[land.neighbour] + STEP, land.neighbour, land.start),
                      shape=(size, size))
    roots = np.flatnonzero(odd[home])
    far, _, nearest = dijkstra(graph, indices=roots, min_only=True, return_predecessors=True)
    reached = np.isfinite(far)
    region = np.where(reached, home[np.where(reached, nearest, 0)], -1)
    apart = (region[source] != region[land.neighbour]) & reached[source]
    apart &= reached[land.neighbour]
    way = far[source[apart]] + far[land.neighbour[apart]]
    least = np.full(len(odd), np.inf)
    np.minimum.at(least, region[source[apart]], np.maximum(way - STEP * size, 0.0))
    return least
