"""What stands and happens in a grid: assets, events, visits, workers, elements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from pandas.api import types

from .. import attach, schema
from ..schema import Schema

#: The level of an event that the grid closed by itself.
BY_THE_GRID = "grid"


def place_rows(
    frame: DataFrame, grids: GeoDataFrame, known: Schema, *, argument: str
) -> DataFrame:
    """Return a frame with the column ``grid``, found by place where it is not there yet.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        Rows that follow ``known``; a row without a place stays without a grid.
    grids : GeoDataFrame, schema GRIDS
        In the same CRS in metres, if places are to be looked up.
    known : Schema
        What the frame follows.
    argument : str
        The caller's name for the frame.

    Returns
    -------
    DataFrame

    Raises
    ------
    SchemaError
        If the frame does not follow its schema.
    CRSError
        If grids must be looked up and the CRS differ.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((1.5, 0.5))
    >>> placed = place_rows(homes, sketch_grids("AB"), schema.ELEMENTS, argument="elements")
    >>> placed["grid"].tolist()
    ['B']
    """
    schema.check_frame(frame, replace(known, geometry=()), argument=argument)
    if "grid" in frame or not isinstance(frame, GeoDataFrame):
        return frame
    return attach.attach_elements(frame, grids).elements


def count_rows(frame: DataFrame, grids: GeoDataFrame, *, weight: str | None = None) -> Series:
    """Count the rows of each grid, or sum one of their columns.

    Parameters
    ----------
    frame : DataFrame
        With ``grid``.
    grids : GeoDataFrame
        Indexed by grid.
    weight : str, optional
        A column to sum instead of counting rows.

    Returns
    -------
    Series
        One value for every grid, 0 where none of the rows lies there.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> count_rows(DataFrame({"grid": ["A", "A", None]}), sketch_grids("AB")).to_dict()
    {'A': 2, 'B': 0}
    """
    rows = grids.index.get_indexer(frame["grid"])
    inside = rows >= 0
    if weight is None:
        return Series(np.bincount(rows[inside], minlength=len(grids)), index=grids.index)
    values = frame[weight].fillna(0).to_numpy(dtype="float64")[inside]
    sums = Series(np.bincount(rows[inside], weights=values, minlength=len(grids)),
                  index=grids.index)
    return sums.astype("int64") if types.is_integer_dtype(frame[weight]) else sums


def count_assets(assets: DataFrame, grids: GeoDataFrame) -> DataFrame:
    """Count the assets of each kind in each grid, in columns ``assets_`` and the kind.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> assets = DataFrame({"kind": ["lamp", "board"], "grid": ["A", "A"]})
    >>> count_assets(assets, sketch_grids("AB")).to_dict("list")
    {'assets_board': [1, 0], 'assets_lamp': [1, 0]}
    """
    kinds = sorted(assets["kind"].unique())
    columns = {f"assets_{k}": count_rows(_pick(assets, assets["kind"] == k, "grid"), grids)
               for k in kinds}
    return DataFrame(columns, index=grids.index)


def _pick(frame: DataFrame, rows: Series, *names: str) -> DataFrame:
    """Return some columns of some rows, without the codes: taking texts takes longest."""
    flags = rows.to_numpy(dtype=bool)
    return DataFrame({name: frame[name].array[flags] for name in names})


def count_events(events: DataFrame, grids: GeoDataFrame) -> DataFrame:
    """Count the events of each grid, and those of them that the grid itself closed.

    Examples
    --------
    >>> import pandas as pd
    >>> from gridmap.sketch import sketch_grids
    >>> closed = pd.to_datetime(["2026-03-02", None])
    >>> events = DataFrame({"grid": ["A", "A"], "closed": closed, "level": ["grid", None]})
    >>> count_events(events, sketch_grids("AB")).to_dict("list")
    {'events': [2, 0], 'events_closed_in_grid': [1, 0]}
    """
    own = _pick(events, events["closed"].notna() & (events["level"] == BY_THE_GRID), "grid")
    columns = {"events": count_rows(events, grids),
               "events_closed_in_grid": count_rows(own, grids)}
    return DataFrame(columns, index=grids.index)


def measure_events(events: DataFrame) -> dict[str, float]:
    """Sum events up: how many, how many closed, by whom and how fast.

    Parameters
    ----------
    events : DataFrame, schema EVENTS

    Returns
    -------
    dict
        events, events_closed_share (of all), events_closed_in_grid_share (of the closed
        ones), median_days_to_close; missing where there is nothing to divide by.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.to_datetime(["2026-03-01", "2026-03-03"])
    >>> events = DataFrame({"opened": times[[0]], "closed": times[[1]], "level": ["grid"]})
    >>> measure_events(events)["median_days_to_close"]
    2.0
    """
    closed = _pick(events, events["closed"].notna(), "opened", "closed", "level")
    days = (closed["closed"] - closed["opened"]).dt.total_seconds() / 86_400
    own = closed["level"] == BY_THE_GRID
    return {
        "events": float(len(events)),
        "events_closed_share": len(closed) / len(events) if len(events) else np.nan,
        "events_closed_in_grid_share": float(own.mean()) if len(closed) else np.nan,
        "median_days_to_close": float(days.median()) if len(closed) else np.nan,
    }
