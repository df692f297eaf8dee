"""What of the figures may leave the house: allowed columns, and no small count."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from ..errors import PublicationError, listed
from ..rules import Publication
from . import hiding

#: Counts of people and of what people did; those in one group bound each other, and are
#: shown or hidden together.
COUNTS = (("households", "people"), ("events", "events_closed_in_grid"), ("visits",))

#: Figures that would tell a hidden count, and the group that they tell.
TELLING = {"size_state": 0, "households_in_reach_share": 0}


#: The reason of a share that is missing because there is nobody to share.
INAPPLICABLE = "not applicable"


class Published(NamedTuple):
    """Figures that may be shown, and what was taken out of them."""

    by_grid: DataFrame  # allowed columns only; a suppressed figure is missing
    suppressed: DataFrame  # level, id, column and reason of everything taken out


def suppress_counts(
    by_grid: DataFrame,
    publication: Publication,
    *,
    parent: str | Sequence[str] = "territory",
) -> Published:
    """Keep the columns that a publication allows, and suppress small counts in them.

    Counts of households, people, events and visits above 0 and below ``smallest`` are
    suppressed, and with them as many other counts as it takes that nobody can work them out
    from the totals of their parents and of everything: not even who knows the rule, and why
    each count was suppressed. A count of 0 is shown: it is nobody's. Households and people
    go together, and so do all events and those closed in the grid, because each bounds the
    other; size state and share in reach go with the households. What is shown is then
    rounded, if the publication says so; a share of nobody is not applicable.

    Parameters
    ----------
    by_grid : DataFrame, schema BY_GRID
        Unsuppressed figures.
    publication : Publication
        Its ``columns`` are the allow-list, its ``smallest`` the smallest count to show; 0
        or 1 suppresses nothing.
    parent : str or sequence of str, default "territory"
        The column whose totals are known to everybody; or several, the lowest level first,
        such as ``("territory", "town", "county")``.

    Returns
    -------
    Published
        ``by_grid``: same rows, same order, allowed columns in the order of the allow-list.
        ``suppressed``: index ``number``; level ("grid", the column of a parent whose total
        must not be shown either, "all" for the total of everything), id, column and reason:
        "small", "protects others", "goes with" and the columns concerned, or "not
        applicable" for a share that nobody withholds.

    Raises
    ------
    PublicationError
        If ``by_grid`` has no column ``parent``, it is missing in a row, or one of them does
        not lie whole in the next.

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
    names = [parent] if isinstance(parent, str) else list(parent)
    _check_parents(by_grid, names)
    columns = [name for name in publication.columns if name in by_grid]
    shown = by_grid[columns].copy()
    order = np.argsort(by_grid.index.to_numpy(dtype=object), kind="stable")
    coded = [pd.factorize(by_grid[name].iloc[order], sort=True) for name in names]
    rows: list[DataFrame] = []
    for group, counts in enumerate(COUNTS):
        told = [name for name in counts if name in columns]
        if not told:
            continue
        values = by_grid[told].iloc[order].to_numpy(dtype="float64")
        hidden = hiding.find_hidden(values, [number for number, _ in coded],
                                    smallest=publication.smallest)
        lost = by_grid.index[order[hidden.cells]]
        telling = [name for name, of in TELLING.items() if of == group and name in columns]
        for name in told + telling:
            shown.loc[lost, name] = np.nan
        rows += [_told(by_grid.loc[lost, name], publication.smallest) for name in told]
        rows += [_rows("grid", lost, name, f"goes with {told[0]}") for name in telling]
        for name in told:
            rows += [_rows(level, codes[lost_totals], name, "protects others")
                     for level, (_, codes), lost_totals in
                     zip(names, coded, hidden.totals, strict=True)]
            rows.append(_rows("all", ["all"] * hidden.whole, name, "protects others"))
    rows += _find_inapplicable(by_grid, shown)
    return Published(_round(shown, publication), _join(rows))


def _find_inapplicable(by_grid: DataFrame, shown: DataFrame) -> list[DataFrame]:
    """Say which shares are missing because there is nobody to share: not unknown, and no 0."""
    if "households" not in by_grid:
        return []
    nobody = by_grid["households"] == 0
    shares = [str(n) for n in shown if str(n).startswith("households_in_reach_share")]
    return [_rows("grid", by_grid.index[nobody & by_grid[name].isna()], name, INAPPLICABLE)
            for name in shares]


def _round(shown: DataFrame, publication: Publication) -> DataFrame:
    """Round counts to the multiple that is asked for; what is not 0 becomes no 0."""
    base = publication.rounding
    if base <= 1:
        return shown
    names = [name for counts in COUNTS for name in counts if name in shown]
    rounded = {}
    for name in names:
        plain = shown[name].astype("float64")
        near = (plain / base + 0.5).floordiv(1) * base
        rounded[name] = near.where(plain == 0, near.clip(lower=float(base)))
    return shown.assign(**rounded)


def _check_parents(by_grid: DataFrame, names: Sequence[str]) -> None:
    for name in names:
        _check_parent(by_grid, name)
    for low, high in pairwise(names):
        several = by_grid.groupby(low)[high].nunique()
        torn = several.index[several > 1]
        if len(torn):
            raise PublicationError(
                f"by_grid: {low} {listed(torn)} lie in several of {high}: each must lie whole "
                "in one, or its total is not part of any",
                rows=[str(code) for code in torn],
            )


def _check_parent(by_grid: DataFrame, parent: str) -> None:
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


def suppress_places(places: GeoDataFrame, publication: Publication) -> GeoDataFrame:
    """Keep the places with so many households that a publication may point at them.

    Parameters
    ----------
    places : GeoDataFrame
        With ``households``, such as the places that `measure_coverage` finds uncovered.
    publication : Publication
        Places with households, but fewer than its ``smallest``, are left out whole: a point
        on the map tells where they live.

    Returns
    -------
    GeoDataFrame
        Same columns and order; households and people rounded as the publication says, and
        people missing where there are fewer than ``smallest``.

    Raises
    ------
    PublicationError
        If ``places`` has no column households.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> places = sketch_points((0, 0), (9, 9)).assign(households=[3, 40])
    >>> suppress_places(places, Publication(name="shared")).index.tolist()
    ['e1']
    """
    if "households" not in places:
        raise PublicationError("places: column households is absent: how many live there?")
    shown = places[~places["households"].between(1, publication.smallest - 1)]
    if "people" in shown:
        few = shown["people"].between(1, publication.smallest - 1)
        shown = shown.assign(people=shown["people"].where(~few))
    return GeoDataFrame(_round(shown, publication))


def _told(lost: Series, smallest: float) -> DataFrame:
    small = (lost > 0) & (lost < smallest)
    reasons = np.where(small, "small", "protects others")
    return _rows("grid", lost.index, str(lost.name), list(reasons))


def _rows(level: str, ids: object, column: str, reason: object) -> DataFrame:
    frame = DataFrame({"id": pd.array(list(ids), dtype="str")})  # type: ignore[call-overload]
    return frame.assign(level=level, column=column, reason=reason)


def _join(rows: list[DataFrame]) -> DataFrame:
    names = ["level", "id", "column", "reason"]  # one row each
    empty = DataFrame({name: Series([], dtype="str") for name in names})
    joined = pd.concat([empty, *rows], ignore_index=True)[names].astype("str")
    return joined.rename_axis("number")
