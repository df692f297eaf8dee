"""Indicators over time: values by code and period against targets, ranks and changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from pandas import DataFrame, Index, Series

from ..errors import SchemaError, listed
from . import carry, periods

LIGHTS = ("green", "yellow", "red")

#: What is known of a value: no data, not applicable and zero are three things.
STATES = ("known", "no data", "not applicable")

_KEYS = ["indicator", "period", "code"]


def measure_indicators(
    values: DataFrame,
    targets: Mapping[str, float] | DataFrame,
    *,
    warning: float = 0.9,
    lower_is_better: tuple[str, ...] = (),
    signed_off: DataFrame | None = None,
    codes: Iterable[str] | None = None,
) -> DataFrame:
    """Judge indicators of every code and period against their targets.

    Parameters
    ----------
    values : DataFrame
        ``code`` of a grid, a community, a town or whatever reports, ``period`` (text: a month
        as 2026-03, a quarter as 2026Q1, a year, or anything else that sorts), ``indicator``
        and ``value``; each code, period and indicator once. A missing value is no data. A
        column ``applies`` that is false says that there is nothing to know: an indicator of
        lifts where there are none. ``stack_indicators`` makes such rows of a wide table.
    targets : mapping of str to float, or DataFrame
        What each indicator should reach; others have no target and no light. A frame has
        ``indicator``, ``target`` and, where targets differ, ``code``, ``period`` or both.
    warning : float, default 0.9
        From this share of the target on an indicator is yellow, below it red.
    lower_is_better : tuple of str, optional
        Indicators that must stay at or below their target; red beyond the target divided by
        ``warning``.
    signed_off : DataFrame, optional
        ``code``, ``indicator`` and ``period`` in which a task was done and signed off (销号):
        from then on it is green whatever its value.
    codes : iterable of str, optional
        Codes that should all report: one that has no row for an indicator in a period gets
        one, with no data.

    Returns
    -------
    DataFrame
        One row for each row of ``values``, and for those that are absent, in order of
        indicator, period and code: value, state ("known", "no data" or "not applicable"),
        target, share (of the target that is reached), light ("green", "yellow", "red", missing
        without data or target), rank (1 is best among the codes of a period, equals share the
        better), change and change_share (from the period just before of the same code;
        missing if that has no data), and signed_off.

    Raises
    ------
    SchemaError
        If a column is absent, a row repeats, a target is given twice, or ``warning`` is not
        between 0 and 1.

    See Also
    --------
    carry_indicators : A series of old grids on today's.
    sum_periods : Quarters out of months.

    Examples
    --------
    >>> values = DataFrame({"code": ["A", "B"], "period": "2026-03", "indicator": "visits",
    ...                     "value": [100.0, 85.0]})
    >>> measure_indicators(values, {"visits": 100})[["code", "light", "rank"]].values.tolist()
    [['A', 'green', 1.0], ['B', 'red', 2.0]]
    """
    carry.check_values(values)
    if not 0 < warning <= 1:
        raise SchemaError(f"warning is {warning}: above 0, and 1 at most is needed")
    told = _add_absent(values, codes).sort_values(_KEYS).reset_index(drop=True)
    told = _tell_states(told)
    told["target"] = _find_targets(told, targets)
    down = told["indicator"].isin(lower_is_better)
    told["share"] = _measure_share(told["value"], told["target"], down)
    light = np.select([told["share"] >= 1, told["share"] >= warning], ["green", "yellow"], "red")
    done = _find_signed_off(told, signed_off) & told["state"].ne("not applicable")
    told["signed_off"] = done
    told["light"] = Series(np.where(done, "green", light), dtype="str").where(
        told["share"].notna() | done)
    better = told["value"].where(~down, -told["value"])
    told["rank"] = better.groupby([told["indicator"], told["period"]]).rank(
        ascending=False, method="min")
    before = _find_before(told)
    told["change"] = told["value"] - before
    told["change_share"] = told["change"] / before.abs().where(before != 0)
    columns = [*_KEYS, "value", "state", "target", "share", "light", "rank", "change",
               "change_share", "signed_off"]
    return told[columns].rename_axis("number")


def _add_absent(values: DataFrame, codes: Iterable[str] | None) -> DataFrame:
    """Return the rows of values, and one without data for each that a code does not have."""
    columns = [*_KEYS, "value", *(["applies"] if "applies" in values else [])]
    told = values[columns]
    if codes is None:
        return told
    asked = told[["indicator", "period"]].drop_duplicates().merge(
        DataFrame({"code": Index(sorted(set(codes)), dtype="str")}), how="cross")
    whole = asked.merge(told, on=_KEYS, how="outer")
    if "applies" in whole:
        whole["applies"] = whole["applies"].ne(False)
    return whole


def _tell_states(told: DataFrame) -> DataFrame:
    applies = told["applies"].ne(False) if "applies" in told else Series(True, told.index)
    value = told["value"].astype("float64").where(applies)
    state = np.select([~applies, value.isna()], [STATES[2], STATES[1]], STATES[0])
    return told.assign(value=value, state=Series(state, told.index, dtype="str"))


def _find_targets(told: DataFrame, targets: Mapping[str, float] | DataFrame) -> Series:
    if not isinstance(targets, DataFrame):
        return told["indicator"].map(dict(targets)).astype("float64")
    absent = [name for name in ("indicator", "target") if name not in targets]
    if absent:
        raise SchemaError(f"targets: column {listed(absent)} is absent")
    keys = [name for name in _KEYS if name in targets]
    twice = targets.loc[targets.duplicated(keys), "indicator"].unique()
    if len(twice):
        raise SchemaError(f"targets: {listed(twice)} has several for the same "
                          f"{', '.join(keys)}", rows=[str(name) for name in twice])
    found = told[keys].merge(targets[[*keys, "target"]], on=keys, how="left")["target"]
    return found.astype("float64")


def _measure_share(value: Series, target: Series, down: Series) -> Series:
    """Return how much of a target is reached; at the target it is 1, be that 0 itself."""
    share = (value / target).where(~down, target / value)
    share = share.mask(down & value.eq(0), np.inf)
    return share.mask(value.eq(target), 1.0)


def _find_signed_off(told: DataFrame, signed_off: DataFrame | None) -> Series:
    if signed_off is None:
        return Series(False, index=told.index)
    since = signed_off.groupby(["code", "indicator"])["period"].min().rename("since")
    known = told.join(since, on=["code", "indicator"])["since"]
    done: Series = known.notna() & (told["period"] >= known.fillna("").astype("str"))
    return done


def _find_before(told: DataFrame) -> Series:
    """Return the value of the period just before, of the same code and indicator."""
    previous = periods.find_previous(told["period"])
    known = told.set_index(_KEYS)["value"]
    asked = pd.MultiIndex.from_arrays([told["indicator"], previous, told["code"]], names=_KEYS)
    return Series(known.reindex(asked).to_numpy("float64"), index=told.index)


def stack_indicators(
    table: DataFrame, *, code: str = "code", period: str = "period",
    indicators: Iterable[str] | None = None,
) -> DataFrame:
    """Turn a wide table, a column for each indicator, into rows of one value each.

    Parameters
    ----------
    table : DataFrame
        A row for each code and period.
    code, period : str
        Its columns with the code of the grid, community or town, and with the period.
    indicators : iterable of str, optional
        Columns to take; by default all numbers.

    Returns
    -------
    DataFrame
        ``code``, ``period``, ``indicator`` and ``value``. A blank cell is no data.

    Raises
    ------
    SchemaError
        If a column is absent.

    Examples
    --------
    >>> table = DataFrame({"community": ["A"], "period": "2026-03", "visits": 8, "events": 2})
    >>> stack_indicators(table, code="community")[["indicator", "value"]].values.tolist()
    [['visits', 8.0], ['events', 2.0]]
    """
    numbers = [name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])]
    wanted = [n for n in (numbers if indicators is None else indicators) if n != code]
    absent = [name for name in (code, period, *wanted) if name not in table]
    if absent:
        raise SchemaError(f"table: column {listed(absent)} is absent")
    wanted = [name for name in wanted if name != period]
    rows = table.melt([code, period], wanted, var_name="indicator", value_name="value")
    rows = rows.rename(columns={code: "code", period: "period"})
    return rows.astype({"code": "str", "period": "str", "indicator": "str", "value": "float64"})
