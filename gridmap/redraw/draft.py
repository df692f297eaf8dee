"""A net under an interactive hand: what is where, what was done, and what it costs so far.

`Draft` is the one thing of the package that changes. Only the functions of `edits` change
it, and whatever they do can be undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from ..errors import PartitionError
from ..rules import CodeRule, SizeRule
from ..tiling import areas
from ..zoning import codes as layouts
from ..zoning import dissolve, sizes
from . import frames, ground
from .ground import Ground


class Edit(NamedTuple):
    """The answer to an edit."""

    grids: GeoDataFrame  # schema GRIDS: the grids that the edit touched, as they are now
    retired: tuple[str, ...]  # codes that the edit took out of use
    checks: DataFrame  # of each touched grid: size, size_state, parts, territories
    bill: Series  # so far: households_moved, people_moved, grids_touched, grids


class Step(NamedTuple):
    """One edit: which units, and their grids before and after."""

    units: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


class Draft:
    """A net that is being edited. Make one with `start_draft`; look with its properties."""

    def __init__(
        self, land: Ground, known: GeoDataFrame | None, code: CodeRule | None,
        retired: Iterable[str],
    ) -> None:
        from rtree import index

        self._land = land
        self._known = known
        self._code = code or frames.PLAIN
        self._label = land.label.copy()
        self._names: list[str] = [str(one) for one in land.codes]
        self._taken = {*self._names, *retired}
        self._members: dict[int, NDArray[np.int64]] = {}
        order = np.argsort(self._label, kind="stable")
        numbers, first = np.unique(self._label[order], return_index=True)
        for number, units in zip(numbers, np.split(order, first[1:]), strict=True):
            self._members[int(number)] = units
        self._boxes = land.units.geometry.bounds.to_numpy()
        self._where = land.units[land.within].to_numpy(object)
        self._territory = np.unique(self._where.astype(str), return_inverse=True)[1]
        self._shapes = land.units.geometry.to_numpy()
        self._homes = land.units["households"].to_numpy()
        self._people = land.units["people"].to_numpy()
        self._area = areas.measure_area(land.units).to_numpy()
        self._bounds: dict[int, tuple[float, ...]] = {n: self._box(n) for n in self._members}
        self._tree = index.Index(((n, box, None) for n, box in self._bounds.items()))
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self.issue(list(range(len(land.codes), land.size)))

    @property
    def assignment(self) -> Series:
        """The grid of each unit, as it is now."""
        names = np.array(self._names, dtype=object)
        return Series(names[self._label], index=self._land.units.index, name="grid", dtype="str")

    @property
    def steps(self) -> tuple[int, int]:
        """How many edits can be undone, and how many done again."""
        return len(self._done), len(self._undone)

    @property
    def land(self) -> Ground:
        """The units and the net as they were at first."""
        return self._land

    @property
    def label(self) -> NDArray[np.int64]:
        """The number of the grid of each unit; a copy."""
        return self._label.copy()

    @property
    def known(self) -> GeoDataFrame | None:
        """The grids that the draft began with, where they were given."""
        return self._known

    def name(self, number: int) -> str:
        """Return the code of a grid."""
        return self._names[number]

    def number(self, code: str) -> int:
        """Return the number of a grid that is in use.

        Raises
        ------
        PartitionError
            If no grid bears the code now.
        """
        try:
            number = self._names.index(code)
        except ValueError:
            number = -1
        if number not in self._members:
            raise PartitionError(
                f"grid {code} is not in the draft. Grids in use are those of its assignment.",
                rows=[code])
        return number

    def members(self, number: int) -> NDArray[np.int64]:
        """Return the positions of the units of a grid, in order."""
        return self._members[number]

    def has(self, number: int) -> bool:
        """Say whether a grid has units now."""
        return number in self._members

    def crosses(self, units: NDArray[np.int64]) -> bool:
        """Say whether units lie in more than one territory."""
        where = self._territory[units]
        return bool((where != where[0]).any())

    def find_near(self, bounds: tuple[float, float, float, float]) -> list[int]:
        """Return the grids whose boxes meet a box, by number."""
        return sorted(self._tree.intersection(bounds))

    def begin(self) -> int:
        """Return the number of a new grid that has no code yet."""
        self._names.append("")
        return len(self._names) - 1

    def issue(self, numbers: list[int]) -> None:
        """Give grids without a code one that was never used, not even by an edit undone."""
        self._names += [""] * (max(numbers, default=0) + 1 - len(self._names))
        new = [n for n in numbers if n in self._members and not self._names[n]]
        if not new:
            return
        grids = self._frame(new)
        odd = grids["territory"].isin(
            layouts.find_unfit_territories(grids["territory"], self._code))
        for some, rule in ((grids[~odd], self._code), (grids[odd], frames.PLAIN)):
            if some.empty:
                continue
            where = some["territory"].unique()  # codes of other territories cannot clash
            taken = [code for code in self._taken if any(one in code for one in where)]
            issued = layouts.issue_codes(some, rule, taken=taken)
            for number, code in issued.items():
                self._names[int(str(number))] = str(code)
                self._taken.add(str(code))

    def carry_out(self, step: Step, *, back: bool = False) -> Edit:
        """Put units where a step says, or back where they were."""
        target = step.before if back else step.after
        touched = np.unique(np.concatenate([step.before, step.after])).tolist()
        self._label[step.units] = target
        for number in touched:
            self._gather(number, step, target)
        self.issue(touched)
        return self._answer(touched)

    def remember(self, step: Step) -> None:
        """Put a step on the list of what can be undone."""
        self._done.append(step)
        self._undone.clear()

    def turn_back(self, *, forward: bool = False) -> Edit:
        """Undo the last step, or do the last undone one again."""
        source, target = (self._undone, self._done) if forward else (self._done, self._undone)
        if not source:
            raise PartitionError(
                "there is nothing to do again" if forward else "there is nothing to undo")
        step = source.pop()
        target.append(step)
        return self.carry_out(step, back=not forward)

    def _gather(self, number: int, step: Step, target: NDArray[np.int64]) -> None:
        """Bring the list of a grid's units and its box in the tree up to date."""
        had = self._members.get(number, np.zeros(0, np.int64))
        stays = had[self._label[had] == number]
        units = np.union1d(stays, step.units[target == number])
        if number in self._bounds:
            self._tree.delete(number, self._bounds.pop(number))
        if not len(units):
            self._members.pop(number, None)
            return
        self._members[number] = units
        self._bounds[number] = self._box(number)
        self._tree.insert(number, self._bounds[number])

    def _box(self, number: int) -> tuple[float, ...]:
        boxes = self._boxes[self._members[number]]
        return (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())

    def _answer(self, touched: list[int]) -> Edit:
        here = [number for number in touched if number in self._members]
        gone = tuple(sorted(self._names[n] for n in touched if n not in self._members))
        grids = self._frame(here)
        grids.index = Index([self._names[n] for n in here], dtype="str", name="grid")
        return Edit(grids.sort_index(), gone, self._check(here).sort_index(), self.bill())

    def bill(self) -> Series:
        """Return what the draft costs so far."""
        land = self._land
        moved = np.flatnonzero(self._label != land.old)
        both = np.concatenate([self._label[moved], land.old[moved]])
        cost = moved[land.old[moved] >= 0]
        return Series({
            "households_moved": float(self._homes[cost].sum()),
            "people_moved": float(self._people[cost].sum()),
            "grids_touched": float(len(np.unique(both[both >= 0]))),
            "grids": float(len(self._members)),
        }, name="bill")

    def _frame(self, numbers: list[int]) -> GeoDataFrame:
        """Return some grids, named by their numbers.

        Out of arrays kept ready: frames of frames took most of the time of an edit.
        """
        units = [self._members[number] for number in numbers]
        some = np.concatenate(units) if units else np.zeros(0, np.int64)
        count = len(units)
        dense = np.repeat(np.arange(count), [len(one) for one in units])
        land, first = self._land, [one[0] for one in units]
        own = [n < land.size and bool(land.dedicated[n]) for n in numbers]
        shapes = dissolve.dissolve(self._shapes[some], dense, count) if count else some
        homes = np.bincount(dense, self._homes[some], minlength=count)
        people = np.bincount(dense, self._people[some], minlength=count)
        return GeoDataFrame(
            {
                "territory": pd.array(self._where[first], dtype="str"),
                "kind": pd.array(np.where(own, "dedicated", "comprehensive"), dtype="str"),
                "households": homes.astype(self._homes.dtype),
                "people": people.astype(self._people.dtype),
                "area_m2": np.bincount(dense, self._area[some], minlength=count),
            },
            geometry=shapes,
            index=Index([str(n) for n in numbers], dtype="str", name="grid"),
            crs=land.units.crs,
        )

    def _check(self, numbers: list[int]) -> DataFrame:
        """Return the size of each grid, and whether it is in range."""
        land = self._land
        rows = []
        for number in numbers:  # few: those that one edit touched
            units = self._members[number]
            load = land.sizes.load[units].sum(axis=0)
            row = land.sizes.row[units[:1]]
            state = sizes.size_states(load[None], land.sizes.ranges, row)[0]
            own = number < land.size and land.dedicated[number]
            rows.append((float(load[0]), "dedicated" if own else str(state), len(units)))
        told = DataFrame(rows, columns=["size", "size_state", "units"], index=Index(
            [self._names[n] for n in numbers], dtype="str", name="grid"))
        return told.astype({"size_state": "str"})


