"""Dissolving grids that emptied."""

from __future__ import annotations

import numpy as np

from ...zoning.kernels.compiled import compiled
from .state import fits, members, move, roundness, shared

#: Receivers are filled up to this share of their maximum.
FULL = 0.985

#: What one more receiver costs, in roundness lost.
ANOTHER = 0.25


@compiled
def close_grids(land, label, held, low, high, frozen, order, grids):  # type: ignore[no-untyped-def]
    """Dissolve small grids into their neighbours, in the order given; return how many.

    Only one whose neighbours have room for all of it is dissolved.
    """
    taken = np.empty(len(label), np.int64)
    receiver = np.empty(len(label), np.int64)
    begin, units = members(label, grids)
    used = np.zeros(grids, np.bool_)
    closed = 0
    for number in range(len(order)):
        grid = order[number]
        if frozen[grid] or held.units[grid] == 0 or used[grid]:
            continue
        if held.load[grid, 0] >= low[grid, 0]:
            continue
        some = units[begin[grid] : begin[grid + 1]]
        size = _hand_out(land, label, held, high, frozen, grid, some, taken, receiver)
        if held.units[grid] > 0:
            for i in range(size - 1, -1, -1):
                move(land, label, held, taken[i], grid)
        else:
            closed += 1
            for i in range(size):
                used[receiver[i]] = True
    return closed


@compiled
def _hand_out(land, label, held, high, frozen, grid, some, taken, receiver):  # type: ignore[no-untyped-def]
    """Give the units of a grid away, the best fitting first; return how many went."""
    size = 0
    while held.units[grid] > 0:
        best = -1
        to = -1
        least = 1e300
        for u in some:
            if label[u] != grid:
                continue
            for arc in range(land.start[u], land.start[u + 1]):
                other = label[land.neighbour[arc]]
                if other == grid or frozen[other] or held.units[other] == 0:
                    continue
                if not fits(land, held, u, other, high, FULL):
                    continue
                gained = shared(land, label, u, other)[0]
                after = roundness(
                    held.area[other] + land.area[u],
                    held.outline[other] + land.outline[u] - 2.0 * gained,
                )
                price = after - roundness(held.area[other], held.outline[other])
                known = False
                for i in range(size):
                    if receiver[i] == other:
                        known = True
                        break
                price += 0.0 if known else ANOTHER
                if price < least:
                    least = price
                    best = u
                    to = other
        if best < 0:
            return size
        taken[size] = best
        receiver[size] = to
        size += 1
        move(land, label, held, best, to)
    return size
