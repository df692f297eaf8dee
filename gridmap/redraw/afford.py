"""Keeping a redraw within its budget: what belongs together is done whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..errors import PartitionError
from . import search, tasks
from .budget import Budget
from .ground import Ground
from .tasks import Bounds

#: How often what does not fit is tried again with half of the grids.
HALVINGS = 6


class Drawn(NamedTuple):
    """The new grid of each unit, and grids that the budget left out of range."""

    label: NDArray[np.int64]
    left: NDArray[np.bool_]


class Package(NamedTuple):
    """Moves that hang together: some grids exchange units among themselves only."""

    units: NDArray[np.int64]
    households: float
    grids: NDArray[np.int64]
    solved: int


def redraw(
    ground: Ground, bounds: Bounds, *, budget: Budget, wanted: Mapping[str, int], seed: int
) -> Drawn:
    """Redraw all that is out of range, or as much of it as the budget allows.

    Of packages of moves that hang together those go first that bring most grids into range
    for each household moved, then those with fewer households, then the first grid. What
    does not fit as a whole is tried again in ever smaller lots, beside what is done.
    """
    label = ground.label.copy()
    households = ground.units["households"].to_numpy(np.float64)
    _check_borders(ground, budget, label, households)
    task = tasks.make_task(ground, bounds, label, wanted=wanted, seed=seed)
    drawn, _ = search.redraw(task)
    found = find_packages(ground, bounds, wanted, label, drawn, households)
    if budget.households is None and budget.grids is None:
        return Drawn(drawn, np.zeros(ground.size, bool))
    label, left = _take(ground, budget, label, drawn, found, households)
    lot = len(left)
    for turn in range(HALVINGS):
        lot = max(1, lot // 2)
        odd = _odd(ground, bounds, label)
        some = [grid for grid in left if odd[grid]][:lot]
        if not some:
            break
        idle = np.ones(max(int(label.max()) + 1, ground.size), bool)
        idle[some] = False
        shut = _touched_mask(ground, label, len(idle))
        shut[some] = False
        task = tasks.make_task(
            ground, bounds, label, wanted={}, seed=seed + turn, idle=idle, shut=shut)
        again, _ = search.redraw(task)
        more = find_packages(ground, bounds, {}, label, again, households)
        label, _ = _take(ground, budget, label, again, more, households)
    return Drawn(label, _odd(ground, bounds, label)[: ground.size])


def _check_borders(
    ground: Ground, budget: Budget, label: NDArray[np.int64], households: NDArray[np.float64]
) -> None:
    forced, touched = measure_cost(ground, label, households)
    if not budget.allows(forced, touched):
        raise PartitionError(
            f"the borders of territories force {forced:,.0f} households and {touched:,} grids to "
            "change already, which is more than the budget. Raise it, or keep the borders."
        )


def measure_cost(
    ground: Ground, label: NDArray[np.int64], households: NDArray[np.float64]
) -> tuple[float, int]:
    """Return how many households have another grid than before, and how many grids differ.

    A unit that had no grid before is no move, but its grid is touched.
    """
    moved = (label != ground.old) & (ground.old >= 0)
    return float(households[moved].sum()), len(touched_grids(ground, label))


def touched_grids(ground: Ground, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the grids that gained or lost a unit."""
    moved = label != ground.old
    both = np.concatenate([label[moved], ground.old[moved]])
    return np.unique(both[both >= 0])


def _touched_mask(ground: Ground, label: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    mask[touched_grids(ground, label)] = True
    return mask


def find_packages(
    ground: Ground, bounds: Bounds, wanted: Mapping[str, int], before: NDArray[np.int64],
    after: NDArray[np.int64], households: NDArray[np.float64],
) -> list[Package]:
    """Take a redraw apart into packages, best first."""
    moved = np.flatnonzero(before != after)
    if not len(moved):
        return []
    size = int(max(before.max(), after.max())) + 1
    pairs = coo_array((np.ones(len(moved)), (before[moved], after[moved])), shape=(size, size))
    part = connected_components(pairs, directed=False)[1]
    gain = (
        _count_odd(ground, bounds, before, part, size)
        - _count_odd(ground, bounds, after, part, size)
    )
    asked = np.isin(ground.units[ground.within].to_numpy(str)[moved], list(wanted))
    gain[part[after[moved[asked]]]] += 1
    packages = []
    for one in np.unique(part[after[moved]]):
        units = moved[part[after[moved]] == one]
        had = ground.old[units] >= 0
        cost = households[units] * had * (
            (after[units] != ground.old[units]).astype(float)
            - (before[units] != ground.old[units]).astype(float)
        )
        grids = np.unique(np.concatenate([before[units], after[units]]))
        packages.append(Package(units, float(cost.sum()), grids, int(gain[one])))
    return sorted(packages, key=_rank)


def _rank(package: Package) -> tuple[float, float, int]:
    return (-package.solved / (package.households + 1.0), package.households,
            int(package.grids[0]))


def _take(
    ground: Ground, budget: Budget, before: NDArray[np.int64], after: NDArray[np.int64],
    packages: list[Package], households: NDArray[np.float64],
) -> tuple[NDArray[np.int64], list[int]]:
    """Carry out the packages that fit; return the grids of those that do not."""
    label = before.copy()
    spent = measure_cost(ground, label, households)[0]
    touched = set(touched_grids(ground, label).tolist())
    left: list[int] = []
    for package in packages:
        grids = touched | set(package.grids.tolist())
        fits = budget.allows(spent + package.households, len(grids))
        if fits and package.solved > 0:
            label[package.units] = after[package.units]
            spent += package.households
            touched = grids
        else:
            left += [grid for grid in package.grids.tolist() if grid < ground.size]
    return label, left


def _odd(
    ground: Ground, bounds: Bounds, label: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which grids are out of their bounds."""
    size = max(int(label.max(initial=-1)) + 1, ground.size)
    row = np.minimum(tasks.rows(ground, label, size), ground.size - 1)
    load = np.stack([np.bincount(label, column, minlength=size)
                     for column in ground.sizes.load.T], axis=1)
    slack = 1e-9 * np.where(np.isfinite(bounds.high[row]), bounds.high[row], 1.0)
    out = (load > bounds.high[row] + slack) | (load < bounds.low[row] - slack)
    odd = out.any(axis=1) & (np.bincount(label, minlength=size) > 0)
    odd[: ground.size] &= ~ground.fixed
    return np.asarray(odd)


def _count_odd(
    ground: Ground, bounds: Bounds, label: NDArray[np.int64], part: NDArray[np.int32], size: int
) -> NDArray[np.int64]:
    odd = np.flatnonzero(_odd(ground, bounds, label)[:size])
    return np.bincount(part[odd], minlength=int(part.max()) + 1)
