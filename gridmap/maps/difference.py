"""Two versions of a net on one page: what became of every grid, before and after."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import redraw
from ..rules import Publication
from . import compare, words
from .offline import Map

#: The figure that tells what became of a grid.
CHANGE = "change"

#: Counts of two versions side by side can be subtracted: they are shown inside only.
INSIDE = ("households", "people")


def draw_difference(
    old: GeoDataFrame,
    new: GeoDataFrame,
    lineage: DataFrame,
    *,
    publication: Publication,
    territories: GeoDataFrame | None = None,
    barriers: GeoDataFrame | None = None,
    names: tuple[words.Name, words.Name] = (compare.BEFORE, compare.AFTER),
    title: words.Name = "",
    language: str = "auto",
    credits: str = "",  # noqa: A002
) -> Map:
    """Draw two versions of a net with what became of each grid, to swipe from one to the other.

    Parameters
    ----------
    old, new : GeoDataFrame, schema GRIDS
        Both versions. Any CRS.
    lineage : DataFrame, schema LINEAGE
        From ``old`` to ``new``.
    publication : Publication
        Households and people are on the page only if it allows single elements, as the
        profile ``internal`` does: the counts of two versions can be subtracted, and would
        tell how many live on a slice between two borders.
    territories, barriers, names, title, language, credits
        As in `draw_comparison`.

    Returns
    -------
    Map
        Coloured by ``change``: kept, changed, split, merged, recoded, new or retired.

    See Also
    --------
    measure_fates : The same as a table.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> old, new = sketch_grids("AAB"), sketch_grids("ACB")
    >>> page = draw_difference(old, new, redraw.build_lineage(old, new),
    ...                        publication=load_publication("shared"))
    >>> "split" in page.get_root().render()
    True
    """
    fates = redraw.measure_fates(lineage)
    hidden = () if publication.elements else INSIDE
    told = tuple(name for name in publication.columns if name not in hidden)
    sides = [
        grids.assign(**{CHANGE: pd.Series(fate, dtype="str").reindex(grids.index)})
        for grids, fate in ((old, fates.old), (new, fates.new))
    ]
    return compare.draw_comparison(
        *sides, publication=replace(publication, columns=(CHANGE, *told)), figure=CHANGE,
        territories=territories, barriers=barriers, names=names,
        labels={CHANGE: words.Word("What became of it", "变更情况")}, title=title,
        language=language, credits=credits,
    )
