"""Series of figures carried over from grids that were to grids that are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from pandas import DataFrame, Series

from ..errors import SchemaError, listed

#: What tells a row of a series.
KEYS = ["code", "period", "indicator"]


def carry_indicators(
    values: DataFrame,
    crosswalk: DataFrame | Sequence[DataFrame],
    *,
    since: Sequence[str] | None = None,
    rates: Mapping[str, str] | None = None,
) -> DataFrame:
    """Carry a series of old grids over to today's, so that it can be compared over time.

    Parameters
    ----------
    values : DataFrame
        ``code`` of the grid of that time, ``period``, ``indicator`` and ``value``; each code,
        period and indicator once. A missing value is no data, and so is an absent row.
        Where a column ``applies`` is false, there is nothing to know.
    crosswalk : DataFrame of schema CROSSWALK, or several
        From old grids to new ones, oldest first, each going on from where the one before
        ends; the weights of a source add up to 1.
    since : sequence of str, optional
        For each crosswalk the first period that was reported by the grids it leads to. By
        default every row is of the grids where the first crosswalk begins.
    rates : mapping of str to str, optional
        Indicator that is a share or a mean -> the indicator that counts what it is of: it is
        averaged by that count. All others are counts, which are added up.

    Returns
    -------
    DataFrame
        The same columns with the codes of today, sorted by code, period and indicator; what
        no grid of today takes has a missing code, so that the sum of counts stays. No data in
        any part of a grid is no data for the grid. What applies in no part does not apply.

    Raises
    ------
    SchemaError
        If a column is absent, a row repeats, a crosswalk knows nothing of a code, ``since``
        does not fit, or a rate has no count.

    See Also
    --------
    chain_crosswalks : One crosswalk out of several.
    build_version_crosswalk : A crosswalk out of a lineage.

    Examples
    --------
    >>> values = DataFrame({"code": ["A"], "period": "2026-03", "indicator": "visits",
    ...                     "value": [10.0]})
    >>> crosswalk = DataFrame({"source": ["A", "A"], "target": ["P", "Q"], "weight": [0.3, 0.7],
    ...                        "basis": "households"})
    >>> carry_indicators(values, crosswalk)[["code", "value"]].values.tolist()
    [['P', 3.0], ['Q', 7.0]]
    """
    steps = [crosswalk] if isinstance(crosswalk, DataFrame) else list(crosswalk)
    rates = dict(rates or {})
    _check(values, steps, since, rates)
    version = Series(0, index=values.index)
    for start in since or ():
        version += (values["period"] >= start).astype("int64")
    columns = [*KEYS, "value", *(["applies"] if "applies" in values else [])]
    carried, lost = values.iloc[:0][columns], []
    for number, step in enumerate(steps):
        begun = values.loc[version == number, columns]
        moved = _carry(pd.concat([carried, begun]) if len(carried) else begun, step, rates)
        lost.append(moved[moved["code"].isna()])
        carried = moved[moved["code"].notna()]
    today = values.loc[version == len(steps), columns]
    parts = [part for part in (carried, today, _sum_lost(lost)) if len(part)]
    whole = pd.concat(parts) if parts else carried
    return whole.sort_values(KEYS, na_position="last").reset_index(drop=True)


def _sum_lost(parts: Sequence[DataFrame]) -> DataFrame:
    """Add up what was lost on the way at several steps."""
    lost = pd.concat(parts)
    first = lost.drop_duplicates(KEYS)
    if len(first) == len(lost):
        return lost
    unknown = lost["value"].isna().groupby([lost["period"], lost["indicator"]]).transform("any")
    total = lost.groupby(["period", "indicator"])["value"].transform("sum").mask(unknown)
    return first.assign(value=total[~lost.duplicated(KEYS).to_numpy()])


def _check(
    values: DataFrame,
    steps: Sequence[DataFrame],
    since: Sequence[str] | None,
    rates: Mapping[str, str],
) -> None:
    check_values(values)
    if not steps:
        raise SchemaError("crosswalk: none is given. One for each change of the grids is needed.")
    if since is not None and (len(since) != len(steps) or list(since) != sorted(since)):
        raise SchemaError(
            f"since has {len(since)} periods for {len(steps)} crosswalks: one for each is needed, "
            "oldest first"
        )
    known = set(values["indicator"])
    absent = [count for rate, count in rates.items() if rate in known and count not in known]
    if absent:
        raise SchemaError(f"rates: values has no indicator {listed(absent)}. A rate needs the "
                          "count that it is of.")


def check_values(values: DataFrame) -> None:
    """Raise unless a series has its columns and no row twice.

    Raises
    ------
    SchemaError
        If a column is absent or a row repeats.

    Examples
    --------
    >>> check_values(DataFrame({"code": ["A"], "period": "2026-03"}))
    Traceback (most recent call last):
    gridmap.errors.SchemaError: values: column indicator, value is absent
    """
    absent = [n for n in (*KEYS, "value") if n not in values]
    if absent:
        raise SchemaError(f"values: column {listed(absent)} is absent")
    twice = values[values.duplicated(KEYS)]
    if len(twice):
        raise SchemaError(
            f"values: {len(twice):,} rows repeat a code, period and indicator: "
            f"{listed(twice['code'].unique())}",
            rows=[str(code) for code in twice["code"]],
        )


def _carry(values: DataFrame, crosswalk: DataFrame, rates: Mapping[str, str]) -> DataFrame:
    """Carry rows over by one crosswalk."""
    strangers = values.loc[~values["code"].isin(crosswalk["source"]), "code"].unique()
    if len(strangers):
        raise SchemaError(f"crosswalk: it knows nothing of {listed(strangers)}",
                          rows=[str(code) for code in strangers])
    if values.empty:
        return values
    ways = crosswalk.loc[crosswalk["weight"] > 0, ["source", "target", "weight"]]
    # Every source of a grid is looked for, so that one without a row is seen to be missing.
    asked = values[["period", "indicator"]].drop_duplicates().merge(ways, how="cross")
    there = values.assign(applies=values.get("applies", True), told=True)
    moved = asked.merge(there, left_on=["source", "period", "indicator"], right_on=KEYS,
                        how="left")
    applies, count = moved["applies"].ne(False), _find_counts(moved, rates)
    below = moved["weight"] * count
    part = (moved["value"] * below).mask(count.eq(0), 0.0)  # a mean of nothing weighs nothing
    moved = moved.assign(
        told=moved["told"].eq(True), applies=applies, unknown=part.isna() & applies,
        part=part.where(applies, 0.0).fillna(0.0), below=below.where(applies, 0.0).fillna(0.0),
    )
    groups = moved.groupby(["target", "period", "indicator"], dropna=False, sort=True)
    sums = groups[["part", "below"]].sum().join(
        groups[["told", "applies", "unknown"]].any()).reset_index()
    sums = sums[sums["told"]].rename(columns={"target": "code"})
    rate = sums["indicator"].isin(list(rates))
    mean = sums["part"] / sums["below"].where(sums["below"] != 0)
    value = sums["part"].where(~rate, mean).where(sums["applies"] & ~sums["unknown"])
    kept = ~(rate & sums["code"].isna())  # a rate of what is lost is the rate of nothing
    out = sums.assign(value=value)[kept]
    return out[[*KEYS, "value", *(["applies"] if "applies" in values else [])]]


def _find_counts(moved: DataFrame, rates: Mapping[str, str]) -> Series:
    """Return what each rate is of; 1 for counts, which are only added up."""
    names = moved["indicator"].map(lambda name: rates.get(name, "")).astype("str")
    known = moved.drop_duplicates(["source", "period", "indicator"]).set_index(
        ["source", "period", "indicator"])["value"]
    asked = pd.MultiIndex.from_arrays([moved["source"], moved["period"], names])
    found = Series(known.reindex(asked).to_numpy("float64"), index=moved.index)
    return found.where(names != "", 1.0)
