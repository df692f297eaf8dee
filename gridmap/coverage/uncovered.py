"""Households that no asset of a kind reaches, as places that can be ranked and drawn."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .reach import Demand, Reach


def gather_uncovered(
    demand: Demand, reach: dict[str, Reach], *, place_m: float
) -> DataFrame:
    """Gather the places beyond the reach of each kind of asset in squares.

    Parameters
    ----------
    demand : Demand
    reach : dict
        Kind -> Reach, as from `measure_reach`.
    place_m : float
        Unserved households in one square of this side, counted from (0, 0), are one place.

    Returns
    -------
    DataFrame
        One row for each square and kind, by kind, then from west to east and south to north:
        kind, column and row of the square, grid (of most of the households), the sums of
        households, people, elements, and of x, y and nearest_m times households; and
        ``on_nearest_m``, the households for which that is known. The same of nearest_min
        where a kind is measured in minutes.

    Examples
    --------
    >>> from gridmap.coverage import reach
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (9, 0)).assign(households=[3, 1], grid="A")
    >>> boards = sketch_points((3, 0), kind="board").assign(radius_m=3.0)
    >>> demand = reach.find_demand(homes)
    >>> served = reach.measure_reach(demand, boards)
    >>> gather_uncovered(demand, served, place_m=5.0)[["column", "x"]].values.tolist()
    [[1.0, 9.0]]
    """
    kinds = sorted(kind for kind, one in reach.items() if one.served is not None)
    parts = [_unserved(demand, number, reach[kind], place_m)
             for number, kind in enumerate(kinds)]
    rows = [part for part in parts if len(part)]
    if not rows:
        return _no_squares()
    return _sum_squares(rows, pd.Index(kinds, dtype="str"), demand)


def _unserved(demand: Demand, kind: int, reach: Reach, place_m: float) -> DataFrame:
    """Return one row for each place of demand that a kind does not serve."""
    unserved = np.zeros(len(demand.xy), dtype=bool) if reach.served is None else ~reach.served
    left = np.flatnonzero(unserved & (demand.households > 0))
    x, y = demand.xy[left].T
    return DataFrame({
        "kind": kind, "column": np.floor(x / place_m), "row": np.floor(y / place_m), "x": x,
        "y": y, "place": left, "households": demand.households[left],
        "people": demand.people[left], "nearest_m": np.nan, f"nearest_{reach.unit}":
        reach.nearest[left],
    })


def _sum_squares(rows: list[DataFrame], kinds: pd.Index, demand: Demand) -> DataFrame:
    unserved = pd.concat(rows, ignore_index=True)
    ways = [name for name in ("nearest_m", "nearest_min") if name in unserved]
    first, of = np.unique(
        _number_squares(unserved), return_index=True, return_inverse=True)[1:]
    households = unserved["households"].to_numpy()
    weighted = {f"on_{c}": np.where(unserved[c].isna(), 0, households) for c in ways} | {
        c: unserved[c].fillna(0).to_numpy() * households for c in ("x", "y", *ways)}
    return DataFrame({
        "kind": kinds[unserved["kind"].to_numpy()[first]],
        **{name: unserved[name].to_numpy()[first] for name in ("column", "row")},
        "households": _sum(of, households), "people": _sum(of, unserved["people"].to_numpy()),
        "elements": np.bincount(of),
        **{name: _sum(of, values) for name, values in weighted.items()},
        "grid": _find_most(of, households, demand.grid.iloc[unserved["place"]]),
    })


def _sum(group: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum each group by itself, row after row: pandas sums sorted groups in another order."""
    return np.bincount(group, weights=values).astype("float64")


def _no_squares() -> DataFrame:
    floats = ("column", "row", "households", "people", "on_nearest_m", "x", "y", "nearest_m")
    kinds = {"kind": "str", **dict.fromkeys(floats, "float64"), "elements": "int64", "grid": "str"}
    order = ["kind", *floats[:4], "elements", *floats[4:], "grid"]
    return DataFrame({name: Series([], dtype=kinds[name]) for name in order})


def rank_squares(squares: DataFrame, grids: GeoDataFrame) -> GeoDataFrame:
    """Return the places beyond the reach of each kind of asset, most people first.

    Parameters
    ----------
    squares : DataFrame
        As from `gather_uncovered`.
    grids : GeoDataFrame, schema GRIDS
        Indexed by grid.

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
    >>> squares = gather_uncovered(demand, reach.measure_reach(demand, boards), place_m=5.0)
    >>> rank_squares(squares, sketch_grids("A"))["households"].to_dict()
    {'1': 1}
    """
    if not len(squares):
        return no_places(grids)
    ways = [name for name in ("nearest_m", "nearest_min") if name in squares]
    most_first = ["people", "households"]
    ranked = squares.sort_values(most_first, ascending=False, kind="stable")
    ranked = ranked.reset_index(drop=True)
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


def _number_squares(unserved: DataFrame) -> NDArray[np.int64]:
    """Number the squares by kind, then from west to east, then from south to north."""
    square = unserved["kind"].to_numpy(dtype="int64")
    for side in ("column", "row"):
        place, places = pd.factorize(unserved[side], sort=True)
        square = square * len(places) + place
    return square


def _find_most(
    square: NDArray[np.intp], households: NDArray[np.float64], grid: Series
) -> pd.Index:
    """Return for each square the grid of most of its households, of equals the first code."""
    codes = pd.Categorical(grid)
    order = np.argsort(codes.categories.to_numpy(dtype=object), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    pair, of = np.unique(square * len(order) + rank[codes.codes], return_inverse=True)
    most = np.lexsort((-_sum(of, households), pair // len(order)))
    first = np.unique(pair[most] // len(order), return_index=True)[1]
    return codes.categories[order[pair[most[first]] % len(order)]]


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
