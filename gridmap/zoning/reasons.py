"""Why a grid is as it is: the fixed list of reasons, and what would solve each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import ledger
from ..errors import listed
from .sizes import Range

STEP = "partition"

#: Every ``what`` that the step writes to CHANGES, and its way out.
SOLVES = {
    "out of range: territory too small": (
        "the whole territory holds less than the minimum: join it with a neighbour, or lower "
        "the minimum"
    ),
    "out of range: part too small": (
        "this part touches no other part of its territory that could take it: move the border "
        "of the territory, or lower the minimum"
    ),
    "out of range: total fits no whole number of grids": (
        "no number of grids brings the mean into range: widen the range, or move the border of "
        "the territory"
    ),
    "out of range: unit larger than the maximum": (
        "one unit alone holds more than a grid may: divide it into smaller units"
    ),
    "out of range: limit": (
        "the limit on another measure stands against the size: relax the limit, or lower the "
        "minimum"
    ),
    "out of range: units too coarse": (
        "whole units do not add up to the range, which is narrower than one of them is on "
        "average: divide them into smaller units, or widen the range"
    ),
    "out of range: locked": "the grid was locked as it is: unlock it, or divide it by hand",
    "out of range: not found": (
        'the totals allow a better drawing, the search did not find one: try effort="best" or '
        "another seed, smaller units, or a wider range"
    ),
    "dedicated grid": "a site of this kind has a grid of its own, whatever its size",
    "island joined": (
        "units too few for a grid that touch no other part of their territory were linked to "
        "the nearest one: say in links where a bridge or ferry lands, or give them a territory "
        "of their own"
    ),
    "grid in pieces": (
        "what was given is never cut: divide the unit, or unlock the grid"
    ),
    "pocket joined": (
        "units cut off by a unit with a grid of its own were given to that grid"
    ),
    "home outside": "the place lies in no unit: no grid is drawn around it",
    "number of grids not reached": (
        "parts that touch no other, and units with a grid of their own, need one each; and no "
        "grid has less than one unit"
    ),
    "search cut short": (
        "time was up, or the search was interrupted: the drawing is whole, but not as good as "
        "it could be, and may differ when drawn again"
    ),
    "code rule not applicable": (
        "the code of the territory is not as long as the rule wants: the plain layout was used"
    ),
    "code rule too short": (
        "the territory has more grids than the rule has numbers, and the plain layout was used: "
        "take a rule with a longer sequence, or larger grids"
    ),
}


def note(
    ids: Sequence[object], what: str, *, extra: Sequence[str] | None = None, **columns: object
) -> DataFrame:
    """Write rows of CHANGES for this step, with the way out of ``what`` as their note.

    ``extra`` is put in front of it, one text for each row.

    Examples
    --------
    >>> note(["G1"], "dedicated grid", after="12 households")["what"].tolist()
    ['dedicated grid']
    """
    way_out = SOLVES[what]
    texts = [f"{told}: {way_out}" if told else way_out for told in extra or [""] * len(ids)]
    return ledger.note_changes(ids, step=STEP, what=what, note=texts, **columns)


def explain_sizes(by_grid: DataFrame, ranges: Sequence[Range]) -> DataFrame:
    """Write a row of CHANGES for every grid that is out of range or dedicated.

    Parameters
    ----------
    by_grid : DataFrame
        Index grid; a column for each measure, ``state``, ``fault`` (of the part that the
        grid was drawn in), ``alone`` (the unit that has the grid to itself, or missing),
        ``dedicated``, ``locked``, ``sole`` (it is all of its territory), ``where`` (its
        territory, in words), ``mean_unit`` (what a unit of it holds) and ``row`` (the range
        that holds).
    ranges : sequence of Range

    Returns
    -------
    DataFrame, schema CHANGES
        ``before`` is the range asked for, ``after`` what the grid holds.
    """
    odd = by_grid[(by_grid["state"] != "in range") | by_grid["dedicated"]].sort_index()
    if odd.empty:
        return ledger.join_changes()
    against = _find_limits(odd, ranges)
    width = np.array([ranges[row].high[0] - ranges[row].low[0] for row in odd["row"]])
    what = np.select(
        [odd["dedicated"], odd["locked"], odd["alone"].notna() & (odd["state"] == "large"),
         (odd["fault"] == "small") & odd["sole"], odd["fault"] == "small",
         odd["fault"] == "whole", (odd["fault"] != "") | (against != ""),
         odd["mean_unit"] > width],
        ["dedicated grid", "out of range: locked", "out of range: unit larger than the maximum",
         "out of range: territory too small", "out of range: part too small",
         "out of range: total fits no whole number of grids", "out of range: limit",
         "out of range: units too coarse"],
        default="out of range: not found",
    )
    extra = _name_names(odd, what, against)
    asked = [describe_range(ranges[row]) for row in odd["row"]]
    held = _held(odd, ranges[0].measures)
    return ledger.join_changes(*[
        note(odd.index[what == reason].tolist(), reason,
             before=_where(asked, what == reason), after=_where(held, what == reason),
             extra=_where(extra, what == reason))
        for reason in SOLVES if (what == reason).any()
    ])


def _find_limits(odd: DataFrame, ranges: Sequence[Range]) -> NDArray[np.str_]:
    """Name the limit that a grid with such a mix of measures cannot keep at any size."""
    measures = ranges[0].measures
    held = odd[list(measures)].to_numpy(np.float64)
    low = np.stack([one.low for one in ranges])[odd["row"]]
    high = np.stack([one.high for one in ranges])[odd["row"]]
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(low > 0, low / held, 0.0)
        most = np.where(np.isfinite(high) & (held > 0), high / held, np.inf)
    never = least.max(axis=1) > most.min(axis=1) * (1 + 1e-9)
    binds = np.where(most.argmin(axis=1) > 0, most.argmin(axis=1), least.argmax(axis=1))
    return np.where(never, np.array(measures)[binds], "")


def _name_names(
    odd: DataFrame, what: NDArray[np.str_], against: NDArray[np.str_]
) -> list[str]:
    """Say for each reason which unit, territory or measure it is about."""
    alone = odd["alone"].fillna("").astype(str)
    about = {
        "out of range: unit larger than the maximum": "unit " + alone,
        "out of range: limit": Series(np.where(odd["fault"] != "", odd["fault"], against),
                                      index=odd.index).astype(str),
        "out of range: units too coarse": odd["mean_unit"].map("{:,.4g} to a unit".format),
        **dict.fromkeys(
            ("out of range: territory too small", "out of range: part too small",
             "out of range: total fits no whole number of grids"), odd["where"]),
    }
    return [str(about[reason].iloc[at]) if reason in about else ""
            for at, reason in enumerate(what)]


def _where(texts: Sequence[str], mask: NDArray[np.bool_]) -> list[str]:
    return [text for text, wanted in zip(texts, mask, strict=True) if wanted]


def describe_range(size: Range) -> str:
    """Say what a grid may hold.

    Examples
    --------
    >>> from gridmap.rules import SizeRule
    >>> from gridmap.zoning.sizes import make_range
    >>> describe_range(make_range(SizeRule(minimum=300, target=400, maximum=500), ("households",)))
    '300 to 500 households'
    """
    texts = []
    for measure, least, most in zip(size.measures, size.low, size.high, strict=True):
        if least > 0 and np.isfinite(most):
            texts.append(f"{least:,g} to {most:,g} {measure}")
        elif np.isfinite(most):
            texts.append(f"at most {most:,g} {measure}")
        elif least > 0:
            texts.append(f"at least {least:,g} {measure}")
    return ", ".join(texts)


def _held(rows: DataFrame, measures: Sequence[str]) -> list[str]:
    return [
        ", ".join(f"{value:,.6g} {name}" for name, value in zip(measures, values, strict=True))
        for values in rows[list(measures)].itertuples(index=False)
    ]


def explain_bridges(
    pairs: Sequence[tuple[str, str]], grids: Sequence[str], gap_m: Sequence[float]
) -> DataFrame:
    """Write a row of CHANGES for every grid that holds units linked by a bridge.

    Examples
    --------
    >>> explain_bridges([("u1", "u7")], ["G1"], [120.0])["after"].tolist()
    ['u1 linked to u7 across 120 m']
    """
    told = [f"{a} linked to {b} across {gap:,.0f} m" for (a, b), gap in
            zip(pairs, gap_m, strict=True)]
    return note(list(grids), "island joined", after=told)


def explain_pieces(grids: Sequence[str], why: Sequence[str]) -> DataFrame:
    """Write a row of CHANGES for every grid in pieces that nothing here could join.

    Examples
    --------
    >>> explain_pieces(["G1"], ["unit u1 lies in 2 pieces"])["note"].iloc[0]
    'unit u1 lies in 2 pieces: what was given is never cut: divide the unit, or unlock the grid'
    """
    return note(list(grids), "grid in pieces", extra=list(why))


def explain_pockets(units: Sequence[str], grids: Sequence[str]) -> DataFrame:
    """Write a row of CHANGES for every grid that took up units cut off from the rest.

    Examples
    --------
    >>> explain_pockets(["u1", "u2"], ["G1", "G1"])["after"].tolist()
    ['u1, u2']
    """
    if not len(units):
        return ledger.join_changes()
    by = pd.Series(list(units)).groupby(list(grids), sort=True)
    told = by.agg(lambda codes: listed(codes))
    return note(list(told.index), "pocket joined", after=list(told))
