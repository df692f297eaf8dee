"""Opening grids where growth is local, with as few households as can be."""

from __future__ import annotations

import math

import numpy as np

from ...zoning.kernels.compiled import compiled
from .state import can_leave, fits, members, move, over, roundness, shared

#: A new grid stops growing at this share of its maximum, and donors keep these shares of
#: theirs: first only what is too much is taken, then ever more.
FULL = 0.96
KEEPS = (0.985, 0.95, 0.90, 0.84, 0.78, 0.72, 0.66, 0.60, 0.50)

#: A new grid, and its donors, hold this much of their minimum.
SPARE = 1.0

#: What a unit of lost roundness costs, in full grids moved.
ROUND = 0.3

#: How far out the point lies that a cut across a grid is measured from, in diameters.
FAR = 4.0

#: Directions of cuts that are tried.
TURNS = 12


@compiled
def open_grids(land, label, held, low, high, frozen, order, new, need):  # type: ignore[no-untyped-def]
    """Open grids for grids that are too large, in the order given, and number them on.

    Where the households over the maximum of a grid and its neighbours would nearly fill
    a grid, one is carved out of them, with as few households as can be. ``new`` is the
    first free number; rows of ``low`` and ``high`` stand ready for as many as there may be.
    ``need`` is the share of the minimum that must be over.

    Returns
    -------
    int
        The next free number.
    """
    taken = np.empty(len(label), np.int64)
    best = np.empty(len(label), np.int64)
    infront = np.zeros(len(label), np.bool_)
    front = np.empty(len(label), np.int64)
    begin, units = members(label, new)
    for number in range(len(order)):
        grid = order[number]
        # A grid far too large gives several times.
        for _again in range(64):
            if over(held, grid, high) <= 0.0 or frozen[grid] or new >= len(low):
                break
            some = units[begin[grid] : begin[grid + 1]]
            if not _open_one(
                land, label, held, low, high, frozen, grid, some, new, need, taken, best,
                infront, front,
            ):
                break
            new += 1
    return new


@compiled
def _open_one(  # type: ignore[no-untyped-def]
    land, label, held, low, high, frozen, grid, some, new, need, taken, best, infront, front
):
    """Carve one grid out of a grid that is too large, and its neighbours; say if it was."""
    low[new] = low[grid]
    high[new] = high[grid]
    local = over(held, grid, high) + _over_around(land, label, held, high, frozen, grid, some)
    if local < need * low[grid, 0]:
        return False
    alone = over(held, grid, high) >= 0.9 * low[grid, 0]
    cx, cy, radius = _middle(land, label, grid, some)
    least = 1e300
    size = 0
    for keep in KEEPS:
        for turn in range(TURNS + 8):
            if turn < TURNS:
                angle = 2.0 * math.pi * turn / TURNS
                x = cx + FAR * radius * math.cos(angle)
                y = cy + FAR * radius * math.sin(angle)
                seed = _nearest(land, label, grid, some, x, y)
            elif alone:
                break
            else:
                seed = _rim(land, label, held, high, grid, some, turn - TURNS)
                x = land.place[seed, 0] if seed >= 0 else 0.0
                y = land.place[seed, 1] if seed >= 0 else 0.0
            if seed < 0:
                continue
            found, bent = _carve(
                land, label, held, low, high, frozen, grid, seed, x, y, new, keep, alone,
                taken, infront, front,
            )
            if held.load[new, 0] >= SPARE * low[new, 0]:
                price = _price(held, new, high, grid, bent)
                if price < least:
                    least = price
                    size = found
                    best[:found] = taken[:found]
            _undo(land, label, held, taken, found, front)
    for i in range(size):
        move(land, label, held, best[i], new)
    return size > 0


@compiled
def _over_around(land, label, held, high, frozen, grid, some):  # type: ignore[no-untyped-def]
    """Return what the neighbours of a grid have over, together."""
    met = np.empty(64, np.int64)
    count = 0
    total = 0.0
    for u in some:
        if label[u] != grid:
            continue
        for arc in range(land.start[u], land.start[u + 1]):
            other = label[land.neighbour[arc]]
            if other == grid or frozen[other]:
                continue
            known = False
            for i in range(count):
                if met[i] == other:
                    known = True
                    break
            if not known and count < 64:
                met[count] = other
                count += 1
                total += over(held, other, high)
    return total


