"""Heirs: which new grid goes on under the code of an old one, and what the others are called."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Index, Series

from .. import schema, zoning
from ..rules import CodeRule


def find_heirs(lineage: DataFrame, *, least: float = 0.5) -> Series:
    """Say which new grid carries on which old code, by the households they have in common.

    An old grid's heir is the new grid that has most of its households, if it has at least
    ``least`` of them and none of its other forebears gave it more. Of equals the one whose
    code sorts first is taken.

    Parameters
    ----------
    lineage : DataFrame, schema LINEAGE
        Its new codes may be those of a net drawn anew, which nobody knows yet.
    least : float, default 0.5
        Share of an old grid that its heir must hold.

    Returns
    -------
    Series
        New code -> old code, sorted by new code, each once. New grids that are nobody's heir
        are left out.

    Examples
    --------
    >>> from gridmap.redraw import build_lineage
    >>> from gridmap.sketch import sketch_grids
    >>> find_heirs(build_lineage(sketch_grids("AAAB"), sketch_grids("PPQQ"))).to_dict()
    {'P': 'A', 'Q': 'B'}
    """
    known = lineage.dropna(subset=["old", "new"])
    weight = known["households"].fillna(0.0)
    # Ground in whole square metres: the last digits of an area are chance, not a reason.
    known = known.assign(weight=weight, ground=known["area_m2"].fillna(0.0).round())
    by = ["weight", "ground", "old", "new"]
    ranked = known.sort_values(by, ascending=[False, False, True, True], kind="stable")
    best_of_old = ~ranked["old"].duplicated() & ranked["old_share"].ge(least)
    most = ranked.groupby("new")[["weight", "ground"]].transform("first")
    none_more = (ranked[["weight", "ground"]] == most).all(axis=1)
    heirs = ranked[best_of_old & none_more].drop_duplicates("new").sort_values("new")
    return Series(heirs["old"].to_numpy(), index=Index(heirs["new"], dtype="str", name="new"),
                  name="old", dtype="str")


def renew_codes(
    grids: GeoDataFrame,
    lineage: DataFrame,
    rule: CodeRule,
    *,
    within: str = "territory",
    taken: Iterable[str] = (),
    least: float = 0.5,
) -> Series:
    """Give the grids of a redrawn net their codes: heirs keep theirs, others get new ones.

    Parameters
    ----------
    grids : GeoDataFrame
        The new grids, with the column ``within``; any codes.
    lineage : DataFrame, schema LINEAGE
        From the old grids to these.
    rule : CodeRule
        The layout of new codes.
    within : str, default "territory"
        Column with the code of the territory.
    taken : iterable of str, default ()
        Codes that were ever issued; those of the old grids need not be among them.
    least : float, default 0.5
        Share of an old grid that its heir must hold; see `find_heirs`.

    Returns
    -------
    Series
        The code of every grid, on the index of ``grids``. No code of an old grid without an
        heir is among them, and none that was taken.

    Raises
    ------
    SchemaError, CodeError
        As `issue_codes`.

    Examples
    --------
    >>> from gridmap.redraw import build_lineage
    >>> from gridmap.rules import load_code_rule
    >>> from gridmap.sketch import sketch_grids
    >>> old = sketch_grids("AAABBB").rename({"A": "T-0001", "B": "T-0002"})
    >>> new = sketch_grids("PPQQRR")
    >>> renew_codes(new, build_lineage(old, new), load_code_rule("plain")).to_dict()
    {'P': 'T-0001', 'Q': 'T-0003', 'R': 'T-0002'}
    """
    kept = find_heirs(lineage, least=least)
    kept = kept[kept.index.isin(grids.index)]
    ever = [*taken, *lineage["old"].dropna().unique()]
    return zoning.issue_codes(grids, rule, within=within, kept=kept, taken=ever)


def build_version_crosswalk(lineage: DataFrame) -> DataFrame:
    """Turn a lineage into the crosswalk from the old grids to the new ones.

    Parameters
    ----------
    lineage : DataFrame, schema LINEAGE

    Returns
    -------
    DataFrame, schema CROSSWALK
        By households; old grids without any by area. Sorted by source and target, what no
        new grid holds in a row without target.

    See Also
    --------
    chain_crosswalks : From the first of many versions to the last.
    convert, carry_indicators : What to do with it.

    Examples
    --------
    >>> from gridmap.redraw import build_lineage
    >>> from gridmap.sketch import sketch_grids
    >>> ways = build_version_crosswalk(build_lineage(sketch_grids("AAB"), sketch_grids("ACC")))
    >>> ways[["source", "target", "weight"]].values.tolist()
    [['A', 'A', 0.5], ['A', 'C', 0.5], ['B', 'C', 1.0]]
    """
    ways = lineage[lineage["old"].notna() & lineage["old_share"].gt(0)]
    some = ways.groupby("old")["households"].transform("sum").gt(0)
    weight = ways["old_share"] / ways.groupby("old")["old_share"].transform("sum")
    crosswalk = DataFrame({
        "source": ways["old"], "target": ways["new"], "weight": weight,
        "basis": Series("households", index=ways.index, dtype="str"),
        "measured": Series("area", index=ways.index, dtype="str").mask(some, "households"),
    })
    number = pd.RangeIndex(len(crosswalk), name=schema.CROSSWALK.index)
    ordered = crosswalk.sort_values(["source", "target"], na_position="last", kind="stable")
    return ordered.set_axis(number)
