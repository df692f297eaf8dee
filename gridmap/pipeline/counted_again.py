"""Who lives in units, counted again: of elements only those that are not as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series
from pyarrow import Table

from .. import attach, ledger
from . import arrow, between, changed, units
from .changed import Rows, Shapes
from .meeting import widen
from .totals import MASSES

#: Above this share of elements that are not as they were the whole is done.
MOST = 0.4

#: How far units are looked for beside what they are asked about, beyond what may snap.
REACH_M = 1.0

Floats = NDArray[np.float64]


class Folk(NamedTuple):
    """What became of the elements, as far as units know of them."""

    felt: Shapes  # places of what land is divided by, before and now
    gone: GeoDataFrame | None  # whoever lived somewhere and is not as before, as it was
    new: GeoDataFrame | None  # the same, as it is
    sums: dict[str, float]  # households and people of all elements
    known: list[str]  # what is known somewhere, and therefore 0 where it is missing
    codes: Index  # of all elements that are not as they were

    @property
    def someone(self) -> bool:
        """Whether anybody lives anywhere."""
        return any(self.sums.values())

    @property
    def places(self) -> Shapes:
        """Where whoever is not as before lived, and lives."""
        parts = [frame.geometry.to_numpy() for frame in (self.gone, self.new) if frame is not None]
        return np.concatenate(parts) if parts else np.empty(0, dtype=object)


def look_at(old: Table, new: Table, rows: Rows | None, before: Any) -> Folk | None:
    """Find out what became of elements; None where that says too little.

    Land is divided by where elements are and by what they weigh there. Numbers that weigh
    nothing, such as people where households are known, only ask for another count.

    Parameters
    ----------
    old, new : Table
        Elements.
    rows : Rows, optional
        What became of each; None where they are the same.
    before : Outputs
        What building units gave before.
    """
    masses, known = _tell_masses(new)
    if not before["whole_numbers"] or (masses, known) != _tell_masses(old):
        return None
    lines = before["ledger"]
    sums = dict.fromkeys(masses, 0.0) | dict(zip(lines["measure"], lines["came_in"], strict=True))
    if rows is None:
        return Folk(np.empty(0, dtype=object), None, None, sums, known, Index([], dtype="str"))
    if len(rows.gone) > MOST * len(old):
        return None
    one, two = (arrow.to_frame(arrow.take(table, some)) for table, some in
                ((old, rows.gone), (new, np.flatnonzero(~rows.same))))
    if not units.are_whole(two):
        return None
    now = {mass: total - one[mass].sum() + two[mass].sum() for mass, total in sums.items()}
    if any(_is_unlike(both, known) for both in ((sums, now), (now, sums))):
        return None
    felt = _find_felt(one, two, known) if any(now.values()) else np.empty(0, dtype=object)
    return Folk(felt, units.residents(_find_placed(one)), units.residents(_find_placed(two)), now,
                known, one.index.union(two.index))


def _tell_masses(table: Table) -> tuple[list[str], list[str]]:
    masses = [mass for mass in MASSES if mass in table.column_names]
    return masses, [mass for mass in masses if table[mass].null_count < len(table)]


def _find_placed(frame: GeoDataFrame) -> GeoDataFrame:
    shapes = frame.geometry.to_numpy()
    return frame[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


def _is_unlike(both: tuple[Mapping[str, float], Mapping[str, float]], known: list[str]) -> bool:
    """Say whether land is divided by another measure than before, or may be."""
    one, two = both
    return any(one.values()) and (
        not any(two.values()) or ("households" in known and not one["households"]))


def _find_felt(one: GeoDataFrame, two: GeoDataFrame, known: Sequence[str]) -> Shapes:
    """Return the places of what land is divided by, where it is not as it was."""
    was, now = (_see(_find_placed(frame), known) for frame in (one, two))
    gone, new = changed.find_changed(was, now, ("weight",))
    return np.concatenate([was.geometry.to_numpy()[gone], now.geometry.to_numpy()[new]])


def _see(frame: GeoDataFrame, known: Sequence[str]) -> GeoDataFrame:
    """Return what dividing land sees of elements, and what each weighs."""
    shown = units.dwellings(frame, someone=True)
    if shown is None:
        raise TypeError("a frame was given")
    weight = shown["households"] if "households" in known else shown["count"]
    return GeoDataFrame({"weight": weight.fillna(0).astype("float64")}, geometry=shown.geometry)


def count_again(
    made: Table, ground: Shapes, folk: Folk, elements: Any, snap_m: float
) -> tuple[Table, DataFrame]:
    """Count who lives in units that are not as they were, or where somebody is not.

    Parameters
    ----------
    made : Table
        Units, counted as far as they are as they were.
    ground : array of geometries
        Units that are not, as they were and as they are.
    folk : Folk
    elements : object
        Gives elements within boxes by its method ``take``.
    snap_m : float
        As for the whole.

    Returns
    -------
    units : Table
    ledger : DataFrame
    """
    counts = {mass: made[mass].to_numpy().astype("float64") for mass in folk.sums}
    if len(ground) or any(shapely.get_dimensions(folk.places) > 0):
        _count_near(made, counts, np.concatenate([ground, folk.places]), elements, snap_m)
    else:
        for frame, sign in ((folk.gone, -1.0), (folk.new, 1.0)):
            _add(made, counts, frame, sign, snap_m)
    lines = [
        ledger.balance("units", "residents", measure=mass, came_in=folk.sums[mass],
                       went_on=column.sum(), left_over=folk.sums[mass] - column.sum())
        for mass, column in counts.items() if folk.someone]
    for mass, column in counts.items():
        made = between.put_numbers(made, mass, column)
    return made, ledger.join_ledger(*lines)


def _count_near(
    made: Table, counts: dict[str, Floats], ground: Shapes, elements: Any, snap_m: float
) -> None:
    """Count all who live in units near some ground."""
    rows = arrow.find_rows(made, widen(shapely.bounds(ground), REACH_M))
    shapes = arrow.join_shapes(arrow.take(made, rows))
    near = changed.find_near(shapes, ground, reach_m=REACH_M)
    if not near.any():
        return
    asked = widen(shapely.bounds(shapes[near]), REACH_M + snap_m)
    found = _attach(made, units.residents(elements.take(asked)), asked, snap_m)
    codes = between.texts_of(made["unit"])[rows[near]]
    for mass, column in counts.items():
        column[rows[near]] = 0.0 if mass not in found else found[mass].reindex(codes).fillna(0)


def _add(
    made: Table, counts: dict[str, Floats], some: GeoDataFrame | None, sign: float, snap_m: float
) -> None:
    """Add points to the units that hold them, or take them away: whole numbers have no order."""
    if some is None:
        return
    found = _attach(made, some, widen(some.bounds.to_numpy(), REACH_M + snap_m), snap_m)
    codes = Index(between.texts_of(made["unit"]))
    for mass in counts.keys() & found.keys():
        held = found[mass][found[mass] > 0]
        counts[mass][codes.get_indexer(held.index)] += sign * held.to_numpy(dtype="float64")


def _attach(
    made: Table, some: GeoDataFrame | None, boxes: Floats, snap_m: float
) -> dict[str, Series]:
    """Count some residents in the units within boxes."""
    if some is None:
        return {}
    rivals = arrow.take_rows(made, boxes)
    if rivals.empty:
        return {}
    by_grid = attach.attach_elements(some, rivals, nearest_m=snap_m).by_grid
    return {mass: by_grid[mass] for mass in MASSES if mass in by_grid and mass in some}
