"""Counts of grids added up by territory, and how much of what should be on the map is."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from pandas.api import types

from ..errors import SchemaError, listed


def measure_territories(
    by_grid: DataFrame, grids: DataFrame, territories: DataFrame | None = None
) -> DataFrame:
    """Add the counts of grids up by territory, and by the territories above it.

    Parameters
    ----------
    by_grid : DataFrame
        As ``by_grid`` of `attach_points`. Counts and sums are added up; leave out columns that
        do not add up, such as shares.
    grids : DataFrame, schema GRIDS or UNITS
        Their column ``territory`` says where each belongs.
    territories : DataFrame, schema TERRITORIES, optional
        Their column ``parent`` says what lies above; then every territory has a row.

    Returns
    -------
    DataFrame
        Index ``territory``, in the order of ``territories``, or of the codes without; the
        columns of ``by_grid`` that hold numbers. A territory without grids has 0, and a
        figure that no grid knows is missing.

    Raises
    ------
    SchemaError
        If grids and counts have different codes, or a territory is not in ``territories``.

    Examples
    --------
    >>> grids = DataFrame({"territory": ["T", "T", "U"]}, index=list("ABC"))
    >>> counts = DataFrame({"people": [1, 2, 4]}, index=list("ABC"))
    >>> measure_territories(counts, grids)["people"].to_dict()
    {'T': 3, 'U': 4}
    >>> towns = DataFrame({"parent": [None, "R", "R"]}, index=list("RTU"))
    >>> measure_territories(counts, grids, towns)["people"].to_dict()
    {'R': 7, 'T': 3, 'U': 4}
    """
    strange = by_grid.index.symmetric_difference(grids.index)
    if len(strange):
        raise SchemaError(
            f"by_grid and grids do not have the same codes: {listed(strange)}",
            rows=[str(code) for code in strange],
        )
    numbers = by_grid[[c for c in by_grid if types.is_numeric_dtype(by_grid[c])]]
    holder = grids["territory"].reindex(by_grid.index)
    sums = numbers.groupby(holder.to_numpy()).sum(min_count=1).rename_axis("territory")
    if territories is not None:
        sums = _climb(sums, territories)
    return sums.astype({c: "int64" for c in sums
                        if types.is_integer_dtype(by_grid[c]) and sums[c].notna().all()})


def _climb(sums: DataFrame, territories: DataFrame) -> DataFrame:
    """Add the sums of each territory to all those above it, level by level."""
    strange = sums.index[~sums.index.isin(territories.index)]
    if len(strange):
        raise SchemaError(f"territories: {listed(strange)} is not there, but grids name it",
                          rows=[str(code) for code in strange])
    total = sums.reindex(territories.index)
    unknown = total.isna() & sums.isna().all()  # what nobody knows stays unknown
    above, moving = territories["parent"], sums
    for _ in range(len(territories)):
        parent = above.reindex(moving.index)
        moving = moving[parent.notna() & parent.isin(territories.index)]
        if moving.empty:
            break
        moving = moving.groupby(parent.reindex(moving.index).to_numpy()).sum(min_count=1)
        total = total.add(moving.reindex(total.index), fill_value=0)
    return total.fillna(0).mask(unknown).rename_axis("territory")


def measure_collected(
    elements: GeoDataFrame, *, by: Collection[str] = ("grid", "kind")
) -> DataFrame:
    """Return the share of elements collected onto the map (采集上图).

    An element is collected if it has a place and a grid. One that has a grid by its address
    only (see `attach_addresses`) is known there but not collected.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS
        Attached, with the column ``grid``.
    by : collection of str, default ("grid", "kind")
        Columns to count by; missing is a group of its own, such as the elements that no grid
        is known for.

    Returns
    -------
    DataFrame
        Indexed by ``by``, in order, missing last: ``elements``, the sum of ``count`` (of rows
        without that column), ``collected`` and ``collected_share`` (0 to 1).

    Raises
    ------
    SchemaError
        If a column is absent.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0.5, 0.5), (1.5, 0.5)).assign(grid=["A", None])
    >>> measure_collected(homes, by=["kind"])["collected_share"].to_dict()
    {'address': 0.5}
    """
    absent = [name for name in dict.fromkeys(("grid", *by)) if name not in elements]
    if absent:
        raise SchemaError(
            f"elements: column {listed(absent)} is absent: attach them to grids first"
        )
    shapes = elements.geometry.to_numpy()
    placed = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if "how" in elements:
        placed &= (elements["how"] != "address").to_numpy()
    count = elements["count"] if "count" in elements else Series(1, elements.index)
    there = placed & elements["grid"].notna().to_numpy()
    counted = DataFrame({**{name: elements[name].array for name in by},
                         "elements": count.to_numpy(), "collected": np.where(there, count, 0)})
    told = counted.groupby(list(by), dropna=False).sum()
    share: pd.Series = told["collected"] / told["elements"].where(told["elements"] > 0)
    return told.assign(collected_share=share)
