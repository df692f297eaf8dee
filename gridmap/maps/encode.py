"""Shapes as compact blocks for the page: tilings, points, and independent shapes.

Coordinates are Web Mercator pixels of zoom ``ZOOM`` on tiles of 256 pixels: at 30 degrees
of latitude a pixel is 0.26 m, and nothing moves by more than half of it diagonally. This
rounding is for display; figures are never measured on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import geopandas
import numpy as np
import pyproj
import shapely
from geopandas import GeoSeries

from . import binary, topology

ZOOM = 19
_HALF_WORLD_M = 20037508.342789244
_WGS84 = pyproj.CRS(4326)


class Encoded(NamedTuple):
    """What the page needs to draw a layer: few values, and blocks by name."""

    meta: dict[str, Any]
    blocks: Mapping[str, str]


def to_pixels(coordinates: np.ndarray, crs: object) -> np.ndarray:
    """Project coordinates to pixels of zoom ``ZOOM``, not rounded, y pointing south.

    Parameters
    ----------
    coordinates : array of shape (n, 2)
        x and y, in the order of geometries (longitude first).
    crs : anything pyproj takes
        What they are in.

    Examples
    --------
    >>> to_pixels(np.array([[0.0, 0.0]]), 4326).tolist() == [[2.0 ** 26, 2.0 ** 26]]
    True
    """
    half = 128.0 * 2.0**ZOOM
    own = pyproj.CRS.from_user_input(crs)
    if own == _WGS84:  # a third of the time that PROJ takes
        sine = np.sin(np.radians(coordinates[:, 1]))
        y = np.arctanh(np.clip(sine, -0.9999, 0.9999)) / np.pi
        x = coordinates[:, 0] / 180
    else:
        x, y = _to_mercator(own).transform(coordinates[:, 0], coordinates[:, 1])
        x, y = x / _HALF_WORLD_M, y / _HALF_WORLD_M
    placed = np.empty((len(coordinates), 2))
    np.multiply(1 + x, half, out=placed[:, 0])
    np.multiply(1 - y, half, out=placed[:, 1])
    return np.clip(placed, 0, 2 * half - 1, out=placed)


@lru_cache
def _to_mercator(crs: pyproj.CRS) -> pyproj.Transformer:
    """Return the way to Web Mercator; PROJ looks for it a tenth of a second long."""
    return pyproj.Transformer.from_crs(crs, 3857, always_xy=True)


def _rings(shapes: GeoSeries) -> topology.Rings:
    """Take polygons apart and round their vertices; a ring keeps at least one vertex."""
    parts, shape_of_part = _parts(shapes.to_numpy())
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    vertices = np.rint(to_pixels(coordinates, shapes.crs)).astype("int64")
    moved = (np.diff(vertices, axis=0, prepend=-1) != 0).any(axis=1)
    keep = moved | (np.diff(ring, prepend=-1) != 0)
    vertices, ring = vertices[keep], ring[keep]
    new = np.diff(ring, prepend=-1) != 0
    first = vertices[np.flatnonzero(new)][ring]
    closing = (np.diff(ring, append=-1) != 0) & ~new & (vertices == first).all(axis=1)
    vertices, ring = vertices[~closing], ring[~closing]
    starts = np.flatnonzero(np.diff(ring, prepend=-1) != 0)
    inner = np.diff(part_of_ring, prepend=-1) == 0
    return topology.Rings(vertices, starts, np.diff(starts, append=len(ring)),
                  shape_of_part[part_of_ring], part_of_ring, inner)


def _parts(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of shapes and whose they are; shapes of one part stay as they are."""
    if (shapely.get_type_id(shapes) < 4).all():
        return shapes, np.arange(len(shapes))
    parts, of = shapely.get_parts(shapes, return_index=True)
    return parts, of


