"""Bringing grids back into range on arrays: open, dissolve, flow, and a polish that pays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..zoning import batches
from . import flows, nearby
from .kernels import closing, opening, settle, state
from .kernels.state import Land

#: Rounds of flow and polish.
ROUNDS = 4

#: Grids at work aim this share of their target inside the range.
MARGIN = 0.02

#: A grid that holds less than this share of its minimum is dissolved rather than filled.
EMPTY = 0.6

#: A new grid is opened where this share of its minimum is over.
NEED = 0.8

#: Of the neighbours of grids at work, so many for each of them help with the shape.
RING = 0.4

#: What moving a grid's worth of households costs, and moving a mean unit beside its own.
COST, FIXED = 3.0, 0.1

#: Temperatures of the polish, first and last; price of being out of range and of shape.
HEAT = np.array([0.15, 0.003])
COLD = np.zeros(2)
STRICT, COMPACT = 60.0, 0.5
SWEEPS, LAST = 400, 30

#: How often what is still out of range is tried again, with ever more grids around it.
RESCUES = 4


class Task(NamedTuple):
    """What is to be redrawn: units with the grid of each, and what each grid may hold.

    ``home`` is the grid that a unit stays in for nothing, -1 for a unit that has none.
    ``low`` and ``high`` have a row for each grid and as many again as may be opened.
    ``wanted`` are numbers of grids asked for: the grids of a territory, and how many.
    """

    land: Land
    label: NDArray[np.int64]
    home: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    target: NDArray[np.float64]
    frozen: NDArray[np.bool_]
    grids: int
    seed: int
    wanted: tuple[tuple[NDArray[np.int64], int], ...] = ()


class _Work:
    """Labels and sums while they change."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.label = task.label.copy()
        self.low, self.high = task.low.copy(), task.high.copy()
        self.held = state.tally(task.land, self.label, len(self.low))
        self.grids = task.grids

    @property
    def margin(self) -> float:
        return float(MARGIN * self.task.target[0])


def redraw(task: Task) -> tuple[NDArray[np.int64], int]:
    """Return the new grid of each unit, and the first number that no grid has.

    Nothing moves where every grid is in range. Units are taken in the order of a curve, so
    that near ones lie near in memory: it halves the time of a large net.
    """
    order = batches.curve_order(task.land.place) if len(task.label) else np.zeros(0, np.int64)
    drawn, grids = _redraw(task._replace(
        land=nearby.take_units(task.land, order), label=task.label[order], home=task.home[order]))
    label = np.empty_like(drawn)
    label[order] = drawn
    return label, grids


def _redraw(task: Task) -> tuple[NDArray[np.int64], int]:
    work = _Work(task)
    _open(work, NEED)
    _close(work)
    for grids, count in task.wanted:
        _reach_number(work, grids, count)
    changed = work.label != task.label
    active = np.zeros(len(work.low), np.bool_)
    active[work.label[changed]] = True
    active[task.label[changed]] = True
    active &= work.held.units > 0
    for turn in range(ROUNDS):
        met = np.zeros_like(active)
        flow = _find_flow(work)
        stuck = not len(flow.give) and not active.any()
        if stuck or turn == ROUNDS - 1:  # what neighbours have no room for: open a grid after all
            met[_open(work, 0.0)] = True
            flow = _find_flow(work)
        met[flow.give] = True
        met[flow.take] = True
        active |= met
        if not active.any():
            break
        settle.push(task.land, work.label, work.held, *flow, work.margin, work.low)
        # Later flows are few: only what they touch is polished again, until the end.
        _polish(work, met if turn else active, HEAT, SWEEPS, turn)
    if active.any():
        _widen(work, active)
        _polish(work, active, HEAT, SWEEPS, ROUNDS)
        _polish(work, active, COLD, LAST, ROUNDS)
    _mend(work)
    for turn in range(RESCUES):
        if not _rescue(work, turn):
            break
    return work.label, work.grids


def _open(work: _Work, need: float) -> NDArray[np.int64]:
    """Open grids where growth is local, beginning at the grid that is most over.

    Returns the grids that gave or were opened.
    """
    task, held, first = work.task, work.held, work.grids
    over = held.load[:first, 0] - work.high[:first, 0]
    order = np.lexsort((np.arange(first), -over))
    before = work.label.copy()
    work.grids = int(opening.open_grids(
        task.land, work.label, held, work.low, work.high, task.frozen,
        order[over[order] > 0], first, need))
    moved = before != work.label
    return np.unique(np.concatenate([before[moved], work.label[moved]]))


def _close(work: _Work) -> None:
    """Dissolve grids that emptied, beginning at the smallest."""
    task, held, grids = work.task, work.held, work.grids
    load = held.load[:grids, 0]
    small = np.flatnonzero((held.units[:grids] > 0) & (load < EMPTY * work.low[:grids, 0]))
    closing.close_grids(
        task.land, work.label, held, work.low, work.high, task.frozen,
        small[np.lexsort((small, load[small]))], grids)


