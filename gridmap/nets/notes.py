"""What was decided, one row each."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import ledger
from ..tiling.rings import Ints
from .choose import COST, FALLBACK, SENIORITY, Chosen
from .conflicts import name_sides
from .ground import Ground
from .intake import Given, note

#: Land outside of all territories below this is the rounding of a border.
CRUMB_M2 = 1.0


def tell_all(
    ground: Ground, given: Given, atoms: GeoDataFrame, chosen: Chosen, label: Ints,
    grids: GeoDataFrame,
) -> DataFrame:
    """Write down what happened to borders, to work grids and to every contested atom.

    Returns
    -------
    DataFrame, schema CHANGES
        Step ``reconcile``. ``what`` is one of "borders snapped" and "scheme overlaps itself"
        (one row for each scheme), "swallowed" and "outside the territories" (work grid),
        "decided by seniority", "decided by cost", "remnant joined", "too small, joined",
        "too large, divided", "unclaimed land joined" (atom), "unclaimed land to the
        community", "remnant kept", "too small", "too large" (grid).
    """
    return ledger.join_changes(
        _tell_snapped(ground, given), _tell_swallowed(ground, given),
        _tell_twice(ground, given), _tell_outside(ground, given),
        _tell_decided(ground, given, atoms), _tell_joined(ground, given, atoms, chosen),
        _tell_fallback(grids), _tell_odd(chosen, label, grids),
    )


def _tell_snapped(ground: Ground, given: Given) -> DataFrame:
    before = shapely.area(given.shapes)
    area = shapely.area(ground.shapes)[ground.piece]
    after = np.bincount(ground.work_grid, area, minlength=len(before))
    off = np.abs(after - before)
    moved = off > CRUMB_M2
    size = len(given.names)
    count = np.bincount(given.rank[moved], minlength=size)
    total = np.bincount(given.rank, off, minlength=size)
    some = np.flatnonzero(count)
    return note([given.names[i] for i in some], "borders snapped", area_m2=total[some],
                note=[f"{count[i]:,} work grids grew or shrank, by "
                      f"{off[moved & (given.rank == i)].max():,.0f} m² at most" for i in some])


def _tell_swallowed(ground: Ground, given: Given) -> DataFrame:
    lost = ground.swallowed
    return note(given.codes[lost], "swallowed", area_m2=shapely.area(given.shapes[lost]),
                note="thinner than the reach of a border; crosswalks lead to where it was")


def _tell_twice(ground: Ground, given: Given) -> DataFrame:
    scheme = given.rank[ground.work_grid]
    more = ground.claims[ground.piece, scheme] != ground.work_grid
    area = shapely.area(ground.shapes)[ground.piece[more]]
    total = np.bincount(scheme[more], area, minlength=len(given.names))
    some = np.flatnonzero(total)
    return note([given.names[i] for i in some], "scheme overlaps itself", area_m2=total[some],
                note="the work grid whose code sorts first has the place")


def _tell_outside(ground: Ground, given: Given) -> DataFrame:
    out = ~ground.inside[ground.piece]
    area = np.bincount(ground.work_grid[out], shapely.area(ground.shapes)[ground.piece[out]],
                       minlength=len(given.codes))
    some = np.flatnonzero(area > CRUMB_M2)
    return note(given.codes[some], "outside the territories", area_m2=area[some],
                note="left over in the crosswalks")


def _tell_decided(ground: Ground, given: Given, atoms: GeoDataFrame) -> DataFrame:
    parts = []
    for way in (SENIORITY, COST):
        at = np.flatnonzero(atoms["decided"] == way)
        parts.append(note(
            atoms.index[at], f"decided by {way}", after=atoms["grid"].iloc[at],
            before=[name_sides(row, given.names, given.codes) for row in ground.claims[at]],
            area_m2=atoms["area_m2"].iloc[at],
            note=[f"agreement {share:.2f}" for share in atoms["agreement"].iloc[at]]))
    return ledger.join_changes(*parts)


def _tell_joined(
    ground: Ground, given: Given, atoms: GeoDataFrame, chosen: Chosen
) -> DataFrame:
    if not chosen.joined:
        return ledger.join_changes()
    at = np.array([atom for atom, *_ in chosen.joined])
    return note(
        atoms.index[at], "", after=atoms["grid"].iloc[at], area_m2=atoms["area_m2"].iloc[at],
        before=[name_sides(row, given.names, given.codes) or "nobody"
                for row in ground.claims[at]],
        note=[text or None for *_, text in chosen.joined],
    ).assign(what=[what for _, what, _ in chosen.joined]).astype({"what": "str"})


def _tell_fallback(grids: GeoDataFrame) -> DataFrame:
    free = grids[grids["kind"] == FALLBACK]
    return note(free.index, "unclaimed land to the community", after=free["territory"],
                area_m2=free["area_m2"])


def _tell_odd(chosen: Chosen, label: Ints, grids: GeoDataFrame) -> DataFrame:
    if not chosen.odd:
        return ledger.join_changes()
    codes = grids.index[label[[atom for atom, *_ in chosen.odd]]]
    return note(codes, "", area_m2=grids["area_m2"].reindex(codes),
                note=[text for *_, text in chosen.odd],
                ).assign(what=[what for _, what, _ in chosen.odd]).astype({"what": "str"})
