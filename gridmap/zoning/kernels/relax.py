"""Evening out a first drawing: a balanced power diagram, found from neighbour to neighbour."""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled

#: How much of a centre's weight is land, against the mass: empty country has a middle too.
LAND = 0.4
#: How fast prices follow the mass, and centres their units.
PRICE, FOLLOW = 0.7, 0.8


@compiled
def relax_parts(start, neighbour, place, mass, area, label, parts, rounds):  # type: ignore[no-untyped-def]
    """Let every part settle towards grids of equal mass around their own centres, in place.

    Each grid has a centre and a price. A unit goes to the grid nearby for which its squared
    distance from the centre plus the price is smallest; prices rise where there is too much
    mass and fall where there is too little. Only grids of neighbouring units are compared,
    so that a round costs as much as a sweep. Grids keep at least one unit, but may come
    apart.
    """
    for row in range(len(parts)):
        _relax(start, neighbour, place, mass, area, label, parts[row], rounds)


@compiled
def _relax(start, neighbour, place, mass, area, label, part, rounds):  # type: ignore[no-untyped-def]
    grids = part[3] - part[2]
    all_mass, all_area = 0.0, 0.0
    for u in range(part[0], part[1]):
        all_mass += mass[u]
        all_area += area[u]
    centre = np.zeros((grids, 2))
    price = np.zeros(grids)
    for turn in range(rounds):
        sums = np.zeros((grids, 5))  # weight, weighted x and y, mass, area
        count = np.zeros(grids, np.int64)
        for u in range(part[0], part[1]):
            grid = label[u] - part[2]
            weight = mass[u] / all_mass + LAND * area[u] / all_area
            sums[grid, 0] += weight
            sums[grid, 1] += weight * place[u, 0]
            sums[grid, 2] += weight * place[u, 1]
            sums[grid, 3] += mass[u] * grids / all_mass
            sums[grid, 4] += area[u]
            count[grid] += 1
        for grid in range(grids):
            step = 1.0 if turn == 0 else FOLLOW
            for axis in range(2):
                now = sums[grid, 1 + axis] / sums[grid, 0]
                centre[grid, axis] += step * (now - centre[grid, axis])
            excess = min(1.0, max(-0.7, sums[grid, 3] - 1.0))
            price[grid] += PRICE * excess * sums[grid, 4] / math.pi
        if not _reassign(start, neighbour, place, label, part, centre, price, count):
            return


@compiled
def _reassign(start, neighbour, place, label, part, centre, price, count):  # type: ignore[no-untyped-def]
    """Give each unit to the best grid among its own and its neighbours'; say if any moved."""
    moved = False
    base = part[2]
    for u in range(part[0], part[1]):
        own = label[u] - base
        if count[own] == 1:
            continue
        x, y = place[u, 0], place[u, 1]
        best = own
        least = (x - centre[own, 0]) ** 2 + (y - centre[own, 1]) ** 2 + price[own]
        for arc in range(start[u], start[u + 1]):
            grid = label[neighbour[arc]] - base
            if grid != own and grid != best:
                cost = (x - centre[grid, 0]) ** 2 + (y - centre[grid, 1]) ** 2 + price[grid]
                if cost < least:
                    least = cost
                    best = grid
        if best != own:
            label[u] = best + base
            count[own] -= 1
            count[best] += 1
            moved = True
    return moved
