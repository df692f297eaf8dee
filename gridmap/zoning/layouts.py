"""Reading codes: the parts they are made of, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
from pandas import DataFrame, Index, Series

from ..errors import CodeError, listed
from ..rules import CodeRule

#: What can be wrong with a code, in the order in which it is told.
FAULTS = ("missing", "repeated", "length", "characters", "lead", "number", "range", "whole",
          "territory", "retired")


def parse_codes(codes: Iterable[str], rule: CodeRule) -> DataFrame:
    """Take codes apart by the layout of a rule.

    Parameters
    ----------
    codes : iterable of str
        Codes of grids, or of whatever the rule lays out. None, one or many; they may repeat.
    rule : CodeRule
        The layout.

    Returns
    -------
    DataFrame
        One row for each code in the order given, indexed by it (``code``): a column of text
        for each part under its name (``part 1`` and so on where the rule has no names), and
        the kind of each part that has ranges, such as ``town_kind``. Rules of parts add
        ``territory`` and ``number`` (the sequence as a number), and ``merged`` where the rule
        has numbers for merged communities. Of a code that does not follow the layout all are
        missing.

    See Also
    --------
    find_code_faults : Why a code does not follow it.
    issue_codes : The way back.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> parsed = parse_codes(["371002001601012"], load_code_rule("cn15"))
    >>> parsed[["county", "town", "community", "number", "merged"]].values.tolist()
    [['371002', '001', '601', 12, True]]
    >>> parse_codes(["1kmE4695N2599"], load_code_rule("eu"))["northing"].tolist()
    ['2599']
    """
    given = _as_text(codes)
    if rule.patterns:
        return _match_patterns(given, rule)
    parts = given.str.extract(f"^{_expression(rule)}$", expand=True)
    *before, sequence = _names(rule)
    parts.columns = Index([*before, "territory", sequence])
    parts = parts.loc[:, ~parts.columns.duplicated()]  # one part may be the whole territory
    parts.index = Index(given, dtype="str", name="code")
    for part, kinds in rule.ranges.items():
        parts[f"{part}_kind"] = _find_kinds(parts[part], kinds)
    parts["number"] = pd.to_numeric(parts[sequence]).astype("Int64")
    if rule.merged_from is not None:
        community = pd.to_numeric(parts[before[-1]], errors="coerce")
        parts["merged"] = (community >= rule.merged_from).astype("boolean").mask(
            community.isna())
    return parts[[*before, sequence, *[c for c in parts if c not in _names(rule)]]]


def _as_text(codes: Iterable[str]) -> Series:
    given = codes if isinstance(codes, Series) else Series(list(codes), dtype="object")
    return given.reset_index(drop=True).astype("str")


def _names(rule: CodeRule) -> list[str]:
    return list(rule.names) or [
        *(f"part {number + 1}" for number in range(len(rule.parts) - 1)), "sequence"]


def _expression(rule: CodeRule) -> str:
    """Return the regular expression of a layout: parts, the whole territory, sequence."""
    if not rule.prefix:
        return rf"(.+){re.escape(rule.mark)}([0-9]{{{rule.parts[-1]}}})"
    letter = "[0-9]" if rule.digits else "."
    # A lookahead takes the parts, which the lead may run into; the territory is what follows.
    parts = "".join(f"({letter}{{{length}}})" for length in rule.parts[:-1])
    territory = f"({letter}{{{rule.territory}}})"
    tail = f"{re.escape(rule.mark)}([0-9]{{{rule.parts[-1]}}})"
    return f"(?={parts}){re.escape(rule.lead)}{territory}{tail}"


def _match_patterns(given: Series, rule: CodeRule) -> DataFrame:
    """Read each code by the first pattern that it matches as a whole."""
    names = list(dict.fromkeys(
        name for pattern in rule.patterns for name in re.compile(pattern).groupindex))
    parts = DataFrame(None, index=given.index, columns=names, dtype="str")
    for pattern in rule.patterns:
        found = given.str.extract(f"^(?:{pattern})$", expand=True)
        parts = parts.fillna(found[[name for name in names if name in found]])
    return parts.set_axis(Index(given, dtype="str", name="code"))


def _find_kinds(part: Series, kinds: Mapping[str, tuple[int, int]]) -> Series:
    number = pd.to_numeric(part, errors="coerce")
    found = Series(None, index=part.index, dtype="str")
    for kind, (first, last) in kinds.items():
        found = found.mask(number.between(first, last).to_numpy(), kind)
    return found


def find_code_faults(
    codes: Iterable[str],
    rule: CodeRule,
    *,
    territories: Iterable[str] | None = None,
    retired: Iterable[str] = (),
) -> DataFrame:
    """Return what is wrong with codes, one row for each fault.

    Parameters
    ----------
    codes : iterable of str
        All codes of a net: the index of a layer of grids, or a column.
    rule : CodeRule
        The layout they should follow.
    territories : iterable of str, optional
        The territory in which each grid lies, in the same order.
    retired : iterable of str, default ()
        Codes that are no more, and must not come again.

    Returns
    -------
    DataFrame
        Index ``number``, sorted by the position of the code: ``position``, ``code``, ``what``
        and ``note``. What is one of: missing; repeated; length; characters; lead; number (a
        sequence below the first); range (a number of a part without a meaning); whole (the
        number 0 in a territory that is divided); territory (the code of another one); retired.

    See Also
    --------
    check_codes : Raise if there are any.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> find_code_faults(["371002001001001", "37100200100100"], load_code_rule("cn15"))["note"]
    number
    0    37100200100100 has 14 characters, 15 are needed
    Name: note, dtype: str
    """
    given = _as_text(codes)
    parsed = parse_codes(given, rule).reset_index(drop=True)
    found = list(_find_all(given, parsed, rule))
    if territories is not None:
        lies = Series(list(territories), dtype="str")
        told = parsed["territory"] if "territory" in parsed else Series(np.nan, lies.index)
        found.append(("territory", told.notna() & (told != lies),
                      _words("is a code of territory ", told, ", and the grid lies in ")
                      .str.cat(lies)))
    found.append(("retired", given.isin(list(retired)), "was retired and must not come again"))
    rows = [DataFrame({"position": given.index[where], "code": given[where], "what": what,
                       "note": _note(given[where], note)}) for what, where, note in found]
    faults = pd.concat(rows).astype({"code": "str", "what": "str", "note": "str"})
    order = faults["what"].map({what: n for n, what in enumerate(FAULTS)})
    faults = faults.assign(order=order).sort_values(["position", "order"], kind="stable")
    return faults.drop(columns="order").reset_index(drop=True).rename_axis("number")


def _note(codes: Series, note: str | Series) -> Series:
    told = note[codes.index] if isinstance(note, Series) else Series(note, index=codes.index)
    return codes.fillna("a code").str.cat(told, sep=" ")


def _words(before: str, values: Series, after: str) -> Series:
    return values.astype("str").map(lambda value: f"{before}{value}{after}", na_action="ignore")


def _find_all(
    given: Series, parsed: DataFrame, rule: CodeRule
) -> Iterator[tuple[str, Series, str | Series]]:
    """Yield what is wrong with single codes: what, where, and the words for it."""
    there = given.notna()
    yield "missing", ~there, "is missing"
    times = given.map(given.value_counts()).astype("Int64")
    yield "repeated", there & given.duplicated(keep=False), _words("stands ", times, " times")
    readable = parsed.notna().any(axis=1) if rule.patterns else parsed["number"].notna()
    if rule.patterns:
        yield "characters", there & ~readable, f"is in no form of code rule {rule.name!r}"
        return
    size = given.str.len()
    short = there & (size != rule.length) if rule.prefix else there & False
    yield "length", short, _words(
        "has ", size.astype("Int64"), f" characters, {rule.length} are needed")
    led = given.str.startswith(rule.lead).fillna(True)
    yield "lead", there & ~short & ~led, f"does not begin with {rule.lead}"
    yield "characters", there & ~short & led & ~readable, (
        "has other characters than digits" if rule.digits
        else f"does not end in {rule.mark!r} and {rule.parts[-1]} digits" if rule.mark
        else f"does not end in {rule.parts[-1]} digits")
    yield "number", parsed["number"].lt(rule.first).fillna(False), (
        f"has a number below {rule.first}")
    for part, kinds in rule.ranges.items():
        odd = parsed[part].notna() & parsed[f"{part}_kind"].isna()
        known = listed([f"{first} to {last}" for first, last in kinds.values()], show=9)
        yield "range", odd, _words(f"has the {part} ", parsed[part], f", none of {known}")
    if rule.first == 0:
        mates = parsed["territory"].map(parsed["territory"].value_counts())
        yield "whole", parsed["number"].eq(0).fillna(False) & mates.gt(1), (
            "has the number of a territory that is not divided, which it is")


def check_codes(
    codes: Iterable[str],
    rule: CodeRule,
    *,
    territories: Iterable[str] | None = None,
    retired: Iterable[str] = (),
) -> None:
    """Raise unless all codes of a net follow their rule; see `find_code_faults`.

    Parameters
    ----------
    codes, rule, territories, retired
        As for `find_code_faults`.

    Raises
    ------
    CodeError
        If a code is at fault; the message tells the first few, ``rows`` has them all.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> check_codes(["371002001001000"], load_code_rule("cn15"))
    Traceback (most recent call last):
    gridmap.errors.CodeError: 1 code does not follow code rule 'cn15': 371002001001000 has a \
number below 1. See them all with find_code_faults(codes, rule).
    """
    faults = find_code_faults(codes, rule, territories=territories, retired=retired)
    if len(faults):
        count = faults["position"].nunique()
        raise CodeError(
            f"{count:,} {'code does' if count == 1 else 'codes do'} not follow code rule "
            f"{rule.name!r}: {listed(faults['note'])}. See them all with "
            "find_code_faults(codes, rule).",
            rows=[str(code) for code in faults["code"].unique()],
        )
