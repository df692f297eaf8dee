"""Counts of elements per polygon, and whole numbers that keep their total."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series
from pandas.api import types

from ..errors import SchemaError, listed
from .places import NOWHERE

MEASURES = ("households", "people")


def count_held(
    elements: DataFrame,
    position: NDArray[np.integer],
    codes: pd.Index,
    *,
    sums: Collection[str] = (),
) -> DataFrame:
    """Count what each polygon holds, one row for every polygon.

    Parameters
    ----------
    elements : DataFrame
        What was attached. Without a column ``count`` each row counts once; without a column
        ``kind`` the name of the index serves as the kind.
    position : array of int
        Position in ``codes`` for each row, -1 for none.
    codes : Index
        Codes of the polygons.
    sums : collection of str, optional
        Further columns of numbers to sum up; a missing number counts 0.

    Returns
    -------
    DataFrame
        Indexed by ``codes``, in that order: ``rows``, the number of rows; households, people
        and the columns ``sums``, missing throughout where no element says any; and for each
        kind the sum of ``count``, in a column ``count_`` and the kind as it stands, in order
        of kind. Zero where a polygon holds none.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes, codes = sketch_points((0, 0), (1, 1)), pd.Index(["A", "B"], name="grid")
    >>> count_held(homes, np.array([0, 0]), codes)["count_address"].to_dict()
    {'A': 2, 'B': 0}
    """
    size = len(codes)
    held = position != NOWHERE
    inside = slice(None) if held.all() else held
    where = position[inside]
    columns = {"rows": Series(np.bincount(where, minlength=size), index=codes)}
    for measure in dict.fromkeys((*MEASURES, *sums)):
        columns[measure] = _sum(elements, measure, inside, where, codes)
    kind = elements["kind"] if "kind" in elements else Series(elements.index.name, elements.index)
    kind_at, kinds = pd.factorize(kind, sort=True)
    place = kind_at[inside] * size + where
    counted = _weights(elements, "count", inside)
    spread = np.bincount(place, weights=counted, minlength=size * len(kinds))
    whole = counted is None or types.is_integer_dtype(elements["count"])
    for number, name in enumerate(kinds):
        values = Series(spread[number * size : (number + 1) * size], index=codes)
        columns[f"count_{name}"] = values.astype("int64") if whole else values
    return DataFrame(columns, index=codes)


def check_sums(elements: DataFrame, sums: Collection[str]) -> None:
    """Raise unless all columns to sum up are there and hold numbers.

    Raises
    ------
    SchemaError
        If one is absent or holds no numbers.

    Examples
    --------
    >>> check_sums(DataFrame({"people": [1, 2]}), ["people"])
    """
    wrong = [name for name in sums if name not in elements
             or not types.is_numeric_dtype(elements[name]) or types.is_bool_dtype(elements[name])]
    if wrong:
        raise SchemaError(
            f"elements: column {listed(wrong)} of sums=… is absent, or holds no numbers"
        )


def sum_areas(
    elements: GeoDataFrame, position: NDArray[np.integer], codes: pd.Index
) -> DataFrame:
    """Sum the area and the floor area of the footprints in each polygon.

    Parameters
    ----------
    elements : GeoDataFrame
        With ``floors`` if they are known; missing or 0 counts 1. Points have no area.
    position : array of int
        Position in ``codes`` for each row, -1 for none.
    codes : Index
        Codes of the polygons.

    Returns
    -------
    DataFrame
        footprint_m2 and floor_area_m2, one row for every polygon.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> home = sketch_points((0, 0)).assign(floors=3)
    >>> home = home.set_geometry(home.buffer(1, cap_style="square"))
    >>> sum_areas(home, np.array([0]), pd.Index(["A"], name="grid")).values.tolist()
    [[4.0, 12.0]]
    """
    areas = measure_areas(elements)
    held = position != NOWHERE
    sums = {
        name: np.bincount(position[held], weights=areas[name].to_numpy()[held],
                          minlength=len(codes))
        for name in areas
    }
    return DataFrame(sums, index=codes)


def measure_areas(elements: GeoDataFrame) -> DataFrame:
    """Return footprint_m2 and floor_area_m2 of each element, 0 for points.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> measure_areas(sketch_points((0, 0))).values.tolist()
    [[0.0, 0.0]]
    """
    area = np.nan_to_num(shapely.area(elements.geometry.to_numpy()))
    floors = np.ones(len(area))
    if "floors" in elements:
        known = elements["floors"].to_numpy(dtype="float64")
        floors = np.where(known > 0, known, 1.0)
    columns = {"footprint_m2": area, "floor_area_m2": area * floors}
    return DataFrame(columns, index=elements.index)


def _weights(
    elements: DataFrame, column: str, inside: slice | NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    if column not in elements:
        return None
    values: NDArray[np.float64] = elements[column].to_numpy(dtype="float64")[inside]
    return np.nan_to_num(values, nan=0.0)


def _sum(
    elements: DataFrame,
    column: str,
    inside: slice | NDArray[np.bool_],
    where: NDArray[np.integer],
    codes: pd.Index,
) -> Series:
    weights = _weights(elements, column, inside)
    if weights is None or elements[column].isna().all():
        return Series(np.nan, index=codes)
    sums = Series(np.bincount(where, weights=weights, minlength=len(codes)), index=codes)
    return sums.astype("int64") if types.is_integer_dtype(elements[column]) else sums


def share_out(
    totals: NDArray[np.float64], weights: NDArray[np.float64], group: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Split whole totals over the members of each group, by largest remainder.

    Parameters
    ----------
    totals : array of float
        A whole number for each group, 0 or more.
    weights : array of float
        Weight of each member, 0 or more; the members of a group must not all weigh 0.
    group : array of int
        Position in ``totals`` of each member.

    Returns
    -------
    array of int
        The share of each member; the shares of a group add up to its total. Members with
        equal remainders are served in the order given.

    Examples
    --------
    >>> share_out(np.array([10.0]), np.array([1.0, 1.0, 1.0]), np.array([0, 0, 0])).tolist()
    [4, 3, 3]
    """
    sums = np.bincount(group, weights=weights, minlength=len(totals))
    quota = totals[group] * (weights / sums[group])
    # Quotas that are whole up to rounding must not lose one: 2.9999999999999996 is 3.
    share = np.floor(quota + 1e-9).astype(np.int64)
    spread = np.bincount(group, weights=share, minlength=len(totals)).astype(np.int64)
    left = totals.astype(np.int64) - spread
    remainder = np.round(quota - share, 9)
    order = np.lexsort((np.arange(len(group)), weights == 0, -remainder, group))
    rank = np.empty(len(group), dtype=np.int64)
    starts = np.searchsorted(group[order], group[order])
    rank[order] = np.arange(len(group)) - starts
    share[rank < left[group]] += 1
    return share