def start_draft(
    grids: GeoDataFrame | Series,
    units: GeoDataFrame,
    size: SizeRule | Mapping[str, SizeRule],
    *,
    within: str = "territory",
    size_by: str | None = None,
    workload: Mapping[str, float] | None = None,
    locked: Collection[str] = (),
    dedicated: Collection[str] = (),
    links: DataFrame | None = None,
    code: CodeRule | None = None,
    retired: Iterable[str] = (),
    snap_m: float = 0.05,
) -> Draft:
    """Begin to change a net by hand: every edit is checked, priced and can be undone.

    Edits are `split_grid`, `merge_grids`, `move_units` and `draw_border`; then `undo`, `redo`,
    and `finish_draft`.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS, or Series
        The net in use, or the grid of each unit.
    units : GeoDataFrame, schema UNITS
        In a CRS in metres.
    size : SizeRule or mapping of str to SizeRule
        The range that edits are checked by; they are not refused for it.
    within, size_by, workload, locked, dedicated, links, code, retired, snap_m : optional
        As in `repartition`.

    Returns
    -------
    Draft
        The one thing that edits change.

    Raises
    ------
    SchemaError, CRSError, PartitionError
        As in `repartition`.

    Examples
    --------
    >>> from gridmap import merge_grids
    >>> from gridmap.sketch import sketch_units
    >>> now = Series({"A": "G", "B": "H", "C": "H"})
    >>> draft = start_draft(now, sketch_units("ABC"), SizeRule(minimum=1, target=2, maximum=3))
    >>> merge_grids(draft, ["G", "H"]).retired
    ('G',)
    >>> draft.assignment.tolist()
    ['H', 'H', 'H']
    """
    land = ground.take_ground(
        grids, units, size, within=within, size_by=size_by, workload=workload, locked=locked,
        dedicated=dedicated, declared=links, snap_m=snap_m)
    return Draft(land, grids if isinstance(grids, GeoDataFrame) else None, code, retired)
