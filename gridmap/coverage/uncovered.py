"""Households that no asset of a kind reaches, as places that can be ranked and drawn."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .reach import Demand, Reach


def find_uncovered(
    demand: Demand, reach: dict[str, Reach], grids: GeoDataFrame, *, place_m: float
) -> GeoDataFrame:
    """Return the places beyond the reach of each kind of asset, most people first.

    Parameters
    ----------
    demand : Demand
    reach : dict
        Kind -> Reach, as from `measure_reach`.
    grids : GeoDataFrame, schema GRIDS
        Indexed by grid.
    place_m : float
        Unserved households in one square of this side, counted from (0, 0), are one place.

    Returns
    -------
    GeoDataFrame
        Index ``place``, numbered as ranked; kind, grid (of most of the households),
        territory, households, people, elements, nearest_m (mean over households), nearest_min
        where a kind is measured in minutes, and the
        centre of the households as a point. Where people are unknown, households rank; equals
        go by kind, then from west to east and south to north.

    Examples
    --------
    >>> from gridmap.coverage import reach
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0, 0), (9, 0)).assign(households=[3, 1], grid="A")
    >>> boards = sketch_points((3, 0), kind="board").assign(radius_m=3.0)
    >>> demand = reach.find_demand(homes)
    >>> served = reach.measure_reach(demand, boards)
    >>> find_uncovered(demand, served, sketch_grids("A"), place_m=5.0)["households"].to_dict()
    {'1': 1}
    """
    parts = [
        _unserved(demand, kind, one, place_m)
        for kind, one in reach.items() if one.served is not None
    ]
    rows = [part for part in parts if len(part)]
    if not rows:
        return no_places(grids)
    return _rank(rows, grids)


def _unserved(demand: Demand, kind: str, reach: Reach, place_m: float) -> DataFrame:
    """Return one row for each place of demand that a kind does not serve."""
    unserved = np.zeros(len(demand.xy), dtype=bool) if reach.served is None else ~reach.served
    left = np.flatnonzero(unserved & (demand.households > 0))
    x, y = demand.xy[left].T
    return DataFrame({
        "kind": kind, "column": np.floor(x / place_m), "row": np.floor(y / place_m), "x": x,
        "y": y, "grid": demand.grid.to_numpy()[left], "households": demand.households[left],
        "people": demand.people[left], "nearest_m": np.nan, f"nearest_{reach.unit}":
        reach.nearest[left],
    })


def _rank(rows: list[DataFrame], grids: GeoDataFrame) -> GeoDataFrame:
    unserved = pd.concat(rows, ignore_index=True)
    square = ["kind", "column", "row"]
    ways = [name for name in ("nearest_m", "nearest_min") if name in unserved]
    weighted = unserved[square].assign(
        households=unserved["households"], people=unserved["people"], elements=1,
        **{f"on_{c}": unserved["households"].where(unserved[c].notna(), 0) for c in ways},
        **{c: unserved[c] * unserved["households"] for c in ("x", "y", *ways)},
    )
    sums = weighted.groupby(square, sort=True).sum()
    held = unserved.groupby([*square, "grid"], sort=True)["households"].sum()
    most = held.sort_values(ascending=False, kind="stable").reset_index("grid")["grid"]
    sums["grid"] = most[~most.index.duplicated()].reindex(sums.index)
    most_first = ["people", "households"]
    ranked = sums.sort_values(most_first, ascending=False, kind="stable").reset_index()
    means = {c: ranked[c] / ranked["households"] for c in ("x", "y")}
    ranked = ranked.assign(
        territory=grids["territory"].reindex(ranked["grid"]).to_numpy(),
        households=ranked["households"].round().astype("int64"),
        people=ranked["people"].round().astype("int64"),
        **{c: (ranked[c] / ranked[f"on_{c}"]).where(ranked[f"on_{c}"] > 0) for c in ways},
    )
    ranked.index = pd.Index(
        [str(n + 1) for n in range(len(ranked))], dtype="str", name="place")
    points = shapely.points(means["x"], means["y"])
    columns = ["kind", "grid", "territory", "households", "people", "elements", *ways]
    return GeoDataFrame(ranked[columns], geometry=points, crs=grids.crs)


def no_places(grids: GeoDataFrame) -> GeoDataFrame:
    """Return no uncovered places: a frame of the same columns, without rows.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> len(no_places(sketch_grids("A")))
    0
    """
    index = pd.Index([], dtype="str", name="place")
    texts = {c: Series([], dtype="str", index=index) for c in ("kind", "grid", "territory")}
    counts = {c: Series([], dtype="int64", index=index)
              for c in ("households", "people", "elements")}
    nearest = {"nearest_m": Series([], dtype="float64", index=index)}
    frame = DataFrame({**texts, **counts, **nearest}, index=index)
    return GeoDataFrame(frame, geometry=geopandas.GeoSeries([], index=index, crs=grids.crs))
