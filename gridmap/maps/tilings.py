"""Grids as a page carries them: shapes, figures and labels, as blocks and few values.

Nothing here needs folium, which takes longer to load than a layer to lay out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame, Series

from ..rules import Publication
from . import binary, encode, figures, style, words

#: Borders of grids: a light hairline from afar, a dark line in a light one from near.
_EDGES = [{"colour": "rgba(255,255,255,.8)", "width": 1, "from": 9, "to": 12},
          {"colour": "rgba(255,255,255,.85)", "width": 3.4, "from": 13},
          {"colour": "#39424f", "width": 1.3, "from": 13}]

#: How grids are drawn, whatever they show.
LOOK: Mapping[str, Any] = {"waits": True, "colours": [style.UNKNOWN], "edges": _EDGES}

#: How the codes of grids are set on them.
LABELS: Mapping[str, Any] = {"rank": 9, "from": 12, "to": 22, "size": 11, "colour": "#20262e",
                             "slack": 0.95, "hides": True}


class Laid(NamedTuple):
    """A layer of polygons that share borders: what `BinaryLayer` is made of."""

    encoded: encode.Encoded
    style: Mapping[str, Any]
    about: Mapping[str, Any]
    role: str
    labels: Mapping[str, Any]
    side: str
    show: bool


def lay_out_grids(
    grids: GeoDataFrame,
    figure: str | None = None,
    *,
    publication: Publication,
    by_grid: DataFrame | None = None,
    territories: GeoDataFrame | None = None,
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    suppressed: DataFrame | None = None,
    over_time: Mapping[str, DataFrame] | None = None,
    pool: DataFrame | None = None,
    side: str = "",
    name: words.Name = words.LAYERS["grids"],
    show: bool = True,
    encoded: encode.Encoded | None = None,
) -> Laid:
    """Return grids coloured by a figure as `draw_grids` draws them, with the same arguments.

    Where no figure is named it is the one that `choose_figure` chooses. Shapes that were
    encoded before may be given as ``encoded``.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> laid = lay_out_grids(sketch_grids("AB"), publication=load_publication("internal"))
    >>> laid.encoded.meta["count"], laid.about["figure"]
    (2, 'households')
    """
    rule = rule or style.ClassRule()
    table = figures.match_figures(grids, by_grid)
    figure = figure or choose_figure(table, publication)
    allowed = figures.pick_allowed(table, publication)
    figures.check_periods(over_time, publication)
    if figure not in (over_time or {}):
        figures.check_figure(figure, allowed, publication)
    allowed = allowed.drop(columns=list(over_time or {}), errors="ignore")
    places = None
    if territories is not None and "territory" in allowed.columns:
        places = name_places(allowed["territory"], territories)
    written = figures.write_figures(allowed, rule=rule, places=places, labels=labels,
                                    suppressed=suppressed, pool=pool, over_time=over_time)
    method = "given" if rule.breaks else rule.method
    return lay_out_tiling(
        grids.geometry,
        {"figures": written, "labels": short_codes(allowed)},
        LOOK,
        {"name": words.as_word(name)._asdict(), "figures": True, "figure": figure,
         "method": method, "count": len(grids), "home": True, "side": side},
        role="grids", side=side, show=show,
        labels=LABELS, encoded=encoded,
    )


def choose_figure(table: DataFrame, publication: Publication) -> str:
    """Return the figure that a page shows at first: the size state, or households.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> choose_figure(DataFrame({"people": [1]}), load_publication("internal"))
    'households'
    """
    shown = "size_state" in table and "size_state" in publication.columns
    return "size_state" if shown else "households"


def short_codes(allowed: DataFrame) -> list[str]:
    """Return what stands on each grid: its code without the code of its territory.

    Examples
    --------
    >>> table = DataFrame({"territory": ["37"]}, index=["37001"])
    >>> short_codes(table)
    ['001']
    """
    codes = allowed.index.astype("str")
    if "territory" not in allowed.columns:
        return codes.tolist()
    pairs = zip(codes, allowed["territory"].astype("str"), strict=True)
    return [code.removeprefix(territory).lstrip("-_ ") or code for code, territory in pairs]


def name_places(codes: Series, territories: GeoDataFrame) -> Series:
    """Return where each row lies in words, from the top down: "Town · Community".

    Parameters
    ----------
    codes : Series
        Codes of territories.
    territories : GeoDataFrame, schema TERRITORIES
        Their names and parents.

    Returns
    -------
    Series
        Text; a territory without a name is called by its code.

    Examples
    --------
    >>> frame = DataFrame({"name": ["Bay", "Hill"], "parent": [None, "T"]}, index=["T", "C"])
    >>> name_places(Series(["C"]), frame).tolist()
    ['Bay · Hill']
    """
    own = {code: name if isinstance(name, str) else str(code)
           for code, name in territories.get("name", Series(territories.index,
                                                            index=territories.index)).items()}
    parents = territories["parent"].dropna().to_dict() if "parent" in territories else {}
    paths: dict[str, str] = {}
    for code in codes.dropna().unique():
        chain: list[str] = []
        at = code
        while at in own and own[at] not in chain:
            chain.insert(0, own[at])
            at = parents.get(at)
        paths[code] = " · ".join(chain) or str(code)
    return codes.map(paths)


def lay_out_tiling(
    shapes: GeoSeries,
    texts: Mapping[str, Any],
    look: Mapping[str, Any],
    about: Mapping[str, Any],
    *,
    role: str,
    labels: Mapping[str, Any],
    show: bool,
    side: str = "",
    encoded: encode.Encoded | None = None,
) -> Laid:
    """Return polygons that share borders, with texts as blocks of their own.

    Examples
    --------
    >>> from gridmap.sketch import sketch_polygons
    >>> towns = lay_out_tiling(sketch_polygons("AB", side_m=100), {"labels": ["a", "b"]}, {}, {},
    ...                        role="borders", labels={}, show=True)
    >>> binary.unpack(towns.encoded.blocks["labels"])
    b'["a","b"]'
    """
    meta, blocks = encoded or encode.encode_tiling(shapes)
    packed = {name: binary.pack_text(content) for name, content in texts.items()}
    return Laid(encode.Encoded(meta, {**blocks, **packed}), look, about, role, labels, side, show)
