"""Find where polygons fail to tile: gaps, overlaps, slivers, and parts outside the parent."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from ..errors import TilingError, listed
from ..rules import TilingRule
from . import frames, knit, mesh, rings
from .frames import Homes
from .rings import Flags, Ints, Shapes


def find_gaps(
    polygons: GeoDataFrame,
    parent: GeoDataFrame | None = None,
    *,
    rule: TilingRule | None = None,
) -> GeoDataFrame:
    """Find the places that no polygon covers.

    With a parent these are all uncovered places inside it. Without one they are the holes
    enclosed by polygons, except lakes: holes of at least ``rule.lake_m2`` that are
    at least ``rule.lake_width_m`` wide on average.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in a CRS in metres, indexed by code.
    parent : GeoDataFrame, optional
        What they should fill: one polygon, or several.
    rule : TilingRule, optional
        Gaps thinner than ``rule.snap_m`` are no faults.

    Returns
    -------
    GeoDataFrame
        One row per gap, largest first, index ``number``: ``neighbours`` (codes that share
        a border with it, sorted, as text), ``area_m2``, ``open`` (it reaches the border of
        the parent) and geometry. No rows where there are no gaps.

    Raises
    ------
    SchemaError
        If a row has no polygon, or an index repeats.
    CRSError
        If a frame is not in metres, or they differ.

    See Also
    --------
    repair_tiling : Fill them.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> ring = sketch_grids("AAA", "A.B", "ABB")
    >>> find_gaps(ring)[["neighbours", "area_m2", "open"]].values.tolist()
    [['A, B', 1.0, False]]
    >>> open_gap = sketch_grids("AAA", "A..", "BBB")
    >>> len(find_gaps(open_gap)), len(find_gaps(open_gap, sketch_grids("PPP", "PPP", "PPP")))
    (0, 1)
    """
    rule = rule or TilingRule()
    frames.check_polygons(polygons, parent)
    polygons = polygons.sort_index()
    shapes = _valid_shapes(polygons)
    homes = _one_home(frames.find_homes(polygons, parent))
    gaps = gap_shapes(shapes, homes, rule)
    open_ = _near_border(gaps, homes.shapes, rule)
    names = _neighbour_names(gaps, shapes, polygons.index, rule)
    return _faults({"neighbours": names, "open": open_}, gaps, polygons)


def find_overlaps(polygons: GeoDataFrame, *, rule: TilingRule | None = None) -> GeoDataFrame:
    """Find the places that two polygons both cover.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in a CRS in metres, indexed by code.
    rule : TilingRule, optional
        Overlaps thinner than ``rule.snap_m`` are no faults.

    Returns
    -------
    GeoDataFrame
        One row per pair, largest first, index ``number``: ``first`` and ``second`` (codes,
        the one that sorts first before the other), ``area_m2`` and geometry. A place that
        three polygons cover is in three rows.

    Raises
    ------
    SchemaError
        If a row has no polygon, or an index repeats.
    CRSError
        If the frame is not in metres.

    See Also
    --------
    repair_tiling : Decide them.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AAB")
    >>> wider = grids.geometry.where(grids.index != "B", grids.buffer(0.25, join_style="mitre"))
    >>> find_overlaps(grids.set_geometry(wider))[["first", "second", "area_m2"]].values.tolist()
    [['A', 'B', 0.25]]
    """
    rule = rule or TilingRule()
    frames.check_polygons(polygons, None)
    polygons = polygons.sort_index()
    pairs, shapes = overlap_shapes(_valid_shapes(polygons), rule)
    codes = polygons.index.to_numpy()
    return _faults({"first": codes[pairs[:, 0]], "second": codes[pairs[:, 1]]}, shapes, polygons)


def find_outside(
    polygons: GeoDataFrame, parent: GeoDataFrame, *, rule: TilingRule | None = None
) -> GeoDataFrame:
    """Find the parts of polygons that leave their parent.

    Where polygons have a column that bears the name of the parent's index, or one called
    ``parent``, each must stay inside the parent that it names. Otherwise it may lie anywhere
    in all parents together.

    Parameters
    ----------
    polygons, parent : GeoDataFrame
        Polygons in a CRS in metres, indexed by code.
    rule : TilingRule, optional
        Parts thinner than ``rule.snap_m`` are no faults.

    Returns
    -------
    GeoDataFrame
        One row per polygon at fault, largest part first, index ``number``: ``id``,
        ``area_m2``, ``whole`` (nothing of it is inside) and geometry.

    Raises
    ------
    SchemaError
        If a row has no polygon, an index repeats, or a parent is unknown.
    CRSError
        If a frame is not in metres, or they differ.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> find_outside(sketch_grids("AAB"), sketch_grids("PP."))[["id", "whole"]].values.tolist()
    [['B', True]]
    """
    rule = rule or TilingRule()
    frames.check_polygons(polygons, parent)
    polygons = polygons.sort_index()
    shapes = _valid_shapes(polygons)
    owner, outside = outside_shapes(shapes, frames.find_homes(polygons, parent), rule)
    whole = shapely.area(outside) >= shapely.area(shapes[owner]) * (1 - 1e-9)
    return _faults({"id": polygons.index.to_numpy()[owner], "whole": whole}, outside, polygons)


def find_slivers(polygons: GeoDataFrame, *, rule: TilingRule | None = None) -> GeoDataFrame:
    """Find the parts of polygons that are too small to be meant.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in a CRS in metres, indexed by code.
    rule : TilingRule, optional
        A part smaller than ``rule.sliver_m2`` is a sliver.

    Returns
    -------
    GeoDataFrame
        One row per sliver, smallest last, index ``number``: ``id``, ``area_m2``, ``parts``
        (how many parts the polygon has; with 1 the whole polygon is a sliver) and geometry.

    Raises
    ------
    SchemaError
        If a row has no polygon, or an index repeats.
    CRSError
        If the frame is not in metres.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> find_slivers(sketch_grids("AAAB"), rule=TilingRule(sliver_m2=2.0))["id"].tolist()
    ['B']
    """
    rule = rule or TilingRule()
    frames.check_polygons(polygons, None)
    polygons = polygons.sort_index()
    parts, owner = shapely.get_parts(_valid_shapes(polygons), return_index=True)
    small = shapely.area(parts) < rule.sliver_m2
    count = np.bincount(owner, minlength=len(polygons))
    named = {"id": polygons.index.to_numpy()[owner[small]], "parts": count[owner[small]]}
    return _faults(named, parts[small], polygons)


def check_tiling(
    polygons: GeoDataFrame,
    parent: GeoDataFrame | None = None,
    *,
    rule: TilingRule | None = None,
) -> None:
    """Raise unless polygons tile their parent: valid, no gap, no overlap, nothing outside.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in a CRS in metres, indexed by code.
    parent : GeoDataFrame, optional
        What they should fill. Without it only overlaps and enclosed gaps count.
    rule : TilingRule, optional
        Faults thinner than ``rule.snap_m`` are let pass.

    Raises
    ------
    TilingError
        If they do not; the message counts the faults of each kind, ``rows`` has all codes.
    SchemaError, CRSError
        As in `find_gaps`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> check_tiling(sketch_grids("AAB", "ACB"))
    >>> check_tiling(sketch_grids("AAA", "A.B", "ABB"))
    Traceback (most recent call last):
    gridmap.errors.TilingError: grids leave 1 gap, 1.0 m² in all: between A, B (1.0 m²). \
