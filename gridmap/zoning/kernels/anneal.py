"""Annealed flips: units on a border change grid while that makes the drawing better."""

from __future__ import annotations

import math

import numpy as np

from .compiled import compiled

# Columns of the state of a grid; sums of the measures follow from MASS on.
AREA, OUTLINE, COST, MASS = 0, 1, 2, 3

FOUR_PI = 4.0 * math.pi


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
def cost_of(area, outline):  # type: ignore[no-untyped-def]
    """Return the inverse of Polsby-Popper: 1 for a circle, more for anything else."""
    return outline * outline / (FOUR_PI * area)


@compiled
def mass_cost(state, grid, load, unit, sign, bounds, pull):  # type: ignore[no-untyped-def]
    """Return what the masses of a grid cost, with ``sign`` times a unit added.

    Rows of ``bounds`` are low, high and scale of each measure; the first is the one that
    sizes a grid, which also pays for its distance to the scale.
    """
    cost = 0.0
    for measure in range(bounds.shape[1]):
        mass = state[grid, MASS + measure] + sign * load[unit, measure]
        scale = bounds[2, measure]
        if mass < bounds[0, measure]:
            cost += pull[1] * (bounds[0, measure] - mass) / scale
        elif mass > bounds[1, measure]:
            cost += pull[1] * (mass - bounds[1, measure]) / scale
        if measure == 0:
            off = mass / scale - 1.0
            cost += pull[0] * off * off
    return cost


@compiled
def sum_up(start, neighbour, length, land, load, label, bounds, pull, count):  # type: ignore[no-untyped-def]
    """Return the state of every grid, and how many units it has."""
    measures = load.shape[1]
    state = np.zeros((count, MASS + measures))
    units = np.zeros(count, np.int64)
    for u in range(len(label)):
        grid = label[u]
        units[grid] += 1
        state[grid, AREA] += land[u, 0]
        state[grid, OUTLINE] += land[u, 1]
        for measure in range(measures):
            state[grid, MASS + measure] += load[u, measure]
        for arc in range(start[u], start[u + 1]):
            if label[neighbour[arc]] == grid:
                state[grid, OUTLINE] -= length[arc]
    for grid in range(count):
        state[grid, COST] = mass_cost(state, grid, load, 0, 0.0, bounds, pull) + pull[
            2
        ] * cost_of(state[grid, AREA], state[grid, OUTLINE])
    return state, units


@compiled
def holds_together(start, neighbour, label, unit, mark, stamp, queue):  # type: ignore[no-untyped-def]
    """Say whether the grid of a unit stays in one piece when the unit leaves it.

    Searches from one neighbour in the grid until all of them are met. ``mark`` holds
    ``stamp`` for a neighbour still wanted and ``stamp + 1`` for a unit already reached.
    """
    grid = label[unit]
    wanted = 0
    first = -1
    for arc in range(start[unit], start[unit + 1]):
        v = neighbour[arc]
        if label[v] == grid and mark[v] != stamp:
            wanted += 1
            first = v
            mark[v] = stamp
    if wanted <= 1:
        return wanted == 1
    mark[unit] = stamp + 1
    mark[first] = stamp + 1
    wanted -= 1
    queue[0] = first
    head, tail = 0, 1
    while head < tail:
        u = queue[head]
        head += 1
        for arc in range(start[u], start[u + 1]):
            v = neighbour[arc]
            if label[v] != grid or mark[v] == stamp + 1:
                continue
            if mark[v] == stamp:
                wanted -= 1
                if wanted == 0:
                    return True
            mark[v] = stamp + 1
            queue[tail] = v
            tail += 1
    return False


