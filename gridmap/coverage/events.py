"""Events by grid, matter and time: who closed them, how fast, and where they pile up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy import sparse, stats

from ..errors import SchemaError, listed
from .activity import BY_THE_GRID

PERIODS = {"week": "W-SUN", "month": "M"}


def measure_matters(
    events: DataFrame,
    *,
    by: Sequence[str] = ("matter",),
    limits_days: Mapping[str, float] | float | None = None,
    until: pd.Timestamp | None = None,
    matters: DataFrame | None = None,
) -> DataFrame:
    """Sum events up by any of their columns: how many, closed by whom, how fast.

    Parameters
    ----------
    events : DataFrame, schema EVENTS
        With the columns of ``by``, such as grid, matter, department or level, and "week" or
        "month" for the time when they were opened. Rows without one of them are left out.
    by : sequence of str, default ("matter",)
        What to sum up by.
    limits_days : mapping of str to float, or float, optional
        How many days an event may take, for each matter or for all.
    until : Timestamp, optional
        When the account closes, for open events that are overdue by then.
    matters : DataFrame, indexed by matter, optional
        What a table says of each: any columns, to sum up by, such as department, and
        ``limit_days``, which is used where ``limits_days`` is not given.

    Returns
    -------
    DataFrame
        Indexed by ``by``, sorted: opened, closed, closed_in_grid, handed_on (closed by another
        level), closed_in_grid_share (of the closed), median_days and p90_days to close, and
        overdue (closed too late, or open for too long) where limits are given. Missing where
        nothing was closed, or no limit is known.

    Raises
    ------
    SchemaError
        If a column is absent, or ``matters`` knows nothing of a matter.

    Examples
    --------
    >>> times = pd.to_datetime(["2026-03-01", "2026-03-02"])
    >>> events = DataFrame({"matter": ["noise", "noise"], "opened": times[[0, 0]],
    ...                     "closed": [times[1], pd.NaT], "level": ["grid", None]})
    >>> measure_matters(events)[["opened", "closed", "median_days"]].values.tolist()
    [[2.0, 1.0, 1.0]]
    """
    if matters is not None:
        events, limits_days = _join_matters(events, matters, limits_days)
    told = _with_periods(events, by)
    closed = told["closed"].notna()
    own = closed & (told["level"] == BY_THE_GRID)
    days = (told["closed"] - told["opened"]).dt.total_seconds() / 86_400
    rows = told[list(by)].assign(closed=closed, own=own, days=days)
    if limits_days is not None:
        rows["overdue"] = _overdue(told, days, limits_days, until)
    groups = rows.groupby(list(by), sort=True)
    sums = DataFrame({"opened": groups.size(), "closed": groups["closed"].sum(),
                      "closed_in_grid": groups["own"].sum()}).astype("int64")
    sums["handed_on"] = sums["closed"] - sums["closed_in_grid"]
    whole = sums["closed"].where(sums["closed"] > 0)
    sums["closed_in_grid_share"] = sums["closed_in_grid"] / whole
    sums["median_days"] = groups["days"].median()
    sums["p90_days"] = groups["days"].quantile(0.9)
    if limits_days is not None:
        sums["overdue"] = groups["overdue"].sum(min_count=1)
    return sums


def _join_matters(
    events: DataFrame, matters: DataFrame, limits_days: Mapping[str, float] | float | None
) -> tuple[DataFrame, Mapping[str, float] | float | None]:
    """Give every event what the table says of its matter, and return the limits of the table."""
    strangers = sorted(set(events["matter"].dropna()) - set(matters.index))
    if strangers:
        raise SchemaError(f"matters: it knows nothing of {listed(strangers)}", rows=strangers)
    new = [c for c in matters.columns if c not in events and c != "limit_days"]
    if limits_days is None and "limit_days" in matters:
        limit = matters["limit_days"].astype("float64")
        limits_days = {str(matter): float(days) for matter, days in limit.items()}
    return events.join(matters[new], on="matter"), limits_days


def _with_periods(events: DataFrame, by: Sequence[str]) -> DataFrame:
    told = events
    for name in set(by) & set(PERIODS):
        told = told.assign(**{name: events["opened"].dt.to_period(PERIODS[name]).astype("str")})
        told[name] = told[name].where(events["opened"].notna())
    absent = [name for name in [*by, "opened", "closed", "level"] if name not in told]
    if absent:
        raise SchemaError(f"events: column {listed(absent)} is absent")
    return told


def _overdue(
    events: DataFrame,
    days: Series,
    limits_days: Mapping[str, float] | float,
    until: pd.Timestamp | None,
) -> Series:
    if isinstance(limits_days, Mapping):
        limit = events["matter"].map(dict(limits_days)).astype("float64")
    else:
        limit = Series(float(limits_days), index=events.index)
    spent = days
    if until is not None:
        spent = days.fillna((until - events["opened"]).dt.total_seconds() / 86_400)
    return (spent > limit).astype("float64").where(limit.notna() & spent.notna())


def find_hot_spots(
    counts: Series, grids: GeoDataFrame, *, base: Series | None = None, p_below: float = 0.05
) -> DataFrame:
    """Return where counts pile up, grids and their neighbours together (Getis-Ord Gi*).

    Parameters
    ----------
    counts : Series
        A figure for each grid, such as events; missing is no data and counts nowhere.
    grids : GeoDataFrame, indexed by grid
        Neighbours are grids that touch.
    base : Series, optional
        What to divide by, such as households: rates instead of counts. Where it is 0 or
        missing there is no rate.
    p_below : float, default 0.05
        Two-sided significance, after the false discovery rate of all grids together.

    Returns
    -------
    DataFrame
        Indexed as ``grids``: z, p (two-sided, of a normal distribution), and spot: "hot",
        "cold" or "neither"; missing where there is no data.

    Raises
    ------
    SchemaError
        If a count has no grid.

    References
    ----------
    J. K. Ord and A. Getis (1995), "Local spatial autocorrelation statistics"; Y. Benjamini
    and Y. Hochberg (1995), "Controlling the false discovery rate".

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> counts = Series({"A": 9, "B": 9, "C": 0, "D": 0, "E": 0, "F": 0})
    >>> find_hot_spots(counts, sketch_grids("ABCDEF"))["z"].round(2).tolist()
    [2.24, 1.58, 0.0, -1.58, -1.58, -1.12]
    """
    strangers = counts.index[~counts.index.isin(grids.index)]
    if len(strangers):
        raise SchemaError(f"counts: {listed(strangers)} are no grids",
                          rows=[str(code) for code in strangers])
    figures = counts.reindex(grids.index).astype("float64")
    if base is not None:
        divisor = base.reindex(grids.index).astype("float64")
        figures = figures / divisor.where(divisor > 0)
    known = figures.notna().to_numpy()
    z = np.full(len(grids), np.nan)
    values = np.asarray(figures, dtype=np.float64)[known]
    z[known] = _getis_ord(values, _neighbours(grids[known]))
    p = 2 * stats.norm.sf(np.abs(z))
    sure = known & _discovered(p, p_below)
    spot = np.select([sure & (z > 0), sure], ["hot", "cold"], "neither")
    told = DataFrame({"z": z, "p": p}, index=grids.index)
    return told.assign(spot=Series(spot, grids.index, dtype="str").where(known))


def _neighbours(grids: GeoDataFrame) -> sparse.csr_array:
    """Return who touches whom, and everybody touches itself."""
    shapes = grids.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    ones = np.ones(len(one))
    return sparse.csr_array((ones, (one, other)), shape=(len(shapes),) * 2)


def _getis_ord(figures: NDArray[np.float64], near: sparse.csr_array) -> NDArray[np.float64]:
    size = len(figures)
    if size < 2:
        return np.zeros(size)
    spread = figures.std()
    counts = near.sum(axis=1)
    expected = figures.mean() * counts
    scale = spread * np.sqrt((size * counts - counts**2) / (size - 1))
    gap = near @ figures - expected
    return np.divide(gap, scale, out=np.zeros(size), where=scale > 0)


def _discovered(p: NDArray[np.float64], below: float) -> NDArray[np.bool_]:
    """Say which p-values hold when so many are looked at together."""
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    passed = p[order] <= below * np.arange(1, len(order) + 1) / max(len(order), 1)
    found = np.zeros(len(p), dtype=bool)
    if passed.any():
        found[order[: int(np.flatnonzero(passed).max()) + 1]] = True
    return found
