"""Annealed flips: units on a border change grid while that makes the drawing better.

What the innermost loop calls stands here with it: numba keeps compiled kernels on disk by
the file that they are in, and would not see a change in another.
"""

from __future__ import annotations

import math

import numpy as np

from .boards import AREA, COST, FOUR_PI, MASS, MORE, OUTLINE, tally
from .compiled import compiled, inlined

#: A table of thresholds stands in for a logarithm at every step.
CHANCES = -np.log((np.arange(1024) + 0.5) / 1024)

#: Being out of range at all costs as much as being out by this share of the scale. Without
#: it grids stayed a household over where that made them rounder.
STEP = 0.01


@inlined
def plain_cost(mass, area, outline, low, high, scale, strict, balance, compact):  # type: ignore[no-untyped-def]
    """Return what the mass and the shape of a grid cost.

    The shape costs the inverse of Polsby-Popper: 1 for a circle, more for anything else.
    Its plain negative lets the search give up a few grids for the good of the rest.
    """
    off = mass * scale - 1.0
    out = max(low - mass, mass - high)
    price = strict * (STEP + out * scale) if out > 0.0 else 0.0
    return balance * off * off + price + compact * outline * outline / area


@inlined
def moved_cost(state, unit, grid, u, sign, outline, bounds, strict, pull):  # type: ignore[no-untyped-def]
    """Return what mass and shape cost with ``sign`` times a unit added to a grid."""
    return plain_cost(
        state[grid, MASS] + sign * unit[u, MASS], state[grid, AREA] + sign * unit[u, AREA],
        outline, bounds[0, 0], bounds[1, 0], bounds[2, 0], strict, pull[0], pull[1] / FOUR_PI,
    )


@compiled
def further_cost(board, bounds, state, grid, u, sign, strict):  # type: ignore[no-untyped-def]
    """Return what limits and unlikeness cost, with ``sign`` times a unit added."""
    unit, anchor = board.unit, board.anchor
    cost = 0.0
    for measure in range(1, board.limits + 1):
        column = MORE - 1 + measure
        mass = state[grid, column] + sign * unit[u, column]
        out = max(bounds[0, measure] - mass, mass - bounds[1, measure])
        if out > 0.0:
            cost += strict * (STEP + out * bounds[2, measure])
    first = MORE + board.limits
    if unit.shape[1] <= first:
        return cost
    weight = state[grid, first] + sign * unit[u, first]
    if weight <= 0.0:
        return cost
    cost += state[grid, first + 1] + sign * unit[u, first + 1]
    for column in range(first + 2, unit.shape[1]):
        moment = state[grid, column] + sign * unit[u, column]
        axis = column - first - 2
        if axis < 2 and len(anchor) > 0 and not math.isnan(anchor[grid, axis]):
            place = anchor[grid, axis]
            cost += place * place * weight - 2.0 * place * moment
        else:
            cost -= moment * moment / weight
    return cost


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


@inlined
def other_grid(start, neighbour, label, u, own, bits):  # type: ignore[no-untyped-def]
    """Return the grid of the first neighbour elsewhere, from a random one on, or -1."""
    first = start[u]
    degree = start[u + 1] - first
    turn = np.int32(((bits >> np.uint64(40)) * np.uint64(degree)) >> np.uint64(24))
    found = np.int32(-1)
    for step in range(degree):
        arc = turn + step
        if arc >= degree:
            arc -= degree
        grid = label[neighbour[first + arc]]
        if grid != own:
            found = grid
            break
    return found


@inlined
def borders(start, neighbour, length, linked, label, u, old, new):  # type: ignore[no-untyped-def]
    """Return metres shared with the own and the new grid, and how own neighbours lie.

    That is their number, and in how many runs they lie: rows of own neighbours around the
    unit that border one another. With one run the grid holds together without the unit;
    with more it has to be searched. Written without branches: half of the time was lost on
    wrong guesses about them.
    """
    first, last = start[u], start[u + 1]
    left = 0.0
    gained = 0.0
    same = 0
    runs = 0
    joined = label[neighbour[last - 1]] == old and linked[last - 1]
    for arc in range(first, last):
        grid = label[neighbour[arc]]
        own = grid == old
        left += length[arc] if own else 0.0
        gained += length[arc] if grid == new else 0.0
        runs += 1 if (own and not joined) else 0
        same += 1 if own else 0
        joined = own and linked[arc]
    return left, gained, same, runs


