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
        to the outside", "overlap", "sliver", "outside its parent", "outside every territory"),
        ``layer`` (territories of a level, units, grids, or the kind of element), ``id`` (codes
        concerned), ``area_m2`` (missing for points), and geometry in a CRS in metres.
    """
    inputs = project_inputs(inputs, config)
    rule = config.profile.tiling
    parts = []
    territories = inputs.territories
    if territories is not None:
        above = None
        for level in levels_from_top(territories):
            polygons = territories[territories["level"] == level]
            parts.append(_tiling_places(polygons, above, rule, f"territories: {level}"))
            above = polygons
    for name in ("units", "grids"):
        polygons = getattr(inputs, name)
        if polygons is not None:
            parts.append(_tiling_places(polygons, None, rule, name))
    if territories is not None and inputs.elements is not None:
        lowest = lowest_territories(territories, config.settings.within)
        parts.append(_strays(inputs.elements, lowest, rule))
    places = pd.concat([part for part in parts if len(part)]) if any(map(len, parts)) else parts[0]
    names = pd.Index([f"F{n:04}" for n in range(1, len(places) + 1)], dtype="str", name="place")
    return places.set_axis(names, axis="index")


def _tiling_places(
    polygons: GeoDataFrame, parent: GeoDataFrame | None, rule: TilingRule, layer: str
) -> GeoDataFrame:
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


def _strays(
    elements: GeoDataFrame, territories: GeoDataFrame, rule: TilingRule
) -> GeoDataFrame:
    """Return the elements that no territory holds, as points."""
    attached = attach.attach_elements(elements.drop(columns="territory", errors="ignore"),
                                      territories, nearest_m=rule.snap_m).elements
    outside = attached[attached["territory"].isna()]
    points = outside.set_geometry(outside.geometry.representative_point())
    strays = points.assign(what="outside every territory", id=points.index, area_m2=float("nan"))
    return _places(strays, outside["kind"])
