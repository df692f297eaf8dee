"""Drawing the grids of a plan: a first drawing, annealed flips, and second looks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..executors.base import Executor
from . import batches, mending, redraw
from .batches import Batch
from .effort import Effort
from .kernels import anneal, boards, relax, repair, split
from .plan import Plan
from .weights import DrawingWeights

_log = logging.getLogger(__name__)

#: Told how many units are done, and how many there are.
Progress = Callable[[int, int], None]

#: The first drawing is evened out in parts with so many units to a grid. With fewer it does
#: nothing for the outcome, as tried on official units of Taiwan and Scotland.
RELAXED = 15

#: First and last temperature, in typical rises of the cost of shape: units that are a third
#: of a grid need more heat than units that are a thirtieth.
HEAT = (0.25, 0.045)

#: First and last price of being out of range. A high price from the start keeps units from
#: trading places: at 20,000 units it costs 0.005 of Polsby-Popper.
STRICT = (3.0, 40.0)

#: Temperatures of the last sweeps, which bring every grid into range.
SETTLE = np.array([0.02, 0.005])

#: Where compactness counts for less than this, the search is as warm as if it did count.
COLDEST = 0.1

#: Sweeps between two looks at the clock; the same for all, so that the outcome of a part
#: does not depend on what is drawn with it.
CHUNK = 50

#: Seconds between two looks for an interrupt.
WAKE_S = 0.2


def draw(
    plan: Plan,
    effort: Effort,
    weights: DrawingWeights,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    time_limit_s: float | None = None,
    executor: Executor | None = None,
) -> tuple[NDArray[np.int64], bool]:
    """Draw the grids of every part of a plan.

    Parameters
    ----------
    plan : Plan
    effort : Effort
    weights : DrawingWeights
    workers : int, default 1
        Threads; the outcome does not depend on it.
    progress : callable, optional
        Called with (units done, units in all), from any thread.
    time_limit_s : float, optional
        Seconds after which the search ends with what it has.
    executor : Executor, optional
        Draws groups of parts in processes, in place of ``workers``, where there are several.

    Returns
    -------
    label : array of int
        The grid of each unit that is in a part, those of the first part first; -1 for
        units with a grid of their own.
    whole : bool
        False if an interrupt or the time limit cut the search short. A second interrupt
        is raised.
    """
    local = np.zeros(len(plan.given.codes), np.int64)
    groups = batches.group_parts(plan)
    swept = sum(len(plan.members[part]) for group in groups for part in group)
    meter = _Meter(swept, effort.sweeps, progress, time_limit_s)
    if executor is not None and len(groups) > 1:
        _draw_elsewhere(plan, groups, effort, weights, meter, executor, local)
        return _numbered(plan.parts.part, local), not meter.cut_short
    with ThreadPoolExecutor(workers) as pool:
        waiting = {
            pool.submit(_draw_group, plan, group, effort, weights, meter) for group in groups
        }
        while waiting:
            try:
                # Woken up now and then: some interrupts do not end a wait on a lock.
                done, waiting = wait(waiting, WAKE_S, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                if meter.interrupted:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
                meter.interrupted = True
                _log.warning("interrupted: the best grids so far are kept; once more to stop")
                continue
            for drawn in done:
                batch, label = drawn.result()
                local[batch.units] = label
    return _numbered(plan.parts.part, local), not meter.cut_short


class _Task(NamedTuple):
    """What workers need beside the parts to draw."""

    plan: Plan
    effort: Effort
    weights: DrawingWeights


def _draw_elsewhere(
    plan: Plan, groups: list[list[int]], effort: Effort, weights: DrawingWeights, meter: _Meter,
    executor: Executor, local: NDArray[np.int64],
) -> None:
    """Draw groups of parts by an executor; ``local`` takes the outcome.

    After an interrupt the groups that are not back yet are drawn here, as far as the first
    drawing; a second interrupt is raised.
    """
    shapeless = plan.given._replace(shapes=plan.given.shapes[:0])  # the search needs none
    task = executor.broadcast(_Task(plan._replace(given=shapeless), effort, weights))
    drawn = executor.map(_draw_apart, ((group, meter.left_s) for group in groups), shared=task)
    todo = list(groups)
    try:
        for units, label, cut_short in drawn:
            local[units] = label
            meter.cut_short |= cut_short
            meter.advance(sum(len(plan.members[part]) for part in todo.pop(0)), effort.sweeps)
    except KeyboardInterrupt:
        meter.interrupted = True
        _log.warning("interrupted: the best grids so far are kept; once more to stop")
        for group in todo:
            batch, rough = _draw_group(plan, group, effort, weights, meter)
            local[batch.units] = rough


def _draw_apart(
    part: tuple[list[int], float | None], task: _Task
) -> tuple[NDArray[np.int64], NDArray[np.int32], bool]:
    group, left_s = part
    meter = _Meter(1, task.effort.sweeps, None, left_s)
    batch, label = _draw_group(task.plan, group, task.effort, task.weights, meter)
    return batch.units, label, meter.cut_short


def _numbered(part: NDArray[np.int64], local: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number grids through, those of the first part first; -1 outside all parts."""
    inside = part >= 0
    label = np.full(len(part), -1, np.int64)
    keys = part[inside] * np.int64(len(part) + 1) + local[inside]
    label[inside] = np.unique(keys, return_inverse=True)[1]
    return label


