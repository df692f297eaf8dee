"""A lineage in words: one line for every grid that did not stay as it was."""

from __future__ import annotations

import pandas as pd
from pandas import DataFrame, Series

from ..errors import listed
from . import lineage as lineages

#: In the order in which one wants to hear of them.
ORDER = ("split", "merged", "changed", "recoded", "new", "retired")


def describe_lineage(lineage: DataFrame) -> DataFrame:
    """Say in words what became of each grid, and where each new one came from.

    Parameters
    ----------
    lineage : DataFrame, schema LINEAGE

    Returns
    -------
    DataFrame
        One row for every code that was not kept, old or new, by fate and code: index
        ``code``, ``fate`` and ``told``: how much of the old grid went where, and of which
        grids a new code is made. A code that lives on is told of once, from its old side.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> told = describe_lineage(lineages.build_lineage(sketch_grids("AAB"), sketch_grids("ACB")))
    >>> told.values.tolist()
    [['split', '50 % stays; 50 % to C'], ['new', 'from A']]
    """
    fates = lineages.measure_fates(lineage)
    begun = fates.new[~fates.new.index.isin(fates.old.index)]
    gone = fates.old[fates.old != "kept"]
    went = lineage[lineage["old"].isin(gone.index)]
    came = lineage[lineage["new"].isin(begun.index)]
    told = pd.concat([
        DataFrame({"fate": gone, "told": _tell(went, "old", "new")}),
        DataFrame({"fate": begun.where(begun == "recoded", "new"),
                   "told": _tell(came, "new", "old")}),
    ])
    told = told[~((told["fate"] == "recoded") & told.index.isin(begun.index))]
    rank = told["fate"].map({fate: number for number, fate in enumerate(ORDER)})
    told = told.assign(rank=rank).rename_axis("code").reset_index()
    told = told.sort_values(["rank", "code"], kind="stable").set_index("code")
    return told[["fate", "told"]].astype("str")


def _tell(rows: DataFrame, side: str, other: str) -> Series:
    """Write where the grids on one side went, or came from, largest share first."""
    share = rows[f"{side}_share"]
    ranked = rows.assign(share=share.fillna(0.0), same=rows[side] == rows[other])
    ranked = ranked.sort_values(["same", "share", other], ascending=[False, False, True])
    words = {code: _sentence(group, side, other) for code, group in ranked.groupby(side)}
    return Series(words, dtype="str")


def _sentence(group: DataFrame, side: str, other: str) -> str:
    way = "to" if side == "old" else "from"
    nowhere = "no grid" if side == "old" else "ground of no grid"
    parts = []
    for code, share, same in group[[other, "share", "same"]].itertuples(index=False):
        amount = "" if len(group) == 1 else f"{_percent(share)} "
        where = nowhere if pd.isna(code) else code
        parts.append(f"{amount}stays" if same else f"{amount}{way} {where}")
    text = listed(parts, show=5).replace(", ", "; ")
    return "all stays, more came" if text == "stays" else text


def _percent(share: float) -> str:
    """Write a share so that a small one is not taken for nothing, nor nothing for a share."""
    if share == 0:
        return "no household"
    if 0 < share < 0.005:
        return "under 1 %"
    return "over 99 %" if 0.995 <= share < 1 else f"{share:.0%}".replace("%", " %")
