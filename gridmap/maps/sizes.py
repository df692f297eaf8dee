"""The map of sizes: the picture that a report shows first."""

from __future__ import annotations

from geopandas import GeoDataFrame
from pandas import DataFrame

from ..rules import Publication
from . import pictures


def draw_size_picture(
    grids: GeoDataFrame,
    *,
    publication: Publication,
    territories: GeoDataFrame | None = None,
    suppressed: DataFrame | None = None,
) -> str:
    """Return the map of sizes as the report shows it, as an address that holds it.

    Parameters
    ----------
    grids, publication, territories, suppressed
        As for `draw_report`.

    Returns
    -------
    str
        "" where the profile allows no figure of size.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> draw_size_picture(sketch_grids("AB"), publication=load_publication("internal"))[:15]
    'data:image/png;'
    """
    figure = find_size_figure(grids, publication)
    if figure is None:
        return ""
    return pictures.picture_uri(pictures.draw_picture(
        grids, figure, publication=publication, with_legend=False, territories=territories,
        suppressed=suppressed, width_cm=11.5))


def find_size_figure(grids: DataFrame, publication: Publication) -> str | None:
    """Return the figure that the map of sizes shows; None where the profile allows none.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> find_size_figure(sketch_grids("AB"), load_publication("internal"))
    'households'
    """
    return next((name for name in ("size_state", "households")
                 if name in grids and name in publication.columns), None)