@compiled
def flip(  # type: ignore[no-untyped-def]
    start, neighbour, length, linked, land, load, label, bounds, pull, count, heat, sweeps, random
):
    """Go over the units again and again and move those on a border, in place.

    ``heat`` is the first and the last temperature; ``random`` one unsigned number that is
    the state of the generator, carried on. Returns how many units moved.
    """
    state, units = sum_up(start, neighbour, length, land, load, label, bounds, pull, count)
    size = len(label)
    mark = np.zeros(size, np.int64)
    queue = np.empty(size, np.int64)
    stamp = 0
    edge = np.ones(size, np.bool_)
    # A table of thresholds stands in for a logarithm at every step.
    chance = np.empty(1024)
    for i in range(1024):
        chance[i] = -math.log((i + 0.5) / 1024.0)
    temperature = heat[0]
    cooling = (heat[1] / heat[0]) ** (1.0 / max(1, sweeps - 1)) if heat[0] > 0.0 else 1.0
    bits = random[0]
    moved = 0
    for _sweep in range(sweeps):
        for u in range(size):
            if not edge[u]:
                continue
            bits ^= bits << np.uint64(13)
            bits ^= bits >> np.uint64(7)
            bits ^= bits << np.uint64(17)
            old = label[u]
            new = _other_grid(start, neighbour, label, u, bits)
            if new < 0:
                edge[u] = False
                continue
            if units[old] == 1:
                continue
            left, gained, same, runs = _borders(start, neighbour, length, linked, label, u, new)
            if same == 0:
                continue
            old_outline = state[old, OUTLINE] - land[u, 1] + 2.0 * left
            new_outline = state[new, OUTLINE] + land[u, 1] - 2.0 * gained
            old_cost = mass_cost(state, old, load, u, -1.0, bounds, pull) + pull[2] * cost_of(
                state[old, AREA] - land[u, 0], old_outline
            )
            new_cost = mass_cost(state, new, load, u, 1.0, bounds, pull) + pull[2] * cost_of(
                state[new, AREA] + land[u, 0], new_outline
            )
            rise = old_cost + new_cost - state[old, COST] - state[new, COST]
            if rise > temperature * chance[np.int64(bits & np.uint64(1023))]:
                continue
            if runs > 1:
                stamp += 2
                if not holds_together(start, neighbour, label, u, mark, stamp, queue):
                    continue
            moved += 1
            label[u] = new
            units[old] -= 1
            units[new] += 1
            state[old, AREA] -= land[u, 0]
            state[new, AREA] += land[u, 0]
            state[old, OUTLINE] = old_outline
            state[new, OUTLINE] = new_outline
            state[old, COST] = old_cost
            state[new, COST] = new_cost
            for measure in range(load.shape[1]):
                state[old, MASS + measure] -= load[u, measure]
                state[new, MASS + measure] += load[u, measure]
            for arc in range(start[u], start[u + 1]):
                edge[neighbour[arc]] = True
        temperature *= cooling
    random[0] = bits
    return moved


@compiled
def _other_grid(start, neighbour, label, unit, bits):  # type: ignore[no-untyped-def]
    """Return the grid of the first neighbour elsewhere, from a random one on, or -1."""
    first = start[unit]
    degree = start[unit + 1] - first
    turn = np.int64(((bits >> np.uint64(40)) * np.uint64(degree)) >> np.uint64(24))
    for step in range(degree):
        arc = turn + step
        if arc >= degree:
            arc -= degree
        grid = label[neighbour[first + arc]]
        if grid != label[unit]:
            return grid
    return -1


@compiled
def _borders(start, neighbour, length, linked, label, unit, new):  # type: ignore[no-untyped-def]
    """Return the border with the own and the new grid, own neighbours, and runs of them.

    A run is a row of own neighbours around the unit that border one another: with one
    run the grid holds together without the unit, with more it has to be searched.
    """
    old = label[unit]
    first, last = start[unit], start[unit + 1]
    left = 0.0
    gained = 0.0
    same = 0
    runs = 0
    joined = last > first and label[neighbour[last - 1]] == old and linked[last - 1]
    for arc in range(first, last):
        grid = label[neighbour[arc]]
        if grid == old:
            left += length[arc]
            same += 1
            if not joined:
                runs += 1
            joined = linked[arc]
        else:
            joined = False
            if grid == new:
                gained += length[arc]
    return left, gained, same, runs
