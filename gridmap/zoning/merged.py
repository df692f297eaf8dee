"""Codes of communities that were merged: numbers of their own inside the town."""

from __future__ import annotations

from collections.abc import Iterable

from pandas import Series

from ..errors import CodeError, listed
from ..rules import CodeRule
from . import codes as code_room


def issue_merged_codes(
    merged: Series, rule: CodeRule, *, taken: Iterable[str] = ()
) -> Series:
    """Give communities that were merged a code out of the numbers kept for such.

    Parameters
    ----------
    merged : Series
        Code of a community that is no more -> name of what it became part of, any text.
    rule : CodeRule
        With ``merged_from``, the first number of merged communities.
    taken : iterable of str, default ()
        Codes of communities that were issued before, retired ones too.

    Returns
    -------
    Series
        Name -> code of the merged community: that of the town and a number from
        ``merged_from`` on, after the highest in use. Names are numbered in the order of the
        first code that each took in, and sorted by it.

    Raises
    ------
    CodeError
        If the rule has no such numbers or they are used up, codes do not fit it, or
        communities of several towns are merged.

    Examples
    --------
    >>> from gridmap.rules import load_code_rule
    >>> merged = Series({"371002001001": "Harbour", "371002001003": "Harbour"})
    >>> issue_merged_codes(merged, load_code_rule("cn15")).to_dict()
    {'Harbour': '371002001601'}
    """
    if rule.merged_from is None:
        raise CodeError(f"code rule {rule.name!r} has no numbers for merged communities: set "
                        "merged_from in its file")
    codes = Series(merged.index, dtype="str")
    code_room.check_territories(rule, codes)
    digits = rule.parts[-2]
    towns = codes.str[:-digits].groupby(merged.to_numpy()).agg(["first", "nunique"])
    torn = sorted(towns.index[towns["nunique"] > 1])
    if torn:
        raise CodeError(
            f"communities of several towns are merged into {listed(torn)}: codes belong to one "
            "town. Merge inside towns, or give the towns one code first.", rows=torn,
        )
    used = {str(code) for code in taken} | set(codes)
    issued: dict[str, str] = {}
    for name in codes.groupby(merged.to_numpy()).min().sort_values().index:
        issued[str(name)] = _next_merged(str(towns.loc[name, "first"]), rule, used)
        used.add(issued[str(name)])
    return Series(issued, dtype="str", name="territory")


def _next_merged(town: str, rule: CodeRule, used: set[str]) -> str:
    digits, lowest = rule.parts[-2], rule.merged_from or 0
    size = len(town) + digits
    known = [int(code[-digits:]) for code in used
             if len(code) == size and code.startswith(town) and code[-digits:].isdecimal()]
    number = max([lowest, *(n + 1 for n in known if n >= lowest)])
    if number >= 10**digits:
        raise CodeError(
            f"town {town} has used all {rule.merged_capacity:,} numbers that code rule "
            f"{rule.name!r} has for merged communities", rows=[town],
        )
    return f"{town}{number:0{digits}d}"