def encode_tiling(shapes: GeoSeries) -> Encoded:
    """Encode polygons that share borders, each border once.

    Vertices where neighbours change cut the rings into arcs; a ring is a list of arcs,
    forwards or backwards. Polygons of several parts and with holes stay what they are.

    Parameters
    ----------
    shapes : GeoSeries
        Polygons in any CRS. Overlaps and gaps are kept as they are.

    Returns
    -------
    Encoded

    Examples
    --------
    >>> from gridmap.sketch import sketch_polygons
    >>> encode_tiling(sketch_polygons("AB", side_m=100)).meta["arcs"]
    3
    """
    rings = _rings(shapes)
    arcs = topology.find_arcs(rings)
    blocks = {
        "sizes": binary.varints(arcs.sizes),
        "rings": binary.varints(np.bincount(rings.shape, minlength=len(shapes))),
        "parts": np.packbits(rings.inner).tobytes(),
        "lengths": binary.varints(arcs.arcs_per_ring),
        "references": binary.steps(arcs.references),
    }
    meta = {"kind": "tiling", "zoom": ZOOM, "count": len(shapes), "arcs": len(arcs.sizes),
            "vertices": len(arcs.vertices), "ringCount": len(rings.starts),
            "referenceCount": len(arcs.references), "box": _box(rings.vertices)}
    packed = {name: binary.pack(block) for name, block in blocks.items()}
    for name, values in zip("xy", rings.vertices[arcs.vertices].T, strict=True):
        ends, missed = topology.miss(values, arcs.sizes)
        packed[f"{name}Ends"] = binary.pack(binary.steps(ends))
        packed[name] = binary.pack_smaller(binary.varints(binary.zigzag(missed)))
    return Encoded(meta, packed)


def _box(vertices: np.ndarray) -> list[int]:
    if not len(vertices):
        return [0, 0, 0, 0]
    return [*vertices.min(axis=0).tolist(), *vertices.max(axis=0).tolist()]


def encode_points(
    places: GeoSeries, classes: np.ndarray, *, radii_m: np.ndarray | None = None
) -> Encoded:
    """Encode points with one class each, in cells of 256 pixels along a Morton curve.

    Parameters
    ----------
    places : GeoSeries
        Points in any CRS, none missing.
    classes : array of int
        A class of 0 to 255 for each.
    radii_m : array of float, optional
        How far each reaches, in metres; kept to a tenth of a metre.

    Returns
    -------
    Encoded
        The order of the points is that of the curve; within a cell by x, then y, then class.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> encode_points(sketch_points((0, 0), (5, 5)).geometry, np.array([0, 1])).meta["count"]
    2
    """
    pixels = to_pixels(shapely.get_coordinates(places.to_numpy()), places.crs)
    x, y = pixels.astype("int64").T  # all are above 0, so that this rounds down
    origin = (int(x.min()) >> 8, int(y.min()) >> 8) if len(x) else (0, 0)
    curve = binary.morton((x >> 8) - origin[0], (y >> 8) - origin[1])
    # One sort of one number that holds everything: 40 bits of curve are a million cells a side.
    keys = curve << np.uint64(24) | ((x & 255) << 16 | (y & 255) << 8 | classes).astype("uint64")
    order = None if radii_m is None else np.argsort(keys, kind="stable")
    keys = np.sort(keys) if order is None else keys[order]
    cell, first = np.unique(keys >> np.uint64(24), return_index=True)
    across, down, kind = ((keys >> np.uint64(bits)).astype("uint8") for bits in (16, 8, 0))
    moved = np.diff(across, prepend=np.uint8(0))  # x ascends inside a cell: small steps
    moved[first] = across[first]
    blocks = {
        "cells": binary.varints(np.diff(cell, prepend=np.uint64(0))),
        "counts": binary.varints(np.diff(first, append=len(x))),
        "x": moved.tobytes(), "y": down.tobytes(), "classes": kind.tobytes(),
    }
    meta = {"kind": "points", "zoom": ZOOM, "count": len(x), "cells": len(cell),
            "origin": list(origin), "box": _box(np.column_stack([x, y]))}
    if radii_m is not None and order is not None:
        blocks["radii"] = binary.varints(np.rint(10 * radii_m[order]))
        meta["mostReach"] = float(radii_m.max(initial=0))
    return Encoded(meta, {name: binary.pack(block, repeats=name == "radii")
                          for name, block in blocks.items()})


