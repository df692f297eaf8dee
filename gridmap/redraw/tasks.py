"""From the ground to a task: what each grid may hold, and what moving a unit costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import PartitionError, listed
from ..zoning import graph as graphs
from . import bounds as proofs
from . import nearby, search
from .ground import Ground
from .kernels.state import Land
from .search import Task

#: Where the mean of a number of grids asked for is out of range, the range slides so far.
SLIDE = 0.05


class Bounds(NamedTuple):
    """What each grid may hold, a row each, and why it need not, where it cannot be."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    fault: NDArray[np.object_]


def find_bounds(ground: Ground, wanted: Mapping[str, int]) -> Bounds:
    """Return the bounds of each grid; those that no drawing could keep are loosened.

    Dedicated grids have none. A piece of land whose total fits no whole number of grids
    keeps the sizes it has. Where a number of grids is asked for, the range slides so far
    that it holds the mean.
    """
    row = _first(ground, ground.sizes.row)
    low = np.stack([one.low for one in ground.sizes.ranges])[row].astype(np.float64)
    high = np.stack([one.high for one in ground.sizes.ranges])[row].astype(np.float64)
    load = _loads(ground)
    fault = np.full(ground.size, "", dtype=object)
    low[ground.dedicated], high[ground.dedicated] = 0.0, np.inf
    part = _first(ground, graphs.find_parts(ground.graph)[1])
    total = np.bincount(part, load[:, 0], minlength=part.max(initial=0) + 1)
    least = np.floor(total[part] / np.maximum(low[:, 0], 1e-9) + 1e-9)
    most = np.ceil(total[part] / high[:, 0] - 1e-9)
    asked = _asked(ground, wanted)
    stuck = (least < np.maximum(most, 1)) & ~ground.dedicated & ~ground.fixed & ~asked
    fault[stuck] = np.where(total[part] < low[:, 0], "small", "whole")[stuck]
    low[stuck] = np.minimum(low[stuck], load[stuck])
    high[stuck] = np.maximum(high[stuck], load[stuck])
    territory = _first(ground, ground.units[ground.within].to_numpy(str))
    for name, count in wanted.items():
        mine = (territory == name) & ~ground.dedicated
        mean = load[mine, 0].sum() / count
        low[mine, 0] = np.minimum(low[mine, 0], (1 - SLIDE) * mean)
        high[mine, 0] = np.maximum(high[mine, 0], (1 + SLIDE) * mean)
    return Bounds(low, high, fault)


def _asked(ground: Ground, wanted: Mapping[str, int]) -> NDArray[np.bool_]:
    territory = _first(ground, ground.units[ground.within].to_numpy(str))
    unknown = sorted(set(wanted) - set(territory))
    if unknown:
        raise PartitionError(f"counts names {listed(unknown)}, in which no unit lies")
    if wanted and min(wanted.values()) < 1:
        raise PartitionError("counts asks for less than one grid in a territory")
    return np.isin(territory, list(wanted))


def make_task(
    ground: Ground, bounds: Bounds, label: NDArray[np.int64], *, wanted: Mapping[str, int],
    seed: int, idle: NDArray[np.bool_] | None = None, shut: NDArray[np.bool_] | None = None,
) -> Task:
    """Return the task of bringing grids of ``label`` into their bounds.

    ``idle`` grids need not be brought into range, ``shut`` ones are not touched.
    """
    grids = max(int(label.max(initial=-1)) + 1, ground.size)
    row = rows(ground, label, grids)
    low, high = bounds.low[row], bounds.high[row]
    load = np.stack([np.bincount(label, column, minlength=grids)
                     for column in ground.sizes.load.T], axis=1).astype(np.float64)
    frozen = np.append(ground.fixed, np.zeros(grids - ground.size, bool))
    loose = frozen | np.isin(np.arange(grids), np.flatnonzero(idle) if idle is not None else [])
    if shut is not None:
        frozen = frozen | shut
        loose = loose | shut
    low[loose], high[loose] = np.minimum(low, load)[loose], np.maximum(high, load)[loose]
    spare = grids + 64
    home = np.where(label == ground.old, label, -1)
    return Task(
        land=make_land(ground), label=label, home=home,
        low=np.concatenate([low, np.zeros((spare, low.shape[1]))]),
        high=np.concatenate([high, np.full((spare, low.shape[1]), np.inf)]),
        target=_target(ground), frozen=np.append(frozen, np.zeros(spare, bool)), grids=grids,
        seed=seed, wanted=_wanted(ground, label, grids, wanted),
    )