@compiled
def fence_change(board, label, u, old, new):  # type: ignore[no-untyped-def]
    """Return how much more the barriers left inside grids cost once a unit has moved."""
    change = 0.0
    for arc in range(board.start[u], board.start[u + 1]):
        grid = label[board.neighbour[arc]]
        if grid == old:
            change -= board.fence[arc]
        elif grid == new:
            change += board.fence[arc]
    return change


@compiled
def factor(first, last, steps):  # type: ignore[no-untyped-def]
    """Return what to multiply with, to get from the first value to the last in so many."""
    if first <= 0.0 or last <= 0.0 or steps < 2:
        return 1.0
    return (last / first) ** (1.0 / (steps - 1))


@compiled
def typical_rises(board, label, parts, grids):  # type: ignore[no-untyped-def]
    """Return for each part the median rise in the cost of shape of a move that raises it."""
    state, count = tally(board, label, grids)
    typical = np.zeros(len(parts))
    for row in range(len(parts)):
        first, last = parts[row, 0], parts[row, 1]
        found = np.empty(board.start[last] - board.start[first])
        size = 0
        for u in range(first, last):
            old = label[u]
            for arc in range(board.start[u], board.start[u + 1]):
                new = label[board.neighbour[arc]]
                if new != old and count[old] > 1:
                    rise = _shape_rise(board, label, u, old, new, state)
                    if rise > 0.0:
                        found[size] = rise
                        size += 1
        if size > 0:
            typical[row] = np.median(found[:size])
    return typical


@compiled
def _shape_rise(board, label, u, old, new, state):  # type: ignore[no-untyped-def]
    """Return by how much the cost of shape rises if a unit moves; -1 if it cannot."""
    unit = board.unit
    left, gained, same, _runs = borders(
        board.start, board.neighbour, board.length, board.linked, label, u, old, new
    )
    if same == 0:
        return -1.0
    old_outline = state[old, OUTLINE] - unit[u, OUTLINE] + 2.0 * left
    new_outline = state[new, OUTLINE] + unit[u, OUTLINE] - 2.0 * gained
    rise = old_outline**2 / (state[old, AREA] - unit[u, AREA])
    rise += new_outline**2 / (state[new, AREA] + unit[u, AREA])
    rise -= state[old, OUTLINE] ** 2 / state[old, AREA]
    rise -= state[new, OUTLINE] ** 2 / state[new, AREA]
    return rise / FOUR_PI


@compiled
def flip(board, bounds, pull, label, parts, random, frozen, heat, strict, sweeps):  # type: ignore[no-untyped-def]
    """Go over the units of each part again and again and move those on a border.

    Parameters
    ----------
    board : Board
    bounds : array
        For each part and measure the low, the high and one over the scale.
    pull : array
        What balance and compactness count for.
    label : array of int32
        The grid of each unit; changed in place.
    parts : array of int
        A row for each part: its first unit, past its last, its first grid, past its last.
    random : array of uint64
        The state of the generator of each part, carried on, so that no part depends on
        another; changed in place.
    frozen : array of bool
        Grids that neither give nor take.
    heat : array
        First and last temperature of each part.
    strict : array of 2
        First and last price of being out of range.
    sweeps : int

    Returns
    -------
    int
        How many units moved.
    """
    size = len(label)
    state, count = tally(board, label, len(frozen))
    edge = np.empty(size, np.bool_)
    for u in range(size):
        edge[u] = not frozen[label[u]]
    mark = np.zeros(size, np.int32)
    queue = np.empty(size, np.int32)
    moved = 0
    for row in range(len(parts)):
        moved += _flip_part(
            board, board.start, board.neighbour, board.length, board.linked, board.unit,
            bounds[row], pull, label, parts[row], row, random, frozen, heat[row], strict, sweeps,
            state, count, edge, mark, queue,
        )
    return moved


