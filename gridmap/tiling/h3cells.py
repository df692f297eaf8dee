"""Hexagons of H3, clipped to territories."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pyproj
import shapely
from geopandas import GeoDataFrame

from .. import schema
from ..errors import TilingError
from . import frames, lattice
from .rings import Floats, Shapes


def build_h3_lattice(territories: GeoDataFrame, resolution: int) -> GeoDataFrame:
    """Lay the cells of H3 over territories, cut at their borders.

    Needs the package ``h3``: ``pip install "gridmap[lattice]"``.

    Parameters
    ----------
    territories : GeoDataFrame, schema TERRITORIES
        A tiling, in a CRS in metres.
    resolution : int
        0 to 15: cells of resolution 7 have about 5 km², 8 about 0.74, 9 about 0.105.

    Returns
    -------
    GeoDataFrame, schema UNITS
        As `build_lattice` makes it, with the index of H3 as ``cell``. Edges are straight in
        the CRS of the territories.

    Raises
    ------
    SchemaError, CRSError
        If territories do not follow their schema, or are not in metres.
    TilingError
        If H3 is not installed, or has no such resolution.

    References
    ----------
    H3: a hexagonal hierarchical geospatial indexing system, h3geo.org.

    Examples
    --------
    >>> from gridmap.sketch import sketch_polygons
    >>> shapes = sketch_polygons("T", side_m=10.0).translate(500_000, 4_000_000)
    >>> town = shapes.to_frame("geometry").rename_axis("territory")
    >>> cells = build_h3_lattice(town.assign(level="town", parent=None), 8)
    >>> cells["cell"].str.len().tolist(), cells.area.round().tolist()
    ([15], [100.0])
    """
    if not find_spec("h3"):
        raise TilingError('cells of H3 need the package h3: pip install "gridmap[lattice]"')
    if resolution not in range(16):
        raise TilingError(f"resolution is {resolution!r}: H3 has 0 to 15")
    schema.check_frame(territories, schema.TERRITORIES, argument="territories")
    schema.check_metric_crs(territories=territories)
    territories = territories.sort_index()
    land = frames.shapes_of(territories)
    there = pyproj.Transformer.from_crs(territories.crs, "EPSG:4326", always_xy=True)
    edges = _edges(_cells(land, resolution, there), there)
    faces, inner, owner = lattice.cut_land(land, edges)
    codes = _cells_at(np.stack(there.transform(*inner.T), axis=1), resolution)
    return lattice.join_pieces(faces, owner, codes, territories)


def _cells_at(places: Floats, resolution: int) -> list[str]:
    """Return the cell that holds each longitude and latitude."""
    h3 = import_module("h3")
    # One by one, because H3 knows single places only.
    return [h3.latlng_to_cell(lat, lon, resolution) for lon, lat in places]


def _cells(land: Shapes, resolution: int, there: pyproj.Transformer) -> list[str]:
    """Return all cells that any land lies in, and some around it, sorted.

    Every cell on the border of the land holds a vertex of it when its sides are cut into
    pieces shorter than a cell is wide, or borders a cell that does.
    """
    h3 = import_module("h3")
    step = h3.average_hexagon_edge_length(resolution, unit="m")
    border = shapely.segmentize(shapely.boundary(land), step)
    lon, lat = there.transform(*shapely.get_coordinates(border).T)
    found = set(_cells_at(np.stack([lon, lat], axis=1), resolution))
    for polygon in shapely.get_parts(shapely.transform(
            land, lambda xy: np.stack(there.transform(*xy.T), axis=1))):
        rings = [[(y, x) for x, y in shapely.get_coordinates(ring)]
                 for ring in shapely.get_rings(polygon)]
        found.update(h3.h3shape_to_cells(h3.LatLngPoly(*rings), resolution))
    around = {other for cell in found for other in h3.grid_disk(cell, 1)}
    return sorted(around)


def _edges(cells: list[str], there: pyproj.Transformer) -> Shapes:
    """Return the sides of cells, each once, with corners that cells share to the last bit."""
    h3 = import_module("h3")
    corners = [h3.cell_to_vertexes(cell) for cell in cells]
    names = sorted({name for ring in corners for name in ring})
    at = {name: number for number, name in enumerate(names)}
    pairs = {tuple(sorted((at[one], at[other]))) for ring in corners
             for one, other in zip(ring, [*ring[1:], ring[0]], strict=True)}
    lat, lon = np.array([h3.vertex_to_latlng(name) for name in names]).T
    xy = np.stack(there.transform(lon, lat, direction="INVERSE"), axis=1)
    return np.asarray(shapely.linestrings(xy[np.array(sorted(pairs))]))