def _reach_number(work: _Work, grids: NDArray[np.int64], count: int) -> None:
    """Open or dissolve grids of a territory until there are as many as asked for."""
    task, held = work.task, work.held
    mine = np.zeros(len(work.low), np.bool_)
    mine[grids] = True
    mine[work.label[np.isin(task.label, grids)]] = True
    for share in (1.1, 1.0, 0.9, 0.75, 0.6):  # of the mean grid: ever smaller ones give
        some = np.flatnonzero(mine & (held.units > 0))
        missing = count - len(some)
        mean = held.load[some, 0].sum() / max(count, 1)
        if missing > 0:
            first = work.grids
            low, high = work.low[: first + missing].copy(), work.high[: first + missing].copy()
            low[some, 0], high[some, 0] = 0.7 * share * mean, share * mean
            order = some[np.lexsort((some, -held.load[some, 0]))]
            work.grids = int(opening.open_grids(
                task.land, work.label, held, low, high, task.frozen, order, first, 0.0))
            work.low[first : work.grids] = task.low[some[0]]
            work.high[first : work.grids] = task.high[some[0]]
            mine[first : work.grids] = True
        elif missing < 0:
            _dissolve(work, some, -missing, mean * (2.3 - share))


def _dissolve(work: _Work, some: NDArray[np.int64], count: int, most: float) -> None:
    """Dissolve so many grids, the smallest first, with neighbours up to a size."""
    task, held = work.task, work.held
    low, high = work.low.copy(), work.high.copy()
    low[some, 0], high[some, 0] = np.inf, most
    for grid in some[np.lexsort((some, held.load[some, 0]))]:
        if count == 0:
            return
        count -= closing.close_grids(
            task.land, work.label, held, low, high, task.frozen, np.array([grid]), work.grids)


def _find_flow(work: _Work) -> flows.Flow:
    """Return the flow that is still wanted; grids in range near an end of it stay there."""
    grids, held = work.grids, work.held
    load, least, most = held.load[:grids, 0], work.low[:grids, 0], work.high[:grids, 0]
    room = np.minimum(work.margin, np.where(np.isfinite(most), most - least, np.inf) / 4)
    inside = (load >= least) & (load <= most)
    lower = np.where(inside, np.minimum(least + room, load), least + room)
    upper = np.where(inside, np.maximum(most - room, load), most - room)
    land = work.task.land
    borders = flows.find_borders(land.start, land.neighbour, work.label)
    gone = held.units[:grids] == 0
    return flows.find_flow(borders, load, lower, upper, work.task.frozen[:grids] | gone)


def _mend(work: _Work) -> None:
    """Divide the few units around a grid still out of range exactly, and round that off."""
    odd = _find_odd(work)
    if not odd.any():
        return
    task, before = work.task, work.label
    work.label, work.grids = nearby.mend(
        task.land, before, task.home, work.low, work.high, task.frozen, odd, work.grids,
        kept=bool(task.wanted))
    work.held = state.tally(task.land, work.label, len(work.low))
    moved, mended = before != work.label, work.label.copy()
    active = np.zeros_like(odd)
    active[before[moved]] = True
    active[mended[moved]] = True
    active &= work.held.units > 0
    left = _find_odd(work).sum()
    _polish(work, active, COLD, LAST, ROUNDS)
    if _find_odd(work).sum() > left:
        work.label = mended
        work.held = state.tally(task.land, mended, len(work.low))


def _rescue(work: _Work, turn: int) -> bool:
    """Reheat the surroundings of grids still out of range; say if any is left.

    What does not leave fewer of them is taken back.
    """
    odd = _find_odd(work)
    if not odd.any():
        return False
    land, met = work.task.land, odd.copy()
    for _ in range(1 + turn):
        source = np.repeat(work.label, np.diff(land.start))
        met[work.label[land.neighbour[met[source]]]] = True
    before = work.label.copy()
    seed = ROUNDS + 1 + 2 * turn
    _polish(work, met, HEAT, SWEEPS, seed)
    _polish(work, met, COLD, LAST, seed + 1)
    if _find_odd(work).sum() >= odd.sum():
        work.label = before
        work.held = state.tally(land, before, len(work.low))
    return True


def _find_odd(work: _Work) -> NDArray[np.bool_]:
    """Return the grids that are out of range and may change."""
    load, slack = work.held.load, 1e-9 * work.task.target
    out = ((load > work.high + slack) | (load < work.low - slack)).any(axis=1)
    return np.asarray(out & (work.held.units > 0) & ~work.task.frozen)


def _widen(work: _Work, active: NDArray[np.bool_]) -> None:
    """Let the neighbours that border grids at work longest take part in the polish."""
    land, task = work.task.land, work.task
    source = np.repeat(work.label, np.diff(land.start))
    target = work.label[land.neighbour]
    met = active[source] & ~active[target] & ~task.frozen[target]
    border = np.bincount(target[met], land.length[met], minlength=len(active))
    share = border / np.maximum(work.held.outline, 1e-9)
    some = np.flatnonzero(share > 0)
    some = some[np.lexsort((some, -share[some]))]
    active[some[: int(RING * active.sum())]] = True


def _polish(
    work: _Work, active: NDArray[np.bool_], heat: NDArray[np.float64], sweeps: int, turn: int
) -> None:
    task = work.task
    room = np.minimum(work.margin / 4, (work.high - work.low) / 8)
    seed = (task.seed * 2654435761 + turn * 40503 + 88172645463325252) % 2**63 or 1
    settle.settle(
        task.land, work.label, work.held, work.low + room, work.high - room, task.target,
        task.home, active & ~task.frozen, heat, STRICT if heat[0] > 0 else 10 * STRICT,
        COMPACT, sweeps, np.uint64(seed))
