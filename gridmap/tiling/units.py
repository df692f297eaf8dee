"""Make basic spatial units: blocks between lines, whole compounds, cells of buildings."""

from __future__ import annotations

from typing import NamedTuple

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import ledger, schema
from ..errors import TilingError, listed
from ..rules import TilingRule
from . import blocks, knit, living, mesh, streets
from .blocks import Blocks


class Units(NamedTuple):
    """Basic spatial units made for territories."""

    units: GeoDataFrame  # schema UNITS
    changes: DataFrame  # schema CHANGES: what was joined, cut or left out


def build_units(
    territories: GeoDataFrame,
    *,
    barriers: GeoDataFrame | None = None,
    sites: GeoDataFrame | None = None,
    elements: GeoDataFrame | None = None,
    largest_households: float | None = 120.0,
    smallest_m2: float = 1000.0,
    thinnest_m: float = 6.0,
    street_m: float = 24.0,
    rule: TilingRule | None = None,
) -> Units:
    """Divide territories into units that are never cut again.

    Lines and borders enclose blocks; lines that end blindly do not matter. A site is one
    unit, whatever lines cross it, cut only at territory borders; where sites overlap, the
    smaller one has the place. Strips of street beside a site belong to it. Blocks too
    small or too thin, such as the strip between two carriageways, are joined to the
    neighbour that shares most border with them. A block with more than
    ``largest_households`` is divided into cells, along lines that are equally far from the
    buildings on either side.

    Parameters
    ----------
    territories : GeoDataFrame, schema TERRITORIES
        The lowest level only: a tiling, in a CRS in metres.
    barriers : GeoDataFrame, schema BARRIERS, optional
        All of them are used: leave out paths that should not bound a unit.
    sites : GeoDataFrame, schema SITES, optional
        Compounds (kind ``compound``) and dedicated sites.
    elements : GeoDataFrame, schema ELEMENTS, optional
        Where households live, and buildings: points or footprints. Cells do not cut a
        footprint; points inside one belong to it. Weighed by ``households``, or by
        ``count`` where no row has any.
    largest_households : float or None, default 120
        A block above this is divided; None divides none. A third of a grid's target
        leaves the partition enough freedom.
    smallest_m2, thinnest_m : float, default 1,000 and 6
        A block of less area, or less mean width, is joined to a neighbour.
    street_m : float, default 24
        A strip beside a site that is narrower than this, with no element in it, belongs to
        the site.
    rule : TilingRule, optional
        Its ``snap_m`` says when borders are the same.

    Returns
    -------
    Units
        ``units`` has ``territory``, ``kind`` (block, cell, compound or the kind of a
        site), ``households`` and ``people`` (both 0: attach them afterwards). Each is one
        polygon, inside one territory; those of a territory tile it. Codes are that of
        the territory, a dash and a number, west to east, then north to south.
        ``changes`` has step ``units``: "sliver joined", "site cut" (at a territory border),
        "site left out" and "building cut".

    Raises
    ------
    SchemaError
        If a frame does not follow its schema.
    CRSError
        If a frame is not in metres, or they differ.
    TilingError
        If territories overlap or have broken rings.

    See Also
    --------
    build_territories : The way back.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> town = sketch_grids("TTTT", "TTTT", side_m=100.0)[["geometry"]]
    >>> town = town.rename_axis("territory").assign(level="town", parent=None)
    >>> street = geopandas.GeoDataFrame({"kind": ["primary"]}, index=pd.Index(["b"],
    ...     name="barrier"), geometry=[shapely.LineString([(100, -9), (100, 300)])], crs=town.crs)
    >>> units, changes = build_units(town, barriers=street)
    >>> units.area.to_dict()
    {'T-001': 20000.0, 'T-002': 60000.0}
    """
    told = divide_land(
        territories, barriers=barriers, sites=sites, elements=elements,
        largest_households=largest_households, smallest_m2=smallest_m2, thinnest_m=thinnest_m,
        street_m=street_m, rule=rule)
    return Units(told.units, tell_units(told))


class Divided(NamedTuple):
    """Basic spatial units, and what there is to tell of them."""

    units: GeoDataFrame  # schema UNITS
    slivers: DataFrame  # schema CHANGES, of units
    sites: DataFrame  # schema CHANGES, of sites
    cut: pd.Index  # footprints that lie in several units, sorted
    exact: bool  # no line was moved to be noded


def divide_land(
    territories: GeoDataFrame, *, barriers: GeoDataFrame | None, sites: GeoDataFrame | None,
    elements: GeoDataFrame | None, largest_households: float | None, smallest_m2: float = 1000.0,
    thinnest_m: float = 6.0, street_m: float = 24.0, rule: TilingRule | None = None,
) -> Divided:
    """Do what `build_units` does, with what there is to tell still in parts.

    The units of a territory depend on what lies in it and in those that touch it, and on
    nothing else, as long as lines are noded exactly.
    """
    rule = rule or TilingRule()
    _check(territories, barriers, sites, elements)
    territories = territories.sort_index()
    homes = None if elements is None else living.locate(elements)
    asked = _Asked(territories, barriers, sites, homes, largest_households, smallest_m2,
                   thinnest_m, street_m, rule)
    exact = True
    try:
        made = _divide(asked, exact=True)
    except mesh.NotNodedError:
        exact, made = False, _divide(asked, exact=False)
    index = _codes(made, territories.index)
    cut: pd.Index = pd.Index([], dtype="str", name="element")
    if homes is not None:
        cut = homes.codes[living.find_cut(homes, made.shapes)]
    return Divided(_frame(made, index, territories), _tell_slivers(made, index),
                   _tell_sites(made, sites), cut, exact)


