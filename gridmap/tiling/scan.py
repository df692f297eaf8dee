"""The places where polygons fail to tile, as plain arrays: what the finders are made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from ..rules import TilingRule
from . import frames, knit, mesh, rings
from .frames import Homes
from .rings import Flags, Ints, Shapes


def gap_shapes(shapes: Shapes, homes: Homes, holes: Shapes, rule: TilingRule) -> Shapes:
    """Return the gaps of valid polygons, without declared holes.

    Lakes are left out where there is no parent.
    """
    faces = loose_faces(shapes, homes)
    if not len(faces):
        return faces
    inner = shapely.point_on_surface(faces)
    empty = ~hit(inner, shapes)
    if len(homes.shapes):
        empty &= hit(inner, homes.shapes)
    # thin ones first: where many lines run together, crumbs may not fit each other
    gaps = faces[empty & (frames.mean_width(faces) >= rule.snap_m)]
    gaps = np.asarray(shapely.get_parts(shapely.union_all(gaps)))
    gaps = gaps[~is_declared(gaps, holes)]
    return gaps if len(homes.shapes) else gaps[~is_lake(gaps, rule)]


def is_declared(gaps: Shapes, holes: Shapes) -> Flags:
    """Say which gaps lie by more than half in declared holes."""
    gap, hole = shapely.STRtree(holes).query(gaps, predicate="intersects")
    common = shapely.area(shapely.intersection(gaps[gap], holes[hole]))
    inside = np.bincount(gap, common, minlength=len(gaps))
    return np.asarray(inside > shapely.area(gaps) / 2)


def is_lake(holes: Shapes, rule: TilingRule) -> Flags:
    """Say which holes are lakes, not gaps: large ones that are not thin."""
    large = shapely.area(holes) >= rule.lake_m2
    return np.asarray(large & (frames.mean_width(holes) >= rule.lake_width_m))


def overlap_shapes(shapes: Shapes, rule: TilingRule) -> tuple[Ints, Shapes]:
    """Return the pairs of valid polygons that overlap, and what they share."""
    bad = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(shapes)))
    # one edge at fault is enough: that of an enclave lies inside a polygon without fault
    rank, other = shapely.STRtree(shapes).query(shapes[bad])
    ends = np.sort(np.stack([bad[rank], other], axis=1), axis=1)
    one, two = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0).reshape(-1, 2).T
    common = shapely.intersection(shapes[one], shapes[two])
    parts, pair = shapely.get_parts(common, return_index=True)
    thick = (shapely.get_dimensions(parts) == 2) & (frames.mean_width(parts) >= rule.snap_m)
    joined = _gather(parts[thick], pair[thick])
    pairs = np.stack([one[joined.index], two[joined.index]], axis=1)
    return pairs, joined.to_numpy(dtype=object)


def outside_shapes(shapes: Shapes, homes: Homes, rule: TilingRule) -> tuple[Ints, Shapes]:
    """Return the valid polygons that leave their parents, and the parts that do."""
    faces = loose_faces(shapes, homes, every_parent=True)
    none = np.empty(0, dtype="int64"), np.empty(0, dtype=object)
    if not len(faces):
        return none
    inner = shapely.point_on_surface(faces)
    face, parent = shapely.STRtree(homes.shapes).query(inner, predicate="intersects")
    width = np.int64(homes.group.max()) + 1
    at_home = np.unique(face * width + homes.group[parent])
    face, owner = shapely.STRtree(shapes).query(faces, predicate="intersects")
    away = ~np.isin(face * width + homes.home[owner], at_home)
    face, owner = face[away], owner[away]
    parts, pair = shapely.get_parts(
        shapely.intersection(faces[face], shapes[owner]), return_index=True)
    solid = shapely.get_dimensions(parts) == 2
    joined = _gather(parts[solid], owner[pair[solid]])
    outside = joined.to_numpy(dtype=object)
    thick = frames.mean_width(outside) >= rule.snap_m
    return joined.index.to_numpy("int64")[thick], outside[thick]


def _gather(parts: Shapes, owner: Ints) -> pd.Series:
    """Join parts that belong to one owner; sorted by owner."""
    order = np.argsort(owner, kind="stable")
    codes, start, count = np.unique(owner[order], return_index=True, return_counts=True)
    joined = parts[order[start]]  # most have one part
    for at in np.flatnonzero(count > 1):
        some = order[start[at] : start[at] + count[at]]
        joined[at] = shapely.union_all(parts[some])
    return pd.Series(joined, dtype=object, index=pd.Index(codes.astype("int64")))


def loose_faces(shapes: Shapes, homes: Homes, *, every_parent: bool = False) -> Shapes:
    """Return the faces between loose segments; every fault is made of whole faces."""
    everyone = np.concatenate([shapes, homes.shapes])
    group = np.r_[homes.home, homes.group]
    weight = np.r_[np.ones(len(shapes)), -np.ones(len(homes.shapes))].astype("int64")
    # a vertex that only one side has is no fault, but it makes thousands of crumbs
    everyone = knit.knit(everyone, group, weight, snap_m=0.0).shapes
    flat = rings.flatten(everyone)
    pieces = rings.segments(flat, rings.place_ids(flat.xy))
    used = rings.loose(pieces, group, weight)
    if every_parent:
        used |= weight[pieces.owner] < 0
    return mesh.build_faces(rings.chains(flat, pieces.start[used]))


def hit(points: Shapes, shapes: Shapes) -> Flags:
    """Say which points lie in any of the shapes."""
    hit = np.zeros(len(points), dtype=bool)
    hit[shapely.STRtree(shapes).query(points, predicate="intersects")[0]] = True
    return hit


def valid_shapes(polygons: GeoDataFrame | None) -> Shapes:
    """Return the geometries of a frame, broken rings mended; none of no frame."""
    if polygons is None:
        return np.empty(0, dtype=object)
    shapes = frames.shapes_of(polygons)
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = knit.make_valid(shapes[broken])
    return shapes
