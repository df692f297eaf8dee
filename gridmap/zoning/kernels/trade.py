"""Trades between two grids: a unit for a unit, or for nothing, to even out their masses."""

from __future__ import annotations

import numpy as np

from .anneal import holds_together
from .compiled import compiled


@compiled
def even_out(start, neighbour, mass, label, rounds):  # type: ignore[no-untyped-def]
    """Trade units along borders until no trade makes two grids more alike, in place.

    A single unit is often too large for what is missing: a grid short of two households
    takes a unit of nine and gives one of seven. Every unit in turn goes to a lighter grid
    beside it, for the unit there (or none) that leaves the two most alike and both in one
    piece.

    Parameters
    ----------
    start, neighbour : array of int
        Who borders whom.
    mass : array
        What sizes a grid.
    label : array of int32
        Grids of the units, numbered from 0; changed in place.
    rounds : int
        How often to go over the units at most.

    Returns
    -------
    int
        How many trades were made.
    """
    size = len(label)
    sums = np.zeros(label.max() + 1)
    for u in range(size):
        sums[label[u]] += mass[u]
    mark = np.zeros(size, np.int32)
    queue = np.empty(size, np.int32)
    made = 0
    for _turn in range(rounds):
        before = made
        for u in range(size):
            made += _trade_unit(start, neighbour, mass, label, sums, u, mark, queue)
        if made == before:
            break
    return made


@compiled
def _trade_unit(start, neighbour, mass, label, sums, u, mark, queue):  # type: ignore[no-untyped-def]
    """Move a unit to the grid of a neighbour, for the unit there that fits best, or none."""
    old = label[u]
    for arc in range(start[u], start[u + 1]):
        new = label[neighbour[arc]]
        wanted = 0.5 * (sums[old] - sums[new])
        if new == old or wanted <= 0.0:
            continue
        best, least = -2, wanted * (1.0 - 1e-9)
        if abs(mass[u] - wanted) < least and (
            _fits(start, neighbour, label, u, -1, new, mark, queue)
        ):
            best, least = -1, abs(mass[u] - wanted)
        for w in range(len(label)):
            if label[w] == new and abs(mass[u] - mass[w] - wanted) < least and (
                _fits(start, neighbour, label, u, w, new, mark, queue)
            ):
                best, least = w, abs(mass[u] - mass[w] - wanted)
        if best > -2:
            label[u] = new
            moved = mass[u]
            if best >= 0:
                label[best] = old
                moved -= mass[best]
            sums[old] -= moved
            sums[new] += moved
            return 1
    return 0


@compiled
def _fits(start, neighbour, label, u, w, new, mark, queue):  # type: ignore[no-untyped-def]
    """Say whether both grids stay in one piece when a unit goes to a grid, for one there."""
    old = label[u]
    if w >= 0 and not _borders(start, neighbour, label, w, old, u):
        return False
    mark[:] = 0
    if not holds_together(start, neighbour, label, u, mark, 1, queue):
        return False
    if w < 0:
        return True
    label[u] = new
    mark[:] = 0
    fits = holds_together(start, neighbour, label, w, mark, 1, queue)
    label[u] = old
    return fits


@compiled
def _borders(start, neighbour, label, w, grid, without):  # type: ignore[no-untyped-def]
    """Say whether a unit borders a grid in another place than one unit."""
    for arc in range(start[w], start[w + 1]):
        if label[neighbour[arc]] == grid and neighbour[arc] != without:
            return True
    return False