class _Asked(NamedTuple):
    """What land is divided by."""

    territories: GeoDataFrame
    barriers: GeoDataFrame | None
    sites: GeoDataFrame | None
    homes: living.Living | None
    largest_households: float | None
    smallest_m2: float
    thinnest_m: float
    street_m: float
    rule: TilingRule


def _divide(asked: _Asked, *, exact: bool) -> Blocks:
    """Return the units in order."""
    homes = asked.homes
    faces = blocks.enclose(asked.territories, barriers=asked.barriers, sites=asked.sites,
                           rule=asked.rule, exact=exact)
    whole, borders = blocks.join_crumbs(*blocks.join_sites(faces))
    whole, borders = streets.share_streets(
        whole, borders, street_m=asked.street_m, homes=homes and homes.points, exact=exact)
    made = blocks.join_small(
        whole, borders, smallest_m2=asked.smallest_m2, thinnest_m=asked.thinnest_m)
    if homes is not None and asked.largest_households is not None:
        made = living.divide(made, homes, largest=asked.largest_households, exact=exact)
    return _sort(_knit(made))


def tell_units(told: Divided) -> DataFrame:
    """Return the rows of changes about units that were built."""
    return ledger.join_changes(told.slivers, told.sites, _tell_cut(told.cut))


def _check(
    territories: GeoDataFrame, barriers: GeoDataFrame | None, sites: GeoDataFrame | None,
    elements: GeoDataFrame | None,
) -> None:
    given = {"territories": territories}
    schema.check_frame(territories, schema.TERRITORIES, argument="territories")
    for name, frame, form in (("barriers", barriers, schema.BARRIERS),
                              ("sites", sites, schema.SITES),
                              ("elements", elements, schema.ELEMENTS)):
        if frame is not None:
            schema.check_frame(frame, form, argument=name)
            given[name] = frame
    schema.check_metric_crs(**given)
    broken = territories.index[~territories.is_valid]
    if len(broken):
        raise TilingError(
            f"territories have {len(broken):,} rings that cross or touch themselves: "
            f"{listed(broken)}. Mend them first with repair_tiling(territories).",
            rows=[str(code) for code in broken],
        )



def _knit(units: Blocks) -> Blocks:
    """Put the corners of cells into the border of the block beside them."""
    one = np.ones(len(units.shapes), dtype="int64")
    return units._replace(shapes=knit.knit(units.shapes, one, one, snap_m=0.0).shapes)


def _sort(units: Blocks) -> Blocks:
    """Sort by territory, then west to east, then north to south."""
    west, south, east, north = shapely.bounds(units.shapes).T
    order = np.lexsort((-(south + north).round(3), (west + east).round(3), units.territory))
    return units.take(order.astype("int64"))


def _codes(units: Blocks, territories: pd.Index) -> pd.Index:
    count = np.bincount(units.territory, minlength=len(territories))
    number = np.arange(len(units.shapes)) - np.repeat(np.cumsum(count) - count, count) + 1
    width = max(3, len(str(count.max(initial=1))))
    names = zip(territories.to_numpy()[units.territory], number, strict=True)
    return pd.Index([f"{code}-{n:0{width}d}" for code, n in names], dtype="str", name="unit")


def _frame(units: Blocks, index: pd.Index, territories: GeoDataFrame) -> GeoDataFrame:
    owner = territories.index.to_numpy()[units.territory]
    return GeoDataFrame(
        {"territory": Series(owner, index=index, dtype="str"),
         "kind": Series(units.kind, index=index, dtype="str"),
         "households": Series(0, index=index, dtype="int64"),
         "people": Series(0, index=index, dtype="int64")},
        geometry=geopandas.GeoSeries(units.shapes, index=index, crs=territories.crs),
    )


def _tell_slivers(units: Blocks, index: pd.Index) -> DataFrame:
    slim = units.shards > 0
    return ledger.note_changes(
        index[slim], step="units", what="sliver joined", area_m2=units.joined[slim],
        note=[f"{n:,} blocks too small or too thin" if n > 1 else
              "1 block too small or too thin" for n in units.shards[slim]])


def _tell_sites(units: Blocks, sites: GeoDataFrame | None) -> DataFrame:
    if sites is None:
        return ledger.join_changes()
    sites = sites.sort_index()
    parts = np.bincount(units.site[units.site >= 0], minlength=len(sites))
    cut, gone = parts > 1, parts == 0
    return ledger.join_changes(
        ledger.note_changes(
            sites.index[cut], step="units", what="site cut", before=1, after=parts[cut],
            area_m2=sites.area[cut], note="it crosses a border, or has parts that lie apart"),
        ledger.note_changes(
            sites.index[gone], step="units", what="site left out", area_m2=sites.area[gone],
            note="outside all territories, or covered by smaller sites"),
    )


def _tell_cut(cut: pd.Index) -> DataFrame:
    if not len(cut):
        return ledger.join_changes()
    return ledger.note_changes(
        [None], step="units", what="building cut",
        after=len(cut), note=f"across a line, a site or a border: {listed(cut)}")
