"""What every edit of a draft must keep: locks, territories, and grids in one piece."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import PartitionError, listed
from .draft import Draft, Step
from .ground import Ground


def check_step(draft: Draft, step: Step) -> None:
    """Raise unless a step keeps grids locked, inside their territory and in one piece.

    Raises
    ------
    PartitionError
    """
    land = draft.land
    touched = np.unique(np.concatenate([step.before, step.after]))
    shut = [draft.name(n) for n in touched.tolist() if n < land.size and land.fixed[n]]
    if shut:
        raise PartitionError(
            f"grids {listed(sorted(shut))} are locked or dedicated: leave them out, or unlock "
            "them", rows=sorted(shut))
    after = pd.Series(step.after, index=step.units)
    torn, crossing = [], []
    for number in touched.tolist():  # few: those that one edit touches
        had = draft.members(number) if draft.has(number) else np.zeros(0, np.int64)
        units = np.union1d(np.setdiff1d(had, step.units), after.index[after == number])
        if not len(units):
            continue
        if draft.crosses(units):
            crossing.append(draft.name(number) or "the new grid")
        if not _is_whole(land, units):
            torn.append(draft.name(number) or "the new grid")
    if crossing:
        raise PartitionError(
            f"{listed(crossing)} would lie in more than one {land.within}: no grid may",
            rows=crossing)
    if torn:
        raise PartitionError(
            f"{listed(torn)} would lie in pieces that do not touch. Move the units between them "
            "as well.", rows=torn)


def _is_whole(land: Ground, units: NDArray[np.int64]) -> bool:
    """Say whether some units hang together."""
    graph, wanted = land.graph, set(units.tolist())
    waiting = [int(units[0])]
    wanted.discard(waiting[0])
    while waiting and wanted:
        u = waiting.pop()
        for v in graph.neighbour[graph.start[u] : graph.start[u + 1]].tolist():
            if v in wanted:
                wanted.discard(v)
                waiting.append(v)
    return not wanted