Grids of a tiling may share borders only. See them with find_gaps(grids), or mend them with \
repair_tiling(grids).
    """
    rule = rule or TilingRule()
    frames.check_polygons(polygons, parent)
    told: list[str] = []
    rows: list[str] = []
    looks: list[str] = []
    name = frames.plural(polygons)
    both = name if parent is None else f"{name}, parent"
    for fault in (_tell_invalid(polygons), _tell_overlaps(find_overlaps(polygons, rule=rule)),
                  _tell_gaps(find_gaps(polygons, parent, rule=rule)),
                  _tell_outside(polygons, parent, rule)):
        sentence, codes, look = fault
        if sentence:
            told.append(sentence)
            rows.extend(codes)
            looks.append(look.format(name=name, both=both))
    if told:
        raise TilingError(
            f"{name} {'; they '.join(told)}. {name.capitalize()} of a tiling may share borders "
            f"only. See them with {' and '.join(looks)}, or mend them with "
            f"repair_tiling({both}).",
            rows=list(dict.fromkeys(rows)),
        )


_Fault = tuple[str, list[str], str]


def _tell_invalid(polygons: GeoDataFrame) -> _Fault:
    odd = polygons.index[~polygons.is_valid]
    if not len(odd):
        return "", [], ""
    rings_ = "ring that crosses or touches itself" if len(odd) == 1 else (
        "rings that cross or touch themselves")
    return (f"have {len(odd):,} {rings_}: {listed(odd)}", [str(code) for code in odd],
            "{name}.is_valid_reason()")


def _tell_overlaps(overlaps: GeoDataFrame) -> _Fault:
    if not len(overlaps):
        return "", [], ""
    places = [f"{row.first}/{row.second} ({row.area_m2:,.1f} m²)" for row in overlaps.itertuples()]
    codes = [*overlaps["first"], *overlaps["second"]]
    return (f"overlap in {_places(overlaps)}: {listed(places)}",
            [str(code) for code in codes], "find_overlaps({name})")


def _tell_gaps(gaps: GeoDataFrame) -> _Fault:
    if not len(gaps):
        return "", [], ""
    places = [f"between {listed(row.neighbours.split(', '))} ({row.area_m2:,.1f} m²)"
              for row in gaps.itertuples()]
    count = f"{len(gaps):,} gap{'s' if len(gaps) > 1 else ''}"
    codes = [code for names in gaps["neighbours"] for code in names.split(", ") if code]
    return (f"leave {count}, {gaps['area_m2'].sum():,.1f} m² in all: {listed(places)}",
            codes, "find_gaps({both})")


def _tell_outside(
    polygons: GeoDataFrame, parent: GeoDataFrame | None, rule: TilingRule
) -> _Fault:
    if parent is None:
        return "", [], ""
    outside = find_outside(polygons, parent, rule=rule)
    if not len(outside):
        return "", [], ""
    places = [f"{row.id} ({row.area_m2:,.1f} m²)" for row in outside.itertuples()]
    return (f"leave their parent in {_places(outside)}: {listed(places)}",
            [str(code) for code in outside["id"]], "find_outside({both})")


def _places(faults: DataFrame) -> str:
    many = "s" if len(faults) > 1 else ""
    return f"{len(faults):,} place{many}, {faults['area_m2'].sum():,.1f} m² in all"


def gap_shapes(shapes: Shapes, homes: Homes, rule: TilingRule) -> Shapes:
    """Return the gaps of valid polygons; lakes are left out where there is no parent."""
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
    return gaps if len(homes.shapes) else gaps[~is_lake(gaps, rule)]


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
    groups = pd.Series(parts, dtype=object).groupby(owner)
    if not len(parts):
        return pd.Series([], dtype=object, index=pd.Index([], dtype="int64"))
    return groups.agg(lambda some: some.iloc[0] if len(some) == 1 else shapely.union_all(some))


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


def _valid_shapes(polygons: GeoDataFrame) -> Shapes:
    shapes = frames.shapes_of(polygons)
    broken = ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = knit.make_valid(shapes[broken])
    return shapes


def _one_home(homes: Homes) -> Homes:
    return homes._replace(group=np.zeros_like(homes.group), home=np.zeros_like(homes.home))


def hit(points: Shapes, shapes: Shapes) -> Flags:
    hit = np.zeros(len(points), dtype=bool)
    hit[shapely.STRtree(shapes).query(points, predicate="intersects")[0]] = True
    return hit


def _near_border(gaps: Shapes, parents: Shapes, rule: TilingRule) -> Flags:
    if not len(parents) or not len(gaps):
        return np.zeros(len(gaps), dtype=bool)
    outline = shapely.boundary(shapely.union_all(parents))
    return _shared_length(gaps, np.full(len(gaps), outline), rule) > 0


def _neighbour_names(
    gaps: Shapes, shapes: Shapes, codes: pd.Index, rule: TilingRule
) -> list[str]:
    gap, owner = shapely.STRtree(shapes).query(gaps, predicate="dwithin", distance=rule.snap_m)
    shared = _shared_length(gaps[gap], shapely.boundary(shapes[owner]), rule) > 0
    names = pd.Series(codes.to_numpy()[owner[shared]].astype(str)).groupby(gap[shared]).agg(
        lambda some: ", ".join(sorted(some)))
    return names.reindex(range(len(gaps)), fill_value="").tolist()


def _shared_length(gaps: Shapes, outlines: Shapes, rule: TilingRule) -> np.ndarray:
    """Length of outlines along gaps; 0 where they only meet in a corner."""
    reach = max(rule.snap_m, 1e-6)
    near = shapely.length(shapely.intersection(shapely.buffer(gaps, reach), outlines))
    return np.asarray(np.where(near > 6 * reach, near, 0.0))


def _faults(columns: dict[str, object], shapes: Shapes, like: GeoDataFrame) -> GeoDataFrame:
    """Make a frame of faults: text columns, area and geometry, the largest first."""
    area = shapely.area(shapes)
    order = np.lexsort((mesh.sort_places(shapes).argsort(), -area.round(6)))
    faults = GeoDataFrame(
        {**columns, "area_m2": area},
        geometry=geopandas.GeoSeries(shapes, crs=like.crs, index=range(len(shapes))),
        index=range(len(shapes)),
    )
    texts = {name: faults[name].astype("str") for name in ("neighbours", "first", "second", "id")
             if name in faults}
    faults = faults.assign(**texts).iloc[order].reset_index(drop=True)
    faults.index.name = "number"
    return faults