@compiled
def _middle(land, label, grid, some):  # type: ignore[no-untyped-def]
    """Return the middle of a grid's units, and how far they reach from it."""
    x, y, area = 0.0, 0.0, 0.0
    for u in some:
        if label[u] == grid:
            x += land.area[u] * land.place[u, 0]
            y += land.area[u] * land.place[u, 1]
            area += land.area[u]
    x, y = x / area, y / area
    far = 0.0
    for u in some:
        if label[u] == grid:
            far = max(far, (land.place[u, 0] - x) ** 2 + (land.place[u, 1] - y) ** 2)
    return x, y, math.sqrt(far) + 1e-9


@compiled
def _nearest(land, label, grid, some, x, y):  # type: ignore[no-untyped-def]
    best = -1
    least = 1e300
    for u in some:
        if label[u] == grid:
            far = (land.place[u, 0] - x) ** 2 + (land.place[u, 1] - y) ** 2
            if far < least:
                least = far
                best = u
    return best


@compiled
def _rim(land, label, held, high, grid, some, rank):  # type: ignore[no-untyped-def]
    """Return the unit of so high a rank by what its neighbours in other grids have over."""
    last = 1e300
    last_unit = -1
    best = -1
    for _step in range(rank + 1):
        most = 0.0
        best = -1
        for u in some:
            if label[u] != grid:
                continue
            found = 0.0
            for arc in range(land.start[u], land.start[u + 1]):
                other = label[land.neighbour[arc]]
                if other != grid:
                    found += over(held, other, high)
            below = found < last or (found == last and u > last_unit)
            if below and found > most:
                most = found
                best = u
        if best < 0:
            return -1
        last = most
        last_unit = best
    return best


@compiled
def _carve(  # type: ignore[no-untyped-def]
    land, label, held, low, high, frozen, grid, seed, x, y, new, keep, alone, taken, infront,
    front,
):
    """Grow a grid from a unit on, nearest to a point first; return how many units it took, and how
    much less round its donors have become.

    A donor keeps a share of its maximum, and stays in one piece. ``taken`` holds the units,
    ``front`` from the end backwards the grids that they came from.
    """
    size = 0
    bent = 0.0
    waiting = 1
    fronts = np.empty(4096, np.int64)
    fronts[0] = seed
    infront[seed] = True
    want = FULL * high[new, 0]
    enough = max(SPARE * low[new, 0], over(held, grid, high) + (1.0 - 0.985) * high[grid, 0])
    while waiting > 0:
        if held.load[new, 0] >= want or (alone and held.load[new, 0] >= enough):
            break
        at = -1
        least = 1e300
        for i in range(waiting):
            u = fronts[i]
            far = (land.place[u, 0] - x) ** 2 + (land.place[u, 1] - y) ** 2
            mine = shared(land, label, u, new)[0]
            far *= 1.6 - mine / land.outline[u]
            if far < least:
                least = far
                at = i
        u = fronts[at]
        waiting -= 1
        fronts[at] = fronts[waiting]
        infront[u] = False
        donor = label[u]
        if donor == new or frozen[donor] or (alone and donor != grid):
            continue
        if size > 0 and shared(land, label, u, new)[1] == 0:
            continue
        left = held.load[donor, 0] - land.load[u, 0]
        if left < keep * high[donor, 0] or left < SPARE * low[donor, 0]:
            continue
        if not fits(land, held, u, new, high, 1.0) or not can_leave(land, label, held, u):
            continue
        taken[size] = u
        front[len(front) - 1 - size] = donor
        size += 1
        bent -= roundness(held.area[donor], held.outline[donor])
        move(land, label, held, u, new)
        bent += roundness(held.area[donor], held.outline[donor])
        for arc in range(land.start[u], land.start[u + 1]):
            v = land.neighbour[arc]
            if label[v] != new and not infront[v] and waiting < 4096:
                fronts[waiting] = v
                waiting += 1
                infront[v] = True
    for i in range(waiting):
        infront[fronts[i]] = False
    return size, bent


@compiled
def _price(held, new, high, grid, bent):  # type: ignore[no-untyped-def]
    """Return what a carved grid costs: households moved, shape, and what is still over."""
    price = held.load[new, 0] / high[new, 0]
    price += ROUND * (roundness(held.area[new], held.outline[new]) + bent)
    price += 2.0 * over(held, grid, high) / high[new, 0]
    return price


@compiled
def _undo(land, label, held, taken, size, front):  # type: ignore[no-untyped-def]
    """Give the units of a carved grid back, the last first."""
    for i in range(size - 1, -1, -1):
        move(land, label, held, taken[i], front[len(front) - 1 - i])
