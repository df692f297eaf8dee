"""What every room of tilings asks of its arguments, and how parents are found."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from .. import schema
from ..errors import SchemaError, listed
from ..rules import TilingRule
from .rings import Ints, Shapes


class Homes(NamedTuple):
    """The parents of polygons: their shapes, and the group that each belongs to.

    Without a parent there are no shapes and one group, 0. Polygons that name their parent
    must tile that one; otherwise all of them together tile all parents together.
    """

    shapes: Shapes  # of the parents
    group: Ints  # parent -> group
    home: Ints  # polygon -> group


def check_polygons(
    polygons: GeoDataFrame, parent: GeoDataFrame | None, holes: GeoDataFrame | None = None
) -> None:
    """Raise unless all are polygons with codes, in one metric CRS."""
    given = {"polygons": polygons, "parent": parent, "holes": holes}
    frames = {name: frame for name, frame in given.items() if frame is not None}
    faults: list[str] = []
    rows: list[str] = []
    for name, frame in frames.items():
        twice = frame.index[frame.index.duplicated()].unique()
        shapes = frame.geometry
        absent = shapes.isna() | shapes.is_empty
        wrong = ~absent & ~shapes.geom_type.isin(schema.POLYGONS)
        for odd, what in ((twice, "the index repeats"),
                          (frame.index[absent], "geometry is missing or empty in"),
                          (frame.index[wrong], "geometry is not a polygon in")):
            if len(odd):
                faults.append(f"{name}: {what} {listed(odd)}")
                rows.extend(map(str, odd))
    if faults:
        raise SchemaError(
            f"{'; '.join(faults)}. Every row needs a code of its own and a polygon: leave the "
            "others out first, or mend them at the source.",
            rows=rows,
        )
    schema.check_metric_crs(**frames)


def plural(polygons: GeoDataFrame) -> str:
    """Name the rows of a frame by its index: "grids", "units", "territories"."""
    names = {"grid": "grids", "unit": "units", "territory": "territories",
             "work_grid": "work grids", "site": "sites"}
    return names.get(str(polygons.index.name), "polygons")


def in_order(polygons: GeoDataFrame, rule: TilingRule) -> GeoDataFrame:
    """Return polygons by code, or by the seniority of their scheme and then by code.

    Raises
    ------
    SchemaError
        If overlaps go by seniority, but polygons have no column ``scheme``.
    """
    layer = polygons.sort_index()
    if rule.overlaps != "seniority":
        return layer
    if "scheme" not in layer:
        raise SchemaError(
            f"overlaps of {plural(polygons)} go by the seniority of their scheme, but there is no "
            "column scheme. Add it, or choose another rule for overlaps."
        )
    rank = {scheme: at for at, scheme in enumerate(rule.seniority)}
    ranks = layer["scheme"].map(rank).fillna(len(rank)).to_numpy()
    return layer.iloc[np.argsort(ranks, kind="stable")]


def shapes_of(frame: GeoDataFrame) -> Shapes:
    """Return the geometries of a frame as a plain array, in its order."""
    return np.array(frame.geometry.array, dtype=object)


def put_shapes(polygons: GeoDataFrame, mended: GeoDataFrame) -> GeoDataFrame:
    """Return polygons in their order with the shapes of others; those without are left out.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> put_shapes(sketch_grids("AAB"), sketch_grids("AB")).area.tolist()
    [1.0, 1.0]
    """
    kept = polygons[polygons.index.isin(mended.index)]
    return kept.set_geometry(mended.geometry.reindex(kept.index))


def find_homes(polygons: GeoDataFrame, parent: GeoDataFrame | None) -> Homes:
    """Find out which parent every polygon should lie in.

    A column that bears the name of the parent's index, or is called ``parent``, names it;
    parents that nobody names are left out. Without such a column all parents are one.
    """
    if parent is None:
        return Homes(np.empty(0, dtype=object), _zeros(0), _zeros(len(polygons)))
    column = next((c for c in (parent.index.name, "parent") if c in polygons.columns), None)
    if column is None or len(parent) == 1:
        return Homes(shapes_of(parent), _zeros(len(parent)), _zeros(len(polygons)))
    parent = parent.sort_index()
    home = parent.index.get_indexer(pd.Index(polygons[column]))
    if (home < 0).any():
        strays = polygons.index[home < 0]
        raise SchemaError(
            f"{plural(polygons)} name a {column} that the parent frame does not have, in "
            f"{listed(strays)}. Add those parents, or correct the column.",
            rows=[str(code) for code in strays],
        )
    named, group = np.unique(home, return_inverse=True)
    kept = shapes_of(parent)[named]
    return Homes(kept, np.arange(len(named)), group.astype("int64"))


def _zeros(size: int) -> Ints:
    return np.zeros(size, dtype="int64")


def mean_width(shapes: Shapes) -> np.ndarray:
    """Return twice the area over the perimeter: the width of a long strip, in metres."""
    length = shapely.length(shapes)
    return np.asarray(2 * shapely.area(shapes) / np.where(length > 0, length, np.inf))
