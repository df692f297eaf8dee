"""The figures of grids as the page carries them: only those that the profile allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import schema
from ..coverage.publish import COUNTS
from ..errors import PublicationError, SchemaError, listed
from ..rules import Publication
from . import style, words

#: Counts that could point at a household; other counts are of things.
PERSONAL = tuple(name for group in COUNTS for name in group)


def pick_allowed(by_grid: DataFrame, publication: Publication) -> DataFrame:
    """Return the columns of a table that its publication profile lets out, in its order.

    Parameters
    ----------
    by_grid : DataFrame
        Figures, index ``grid``.
    publication : Publication
        The profile: an allow-list of columns, and the smallest count that may be shown.

    Returns
    -------
    DataFrame

    Raises
    ------
    PublicationError
        If a count of people or of what they did is above 0 and below the smallest allowed.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB").assign(phone="0631")
    >>> pick_allowed(grids, load_publication("internal")).columns.tolist()
    ['territory', 'kind', 'households', 'people', 'area_m2']
    >>> pick_allowed(grids, load_publication("public"))
    Traceback (most recent call last):
    gridmap.errors.PublicationError: publication "public" withholds counts below 10, and \
households, people have one in A, B. Draw what suppress_counts(by_grid, publication) leaves.
    """
    columns = [name for name in publication.columns if name in by_grid.columns]
    allowed = DataFrame(by_grid[columns])
    counts = allowed[[name for name in PERSONAL if name in columns]]
    small = (counts > 0) & (counts < publication.smallest)
    if small.to_numpy().any():
        rows = allowed.index[small.any(axis=1)].tolist()
        raise PublicationError(
            f'publication "{publication.name}" withholds counts below {publication.smallest}, '
            f"and {listed(counts.columns[small.any()])} have one in {listed(rows)}. Draw what "
            "suppress_counts(by_grid, publication) leaves.",
            rows=rows,
        )
    return allowed


def check_figure(figure: str, allowed: DataFrame, publication: Publication) -> None:
    """Raise unless a figure is among the allowed ones.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> check_figure("phone", sketch_grids("AB"), load_publication("internal"))
    Traceback (most recent call last):
    gridmap.errors.PublicationError: figure 'phone' is not among those that publication \
"internal" allows here: territory, kind, households, people, area_m2.
    """
    shown = [name for name in publication.columns if name in allowed.columns]
    if figure not in shown:
        raise PublicationError(
            f'figure {figure!r} is not among those that publication "{publication.name}" '
            f"allows here: {listed(shown, show=30)}."
        )


def match_figures(grids: GeoDataFrame, by_grid: DataFrame | None) -> DataFrame:
    """Return the table of figures in the order of the grids: their own, or the one given.

    Raises
    ------
    SchemaError
        If the table has other grids than the layer.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> match_figures(sketch_grids("AB"), sketch_grids("BA")).index.tolist()
    ['A', 'B']
    """
    schema.check_frame(grids[[grids.geometry.name]], _SHAPES, argument="grids")
    if by_grid is None:
        return DataFrame(grids.drop(columns=grids.geometry.name))
    odd = grids.index.symmetric_difference(by_grid.index)
    if len(odd) or not by_grid.index.is_unique:
        raise SchemaError(
            f"by_grid must have the rows of grids, each once: {listed(odd)} stand in one only",
            rows=odd.astype("str").tolist(),
        )
    return by_grid.loc[grids.index]


_SHAPES = schema.Schema(name="GRIDS", index="grid", meaning="shapes", geometry=schema.POLYGONS)


def write_figures(
    allowed: DataFrame,
    *,
    rule: style.ClassRule,
    places: Series | None = None,
    labels: Mapping[str, words.Name] | None = None,
    suppressed: DataFrame | None = None,
    pool: DataFrame | None = None,
    over_time: Mapping[str, DataFrame] | None = None,
) -> dict[str, Any]:
    """Return what the page's table holds, ready for JSON.

    Parameters
    ----------
    allowed : DataFrame
        What `pick_allowed` returned, in the order of the shapes.
    rule : ClassRule
        How numbers are cut at first; the page offers the other methods as well.
    places : Series of text, optional
        Where each grid lies, in words.
    labels : mapping, optional
        Names of figures: column to text or (English, 中文).
    suppressed : DataFrame, optional
        As `suppress_counts` tells it: values that are missing because they were taken out.
    pool : DataFrame, optional
        Figures of all layers that share their classes, this one included.
    over_time : mapping, optional
        Figure to its values by grid (rows) and period (columns), for the slider of periods.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> table = DataFrame(sketch_grids("AAB")[["households"]])
    >>> write_figures(table, rule=style.ClassRule())["columns"][0]["values"]
    [2, 1]
    """
    columns = [
        _write_column(allowed[name], rule, labels, _absent_rows(allowed, name, suppressed),
                      allowed[name] if pool is None else pool[name])
        for name in allowed.columns if name != "territory"
    ]
    columns += [_write_periods(name, table.reindex(allowed.index), rule, labels)
                for name, table in (over_time or {}).items()]
    written: dict[str, Any] = {"codes": allowed.index.tolist(), "columns": columns}
    if places is None and "territory" in allowed.columns:
        places = allowed["territory"]
    if places is not None:
        at, names = pd.factorize(places.fillna("").astype("str"))
        written["places"] = {"at": at.tolist(), "names": names.tolist()}
    return written


def _write_periods(
    name: str, table: DataFrame, rule: style.ClassRule, labels: Mapping[str, words.Name] | None
) -> dict[str, Any]:
    """Write a figure over time: one run of values for each period, one set of classes."""
    pool = Series(table.to_numpy("float64").ravel(), name=name)
    last = table.iloc[:, -1].rename(name)
    column = _write_column(last, rule, labels, {}, pool)
    return column | {"periods": [str(period) for period in table.columns],
                     "series": [_plain(round_figure(table[period])) for period in table]}


def check_periods(
    over_time: Mapping[str, DataFrame] | None, publication: Publication
) -> None:
    """Raise unless a profile lets out figures over time.

    Parameters
    ----------
    over_time : mapping
        Figure to its values by grid and period.
    publication : Publication
        Must allow the figures, and their counts in every period.

    Raises
    ------
    PublicationError
        If a figure is not allowed, or has a small count in some period.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> visits = DataFrame({"2026-01": [40], "2026-02": [3]}, index=["G1"])
    >>> check_periods({"visits": visits}, load_publication("shared"))
    Traceback (most recent call last):
    gridmap.errors.PublicationError: publication "shared" withholds counts below 10, and \
