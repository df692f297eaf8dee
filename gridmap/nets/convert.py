"""Carry a table from one layer over to another by a crosswalk, and close its account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import ledger
from ..errors import SchemaError, listed
from . import crosswalk as ways

#: Columns of the frame of what is left over.
_LEFT = ("source", "measure", "value", "reason")


class Converted(NamedTuple):
    """A table carried over."""

    table: DataFrame  # index: codes of the targets, sorted; the columns of the table
    left_over: DataFrame  # source, measure, value, reason: what no target has
    ledger: DataFrame  # schema LEDGER, one line for each count


def convert(
    table: DataFrame,
    crosswalk: DataFrame,
    *,
    rates: Mapping[str, str] | None = None,
    whole: bool = False,
    targets: Index | None = None,
) -> Converted:
    """Carry figures of one layer over to another, so that no count is lost or doubled.

    Parameters
    ----------
    table : DataFrame
        Indexed by code of the source, each once. Its numbers are carried over: counts, unless
        they are named in ``rates``. Other columns stay behind.
    crosswalk : DataFrame, schema CROSSWALK
        Of one basis. The weights of each source add up to 1.
    rates : mapping of str to str, optional
        Column of a rate (a share, a mean) to the column of the count that it is a rate of: it
        is averaged with that count as its weight. The count is carried over as well.
    whole : bool, default False
        Whether counts stay whole numbers: each is split by largest remainder, and of equal
        remainders the target whose code sorts first gets the unit. All counts must be whole.
    targets : Index, optional
        Codes that get a row even if nothing leads to them: a count of 0, a missing rate.

    Returns
    -------
    Converted
        ``table``: a count is the sum of what sources bring by weight; a rate is missing where
        its count is 0. A count that is missing in a source is missing in all targets of that
        source, since a sum that is too small would not be seen. ``left_over``: what no target
        takes, and what went to targets that are missing. ``ledger``: for each count, all that
        came in is in ``table`` or in ``left_over``.

    Raises
    ------
    SchemaError
        If the crosswalk knows nothing of a code, a code repeats, a rate lacks its count, or
        counts are not whole although they should be.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> from gridmap.nets import build_crosswalk
    >>> ways = build_crosswalk(sketch_grids("AAAB"), sketch_grids("PPQ."))
    >>> visits = DataFrame({"visits": [30, 5]}, index=["A", "B"])
    >>> carried = convert(visits, ways, whole=True)
    >>> carried.table["visits"].to_dict()
    {'P': 20, 'Q': 10}
    >>> carried.left_over.values.tolist()
    [['B', 'visits', 5.0, 'no target takes it']]
    """
    rates = dict(rates or {})
    counts = _check(table, crosswalk, rates, whole)
    paths = _find_paths(table, crosswalk)
    codes = paths["target"].dropna().unique()
    ends = Index(sorted({*codes, *(() if targets is None else targets)}), dtype="str")
    ends.name = None if targets is None else targets.name
    carried, left, lines = {}, [], []
    for name in counts:
        value = table[name].to_numpy("float64")
        moved = _split_whole(value, paths) if whole else value[paths["row"]] * paths["weight"]
        carried[name], lost = _sum_targets(np.asarray(moved, dtype="float64"), paths, ends)
        left.append(lost.assign(measure=name))
        lines.append(ledger.balance("convert", "table", measure=name, came_in=np.nansum(value),
                                    went_on=carried[name].sum(), left_over=lost["value"].sum()))
    for name, count in rates.items():
        carried[name] = _average(table[name], table[count], paths, ends)
    account = ledger.join_ledger(*lines)
    ledger.check_balance(account)
    out = DataFrame(carried, index=ends)[[c for c in table.columns if c in carried]]
    return Converted(_whole_numbers(out, counts) if whole else out, _join_left(left), account)


def _check(
    table: DataFrame, crosswalk: DataFrame, rates: Mapping[str, str], whole: bool
) -> list[str]:
    """Return the columns that are counts."""
    ways.check_crosswalk(crosswalk)
    numbers = [c for c in table.columns if pd.api.types.is_numeric_dtype(table[c])
               and not pd.api.types.is_bool_dtype(table[c])]
    counts = [c for c in numbers if c not in rates]
    absent = [c for pair in rates.items() for c in pair if c not in numbers]
    odd = [c for c in rates.values() if c in rates]
    if absent or odd:
        raise SchemaError(
            f"rates: {listed(absent or odd)} is no count of the table. A rate needs its own "
            "column and the count that it is a rate of."
        )
    twice = table.index[table.index.duplicated()].unique()
    strangers = table.index[~table.index.isin(crosswalk["source"])].unique()
    for odd_codes, what in ((twice, "the table repeats"),
                            (strangers, "the crosswalk knows nothing of")):
        if len(odd_codes):
            raise SchemaError(f"{what} {listed(odd_codes)}", rows=[str(c) for c in odd_codes])
    if whole:
        values = table[counts].to_numpy("float64")
        broken = np.nansum(np.abs(values - np.rint(values)), axis=0) > 0
        if broken.any():
            names = [c for c, wrong in zip(counts, broken, strict=True) if wrong]
            raise SchemaError(f"column {listed(names)} has counts that are not whole")
    return counts


def _find_paths(table: DataFrame, crosswalk: DataFrame) -> DataFrame:
    """Return the ways out of the table's rows, by row and target, the leftover last."""
    row = table.index.get_indexer(Index(crosswalk["source"]))
    paths = crosswalk[["source", "target", "weight"]].assign(row=row)
    paths = paths[(row >= 0) & (paths["weight"] > 0)]
    return paths.sort_values(["source", "target"], na_position="last", kind="stable")


