"""Codes of grids: the territory's own code and a number read like a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Series

from ..errors import CodeError, SchemaError, listed
from ..rules import CodeRule

#: Digits of a sequence in the layout that fits any territory.
PLAIN_DIGITS = 4


class _Shortage(NamedTuple):
    """A territory that has more grids than the rule has numbers for."""

    territory: str
    grids: int
    numbers: int


def issue_codes(
    grids: GeoDataFrame,
    rule: CodeRule,
    *,
    within: str = "territory",
    kept: Series | None = None,
    taken: Iterable[str] = (),
) -> Series:
    """Give every grid a code: that of its territory and a number inside it.

    Grids are numbered like the words of a page: in rows from north to south, each row from
    west to east. A row is as tall as the side of a square with the mean area of a grid of
    the territory, the first row beginning at the northernmost centre. Where centres are
    equal, the index decides.

    A kept code stays whatever happens to other grids. New numbers go on after the highest
    that a territory has ever used, so that a gap left by a retired code stays a gap even if
    nobody remembers it; when they have all gone, numbers that are neither kept nor taken
    are issued from the lowest.

    Parameters
    ----------
    grids : GeoDataFrame
        Polygons with the column ``within``.
    rule : CodeRule
        The layout. A rule of one part adds its digits to the territory's own code after a
        hyphen; a rule of several parts wants territory codes as long as all but its last,
        without those of its ``lead``.
    within : str, default "territory"
        Column with the code of the territory.
    kept : Series, optional
        Codes that grids bear already, on the index of ``grids`` or a part of it. One that
        does not follow the rule in the territory where the grid lies now is not kept; nor is
        the number 0 where a territory has been divided since.
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
        If codes of territories do not fit the rule, two grids keep the same code, a
        territory has more grids than the rule has numbers, or the rule issues no codes.

    See Also
    --------
    find_code_faults : What is wrong with codes that are there.
    renew_codes : Codes of a redrawn net: grids that live on keep theirs.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB", "CD", territory="371002001001")
    >>> issue_codes(grids, load_code_rule("cn15")).to_dict()
    {'A': '371002001001001', 'B': '371002001001002', 'C': '371002001001003', \
'D': '371002001001004'}
    >>> kept = Series({"B": "371002001001007"})
    >>> issue_codes(grids, load_code_rule("cn15"), kept=kept).str[-3:].tolist()
    ['008', '007', '009', '010']
    """
    if within not in grids or grids[within].isna().any():
        raise SchemaError(
            f"grids: column {within} is absent or has missing values. Codes need the territory "
            "of every grid."
        )
    territories = grids[within].astype("str")
    check_territories(rule, territories)
    codes = _find_kept(territories, rule, kept)
    used = {*taken, *([] if kept is None else kept.dropna())}
    highest = _find_highest(used, rule)
    ranked = _page_order(grids, territories)
    short: list[_Shortage] = []
    for territory, members in ranked.groupby(territories.iloc[ranked].to_numpy()):
        at = [place for place in members if codes[place] is None]
        issued = _number(str(territory), (len(at), len(members)), rule, used, highest)
        if len(issued) < len(at):
            short.append(_Shortage(str(territory), len(members), len(issued) + len(members)
                                   - len(at)))
        codes[at[: len(issued)]] = issued
    _check_capacity(short, rule)
    return Series(codes, index=grids.index, dtype="str", name="grid")


def check_territories(rule: CodeRule, territories: Series) -> None:
    """Raise unless a rule can issue codes in all territories.

    Raises
    ------
    CodeError
        If the rule issues none, or codes of territories do not fit it.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> check_territories(load_code_rule("cn15"), Series(["371002001001"]))
    """
    if rule.patterns:
        raise CodeError(
            f"code rule {rule.name!r} issues no codes: they tell a place. Cells with such codes "
            "come from build_lattice; take another rule for grids."
        )
    unfit = find_unfit_territories(territories, rule)
    if unfit:
        raise CodeError(
            f"codes of territories {listed(unfit)} do not have the {rule.territory} "
            f"{'digits' if rule.digits else 'characters'} that code rule {rule.name!r} wants. "
            "Give territories such codes, or take the rule 'plain'.",
            rows=unfit,
        )


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
    return sorted(code for code in map(str, territories.unique())
                  if len(code) != rule.territory or not _is_made_of(code, rule))


def _is_made_of(code: str, rule: CodeRule) -> bool:
    return not rule.digits or (code.isascii() and code.isdigit())


def _find_kept(
    territories: Series, rule: CodeRule, kept: Series | None
) -> NDArray[np.object_]:
    """Return the codes that stay, None where a new one is needed."""
    codes = np.full(len(territories), None, dtype=object)
    if kept is None:
        return codes
    strangers = kept.index.difference(territories.index)
    if len(strangers):
        raise CodeError(f"kept names {listed(strangers)}, which are not among the grids",
                        rows=[str(name) for name in strangers])
    twice = kept[kept.notna() & kept.duplicated(keep=False)]
    if len(twice):
        raise CodeError(
            f"kept gives code {listed(sorted(twice.unique()))} to {len(twice):,} grids: a code "
            "belongs to one grid at a time", rows=[str(code) for code in twice.unique()],
        )
    borne = kept.dropna()
    places = territories.index.get_indexer(borne.index)
    divided = territories.map(territories.value_counts()).to_numpy() > 1
    # Each code is read in the territory where its grid lies now.
    for place, code in zip(places, borne.astype("str"), strict=True):
        number = _read_number(code, territories.iloc[place], rule)
        if number is not None and number >= rule.first and not (number == 0 and divided[place]):
            codes[place] = code
    return codes


def _read_number(code: str, territory: str, rule: CodeRule) -> int | None:
    """Return the number of a code inside a territory; None if it is no code of it."""
    head, digits = _head(territory, rule), code[-rule.parts[-1]:]
    fits = code == head + digits and len(digits) == rule.parts[-1] and digits.isdigit()
    return int(digits) if fits and digits.isascii() else None


def _head(territory: str, rule: CodeRule) -> str:
    return f"{rule.lead}{territory}{rule.mark}"


def _find_highest(used: Iterable[str], rule: CodeRule) -> Mapping[str, int]:
    """Return the highest number that is in use behind each head."""
    digits = rule.parts[-1]
    highest: dict[str, int] = {}
    for code in used:
        if code[-digits:].isdecimal() and len(code) > digits:
            head = code[:-digits]
            highest[head] = max(highest.get(head, 0), int(code[-digits:]))
    return highest


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


def _number(
    territory: str,
    counts: tuple[int, int],
    rule: CodeRule,
    used: set[str],
    highest: Mapping[str, int],
) -> list[str]:
    """Return codes for the grids without one, ``counts`` being these and all of a territory."""
    wanted, grids = counts
    digits, head = rule.parts[-1], _head(territory, rule)
    whole = rule.first == 0 and grids == 1
    first = 1 if rule.first == 0 and not whole else rule.first
    after = 0 if whole else max(first, highest.get(head, first - 1) + 1)
    codes: list[str] = []
    for number in (*range(after, 10**digits), *range(first, after)):
        if len(codes) == wanted:
            break
        code = f"{head}{number:0{digits}d}"
        if code not in used:
            codes.append(code)
    return codes


def _check_capacity(short: list[_Shortage], rule: CodeRule) -> None:
    if not short:
        return
    told = [f"territory {s.territory} has {s.grids:,} grids" for s in short]
    numbers = [f"{s.numbers:,}" for s in short]
    raise CodeError(
        f"{listed(told)}, but code rule {rule.name!r} has {listed(numbers)} numbers left for "
        f"{'it' if len(short) == 1 else 'them'}. Take a rule with a longer sequence, or larger "
        "grids.",
        rows=[s.territory for s in short],
    )