visits have one in G1. Draw what suppress_counts(by_grid, publication) leaves.
    """
    for name, table in (over_time or {}).items():
        one = {period: table[[period]].set_axis([name], axis=1) for period in table}
        for frame in one.values():
            check_figure(name, pick_allowed(frame, publication), publication)


def _absent_rows(
    allowed: DataFrame, name: str, suppressed: DataFrame | None
) -> dict[str, list[int]]:
    """Return which missing values are withheld, and which are not applicable."""
    if suppressed is None:
        return {}
    told = suppressed[(suppressed["level"] == "grid") & (suppressed["column"] == name)]
    missing = allowed[name].isna().to_numpy()
    inapplicable = told["reason"] == "not applicable"
    rows = {"withheld": told.loc[~inapplicable, "id"],
            "inapplicable": told.loc[inapplicable, "id"]}
    found = {why: np.flatnonzero(allowed.index.isin(ids) & missing).tolist()
             for why, ids in rows.items()}
    return {why: numbers for why, numbers in found.items() if numbers}


def _write_column(
    values: Series,
    rule: style.ClassRule,
    labels: Mapping[str, words.Name] | None,
    absent: dict[str, list[int]],
    pool: Series,
) -> dict[str, Any]:
    name = str(values.name)
    title = words.name_figure(name, labels)._asdict()
    column: dict[str, Any] = {"name": name, "title": title}
    column |= absent
    if style.is_sequence(values):
        return column | _write_numbers(values, name, rule, pool)
    return column | _write_texts(shown_values(values), shown_values(pool))


def _write_numbers(
    values: Series, name: str, rule: style.ClassRule, pool: Series
) -> dict[str, Any]:
    known = round_figure(pool).dropna().to_numpy("float64")
    methods = sorted(style.METHODS, key=lambda method: method != rule.method)
    breaks = {
        method: list(style.find_breaks(known, method=method, count=rule.count))
        for method in methods
    } if len(known) else {rule.method: []}
    if rule.breaks:
        breaks = {"given": list(rule.breaks), **breaks}
    return {"kind": words.kind_of(name), "values": _plain(round_figure(values)),
            "breaks": breaks, "palette": rule.palette,
            "range": [float(known.min()), float(known.max())] if len(known) else [0, 0]}


def round_figure(values: Series) -> Series:
    """Round numbers to six digits that count, as they are shown and classed.

    Examples
    --------
    >>> round_figure(Series([1234567.0, 0.12345678])).tolist()
    [1234570.0, 0.123457]
    """
    numbers = values.astype("float64")
    if (numbers.dropna() % 1 == 0).all():
        return numbers
    size = np.floor(np.log10(numbers.abs().where(numbers != 0, 1.0)))
    unit = 10.0 ** (5 - size)
    return ((numbers * unit).round() / unit).round(12)


def shown_values(values: Series) -> Series:
    """Return the values of a figure as they are classed: numbers rounded, the rest as text.

    Examples
    --------
    >>> shown_values(Series([0.12345678])).tolist(), shown_values(Series(["a", None])).tolist()
    ([0.123457], ['a', nan])
    """
    if style.is_sequence(values):
        return round_figure(values)
    return values.astype("str").where(values.notna())


def _plain(numbers: Series) -> list[int | float | None]:
    """Return numbers for JSON: whole ones without a point, missing ones as None."""
    return [None if number != number else int(number) if number % 1 == 0 else number
            for number in numbers.tolist()]


def _write_texts(values: Series, pool: Series) -> dict[str, Any]:
    classes = style.measure_classes(pool)
    levels = sorted({str(level) for level in pool.dropna()})
    at = pd.Categorical(values, categories=levels).codes
    shown = classes[classes["value"].isin(levels)]
    return {
        "kind": "text",
        "values": [None if place < 0 else place for place in at.tolist()],
        "levels": levels,
        "texts": [words.name_value(level)._asdict() for level in levels],
        "shown": [levels.index(value) for value in shown["value"]],
        "colours": shown["colour"].tolist(),
    }