def _split_whole(value: NDArray[np.float64], paths: DataFrame) -> NDArray[np.float64]:
    """Split whole numbers over their ways by largest remainder."""
    row = paths["row"].to_numpy()
    known = np.nan_to_num(value)
    exact = known[row] * paths["weight"].to_numpy()
    # a hair that rounding took from a whole number is given back before it is cut off
    share = np.floor(exact + 1e-6)
    missing = known - np.bincount(row, share, minlength=len(value))
    order = np.lexsort((np.arange(len(row)), -(exact - share).round(6), row))
    ranked = row[order]
    first = np.flatnonzero(np.diff(ranked, prepend=-1))
    rank = np.arange(len(ranked)) - np.repeat(first, np.diff(np.append(first, len(ranked))))
    more = np.zeros(len(row))
    more[order] = rank < missing[ranked]
    more[order] -= rank < -missing[ranked]
    return np.where(np.isnan(value[row]), np.nan, share + more)


def _sum_targets(
    moved: NDArray[np.float64], paths: DataFrame, ends: Index
) -> tuple[Series, DataFrame]:
    """Return the sum of each target, and what no target has."""
    at = ends.get_indexer(Index(paths["target"]))
    inside = at >= 0
    unknown = np.bincount(at[inside & np.isnan(moved)], minlength=len(ends)) > 0
    total = np.bincount(at[inside], np.nan_to_num(moved[inside]), minlength=len(ends))
    spoilt = inside & unknown[at]
    lost = (~inside | spoilt) & (np.nan_to_num(moved) != 0)
    reason = np.where(inside, "its target is unknown, since another source is",
                      "no target takes it")
    left = DataFrame({"source": paths["source"].to_numpy(), "value": moved,
                      "reason": reason})[lost]
    return Series(np.where(unknown, np.nan, total), index=ends), left


def _average(rate: Series, count: Series, paths: DataFrame, ends: Index) -> Series:
    at = ends.get_indexer(Index(paths["target"]))
    inside = at >= 0
    row = paths["row"].to_numpy()
    by = count.to_numpy("float64")[row] * paths["weight"].to_numpy()
    value = rate.to_numpy("float64")[row]
    known = inside & ~np.isnan(value) & ~np.isnan(by)
    top = np.bincount(at[known], (value * by)[known], minlength=len(ends))
    below = np.bincount(at[known], by[known], minlength=len(ends))
    return Series(np.divide(top, below, out=np.full(len(ends), np.nan), where=below > 0),
                  index=ends)


def _whole_numbers(table: DataFrame, counts: Sequence[str]) -> DataFrame:
    full = [c for c in counts if table[c].notna().all()]
    return table.astype(dict.fromkeys(full, "int64"))


def _join_left(parts: list[DataFrame]) -> DataFrame:
    full = [part for part in parts if len(part)]
    texts = {"source": "str", "measure": "str", "reason": "str", "value": "float64"}
    if not full:
        left = DataFrame({name: Series(dtype=texts[name]) for name in _LEFT})
    else:
        left = pd.concat(full, ignore_index=True)[list(_LEFT)].astype(texts)
    left.index = pd.RangeIndex(len(left), name="number")
    return left