def rows(ground: Ground, label: NDArray[np.int64], grids: int) -> NDArray[np.int64]:
    """Return the row of the bounds of each grid: its own, or that of where it came from."""
    row = np.arange(grids)
    late, first = np.unique(label, return_index=True)
    new = late >= ground.size
    row[late[new]] = ground.label[first[new]]
    row[row >= ground.size] = 0
    return row


def _wanted(
    ground: Ground, label: NDArray[np.int64], grids: int, wanted: Mapping[str, int]
) -> tuple[tuple[NDArray[np.int64], int], ...]:
    where = ground.units[ground.within].to_numpy(str)
    out = []
    for name in sorted(wanted):
        mine = np.unique(label[where == name])
        apart = np.append(ground.dedicated, np.zeros(grids - ground.size, bool))
        out.append((mine[~apart[mine]], wanted[name]))
    return tuple(out)


def make_land(ground: Ground) -> Land:
    """Return the units as kernels take them."""
    graph, homes = ground.graph, ground.units["households"].to_numpy(np.float64)
    mean = homes.sum() / max(len(ground.codes), 1)
    scale = max(mean, 1e-9)
    return Land(
        start=graph.start, neighbour=graph.neighbour, length=graph.length,
        load=np.ascontiguousarray(ground.sizes.load, np.float64),
        cost=search.COST * (homes + search.FIXED * homes.mean()) / scale,
        area=graph.area, outline=graph.outline, place=graph.place,
    )


def must_move(ground: Ground, bounds: Bounds) -> float:
    """Return what changes its grid in any drawing that keeps the bounds; see `bounds`.

    Units that lost their grid to a border of territories count as moved in any case.
    """
    home = np.where(ground.label == ground.old, ground.old, -1)
    forced = (ground.old >= 0) & (home < 0)
    mass = ground.sizes.load[:, 0]
    count = len(ground.codes)
    least = proofs.least_moved(
        make_land(ground), home, bounds.low[:count, 0], bounds.high[:count, 0],
        ~ground.fixed[:count])
    return least + float(mass[forced].sum())


def is_hopeless(
    ground: Ground, bounds: Bounds, label: NDArray[np.int64], wanted: Mapping[str, int],
    grid: int,
) -> bool:
    """Say whether it is proven that no division brings a grid into range; see `nearby`."""
    task = make_task(ground, bounds, label, wanted=wanted, seed=0)
    return nearby.is_hopeless(
        task.land, label, task.low[: task.grids], task.high[: task.grids],
        task.frozen[: task.grids], grid, kept=bool(wanted))


def _target(ground: Ground) -> NDArray[np.float64]:
    """Return the scale of each measure: the target, or the mean where there is none."""
    scale = ground.sizes.load.sum(axis=0) / max(ground.size, 1)
    scale[0] = float(np.mean([one.target for one in ground.sizes.ranges]))
    return np.maximum(scale, 1e-9)


def _first(ground: Ground, values: NDArray) -> NDArray:
    """Return the value of a unit of each grid."""
    out = np.zeros(ground.size, dtype=values.dtype)
    out[ground.label] = values
    return out


def _loads(ground: Ground) -> NDArray[np.float64]:
    columns = [np.bincount(ground.label, column, minlength=ground.size)
               for column in ground.sizes.load.T]
    return np.stack(columns, axis=1).astype(np.float64)

