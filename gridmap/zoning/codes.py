"""Codes of grids: the territory's own code and a number read like a page."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import Series

from ..errors import CodeError, SchemaError, listed
from ..rules import CodeRule

#: Digits of a sequence in the layout that fits any territory.
PLAIN_DIGITS = 4


def issue_codes(
    grids: GeoDataFrame,
    rule: CodeRule,
    *,
    within: str = "territory",
    taken: Iterable[str] = (),
) -> Series:
    """Give every grid a code: that of its territory and a number inside it.

    Grids are numbered like the words of a page: in rows from north to south, each row from
    west to east. A row is as tall as the side of a square with the mean area of a grid of
    the territory, the first row beginning at the northernmost centre. Where centres are
    equal, the index decides.

    Parameters
    ----------
    grids : GeoDataFrame
        Polygons with the column ``within``.
    rule : CodeRule
        The layout. A rule of one part adds its digits to the territory's own code after a
        hyphen; a rule of several parts wants territory codes as long as all but its last.
    within : str, default "territory"
        Column with the code of the territory.
    taken : iterable of str, default ()
        Codes that were issued before, retired ones too: they are never issued again.

    Returns
    -------
    Series
        Text, named ``grid``, on the index of ``grids``. A rule that starts at 0 keeps 0 for
        territories that are not divided; others are numbered from 1.

    Raises
    ------
    SchemaError
        If the column ``within`` is absent or has missing values.
    CodeError
        If codes of territories do not fit the rule, or a territory has more grids than the
        rule has numbers.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB", "CD", territory="371002001001")
    >>> issue_codes(grids, load_code_rule("cn15")).to_dict()
    {'A': '371002001001001', 'B': '371002001001002', 'C': '371002001001003', \
'D': '371002001001004'}
    """
    if within not in grids or grids[within].isna().any():
        raise SchemaError(
            f"grids: column {within} is absent or has missing values. Codes need the territory "
            "of every grid."
        )
    territories = grids[within].astype("str")
    unfit = find_unfit_territories(territories, rule)
    if unfit:
        raise CodeError(
            f"codes of territories {listed(unfit)} do not have the {rule.prefix} characters "
            f"that code rule {rule.name!r} wants. Give territories such codes, or take the rule "
            "'plain'.",
            rows=unfit,
        )
    used = set(taken)
    codes = np.empty(len(grids), dtype=object)
    ranked = _page_order(grids, territories)
    for territory, members in ranked.groupby(territories.iloc[ranked].to_numpy()):
        codes[members.to_numpy()] = _numbered(str(territory), len(members), rule, used)
    return pd.Series(codes, index=grids.index, dtype="str", name="grid")


def find_unfit_territories(territories: Series, rule: CodeRule) -> list[str]:
    """Return the codes of territories that a rule cannot be used for, sorted.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> find_unfit_territories(Series(["371002001001", "A"]), load_code_rule("cn15"))
    ['A']
    """
    if not rule.prefix:
        return []
    codes = territories.unique()
    return sorted(str(code) for code in codes if len(str(code)) != rule.prefix)


def _page_order(grids: GeoDataFrame, territories: Series) -> Series:
    """Return positions of grids, territory by territory, like the words of a page."""
    centres = grids.geometry.centroid
    frame = pd.DataFrame(
        {
            "territory": territories.to_numpy(),
            "x": centres.x.to_numpy(),
            "y": centres.y.to_numpy(),
            "area": grids.geometry.area.to_numpy(),
            "code": grids.index.astype("str"),
        }
    )
    by = frame.groupby("territory")
    side = np.sqrt(by["area"].transform("mean").to_numpy())
    below = by["y"].transform("max").to_numpy() - frame["y"].to_numpy()
    frame["row"] = np.floor(below / side)
    order = frame.sort_values(["territory", "row", "x", "y", "code"]).index
    return pd.Series(order.to_numpy())


def _numbered(territory: str, count: int, rule: CodeRule, used: set[str]) -> list[str]:
    digits = rule.parts[-1]
    first = 1 if rule.first == 0 and count > 1 else rule.first
    codes: list[str] = []
    number = first
    while len(codes) < count and number < 10**digits:
        code = f"{territory}{'' if rule.prefix else '-'}{number:0{digits}d}"
        if code not in used:
            codes.append(code)
        number += 1
    if len(codes) < count:
        raise CodeError(
            f"territory {territory} has {count:,} grids, but code rule {rule.name!r} has "
            f"{len(codes):,} numbers left for it. Take a rule with a longer sequence, or larger "
            "grids.",
            rows=[territory],
        )
    return codes
