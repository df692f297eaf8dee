"""Carrying out flows with whole units, and flips that pay for each household they move."""

from __future__ import annotations

import numpy as np

from ...zoning.kernels.compiled import compiled
from .state import can_leave, members, move, roundness, shared

#: Being out of range at all costs as much as being out by this share of the target.
STEP = 0.01


@compiled
def push(land, label, held, give, take, amount, slack, low):  # type: ignore[no-untyped-def]
    """Move whole units from grid to grid, as much as each flow says, best shape first.

    ``slack`` is what a flow may be missed by. Returns what could not be carried out.
    """
    grids = len(held.units)
    begin, units = members(label, grids)
    missed = 0.0
    for flow in range(len(give)):
        missed += _push_one(
            land, label, held, units[begin[give[flow]] : begin[give[flow] + 1]],
            give[flow], take[flow], amount[flow], slack, low,
        )
    return missed


@compiled
def _push_one(land, label, held, some, give, take, amount, slack, low):  # type: ignore[no-untyped-def]
    left = amount
    for _step in range(200):
        if left <= 0.25 * slack:
            break
        best = -1
        least = 1e300
        for u in some:
            if label[u] != give or land.load[u, 0] > left + slack:
                continue
            if held.load[give, 0] - land.load[u, 0] < low[give, 0]:
                continue
            gained, met = shared(land, label, u, take)
            if met == 0:
                continue
            lost = shared(land, label, u, give)[0]
            change = roundness(
                held.area[give] - land.area[u],
                held.outline[give] - land.outline[u] + 2.0 * lost,
            ) - roundness(held.area[give], held.outline[give])
            change += roundness(
                held.area[take] + land.area[u],
                held.outline[take] + land.outline[u] - 2.0 * gained,
            ) - roundness(held.area[take], held.outline[take])
            carried = min(land.load[u, 0], left) + 0.02 * slack + 1e-9
            price = (change + 0.3) / carried if change > -0.3 else change * 1e6
            if price < least and can_leave(land, label, held, u):
                least = price
                best = u
        if best < 0:
            break
        left -= land.load[best, 0]
        move(land, label, held, best, take)
    return max(left, 0.0)


@compiled
def settle(land, label, held, low, high, target, home, active, heat, price, compact, sweeps, seed):  # type: ignore[no-untyped-def]
    """Flip units on borders of active grids while that makes them better, in place.

    Being out of range, shape, and every unit away from its ``home`` cost. The temperature
    falls from the first of ``heat`` to the second. Grids that are not active neither give
    nor take.

    Returns
    -------
    int
        How many units moved.
    """
    size = 0
    some = np.empty(len(label), np.int64)
    for u in range(len(label)):
        if active[label[u]]:
            some[size] = u
            size += 1
    bits = np.uint64(seed)
    temperature = heat[0]
    cooling = 1.0
    if heat[0] > 0.0 and sweeps > 1:
        cooling = (heat[1] / heat[0]) ** (1.0 / (sweeps - 1))
    moved = 0
    quiet = np.zeros(len(label), np.bool_)
    for _sweep in range(sweeps):
        before = moved
        for i in range(size):
            u = some[i]
            if quiet[u]:
                continue
            bits ^= bits << np.uint64(13)
            bits ^= bits >> np.uint64(7)
            bits ^= bits << np.uint64(17)
            old = label[u]
            new = _other(land, label, u, old, bits)
            if new < 0:
                quiet[u] = True
                continue
            if not active[new] or held.units[old] < 2:
                continue
            rise = _rise(land, label, held, low, high, target, home, price, compact, u, old, new)
            if rise >= 0.0:
                if temperature <= 0.0:
                    continue
                chance = (np.float64(bits >> np.uint64(11)) + 0.5) / 9007199254740992.0
                if rise >= -temperature * np.log(chance):
                    continue
            if not can_leave(land, label, held, u):
                continue
            move(land, label, held, u, new)
            moved += 1
            for arc in range(land.start[u], land.start[u + 1]):
                quiet[land.neighbour[arc]] = False
        temperature *= cooling
        if temperature <= 0.0 and moved == before:
            break
    return moved


@compiled
def _other(land, label, u, own, bits):  # type: ignore[no-untyped-def]
    """Return the grid of the first neighbour elsewhere, from a random one on, or -1."""
    first = land.start[u]
    degree = land.start[u + 1] - first
    if degree == 0:
        return np.int64(-1)
    turn = np.int64((bits >> np.uint64(33)) % np.uint64(degree))
    for step in range(degree):
        arc = turn + step
        if arc >= degree:
            arc -= degree
        grid = np.int64(label[land.neighbour[first + arc]])
        if grid != own:
            return grid
    return np.int64(-1)


@compiled
def _rise(  # type: ignore[no-untyped-def]
    land, label, held, low, high, target, home, price, compact, u, old, new
):
    """Return by how much a flip makes the drawing worse."""
    lost = shared(land, label, u, old)[0]
    gained = shared(land, label, u, new)[0]
    rise = compact * (
        roundness(held.area[old] - land.area[u], held.outline[old] - land.outline[u] + 2.0 * lost)
        - roundness(held.area[old], held.outline[old])
        + roundness(
            held.area[new] + land.area[u], held.outline[new] + land.outline[u] - 2.0 * gained
        )
        - roundness(held.area[new], held.outline[new])
    )
    for measure in range(land.load.shape[1]):
        load = land.load[u, measure]
        scale = price / target[measure]
        step = STEP * target[measure]
        rise += scale * (
            _out(held.load[old, measure] - load, low[old, measure], high[old, measure], step)
            - _out(held.load[old, measure], low[old, measure], high[old, measure], step)
            + _out(held.load[new, measure] + load, low[new, measure], high[new, measure], step)
            - _out(held.load[new, measure], low[new, measure], high[new, measure], step)
        )
    if home[u] == old:
        rise += land.cost[u]
    elif home[u] == new:
        rise -= land.cost[u]
    return rise


@compiled
def _out(load, low, high, step):  # type: ignore[no-untyped-def]
    out = max(low - load, load - high)
    return out + step if out > 0.0 else 0.0
