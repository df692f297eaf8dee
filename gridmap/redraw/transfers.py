"""What went from where to where between two versions: households and ground, pair by pair.

A *transfer* is a row of ``old``, ``new``, ``households`` and ``area_m2``; a code is missing
where there is no grid on that side.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import attach, tiling
from ..attach import counts
from ..errors import SchemaError, listed

COLUMNS = ("old", "new", "households", "area_m2")

#: Areas of parts may miss the area of the whole by this share of it.
ROUNDING = 1e-9

#: From so many points on a locator is worth building.
MANY_POINTS = 10_000


def count_unit_transfers(old: Series, new: Series, units: GeoDataFrame) -> DataFrame:
    """Count what whole units carried from grid to grid.

    Parameters
    ----------
    old, new : Series
        Unit -> grid. A unit that one of them leaves out, or has missing, was in no grid there.
    units : GeoDataFrame, schema UNITS

    Returns
    -------
    DataFrame
        Transfers, without order.

    Raises
    ------
    SchemaError
        If an assignment names a unit twice, or one that is not among ``units``.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("ABBC")
    >>> old, new = Series({"A": "G", "B": "G", "C": "H"}), Series({"A": "G", "B": "H", "C": "H"})
    >>> went = count_unit_transfers(old, new, units)
    >>> went[["old", "new", "households"]].values.tolist()
    [['G', 'G', 1.0], ['G', 'H', 2.0], ['H', 'H', 1.0]]
    """
    for name, assignment in (("old", old), ("new", new)):
        _check_assignment(name, assignment, units)
    carried = DataFrame({
        "old": old.reindex(units.index), "new": new.reindex(units.index),
        "households": units["households"].astype("float64"),
        "area_m2": tiling.measure_area(units),
    })
    return _sum_up(carried)


def _check_assignment(name: str, assignment: Series, units: GeoDataFrame) -> None:
    twice = assignment.index[assignment.index.duplicated()].unique()
    strangers = assignment.index.difference(units.index)
    told = [f"{what} {listed(codes)}" for what, codes in
            (("names twice", twice), ("names units that are not among units:", strangers))
            if len(codes)]
    if told:
        raise SchemaError(
            f"{name}: the assignment {' and '.join(told)}. Every unit has one grid.",
            rows=[str(code) for code in [*twice, *strangers]],
        )


def _sum_up(carried: DataFrame) -> DataFrame:
    """Add up rows of the same pair; what is in no grid on either side is left out."""
    told = carried[carried["old"].notna() | carried["new"].notna()]
    sums = told.groupby(["old", "new"], dropna=False, sort=True)[["households", "area_m2"]]
    return sums.sum(min_count=1).reset_index()[list(COLUMNS)]


def count_ground_transfers(
    old: GeoDataFrame,
    new: GeoDataFrame,
    *,
    units: GeoDataFrame | None = None,
    snap_m: float = 0.05,
) -> DataFrame:
    """Count what lies in an old grid and in a new one, for each pair that overlaps.

    Parameters
    ----------
    old, new : GeoDataFrame, schema GRIDS
        In one CRS in metres.
    units : GeoDataFrame, optional
        Polygons or points with ``households`` in the same CRS: each counts where a point
        inside it lies. Without them the households of an old grid go by area.
    snap_m : float, default 0.05
        Common ground thinner than this is a border drawn twice, and no transfer.

    Returns
    -------
    DataFrame
        Transfers, without order.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> went = count_ground_transfers(sketch_grids("AAB"), sketch_grids("ABB"))
    >>> went[["old", "new", "households"]].values.tolist()
    [['A', 'A', 1.0], ['A', 'B', 1.0], ['B', 'B', 1.0]]
    """
    ground = _overlay(old, new, snap_m)
    if units is None:
        return _spread_households(ground, old["households"])
    points = units.geometry.representative_point()
    held = DataFrame({
        "old": _find_holders(points, old), "new": _find_holders(points, new),
        "households": units["households"].astype("float64").to_numpy(),
    }).astype({"old": "str", "new": "str"})
    # A pair without a unit inside it has no household, and one without ground is all border.
    return _sum_up(pd.concat([ground.assign(households=0.0), held], ignore_index=True))


def _spread_households(ground: DataFrame, households: Series) -> DataFrame:
    """Give each pair its share of the old grid's households, by area, in whole numbers.

    Households that are no whole numbers are shared out as they are.
    """
    ordered = ground.sort_values(["old", "new"], na_position="last").reset_index(drop=True)
    known = ordered["old"].map(households.astype("float64"))
    some = ordered[ordered["old"].notna() & known.notna()]
    group, codes = pd.factorize(some["old"])
    totals = np.asarray(households.reindex(codes), dtype=np.float64)
    area = some["area_m2"].to_numpy(dtype=np.float64)
    if (totals == np.round(totals)).all():
        shares = counts.share_out(totals, area, group).astype("float64")
    else:
        shares = totals[group] * area / np.bincount(group, weights=area)[group]
    # Ground that no old grid held has none of the old households.
    spread = Series(np.nan, index=ordered.index).where(ordered["old"].notna(), 0.0)
    spread[some.index] = shares
    return ordered.assign(households=spread)[list(COLUMNS)]


def _find_holders(points: GeoSeries, grids: GeoDataFrame) -> NDArray[np.object_]:
    """Return the code of the grid that holds each point, missing where none does."""
    engine = "geos" if len(points) < MANY_POINTS else None
    locator = attach.build_locator(grids, engine=engine)
    held = attach.locate_points(locator, points.x.to_numpy(), points.y.to_numpy()).position
    codes = np.array([*grids.index, None], dtype=object)
    found: NDArray[np.object_] = codes[held]  # the last place answers for -1, nowhere
    return found


def _overlay(old: GeoDataFrame, new: GeoDataFrame, snap_m: float) -> DataFrame:
    """Return old, new and area_m2 of all common ground, and of what one side lacks."""
    before, after = (shapely.normalize(g.geometry.to_numpy()) for g in (old, new))
    was, becomes = (g.index.to_numpy(dtype=object) for g in (old, new))
    same_old, same_new = _find_same(before, after)
    rest_old = np.setdiff1d(np.arange(len(old)), same_old)
    rest_new = np.setdiff1d(np.arange(len(new)), same_new)
    left, right = shapely.STRtree(after[rest_new]).query(before[rest_old], predicate="intersects")
    left, right = rest_old[left], rest_new[right]
    common = shapely.intersection(before[left], after[right])
    changed_old, changed_new = before[rest_old], after[rest_new]
    rest_old, lost = _leave_out(before, rest_old, left, common, changed_new)
    rest_new, gained = _leave_out(after, rest_new, right, common, changed_old)
    told = DataFrame({
        "old": [*was[same_old], *was[left], *was[rest_old], *[None] * len(gained)],
        "new": [*becomes[same_new], *becomes[right], *[None] * len(lost), *becomes[rest_new]],
    }, dtype="str")
    shapes = np.concatenate([before[same_old], common, lost, gained])
    told["area_m2"] = _measure_wide(shapes, old, snap_m)
    return told.dropna(subset="area_m2")


def _find_same(
    before: NDArray[np.object_], after: NDArray[np.object_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return positions of polygons that are equal to the last corner: most are, in practice."""
    known = Series(np.arange(len(after)), index=shapely.to_wkb(after))
    at = known[~known.index.duplicated()].reindex(shapely.to_wkb(before)).to_numpy("float64")
    found = np.flatnonzero(~np.isnan(at))
    return found, at[found].astype(np.intp)