@compiled
def _flip_part(  # type: ignore[no-untyped-def]
    board, start, neighbour, length, linked, unit, bounds, pull, label, part, row, random,
    frozen, heat, strict, sweeps, state, count, edge, mark, queue,
):
    """Sweep one part. The arrays of the board come by themselves as well: taking them out
    of it inside the loop made each step three times slower."""
    further = unit.shape[1] > MORE
    fenced = len(board.fence) > 0
    stamp = np.int32(0)
    temperature, price = heat[0], strict[0]
    cooling = factor(heat[0], heat[1], sweeps)
    rising = factor(strict[0], strict[1], sweeps)
    bits = random[row]
    moved = 0
    for _sweep in range(sweeps):
        _price(board, bounds, pull, part, state, count, price)
        for u in range(part[0], part[1]):
            if not edge[u]:
                continue
            bits ^= bits << np.uint64(13)
            bits ^= bits >> np.uint64(7)
            bits ^= bits << np.uint64(17)
            old = label[u]
            new = other_grid(start, neighbour, label, u, old, bits)
            if new < 0:
                edge[u] = False
                continue
            if count[old] == 1 or frozen[old] or frozen[new]:
                continue
            left, gained, same, runs = borders(
                start, neighbour, length, linked, label, u, old, new
            )
            if same == 0:
                continue
            old_outline = state[old, OUTLINE] - unit[u, OUTLINE] + 2.0 * left
            new_outline = state[new, OUTLINE] + unit[u, OUTLINE] - 2.0 * gained
            old_cost = moved_cost(state, unit, old, u, -1.0, old_outline, bounds, price, pull)
            new_cost = moved_cost(state, unit, new, u, 1.0, new_outline, bounds, price, pull)
            if further:
                old_cost += further_cost(board, bounds, state, old, u, -1.0, price)
                new_cost += further_cost(board, bounds, state, new, u, 1.0, price)
            rise = old_cost + new_cost - state[old, COST] - state[new, COST]
            if fenced:
                rise += fence_change(board, label, u, old, new)
            if rise > temperature * CHANCES[np.int64(bits & np.uint64(1023))]:
                continue
            if runs > 1:
                stamp += np.int32(2)
                if not holds_together(start, neighbour, label, u, mark, stamp, queue):
                    continue
            moved += 1
            _move(start, neighbour, unit, label, u, new, state, count, edge)
            state[old, OUTLINE] = old_outline
            state[new, OUTLINE] = new_outline
            state[old, COST] = old_cost
            state[new, COST] = new_cost
        temperature *= cooling
        price *= rising
    random[row] = bits
    return moved


@compiled
def _price(board, bounds, pull, part, state, count, price):  # type: ignore[no-untyped-def]
    """Set what each grid of a part costs: prices have risen since the last sweep."""
    low, high, scale = bounds[0, 0], bounds[1, 0], bounds[2, 0]
    for grid in range(part[2], part[3]):
        if count[grid] > 0:
            state[grid, COST] = plain_cost(
                state[grid, MASS], state[grid, AREA], state[grid, OUTLINE], low, high, scale,
                price, pull[0], pull[1] / FOUR_PI,
            )
            if board.unit.shape[1] > MORE:
                state[grid, COST] += further_cost(board, bounds, state, grid, 0, 0.0, price)


@inlined
def _move(start, neighbour, unit, label, u, new, state, count, edge):  # type: ignore[no-untyped-def]
    """Give a unit to a grid; what both cost and their outlines are left to the caller."""
    old = label[u]
    label[u] = new
    count[old] -= 1
    count[new] += 1
    for column in range(unit.shape[1]):
        state[old, column] -= unit[u, column]
        state[new, column] += unit[u, column]
    for arc in range(start[u], start[u + 1]):
        edge[neighbour[arc]] = True
