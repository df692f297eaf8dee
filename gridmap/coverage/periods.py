"""Periods as text: months, quarters, years; the one before, and several in one."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from ..errors import SchemaError, listed
from . import carry

#: How a period may be written, and how many make a year.
_FORMS = ((r"(\d{4})-(0[1-9]|1[0-2])", 12), (r"(\d{4})-?[Qq]([1-4])", 4), (r"(\d{4})()", 1))

#: Months in a period of that kind.
_MONTHS = {"quarter": 3, "year": 12}

#: Ways of putting several periods into one.
WAYS = ("sum", "last", "mean")


def find_previous(periods: Series) -> Series:
    """Return the period just before each: of months the month, of quarters the quarter.

    Parameters
    ----------
    periods : Series
        Text. Months, quarters or years; other texts are taken in the order in which they
        sort, each after the one before among those that are there.

    Returns
    -------
    Series
        Text on the same index, written as given; missing where there is none.

    Examples
    --------
    >>> find_previous(Series(["2026-01", "2026Q2", "2026"])).tolist()
    ['2025-12', '2026Q1', '2025']
    >>> find_previous(Series(["spring", "autumn"])).tolist()
    ['autumn', nan]
    """
    known = pd.Index(sorted(periods.unique()))
    before = {name: _previous(name) for name in known}
    free = [name for name in known if before[name] is None]
    before.update(dict(zip(free[1:], free, strict=False)))
    return periods.map(before).astype("str")


def _previous(period: str) -> str | None:
    """Return the period before one of a known form, in the same writing."""
    for form, size in _FORMS:
        found = re.fullmatch(form, period)
        if found:
            year, part = int(found[1]), int(found[2] or 1)
            number = year * size + part - 2
            year, part = number // size, number % size + 1
            if size == 1:
                return f"{year:04d}"
            middle = period[4:found.start(2)]
            return f"{year:04d}{middle}{part:02d}" if size == 12 else f"{year:04d}{middle}{part}"
    return None


def sum_periods(
    values: DataFrame,
    into: str,
    *,
    ways: Mapping[str, str] | None = None,
) -> DataFrame:
    """Put the months of a series together to quarters or years.

    Parameters
    ----------
    values : DataFrame
        ``code``, ``period`` (months, as 2026-03), ``indicator`` and ``value``.
    into : {"quarter", "year"}
        What to make of them.
    ways : mapping of str to str, optional
        Indicator -> "sum", "last" (for states, such as the number of households) or "mean".
        By default all are summed.

    Returns
    -------
    DataFrame
        The same columns, sorted. No data in a month, or an absent month, is no data in the
        quarter, since a sum that is too small would not be seen; for "last" it is the last
        month that counts.

    Raises
    ------
    SchemaError
        If periods are no months, or ``into`` or a way is unknown.

    Examples
    --------
    >>> values = DataFrame({"code": "A", "period": ["2026-01", "2026-02", "2026-03"],
    ...                     "indicator": "visits", "value": [1.0, 2.0, 3.0]})
    >>> sum_periods(values, "quarter").values.tolist()
    [['A', '2026Q1', 'visits', 6.0]]
    """
    carry.check_values(values)
    ways = dict(ways or {})
    odd = sorted(set(ways.values()) - set(WAYS))
    if into not in _MONTHS or odd:
        raise SchemaError(
            f"{'into' if into not in _MONTHS else 'ways'}: {into if not odd else listed(odd)} is "
            f"not known. Expected are {listed(_MONTHS if not odd else WAYS)}."
        )
    parts = values["period"].str.extract(r"^(\d{4})-(0[1-9]|1[0-2])$")
    unread = values.loc[parts[0].isna(), "period"].unique()
    if len(unread):
        raise SchemaError(f"values: {listed(unread)} are no months. Write them as 2026-03.")
    size = _MONTHS[into]
    month = parts[1].astype("int64")
    number = ((month - 1) // size + 1).astype("str")
    period = parts[0] + "Q" + number if into == "quarter" else parts[0]
    ranked = values.assign(period=period, month=month).sort_values("month")
    groups = ranked.groupby(["code", "period", "indicator"], sort=True)
    sums = groups["value"].agg(["sum", "count", "last"])
    last = groups.tail(1).set_index(["code", "period", "indicator"])
    newest = last["value"].where(last["month"] % size == 0).reindex(sums.index)
    whole = sums["count"] == size
    way = sums.index.get_level_values("indicator").map(lambda name: ways.get(name, "sum"))
    total = sums["sum"].where(whole)
    value = np.select([way == "last", way == "mean"], [newest, total / size], total)
    out = Series(value, index=sums.index, name="value").reset_index()
    return out[["code", "period", "indicator", "value"]]
