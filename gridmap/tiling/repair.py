"""Mend a tiling where it is broken, and nowhere else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Index

from .. import ledger
from ..executors.base import Executor
from ..rules import TilingRule
from . import frames, knit, mesh, owners, rings, scan, scope, towns
from .frames import Homes
from .owners import Decided, Faces
from .rings import Flags, Floats, Ints, Shapes
from .scope import Known, Scope

#: Lines are noded in floating point; what that leaves is settled in the next round.
ROUNDS = 4

#: Faces below this are rounding: their polygons are told as "border matched".
CRUMB_M2 = 1e-6

class Repaired(NamedTuple):
    """A tiling that was mended, and what to know to mend it again after a change."""

    polygons: GeoDataFrame
    changes: DataFrame  # schema CHANGES
    took: Index  # the polygons that took part, though they may be as they were
    alone: bool  # parents had loose borders where no polygon was


def repair_tiling(
    polygons: GeoDataFrame,
    parent: GeoDataFrame | None = None,
    *,
    holes: GeoDataFrame | None = None,
    rule: TilingRule | None = None,
    apart: bool = False,
    executor: Executor | None = None,
) -> tuple[GeoDataFrame, DataFrame]:
    """Mend gaps, overlaps and strays of a tiling; every change is listed.

    Only polygons that touch a fault are rewritten; all others keep every bit.

    - Rings that cross or touch themselves are made valid.
    - Borders closer than ``rule.snap_m`` become one border.
    - What leaves the parent is cut off. Where polygons name their parent (a column that
      bears the name of the parent's index, or ``parent``), each is cut at its own.
    - An overlap goes by ``rule.overlaps``: to the longest border, the most compact outcome,
      the code that sorts first, or the senior scheme (then polygons need a column
      ``scheme``). A polygon that others cover by more than half keeps its land first, so
      that enclaves survive; by code or seniority only one that would vanish does.
    - A gap goes to the neighbour that shares most border with it; a long gap that nobody
      runs along is cut where its neighbours change. With a parent, gaps open to the outside
      are filled up to it. Without one, lakes (see `find_gaps`) stay open; declared holes
      always do.
    - A part that comes loose, or is a sliver, goes to the neighbour that shares most border
      with it, so that no polygon gets more parts than it had.

    Equal borders are decided by the code that sorts first. Repairing twice changes nothing.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in a CRS in metres, indexed by code.
    parent : GeoDataFrame, optional
        What they should fill: one polygon, or several.
    holes : GeoDataFrame, optional
        Polygons indexed by name that may stay open: lakes, or land of others.
    rule : TilingRule, optional
    apart : bool, default False
        Mend the polygons of each parent by themselves: for layers of many towns whose own
        borders are mended already. Polygons must name their parent.
    executor : Executor, optional
        Mends parents side by side where they are mended apart; the outcome is the same.

    Returns
    -------
    repaired : GeoDataFrame
        ``polygons`` in the same order; a polygon of which nothing is left (a duplicate, or
        one outside its parent) is left out, with a row in ``changes``.
    changes : DataFrame, schema CHANGES
        Step ``mend``. ``what`` is one of "made valid", "border matched", "cut at the parent",
        "overlap decided" (``id`` is the one that lost it), "gap filled", "gap left" (no
        neighbour), "part given" and "part joined" (the two sides of one part), "sliver
        given" and "sliver joined", "swallowed"; ``before`` and ``after`` are the areas of
        the polygon.

    Raises
    ------
    SchemaError
        If a row has no polygon, an index repeats, a parent is unknown, or a column ``scheme``
        is needed and absent.
    CRSError
        If a frame is not in metres, or they differ.

    See Also
    --------
    check_tiling : Prove the outcome.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> broken = sketch_grids("AAA", "A.B", "ABB")
    >>> repaired, changes = repair_tiling(broken)
    >>> repaired.area.to_dict()
    {'A': 6.0, 'B': 3.0}
    >>> changes[["what", "id", "area_m2"]].values.tolist()
    [['gap filled', 'A', 1.0]]
    """
    rule = rule or TilingRule()
    frames.check_polygons(polygons, parent, holes)
    if apart:
        return towns.repair_apart(polygons, parent, holes, rule, repair_tiling, executor)
    done = repair_layer(frames.in_order(polygons, rule), parent, scan.valid_shapes(holes), rule)
    return frames.put_shapes(polygons, done.polygons), done.changes


def repair_layer(
    layer: GeoDataFrame, parent: GeoDataFrame | None, holes: Shapes, rule: TilingRule,
    chosen: Scope | None = None,
) -> Repaired:
    """Mend a layer in its order; of a scope, only what it chooses, or raise what felt it."""
    homes, before = frames.find_homes(layer, parent), frames.shapes_of(layer)
    notes = _Notes(len(layer), chosen, cut=len(homes.shapes) > 0)
    shapes = _mend(before, homes, holes, rule, notes)
    changes = notes.write(before, shapes, layer.index)
    kept = np.array([shape is not None for shape in shapes], dtype=bool)
    mended = layer.loc[kept].set_geometry(shapes[kept], crs=layer.crs)
    spots = np.concatenate([np.empty((0, 2)), *notes.spots])
    alone = scope.reach_beyond(before, notes.took, spots, rule.snap_m)
    return Repaired(mended, changes, layer.index[notes.took], alone)


def _mend(
    before: Shapes, homes: Homes, holes: Shapes, rule: TilingRule, notes: _Notes
) -> Shapes:
    shapes, broken = before.copy(), np.zeros(len(before), dtype=bool)
    asked = notes.asked()
    broken[asked] = ~shapely.is_valid(before[asked])
    parts = shapely.get_num_geometries(before)
    shapes[broken] = knit.make_valid(before[broken])
    notes.took |= broken
    notes.add("made valid", np.flatnonzero(broken),
              np.abs(shapely.area(shapes) - shapely.area(before))[broken])
    if not len(homes.shapes):
        homes = _own_outline(shapes, homes, holes, rule)
    for _ in range(ROUNDS):
        shapes, settled = _settle(shapes, homes, holes, parts, rule, notes)
        if settled:
            break
    return _keep_bytes(before, shapes)


def _own_outline(shapes: Shapes, homes: Homes, holes: Shapes, rule: TilingRule) -> Homes:
    """Make a parent out of the polygons themselves: all they cover, and their gaps."""
    faces = scan.loose_faces(shapes, homes)
    covered = scan.hit(shapely.point_on_surface(faces), shapes)
    inner = np.asarray(shapely.get_parts(mesh.unite(faces[~covered])))
    gaps = inner[~scan.is_lake(inner, rule) & ~scan.is_declared(inner, holes)]
    outline = mesh.unite(np.concatenate([faces[covered], gaps]))
    return homes._replace(shapes=np.array([outline]), group=np.zeros(1, dtype="int64"))


def _settle(
    shapes: Shapes, homes: Homes, holes: Shapes, parts: Ints, rule: TilingRule, notes: _Notes
) -> tuple[Shapes, bool]:
    """Knit borders, then decide all faces round the faults; say whether there were none."""
    everyone = np.concatenate([shapes, homes.shapes])
    group = np.r_[homes.home, homes.group]
    weight = np.r_[np.ones(len(shapes)), -np.ones(len(homes.shapes))].astype("int64")
    alive = np.array([shape is not None for shape in everyone]) & ~shapely.is_empty(everyone)
    everyone[~alive] = shapely.Polygon()
    looked, known = _look_at(everyone, notes.scope)
    group, weight = group[looked], weight[looked]
    knitted = knit.knit(everyone[looked], group, weight, snap_m=rule.snap_m, known=known)
    everyone[looked] = knitted.shapes
    flat = rings.flatten(knitted.shapes)
    pieces = rings.segments(flat, rings.place_ids(flat.xy))
    open_ = scope.find_loose(flat, pieces, group, weight, known)
    shapes, parents = everyone[: len(shapes)], everyone[len(shapes):]
    chosen = _near_faults(shapes, rings.chains(flat, pieces.start[open_]), rule, notes.scope)
    took = np.concatenate([chosen, np.zeros(len(parents), dtype=bool)])
    took[looked[knitted.took]] = True
    notes.take_part(took[: len(shapes)], shapes, knitted.spots,
                    scope.find_ends(flat, pieces, open_))
    if not open_.any() and not chosen.any():
        return shapes, True
    used = open_.copy()
    owner = looked[pieces.owner]
    real = owner < len(shapes)
    used[real] = chosen[owner[real]]
    linework = rings.chains(flat, pieces.start[used])
    faces, away = _cover(mesh.build_faces(linework), shapes, chosen, homes, parents)
    declared = (faces.covers == 0) & scan.is_declared(faces.shapes, holes)
    faces = faces._replace(home=np.where(declared, -1, faces.home))
    decided = owners.decide(faces, homes.home, shapely.area(shapes), parts, rule)
    notes.tell(decided, away, rule)
    settled = _take_over(shapes, chosen, decided)
    return settled, bool(_same(shapes[chosen], settled[chosen]).all())


def _look_at(everyone: Shapes, chosen: Scope | None) -> tuple[Ints, Known | None]:
    """Return the positions of the polygons and parents whose segments are compared."""
    if chosen is None:
        return np.arange(len(everyone)), None
    return chosen.pick(), chosen.known


def _near_faults(
    shapes: Shapes, loose_lines: Shapes, rule: TilingRule, within: Scope | None
) -> Flags:
    """Choose the polygons that touch a loose segment, an overlap or a sliver."""
    tree = shapely.STRtree(shapes)
    chosen = np.zeros(len(shapes), dtype=bool)
    asked = slice(None) if within is None else within.looked
    chosen[asked] = ~shapely.is_empty(shapely.coverage_invalid_edges(shapes[asked]))
    if within is not None:
        chosen &= within.beside | within.far  # not all neighbours of the others were looked at
    chosen[tree.query(loose_lines, predicate="intersects")[1]] = True
    parts, owner = shapely.get_parts(shapes, return_index=True)
    many = np.bincount(owner, minlength=len(shapes)) > 1
    small = many[owner] & (shapely.area(parts) < rule.sliver_m2)
    sliver, beside = tree.query(parts[small], predicate="touches")
    chosen[owner[small][sliver]] = True
    chosen[beside] = True
    return np.asarray(chosen)


def _cover(
    faces: Shapes, shapes: Shapes, chosen: Flags, homes: Homes, parents: Shapes
) -> tuple[Faces, DataFrame]:
    """Find out what covers each face; land that polygons have away from home is apart."""
    inner = shapely.point_on_surface(faces)
    face, parent = shapely.STRtree(parents).query(inner, predicate="intersects")
    home = mesh.lowest(len(faces), face, homes.group[parent])
    there = np.flatnonzero(chosen)
    face, rank = shapely.STRtree(shapes[there]).query(inner, predicate="intersects")
    polygon = there[rank]
    order = np.lexsort((polygon, face))
    face, polygon = face[order], polygon[order]
    mine = homes.home[polygon] == home[face]
    away = DataFrame({"polygon": polygon[~mine], "area": shapely.area(faces[face[~mine]])})
    # land of polygons that are not chosen is not ours to decide
    taken = scan.hit(inner, shapes[~chosen])
    home[taken] = -1
    count = np.bincount(face[mine], minlength=len(faces))
    return Faces(faces, home, face[mine], polygon[mine], count), away


def _take_over(shapes: Shapes, chosen: Flags, decided: Decided) -> Shapes:
    joined = mesh.dissolve(decided.faces.shapes, decided.labels)
    settled = shapes.copy()
    settled[chosen] = shapely.Polygon()
    settled[joined.index] = joined.to_numpy(dtype=object)
    return settled


def _keep_bytes(before: Shapes, shapes: Shapes) -> Shapes:
    """Return the geometry that came in wherever no vertex changed; nothing left is None.

    One part is a MultiPolygon where it was one before, so that layers of one type stay so.
    """
    touched = np.array([a is not b for a, b in zip(before, shapes, strict=True)], dtype=bool)
    kept = shapes.copy()
    kept[touched] = _keep_touched(before[touched], shapes[touched])
    return kept


def _keep_touched(before: Shapes, shapes: Shapes) -> Shapes:
    after = shapely.normalize(shapes)
    parts, owner = shapely.get_parts(after, return_index=True)
    single = np.bincount(owner, minlength=len(after))[owner] == 1
    after[owner[single]] = parts[single]
    multi = single & (shapely.get_type_id(before) == 6)[owner]
    after[owner[multi]] = shapely.multipolygons(parts[multi], indices=np.arange(multi.sum()))
    after = np.where(_same(before, after), before, after)
    after[shapely.is_empty(shapes)] = None
    return after


def _same(one: Shapes, two: Shapes) -> Flags:
    """Say which shapes have the same vertices, wherever their rings start."""
    return np.asarray(
        shapely.equals_exact(shapely.normalize(one), shapely.normalize(two), tolerance=0.0))


class _Notes:
    """Collects what was done to which polygon, over all rounds."""

    def __init__(self, size: int, within: Scope | None, *, cut: bool) -> None:
        self.scope = within
        self.took = np.zeros(size, dtype=bool)
        self.spots: list[Floats] = []
        self.cut = cut  # whether a parent was given; its own outline cuts a layer by hairs only
        self.parts: list[DataFrame] = []
        self.left = _rows("gap left", np.empty(0, dtype="int64"), [])

    def asked(self) -> Flags:
        """Say which polygons may be at fault."""
        return np.ones_like(self.took) if self.scope is None else self.scope.inner

    def take_part(self, took: Flags, shapes: Shapes, before: Floats, after: Floats) -> None:
        """Note who took part in a round, and what was loose before and after knitting."""
        if self.scope is not None:
            self.scope.check(took, before, shapes)
        self.took |= took
        self.spots += [before, after]

    def add(self, what: str, polygon: Ints, area: object, other: object = -1) -> None:
        if len(polygon):
            self.parts.append(DataFrame(
                {"what": what, "polygon": polygon, "area": area, "other": other}))

    def tell(self, decided: Decided, away: DataFrame, rule: TilingRule) -> None:
        faces, labels, given_by = decided
        area = shapely.area(faces.shapes)
        real = area > CRUMB_M2
        away = away[(away["area"] > CRUMB_M2) & self.cut]
        self.add("cut at the parent", away["polygon"].to_numpy(), away["area"].to_numpy())
        lost = (labels[faces.face] != faces.polygon) & ((faces.covers > 1) & real)[faces.face]
        face = faces.face[lost]
        self.add("overlap decided", faces.polygon[lost], area[face], labels[face])
        gap = (faces.covers == 0) & (faces.home >= 0) & real
        filled, left = gap & (labels >= 0), gap & (labels < 0)
        self.add("gap filled", labels[filled], area[filled])
        self.left = _rows("gap left", np.full(left.sum(), -1), area[left])  # of the last round
        given = (given_by >= 0) & (given_by != labels) & (faces.covers > 0) & real
        for small, word in ((True, "sliver"), (False, "part")):
            some = given & ((area < rule.sliver_m2) == small)
            self.add(f"{word} given", given_by[some], area[some], labels[some])
            self.add(f"{word} joined", labels[some], area[some], given_by[some])

    def write(self, before: Shapes, after: Shapes, codes: pd.Index) -> DataFrame:
        """Return CHANGES: one row per kind, polygon and partner, in a stated order."""
        old, new = shapely.area(before), np.nan_to_num(shapely.area(after))
        changed = np.array([a is not b for a, b in zip(before, after, strict=True)], dtype=bool)
        told = pd.concat([*self.parts, self.left])
        told = told[changed[told["polygon"]] | (told["what"] == "gap left")]
        quiet = np.setdiff1d(np.flatnonzero(changed), told["polygon"])
        gone = np.flatnonzero([shape is None for shape in after])
        told = pd.concat([told, _rows("border matched", quiet, np.abs(new - old)[quiet]),
                          _rows("swallowed", gone, old[gone])])
        rows = told.groupby(["what", "polygon", "other"], sort=True)["area"].agg(["sum", "size"])
        names = np.r_[codes.to_numpy(dtype=object), None]
        return ledger.join_changes(*(
            _changes(str(what), some.reset_index(), old, new, names)
            for what, some in rows.groupby(level="what", sort=True)))


def _changes(
    what: str, rows: DataFrame, old: Floats, new: Floats, names: np.ndarray
) -> DataFrame:
    at, other = rows["polygon"].to_numpy("int64"), rows["other"].to_numpy("int64")
    return ledger.note_changes(
        names[at], step="mend", what=what,
        before=[f"{old[i]:.2f} m²" if i >= 0 else None for i in at],
        after=[f"{new[i]:.2f} m²" if i >= 0 else None for i in at],
        area_m2=rows["sum"].tolist(),
        note=[_note(what, names[i], count) for i, count in
              zip(other, rows["size"], strict=True)],
    )


def _rows(what: str, polygon: Ints, area: object) -> DataFrame:
    return DataFrame({"what": what, "polygon": polygon, "area": area, "other": -1})


_LINKS = {"overlap decided": "to", "part given": "to", "sliver given": "to",
          "part joined": "from", "sliver joined": "from"}


def _note(what: str, partner: object, count: int) -> str | None:
    words = [f"{_LINKS[what]} {partner}"] if what in _LINKS and partner is not None else []
    if what == "gap left":
        words.append("no polygon of the same parent borders on it")
    if what == "swallowed":
        words.append("nothing is left of it: a duplicate, or outside its parent")
    if count > 1:
        words.append(f"in {count:,} places")
    return ", ".join(words) or None