def _draw_group(
    plan: Plan, group: list[int], effort: Effort, weights: DrawingWeights, meter: _Meter
) -> tuple[Batch, NDArray[np.int32]]:
    batch = batches.build_batch(plan, group)
    board, weight = batch.board, batch.weight
    label = split.halve_parts(batch.place, weight, batch.parts)
    many = np.diff(batch.parts[:, :2])[:, 0] >= RELAXED * np.diff(batch.parts[:, 2:])[:, 0]
    relax.relax_parts(board.start, board.neighbour, batch.place, weight,
                      board.unit[:, boards.AREA], label, batch.parts[many], effort.relaxing)
    repair.join_pieces(board.start, board.neighbour, board.length, weight, label, batch.grids)
    batch = batches.add_fences(batch, label, weights.barriers)
    batch = batches.add_anchors(batch, plan, label)
    rise = anneal.typical_rises(board, label, batch.parts, batch.grids)
    pull = np.array([weights.balance, weights.compactness])
    batch = batch._replace(rise=rise * max(weights.compactness, COLDEST))
    _anneal(batch, label, pull, effort.sweeps, meter)
    return mending.mend(batch, label, pull, effort, lambda: meter.stopped)


def _anneal(
    batch: Batch, label: NDArray[np.int32], pull: NDArray[np.float64], sweeps: int, meter: _Meter
) -> None:
    """Cool down from the first temperature to the last, then settle in the range asked."""
    nothing_frozen = np.zeros(batch.grids, np.bool_)
    fixed = (pull, label, batch.parts, batch.random, nothing_frozen)
    rise = batch.rise[:, None]
    done = 0
    while done < sweeps and not meter.stopped:
        now = min(CHUNK, sweeps - done)
        ends = np.array([done, done + now]) / sweeps
        heat = HEAT[0] * (HEAT[1] / HEAT[0]) ** ends
        strict = STRICT[0] * (STRICT[1] / STRICT[0]) ** ends
        anneal.flip(batch.board, batch.aimed, *fixed, heat * rise, strict, now)
        done += now
        meter.advance(len(label), now)
    meter.advance(len(label), sweeps - done)
    anneal.flip(batch.board, batch.aimed, *fixed, SETTLE * rise, redraw.HARD, 40)
    anneal.flip(batch.board, batch.asked, *fixed, 0.0 * SETTLE * rise, redraw.HARD, 10)


class _Meter:
    """Counts the work of all threads, and knows when to stop."""

    def __init__(
        self, total: int, sweeps: int, progress: Progress | None, time_limit_s: float | None
    ) -> None:
        self._total = total
        self._work = max(1, total * sweeps)
        self._done = 0
        self._progress = progress
        self._lock = threading.Lock()
        self._deadline = None if time_limit_s is None else time.monotonic() + time_limit_s
        self.interrupted = False
        self.cut_short = False

    def advance(self, units: int, sweeps: int) -> None:
        """Take note that so many units were swept so many times."""
        with self._lock:
            self._done += units * sweeps
            if self._progress is not None and sweeps:
                share = min(1.0, self._done / self._work)
                self._progress(int(self._total * share), self._total)

    @property
    def left_s(self) -> float | None:
        """Seconds that are left, or None without a limit."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    @property
    def stopped(self) -> bool:
        """Whether to stop now, by an interrupt or because time is up."""
        late = self._deadline is not None and time.monotonic() > self._deadline
        self.cut_short = self.cut_short or late or self.interrupted
        return late or self.interrupted
