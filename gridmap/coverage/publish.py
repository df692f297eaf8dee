"""What of the figures may leave the house: allowed columns, and no small count."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from ..errors import PublicationError
from ..rules import Publication
from . import hiding

#: Counts of people and of what people did; those in one group bound each other, and are
#: shown or hidden together.
COUNTS = (("households", "people"), ("events", "events_closed_in_grid"), ("visits",))

#: Figures that would tell a hidden count, and the group that they tell.
TELLING = {"size_state": 0, "households_in_reach_share": 0}


class Published(NamedTuple):
    """Figures that may be shown, and what was taken out of them."""

    by_grid: DataFrame  # allowed columns only; a suppressed figure is missing
    suppressed: DataFrame  # level, id, column and reason of everything taken out


def suppress_counts(
    by_grid: DataFrame, publication: Publication, *, parent: str = "territory"
) -> Published:
    """Keep the columns that a publication allows, and suppress small counts in them.

    Counts of households, people, events and visits above 0 and below ``smallest`` are
    suppressed, and with them as many other counts as it takes that nobody can work them out
    from the totals of their parents and of everything: not even who knows the rule, and why
    each count was suppressed. A count of 0 is shown: it is nobody's. Households and people
    go together, and so do all events and those closed in the grid, because each bounds the
    other; size state and share in reach go with the households.

    Parameters
    ----------
    by_grid : DataFrame, schema BY_GRID
        Unsuppressed figures.
    publication : Publication
        Its ``columns`` are the allow-list, its ``smallest`` the smallest count to show; 0
        or 1 suppresses nothing.
    parent : str, default "territory"
        The column whose totals are known to everybody.

    Returns
    -------
    Published
        ``by_grid``: same rows, same order, allowed columns in the order of the allow-list.
        ``suppressed``: index ``number``; level ("grid", "territory" for a total of a parent
        that must not be shown either, "all" for the total of everything), id, column and
        reason: "small", "protects others" or "goes with" and the columns concerned.

    Raises
    ------
    PublicationError
        If ``by_grid`` has no column ``parent``, or it is missing in a row.

    References
    ----------
    L. Willenborg and T. de Waal (2001), "Elements of Statistical Disclosure Control".

    Examples
    --------
    >>> grids = pd.Index(["A", "B", "C"], name="grid")
    >>> by_grid = DataFrame({"territory": "T", "people": [4, 60, 90]}, index=grids)
    >>> shared = Publication(name="shared", columns=("territory", "people"))
    >>> suppress_counts(by_grid, shared).by_grid["people"].tolist()
    [nan, nan, 90.0]
    >>> suppress_counts(by_grid, shared).suppressed["reason"].tolist()
    ['small', 'protects others']
    """
    _check_parents(by_grid, parent)
    columns = [name for name in publication.columns if name in by_grid]
    shown = by_grid[columns].copy()
    order = np.argsort(by_grid.index.to_numpy(dtype=object), kind="stable")
    number, names = pd.factorize(by_grid[parent].iloc[order], sort=True)
    rows: list[DataFrame] = []
    for group, counts in enumerate(COUNTS):
        told = [name for name in counts if name in columns]
        if not told:
            continue
        values = by_grid[told].iloc[order].to_numpy(dtype="float64")
        hidden = hiding.find_hidden(values, number, smallest=publication.smallest)
        lost = by_grid.index[order[hidden.cells]]
        telling = [name for name, of in TELLING.items() if of == group and name in columns]
        for name in told + telling:
            shown.loc[lost, name] = np.nan
        rows += [_told(by_grid.loc[lost, name], publication.smallest) for name in told]
        rows += [_rows("grid", lost, name, f"goes with {told[0]}") for name in telling]
        for name in told:
            rows.append(_rows("territory", names[hidden.totals], name, "protects others"))
            rows.append(_rows("all", ["all"] * hidden.whole, name, "protects others"))
    return Published(shown, _join(rows))


def _check_parents(by_grid: DataFrame, parent: str) -> None:
    if parent not in by_grid:
        raise PublicationError(
            f"by_grid: column {parent} is absent. Name the column of the totals that everybody "
            "knows by parent=…"
        )
    missing = by_grid.index[by_grid[parent].isna()]
    if len(missing):
        raise PublicationError(
            f"by_grid: column {parent} is missing in {len(missing):,} rows: which totals they "
            "are part of must be known to protect them",
            rows=[str(code) for code in missing],
        )


def _told(lost: Series, smallest: float) -> DataFrame:
    small = (lost > 0) & (lost < smallest)
    reasons = np.where(small, "small", "protects others")
    return _rows("grid", lost.index, str(lost.name), list(reasons))


def _rows(level: str, ids: object, column: str, reason: object) -> DataFrame:
    frame = DataFrame({"id": pd.array(list(ids), dtype="str")})  # type: ignore[call-overload]
    return frame.assign(level=level, column=column, reason=reason)


def _join(rows: list[DataFrame]) -> DataFrame:
    names = ["level", "id", "column", "reason"]
    empty = DataFrame({name: Series([], dtype="str") for name in names})
    joined = pd.concat([empty, *rows], ignore_index=True)[names].astype("str")
    return joined.rename_axis("number")
