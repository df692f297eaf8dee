"""How the work is spread over the grids, and who is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from ..errors import SchemaError, listed


class Workload(NamedTuple):
    """What each grid asks of its workers."""

    by_grid: DataFrame
    totals: Series


def measure_workload(
    by_grid: DataFrame,
    weights: Mapping[str, float],
    *,
    workers: DataFrame | None = None,
    team: Mapping[str, int] | None = None,
) -> Workload:
    """Measure the load of every grid, how even it is, and which posts are vacant.

    Call it with the figures before and after a redraw to see its effect.

    Parameters
    ----------
    by_grid : DataFrame, indexed by grid
        Figures of every grid, such as those of `measure_coverage`.
    weights : mapping of str to float
        What one household, event or visit costs in work, by column of ``by_grid``; a missing
        figure makes the load of its grid unknown.
    workers : DataFrame, schema WORKERS, optional
        With ``grid``; those without one are not counted.
    team : mapping of str to int, optional
        How many posts of each role a grid needs, such as ``{"lead": 1, "full-time": 2}``.

    Returns
    -------
    Workload
        ``by_grid``: load, load_index (1 is the mean), and with workers: workers, load_each
        (per worker, missing where there is none), vacant (posts missing for the team), and
        team_complete. ``totals``: load_mean, gini (0 is even), worst_tenth_share (of the load
        that the tenth of the grids with most carries), and with workers: workers,
        grids_without_worker, vacant, team_complete_share, span_of_lead (grids with the same
        territory to a lead).

    Raises
    ------
    SchemaError
        If a column is absent, or a weight is below 0.

    References
    ----------
    C. Gini (1912), "Variabilità e mutabilità".

    Examples
    --------
    >>> grids = pd.Index(["A", "B"], name="grid")
    >>> figures = DataFrame({"households": [300, 100], "events": [0, 50]}, index=grids)
    >>> measured = measure_workload(figures, {"households": 1, "events": 4})
    >>> measured.by_grid["load"].to_dict()
    {'A': 300.0, 'B': 300.0}
    >>> float(measured.totals["gini"])
    0.0
    """
    absent = [name for name in weights if name not in by_grid]
    wrong = [name for name, weight in weights.items() if not weight >= 0]
    if absent or wrong:
        raise SchemaError(
            f"by_grid: column {listed(absent)} is absent" if absent else
            f"weights of {listed(wrong)} are below 0"
        )
    load = sum((by_grid[name].astype("float64") * w for name, w in weights.items()),
               Series(0.0, index=by_grid.index))
    told = DataFrame({"load": load, "load_index": load / load.mean() if load.sum() else np.nan})
    totals = {"load_mean": load.mean(), "gini": measure_gini(load),
              "worst_tenth_share": _worst_tenth(load)}
    if workers is not None:
        staff = _staff(by_grid, load, workers, team or {})
        told = told.join(staff)
        totals |= _staff_totals(by_grid, staff, workers)
    return Workload(told, Series(totals, name="totals", dtype="float64"))


def measure_gini(values: Series) -> float:
    """Return the Gini coefficient: 0 where all have the same, near 1 where one has all.

    Parameters
    ----------
    values : Series
        0 or more; missing ones are left out.

    Returns
    -------
    float
        Missing where there is nothing to share.

    Examples
    --------
    >>> measure_gini(Series([0, 0, 0, 8]))
    0.75
    """
    known: NDArray[np.float64] = np.sort(values.dropna().to_numpy(dtype="float64"))
    whole = known.sum()
    if not whole:
        return float("nan")
    size = len(known)
    rank = np.arange(1, size + 1)
    return float(2 * (rank * known).sum() / (size * whole) - (size + 1) / size)


def _worst_tenth(load: Series) -> float:
    known = np.sort(load.dropna().to_numpy())[::-1]
    most = known[: max(1, round(len(known) / 10))]
    return float(most.sum() / known.sum()) if known.sum() else float("nan")


def _staff(
    by_grid: DataFrame, load: Series, workers: DataFrame, team: Mapping[str, int]
) -> DataFrame:
    if "grid" not in workers:
        raise SchemaError("workers: column grid is absent: which grid does a post belong to?")
    placed = workers[workers["grid"].isin(by_grid.index)]
    posts = placed["grid"].value_counts().reindex(by_grid.index, fill_value=0)
    staff = DataFrame({"workers": posts, "load_each": load / posts.where(posts > 0)})
    if team:
        if "role" not in workers:
            raise SchemaError("workers: column role is absent, which a team is made of")
        have = pd.crosstab(placed["grid"], placed["role"]).reindex(
            index=by_grid.index, columns=list(team), fill_value=0)
        short = (Series(team) - have).clip(lower=0)
        staff = staff.assign(vacant=short.sum(axis=1).astype("int64"),
                             team_complete=(short == 0).all(axis=1))
    return staff


def _staff_totals(by_grid: DataFrame, staff: DataFrame, workers: DataFrame) -> dict[str, float]:
    totals = {"workers": float(len(workers)),
              "grids_without_worker": float((staff["workers"] == 0).sum())}
    if "vacant" in staff:
        totals |= {"vacant": float(staff["vacant"].sum()),
                   "team_complete_share": float(staff["team_complete"].mean())}
    if "role" in workers and "territory" in by_grid:
        leads = (workers["role"] == "lead").groupby(workers["territory"]).sum()
        grids = by_grid.groupby("territory").size()
        span = grids / leads.reindex(grids.index).where(lambda number: number > 0)
        totals["span_of_lead"] = span.mean()
    return totals
