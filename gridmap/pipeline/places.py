"""Where the faults of the input are, so that they can be put on a map."""

from __future__ import annotations

from typing import Any

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import attach, tiling
from ..rules import TilingRule
from ..workspace.config import Config
from .load import Inputs, lowest_territories
from .mend import levels_from_top, project_inputs

#: Where more than this share of a kind stands in the place of another, it is their nature.
_RARE = 0.2


def find_fault_places(inputs: Inputs, config: Config) -> GeoDataFrame:
    """Find the places of faults in the input, before anything is mended.

    Parameters
    ----------
    inputs : Inputs
        As `load_inputs` returns them.
    config : Config
        Its profile says what counts as a fault.

    Returns
    -------
    GeoDataFrame
        Index ``place`` (text, largest first within a kind). Columns ``what`` ("gap", "gap open
        to the outside", "overlap", "sliver", "outside its parent", "overlap of work grids",
        "outside every territory", "on a border", "same place as another"), ``layer``
        (territories of a level, units, grids, a scheme, or the kind of element), ``id`` (codes
        concerned), ``area_m2`` (missing for points), and geometry in a CRS in metres.
    """
    parts = [*find_tiling_faults(inputs, config), *find_strays(inputs, config)]
    return number_places(parts)


def number_places(parts: list[GeoDataFrame]) -> GeoDataFrame:
    """Put places of faults together and number them."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return parts[0] if parts else _places(GeoDataFrame(
            {"what": [], "id": [], "area_m2": []}, geometry=[], crs=4326), "")
    places = pd.concat(filled)
    names = pd.Index([f"F{n:04}" for n in range(1, len(places) + 1)], dtype="str", name="place")
    return places.set_axis(names, axis="index")


def find_tiling_faults(inputs: Inputs, config: Config) -> list[GeoDataFrame]:
    """Find gaps, overlaps, slivers and strays of all polygons that should tile the land.

    Parameters
    ----------
    inputs : Inputs
        Before or after mending.
    config : Config

    Returns
    -------
    list of GeoDataFrame
        One for each layer, with the columns of `find_fault_places`.
    """
    inputs = project_inputs(inputs, config)
    rule = config.profile.tiling
    parts = []
    if inputs.territories is not None:
        above = None
        for level in levels_from_top(inputs.territories):
            polygons = inputs.territories[inputs.territories["level"] == level]
            parts.append(tiling_places(polygons, above, rule, f"territories: {level}"))
            above = polygons
    for name in ("units", "grids"):
        polygons = getattr(inputs, name)
        if polygons is not None:
            parts.append(tiling_places(polygons, None, rule, name))
    if inputs.schemes is not None:
        for scheme, work_grids in inputs.schemes.groupby("scheme"):
            overlaps = tiling.find_overlaps(work_grids, rule=rule)
            codes = overlaps["first"] + ", " + overlaps["second"]
            parts.append(_places(overlaps.assign(what="overlap of work grids", id=codes),
                                 f"schemes: {scheme}"))
    return parts


def find_strays(inputs: Inputs, config: Config) -> list[GeoDataFrame]:
    """Find elements and assets that no territory holds, or a border, or that repeat another.

    Parameters
    ----------
    inputs : Inputs
        Before or after mending; without territories there is nothing to be outside of.
    config : Config

    Returns
    -------
    list of GeoDataFrame
        With the columns of `find_fault_places`.
    """
    inputs = project_inputs(inputs, config)
    parts = []
    for frame in (inputs.elements, inputs.assets):
        if frame is None:
            continue
        if inputs.territories is not None:
            lowest = lowest_territories(inputs.territories, config.settings.within)
            parts += stray_places(frame, lowest, config.profile.tiling)
        parts.append(repeated_places(frame))
    return parts


def tiling_places(
    polygons: GeoDataFrame, parent: GeoDataFrame | None, rule: TilingRule, layer: str
) -> GeoDataFrame:
    """Return the faults of one tiling, held against its parent where there is one."""
    gaps = tiling.find_gaps(polygons, parent, rule=rule)
    overlaps = tiling.find_overlaps(polygons, rule=rule)
    slivers = tiling.find_slivers(polygons, rule=rule)
    named = [
        gaps.assign(what=gaps["open"].map({True: "gap open to the outside", False: "gap"}),
                    id=gaps["neighbours"]),
        overlaps.assign(what="overlap", id=overlaps["first"] + ", " + overlaps["second"]),
        slivers.assign(what="sliver"),
    ]
    if parent is not None:
        outside = tiling.find_outside(polygons, parent, rule=rule)
        named.append(outside.assign(what="outside its parent"))
    return _places(pd.concat(named), layer)


def _places(faults: DataFrame, layer: Any) -> GeoDataFrame:
    placed: GeoDataFrame = faults.assign(layer=layer)[
        ["what", "layer", "id", "area_m2", "geometry"]
    ]
    return placed.astype({"what": "str", "layer": "str", "id": "str", "area_m2": "float64"})


def stray_places(
    elements: GeoDataFrame, territories: GeoDataFrame, rule: TilingRule
) -> list[GeoDataFrame]:
    """Return elements that no territory holds, and points on a border, as points."""
    bare = elements.drop(columns="territory", errors="ignore")
    attached = attach.attach_elements(bare, territories, nearest_m=rule.snap_m).elements
    outside = attached[attached["territory"].isna()]
    border = attached[(attached["how"] == "border") & (attached.geometry.geom_type == "Point")]
    return [_points(outside, "outside every territory"), _points(border, "on a border")]


def repeated_places(elements: GeoDataFrame) -> GeoDataFrame:
    """Return elements that stand in the place of another one of their kind.

    Of kinds where many do so by nature, such as residents of one house, none is returned.
    """
    again = attach.find_repeated(elements)
    kinds = elements["kind"]
    share = kinds[elements.index.isin(again.index)].value_counts() / kinds.value_counts()
    rare = kinds.reindex(again.index).map(share) <= _RARE
    chosen = again[rare.to_numpy(dtype=bool)]
    found = elements.loc[chosen.index[chosen.index != chosen["first"]]]
    return _points(found, "same place as another")


def _points(elements: GeoDataFrame, what: str) -> GeoDataFrame:
    points = elements.set_geometry(elements.geometry.representative_point())
    told = points.assign(what=what, id=points.index.astype("str"), area_m2=float("nan"))
    return _places(told, elements["kind"])