def encode_shapes(shapes: GeoSeries, classes: np.ndarray) -> Encoded:
    """Encode independent lines or polygons (holes kept), each with a class.

    Parameters
    ----------
    shapes : GeoSeries
        Lines or polygons in any CRS; parts of one shape become shapes of their own.
    classes : array of int
        A class of 0 to 255 for each.

    Returns
    -------
    Encoded
        Shapes along a Morton curve; rings and lines as steps from vertex to vertex.

    Examples
    --------
    >>> from gridmap.sketch import sketch_polygons
    >>> ring = sketch_polygons("AAA", "A.A", "AAA", side_m=100)
    >>> encode_shapes(ring, np.array([0])).meta["runs"]
    2
    """
    parts, shape_of_part = _parts(shapes.to_numpy())
    series = geopandas.GeoSeries(parts, crs=shapes.crs)
    closed = bool(len(parts)) and bool((shapely.get_dimensions(parts) == 2).all())
    vertices, starts, sizes, part = _outlines(series) if closed else _lines(series)
    order = _along_curve(vertices, starts, part, len(parts))
    runs = np.argsort(order[part], kind="stable")
    vertices = vertices[topology.count_up(starts[runs], sizes[runs])]
    sizes = sizes[runs]
    starts = np.cumsum(sizes) - sizes
    moved = np.diff(vertices, axis=0, prepend=0)
    if len(starts):
        moved[starts] = np.diff(vertices[starts], axis=0, prepend=0)
    # The last side of a house of four corners runs back along the second: write what is left.
    houses = starts[sizes == 4] if closed else starts[:0]
    moved[houses + 3] += moved[houses + 1]
    sorted_parts = np.argsort(order)
    blocks = {
        "runs": binary.varints(np.bincount(part, minlength=len(parts))[sorted_parts]),
        "sizes": binary.varints(sizes),
        "x": binary.varints(binary.zigzag(moved[:, 0])),
        "y": binary.varints(binary.zigzag(moved[:, 1])),
        "classes": np.asarray(classes)[shape_of_part][sorted_parts].astype("uint8").tobytes(),
    }
    meta = {"kind": "shapes", "zoom": ZOOM, "count": len(parts), "runs": len(sizes),
            "vertices": len(vertices), "closed": closed, "box": _box(vertices)}
    return Encoded(meta, {name: binary.pack(block, level=6) for name, block in blocks.items()})


def _outlines(parts: GeoSeries) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices, starts, sizes and parts of rings, without collapsed holes."""
    rings = _rings(parts)
    keep = ~rings.inner | (rings.sizes > 2)
    return rings.vertices, rings.starts[keep], rings.sizes[keep], rings.shape[keep]


def _lines(parts: GeoSeries) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    coordinates, part = shapely.get_coordinates(parts.to_numpy(), return_index=True)
    vertices = np.rint(to_pixels(coordinates, parts.crs)).astype("int64")
    new = np.diff(part, prepend=-1) != 0
    keep = new | (np.diff(vertices, axis=0, prepend=-1) != 0).any(axis=1)
    vertices, part = vertices[keep], part[keep]
    starts = np.flatnonzero(np.diff(part, prepend=-1) != 0)
    return vertices, starts, np.diff(starts, append=len(part)), part[starts]


def _along_curve(
    vertices: np.ndarray, starts: np.ndarray, part: np.ndarray, count: int
) -> np.ndarray:
    """Return the rank of each part along a Morton curve through its first vertex."""
    if not count:
        return np.zeros(0, dtype="int64")
    first = vertices[starts[np.diff(part, prepend=-1) != 0]] >> 8
    curve = binary.morton(*(first - first.min(axis=0)).T)
    order = np.argsort(curve, kind="stable")
    rank = np.empty(count, dtype="int64")
    rank[order] = np.arange(count)
    return rank
