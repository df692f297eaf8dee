"""Indicators over time: values by code and period against targets, ranks and changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from ..errors import SchemaError, listed

LIGHTS = ("green", "yellow", "red")


def measure_indicators(
    values: DataFrame,
    targets: Mapping[str, float],
    *,
    warning: float = 0.9,
    lower_is_better: tuple[str, ...] = (),
    signed_off: DataFrame | None = None,
) -> DataFrame:
    """Judge indicators of every code and period against their targets.

    Parameters
    ----------
    values : DataFrame
        ``code``, ``period`` (text that sorts, such as 2026-03 or 2026Q1), ``indicator`` and
        ``value``; each code, period and indicator once. A missing value is no data.
    targets : mapping of str to float
        What each indicator should reach; others have no target and no light.
    warning : float, default 0.9
        From this share of the target on an indicator is yellow, below it red.
    lower_is_better : tuple of str, optional
        Indicators that must stay at or below their target; red beyond the target divided by
        ``warning``.
    signed_off : DataFrame, optional
        ``code``, ``indicator`` and ``period`` in which a task was done and signed off (销号):
        from then on it is green whatever its value.

    Returns
    -------
    DataFrame
        One row for each row of ``values``, in order of indicator, period and code: target,
        share (of the target that is reached), light ("green", "yellow", "red", missing
        without data or target), rank (1 is best among the codes of a period, equals share the
        better), change (from the period before of the same code), and signed_off.

    Raises
    ------
    SchemaError
        If a column is absent, a row repeats, or ``warning`` is not between 0 and 1.

    Examples
    --------
    >>> values = DataFrame({"code": ["A", "B"], "period": "2026-03", "indicator": "visits",
    ...                     "value": [100.0, 85.0]})
    >>> measure_indicators(values, {"visits": 100})[["code", "light", "rank"]].values.tolist()
    [['A', 'green', 1.0], ['B', 'red', 2.0]]
    """
    _check(values, warning)
    keys = ["indicator", "period", "code"]
    told = values[[*keys, "value"]].sort_values(keys).reset_index(drop=True)
    target = told["indicator"].map(dict(targets)).astype("float64")
    down = told["indicator"].isin(lower_is_better)
    share = (told["value"] / target).where(~down, target / told["value"])
    share = share.where(~(down & (told["value"] == 0)), np.inf)
    light = np.select([share >= 1, share >= warning], ["green", "yellow"], "red")
    done = _find_signed_off(told, signed_off)
    told = told.assign(
        target=target, share=share, signed_off=done,
        light=Series(np.where(done, "green", light), dtype="str").where(share.notna() | done),
    )
    better = told["value"].where(~down, -told["value"])
    told["rank"] = better.groupby([told["indicator"], told["period"]]).rank(
        ascending=False, method="min")
    order = told.sort_values(["indicator", "code", "period"], kind="stable")
    told["change"] = order.groupby(["indicator", "code"])["value"].diff()
    columns = [*keys, "value", "target", "share", "light", "rank", "change", "signed_off"]
    return told[columns].rename_axis("number")


def _check(values: DataFrame, warning: float) -> None:
    absent = [n for n in ("code", "period", "indicator", "value") if n not in values]
    if absent:
        raise SchemaError(f"values: column {listed(absent)} is absent")
    twice = values[values.duplicated(["code", "period", "indicator"])]
    if len(twice):
        raise SchemaError(
            f"values: {len(twice):,} rows repeat a code, period and indicator: "
            f"{listed(twice['code'].unique())}",
            rows=[str(code) for code in twice["code"]],
        )
    if not 0 < warning <= 1:
        raise SchemaError(f"warning is {warning}: above 0, and 1 at most is needed")


def _find_signed_off(told: DataFrame, signed_off: DataFrame | None) -> Series:
    if signed_off is None:
        return Series(False, index=told.index)
    since = signed_off.groupby(["code", "indicator"])["period"].min().rename("since")
    known = told.join(since, on=["code", "indicator"])["since"]
    done: Series = known.notna() & (told["period"] >= known.fillna("").astype("str"))
    return done


def carry_indicators(values: DataFrame, crosswalk: DataFrame) -> DataFrame:
    """Carry counts of old grids over to new ones, by the weights of a crosswalk.

    Parameters
    ----------
    values : DataFrame
        ``code`` of the old grid, ``period``, ``indicator`` and ``value``, a count.
    crosswalk : DataFrame, schema CROSSWALK
        From old grids to new ones; the weights of a source add up to 1.

    Returns
    -------
    DataFrame
        The same columns with the codes of the new grids, sorted; what no new grid takes has a
        missing code, so that the sum stays. A missing value makes what it goes to missing.

    Raises
    ------
    SchemaError
        If the crosswalk knows nothing of a code.

    Examples
    --------
    >>> values = DataFrame({"code": ["A"], "period": "2026-03", "indicator": "visits",
    ...                     "value": [10.0]})
    >>> crosswalk = DataFrame({"source": ["A", "A"], "target": ["P", "Q"], "weight": [0.3, 0.7],
    ...                        "basis": "households"})
    >>> carry_indicators(values, crosswalk)[["code", "value"]].values.tolist()
    [['P', 3.0], ['Q', 7.0]]
    """
    strangers = values.loc[~values["code"].isin(crosswalk["source"]), "code"].unique()
    if len(strangers):
        raise SchemaError(f"crosswalk: it knows nothing of {listed(strangers)}",
                          rows=[str(code) for code in strangers])
    ways = crosswalk[crosswalk["weight"] > 0]
    moved = values.merge(ways[["source", "target", "weight"]], left_on="code", right_on="source")
    moved["value"] = moved["value"] * moved["weight"]
    moved["unknown"] = moved["value"].isna()
    groups = moved.groupby(["target", "period", "indicator"], dropna=False, sort=True)
    sums = groups.agg(value=("value", "sum"), unknown=("unknown", "any")).reset_index()
    sums["value"] = sums["value"].where(~sums["unknown"])
    return pd.DataFrame(sums.rename(columns={"target": "code"})[
        ["code", "period", "indicator", "value"]])
