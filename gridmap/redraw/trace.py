"""The way of one code through many versions, and the lives of all codes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from pandas import DataFrame, Series

from .. import schema
from ..errors import CodeError, SchemaError, listed

COLUMNS = ("direction", "old_version", "new_version", "old", "new", "kind", "households",
           "old_share", "new_share", "share")


def order_lineages(lineages: Sequence[DataFrame]) -> list[DataFrame]:
    """Put the lineages of one net in the order of time, by the names of their versions.

    Parameters
    ----------
    lineages : sequence of DataFrame, schema LINEAGE
        One for each step. Those without names are taken to be in order, and are named by it:
        "1", "2" and so on.

    Returns
    -------
    list of DataFrame, schema LINEAGE
        With ``old_version`` and ``new_version`` throughout, oldest first.

    Raises
    ------
    SchemaError
        If there is none, some have names and some not, or the names make no single row.

    Examples
    --------
    >>> from gridmap.redraw import build_lineage
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB")
    >>> second = build_lineage(grids, grids, versions=("2025", "2026"))
    >>> first = build_lineage(grids, grids, versions=("2024", "2025"))
    >>> [step["new_version"].iloc[0] for step in order_lineages([second, first])]
    ['2025', '2026']
    """
    if not lineages:
        raise SchemaError("lineages: none is given. One for each step is needed: build_lineage.")
    for number, lineage in enumerate(lineages, start=1):
        schema.check_frame(lineage, schema.LINEAGE, argument=f"lineage {number}")
    names = [_read_names(lineage) for lineage in lineages]
    if all(pair is None for pair in names):
        return [lineage.assign(old_version=str(n), new_version=str(n + 1))
                for n, lineage in enumerate(lineages, start=1)]
    by_old = {pair[0]: number for number, pair in enumerate(names) if pair is not None}
    ends = {pair[1] for pair in names if pair is not None}
    starts = [name for name in by_old if name not in ends]
    order: list[int] = []
    at = starts[0] if len(starts) == 1 else None
    while at in by_old and len(order) < len(names):
        order.append(by_old[at])
        pair = names[order[-1]]
        at = pair[1] if pair else None
    if len(order) < len(lineages):
        told = [" to ".join(pair) if pair else "no names" for pair in names]
        raise SchemaError(
            f"lineages: their versions make no single row: {listed(told, show=9)}. Each must "
            "begin where another ends: give build_lineage the names of both versions."
        )
    return [lineages[number] for number in order]


def _read_names(lineage: DataFrame) -> tuple[str, str] | None:
    if "old_version" not in lineage or "new_version" not in lineage or lineage.empty:
        return None
    return str(lineage["old_version"].iloc[0]), str(lineage["new_version"].iloc[0])


def trace(
    code: str,
    lineages: Sequence[DataFrame],
    *,
    at: str | None = None,
    least: float = 0.0,
) -> DataFrame:
    """Follow a code back to all it came from, and forth to all that became of it.

    Parameters
    ----------
    code : str
        The code of a grid.
    lineages : sequence of DataFrame, schema LINEAGE
        One for each step from version to version; see `order_lineages`.
    at : str, optional
        Version in which the code is looked up; by default the last one that has it.
    least : float, default 0
        Ways are followed while they carry more than this share of the grid.

    Returns
    -------
    DataFrame
        Index ``number``; one row for each way from grid to grid, oldest first: ``direction``
        (back or forth), the columns of LINEAGE but its area, and ``share``, how much of the
        households of ``code`` took that way, from 0 to 1.

    Raises
    ------
    CodeError
        If no version has the code, or not the one that was named.
    SchemaError
        If the lineages make no single row of versions.

    Examples
    --------
    >>> from gridmap.redraw import build_lineage
    >>> from gridmap.sketch import sketch_grids
    >>> first = build_lineage(sketch_grids("AABB"), sketch_grids("ACBB"))
    >>> then = build_lineage(sketch_grids("ACBB"), sketch_grids("ADDD"))
    >>> trace("C", [first, then])[["direction", "old", "new", "kind"]].values.tolist()
    [['back', 'A', 'C', 'split'], ['forth', 'C', 'D', 'merged']]
    """
    steps = order_lineages(lineages)
    start = _find_start(code, steps, at)
    rows: list[DataFrame] = []
    for direction, side, other, way in (
        ("back", "new", "old", range(start - 1, -1, -1)),
        ("forth", "old", "new", range(start, len(steps))),
    ):
        carried = Series({code: 1.0})
        for number in way:
            taken = steps[number][steps[number][side].isin(carried.index)]
            share = taken[side].map(carried) * taken[f"{side}_share"]
            taken = taken.assign(share=share, direction=direction, step=number)
            taken = taken[share > least]
            rows.append(taken)
            carried = taken.groupby(other)["share"].sum()
    found = pd.concat(rows)
    found = found.sort_values(["step", "old", "new"], na_position="last", kind="stable")
    numbers = pd.RangeIndex(len(found), name="number")
    return found[list(COLUMNS)].set_axis(numbers).astype({"direction": "str"})


def _find_start(code: str, steps: list[DataFrame], at: str | None) -> int:
    """Return the number of the version in which a trace starts."""
    names = [str(steps[0]["old_version"].iloc[0]), *(
        str(step["new_version"].iloc[0]) for step in steps)]
    lives = [code in set(steps[0]["old"]), *(code in set(step["new"]) for step in steps)]
    if at is not None and at not in names:
        raise CodeError(f"there is no version {at}. There are {listed(names, show=9)}.")
    if not any(lives) or (at is not None and not lives[names.index(at)]):
        where = f"version {at}" if at is not None else f"none of the versions {listed(names)}"
        has = [name for name, there in zip(names, lives, strict=True) if there]
        raise CodeError(
            f"code {code} is in {where if at is None else 'no grid of ' + where}. "
            + (f"It is in {listed(has)}." if has else "Codes are text, with all their zeros."),
            rows=[code],
        )
    return max(n for n, there in enumerate(lives) if there) if at is None else names.index(at)


def measure_lives(lineages: Sequence[DataFrame]) -> DataFrame:
    """List all codes that were ever in use, from when to when: the register of a net.

    Parameters
    ----------
    lineages : sequence of DataFrame, schema LINEAGE
        One for each step from version to version; see `order_lineages`.

    Returns
    -------
    DataFrame
        Indexed by ``code``, sorted: ``first_version``, ``last_version``, ``retired`` (it is
        not in the newest version) and ``reissued`` (it was gone in between, which should
        never be). Its index is what `issue_codes` wants as ``taken``.

    Examples
    --------
    >>> from gridmap.redraw import build_lineage
    >>> from gridmap.sketch import sketch_grids
    >>> measure_lives([build_lineage(sketch_grids("AB"), sketch_grids("AC"))])["retired"].to_dict()
    {'A': False, 'B': True, 'C': False}
    """
    steps = order_lineages(lineages)
    names = [str(steps[0]["old_version"].iloc[0]), *(
        str(step["new_version"].iloc[0]) for step in steps)]
    there = [steps[0]["old"], *(step["new"] for step in steps)]
    lived = pd.concat([DataFrame({"code": codes.dropna().unique(), "version": number})
                       for number, codes in enumerate(there)])
    ends = lived.groupby("code")["version"].agg(["min", "max", "size"])
    return DataFrame({
        "first_version": ends["min"].map(dict(enumerate(names))).astype("str"),
        "last_version": ends["max"].map(dict(enumerate(names))).astype("str"),
        "retired": ends["max"] < len(names) - 1,
        "reissued": ends["max"] - ends["min"] + 1 > ends["size"],
    })
