"""How much there is of something for each of something else: boards, cards, visits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from ..errors import SchemaError, listed


class Ratios(NamedTuple):
    """Ratios against their targets: of the whole, and grid by grid."""

    totals: DataFrame  # indexed by ratio: value, target, share, gap, grids_short
    by_grid: DataFrame  # the value of each ratio, and its gap as gap_ and the ratio


def measure_ratios(
    by_grid: DataFrame,
    ratios: Mapping[str, tuple[str, str]],
    *,
    targets: Mapping[str, float] | None = None,
    periods: int = 1,
) -> Ratios:
    """Measure how much there is of something for each of something else, and what is missing.

    Parameters
    ----------
    by_grid : DataFrame, indexed by grid
        Counts of every grid, such as those of `measure_coverage`, of `attach_elements` and of
        tables of one's own. A missing count is unknown.
    ratios : mapping of str to (str, str)
        For each figure the column that is counted and the column that it is counted for, such
        as ``{"cards_per_household": ("cards", "households")}``.
    targets : mapping of str to float, optional
        What each should reach, in every grid.
    periods : int, default 1
        How many periods were counted: the values are for each of them.

    Returns
    -------
    Ratios
        ``totals``: value, over the grids where both counts are known; target; share of the
        target that is reached; gap, how many more it takes, grid by grid; and grids_short,
        the grids below the target. ``by_grid``: the same value and gap. Missing where a count
        is unknown, or there is nothing to count for: that is neither 0 nor reached.

    Raises
    ------
    SchemaError
        If a column is absent, or a target names no ratio.

    Examples
    --------
    >>> by_grid = DataFrame({"cards": [80, 30], "households": [100, 20]},
    ...                     index=pd.Index(["A", "B"], name="grid"))
    >>> measured = measure_ratios(by_grid, {"cards_per_household": ("cards", "households")},
    ...                           targets={"cards_per_household": 1.0})
    >>> measured.totals[["gap", "grids_short"]].values.tolist()
    [[20.0, 1.0]]
    """
    _check(by_grid, ratios, targets or {}, periods)
    totals, values = {}, {}
    for name, (counted, base) in ratios.items():
        count, whole = (by_grid[c].astype("float64") for c in (counted, base))
        whole = whole * periods
        known = count.notna() & (whole > 0)
        values[name] = (count / whole).where(known)
        told = {"value": count[known].sum() / whole[known].sum() if known.any() else np.nan}
        target = (targets or {}).get(name, np.nan)
        short = (whole * target - count).clip(lower=0).where(known)
        if not np.isnan(target):
            values[f"gap_{name}"] = short
            told |= {"target": target, "gap": short.sum(min_count=1),
                     "share": told["value"] / target if target else np.nan,
                     "grids_short": float((short > 0).sum())}
        totals[name] = told
    columns = ["value", "target", "share", "gap", "grids_short"]
    table = DataFrame.from_dict(totals, orient="index", dtype="float64").reindex(columns=columns)
    return Ratios(table.rename_axis("ratio"), DataFrame(values, index=by_grid.index))


def _check(
    by_grid: DataFrame, ratios: Mapping[str, tuple[str, str]], targets: Mapping[str, float],
    periods: int,
) -> None:
    absent = sorted({c for pair in ratios.values() for c in pair if c not in by_grid})
    if absent:
        raise SchemaError(f"by_grid: column {listed(absent)} is absent")
    strangers = [name for name in targets if name not in ratios]
    if strangers:
        raise SchemaError(f"targets: {listed(strangers)} are none of the ratios")
    if periods < 1:
        raise SchemaError(f"periods is {periods}: 1 or more is needed")


def compare_totals(before: Series, after: Series) -> DataFrame:
    """Set the figures of the whole before and after a change beside each other.

    Parameters
    ----------
    before, after : Series
        Totals of the same kind, such as those of `measure_workload` before and after a
        redraw.

    Returns
    -------
    DataFrame
        Indexed by figure, in the order of ``before``: before, after, change; missing where
        one of the two is.

    Examples
    --------
    >>> compare_totals(Series({"gini": 0.3}), Series({"gini": 0.2})).round(3).values.tolist()
    [[0.3, 0.2, -0.1]]
    """
    names = [*before.index, *after.index.difference(before.index, sort=True)]
    table = pd.DataFrame({"before": before.reindex(names), "after": after.reindex(names)})
    return table.assign(change=table["after"] - table["before"]).rename_axis("figure")