def _leave_out(
    polygons: NDArray[np.object_],
    rest: NDArray[np.intp],
    at: NDArray[np.intp],
    common: NDArray[np.object_],
    others: NDArray[np.object_],
) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Return what of some polygons lies in none of the others, where there is anything.

    ``rest`` are the positions of these polygons, and ``common`` is the ground that the
    polygon at position ``at`` shares with one of the others.
    """
    whole = shapely.area(polygons)
    shared = np.bincount(at, weights=shapely.area(common), minlength=len(polygons))
    # Most are covered to the last digits: the union of all others would be dear for nothing.
    rest = rest[whole[rest] - shared[rest] > ROUNDING * whole[rest]]
    left = polygons[rest]
    of, to = shapely.STRtree(others).query(left, predicate="intersects")
    for number, members in Series(to).groupby(of):  # one union for each polygon
        union = shapely.union_all(others[members.to_numpy()])
        left[number] = shapely.difference(left[number], union)
    return rest, left


def _measure_wide(
    shapes: NDArray[np.object_], like: GeoDataFrame, snap_m: float
) -> NDArray[np.float64]:
    """Measure the parts of shapes that are wider than a border drawn twice; missing if none."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    # A strip of width w and length l has the area w·l and the outline 2·l.
    wide = (2 * shapely.area(parts) > snap_m * shapely.length(parts)) & (shapely.area(parts) > 0)
    area = tiling.measure_area(GeoDataFrame(geometry=parts[wide], crs=like.crs))
    sums = np.bincount(of[wide], weights=area, minlength=len(shapes)).astype("float64")
    sums[sums == 0] = np.nan
    return sums


def count_crosswalk_transfers(old: DataFrame, crosswalk: DataFrame) -> DataFrame:
    """Count what a crosswalk carries from old grids to new ones.

    Parameters
    ----------
    old : DataFrame
        ``households`` and ``area_m2`` of the old grids, by code.
    crosswalk : DataFrame, schema CROSSWALK
        From old codes to new ones; the weights of a source add up to 1.

    Returns
    -------
    DataFrame
        Transfers. The area is known of grids without households only, since a crosswalk
        spreads them by it.

    Raises
    ------
    SchemaError
        If the crosswalk knows nothing of an old grid, or its weights do not add up to 1.

    Examples
    --------
    >>> crosswalk = DataFrame({"source": ["A", "A"], "target": ["P", "Q"], "weight": [0.3, 0.7],
    ...                        "basis": "households"})
    >>> old = DataFrame({"households": [10], "area_m2": 500.0}, index=["A"])
    >>> count_crosswalk_transfers(old, crosswalk)["households"].tolist()
    [3.0, 7.0]
    """
    sums = crosswalk.groupby("source")["weight"].sum()
    absent = old.index.difference(sums.index)
    off = sums.index[(sums - 1).abs() > 1e-9]
    told = [f"{what} {listed(codes)}" for what, codes in
            (("knows nothing of", absent), ("has weights that do not add up to 1 for", off))
            if len(codes)]
    if told:
        raise SchemaError(
            f"crosswalk: it {' and '.join(told)}. Everything that leaves a source goes "
            "somewhere, or to a row without target.",
            rows=[str(code) for code in [*absent, *off]],
        )
    ways = crosswalk[crosswalk["weight"] > 0]
    households = old["households"].astype("float64")
    empty = old["area_m2"].where(households == 0)
    return DataFrame({
        "old": ways["source"], "new": ways["target"],
        "households": ways["source"].map(households) * ways["weight"],
        "area_m2": ways["source"].map(empty) * ways["weight"],
    }).reset_index(drop=True)
