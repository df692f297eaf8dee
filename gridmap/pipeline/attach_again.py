"""Elements attached again where they, or the grids beneath them, changed: and nowhere else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import attach, ledger
from ..attach import around, locator, places, points
from . import arrow, changed, columns, fill
from .changed import Flags, Floats, Rows
from .columns import Numbers
from .meeting import widen
from .totals import MASSES

#: Above this share of all rows the whole is attached at once.
MOST = 0.3

#: Rows that are looked at first for something that most tables have.
_SOME = 1_000

#: Whole numbers below this are told apart in a float.
_EXACT = 2**53

#: Position of a row of which nothing is known from before.
_UNKNOWN = -2

#: Added to the snapping distance, so that rounding leaves nobody out.
_MARGIN_M = 0.01


class Land(NamedTuple):
    """Grids, against those of the run before."""

    grids: GeoDataFrame
    was: Index  # codes of the grids before
    changed: Flags  # of the grids: changed, or new
    gone: Flags  # of the grids before: changed, or gone
    boxes: Floats  # of both


class Past(NamedTuple):
    """What attaching gave in the run before, and of what."""

    table: pa.Table
    outputs: Any  # columns, by_grid


class Now(NamedTuple):
    """What is attached in this run."""

    table: pa.Table
    land: Land
    rows: Rows  # of the table, against the one before
    snap_m: float

    def stands_still(self, before: pa.Table) -> bool:
        """Say whether all rows stand where they stood."""
        return columns.stand_still(self.rows.was, len(before))


class _Moves(NamedTuple):
    """Where rows were held, in positions of the grids of this run."""

    was: Numbers  # of the rows of this run: -1 for nowhere, -2 where that is not known any more
    way: Numbers
    left: Numbers  # grids that rows were in that are gone, or are not as they were


class _Found(NamedTuple):
    """The grid of each row, found again where it had to be."""

    rows: NDArray[np.intp]  # those that were looked at
    frame: GeoDataFrame  # of them
    reason: NDArray[np.object_]  # of them
    position: Numbers  # of all rows
    way: Numbers  # of all rows


def compare_grids(old: pa.Table, new: pa.Table, grids: GeoDataFrame) -> Land | None:
    """Say which grids changed, for all that is attached to them.

    Parameters
    ----------
    old, new : Table
        Of the grids before, and of those now.
    grids : GeoDataFrame
        Those now.

    Returns
    -------
    Land
        Or None, where they lie in another CRS or are called something else.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> old, new = sketch_grids("AAB"), sketch_grids("ABB")
    >>> land = compare_grids(arrow.to_table(old), arrow.to_table(new), new)
    >>> land.changed.tolist(), land.boxes[0].tolist()
    ([True, True], [0.0, 0.0, 2.0, 1.0])
    """
    named = [table.schema.pandas_metadata["index_columns"] for table in (old, new)]
    if arrow.tell_geometry(old) != arrow.tell_geometry(new) or named[0] != named[1] or (
            not grids.index.is_unique):
        return None
    rows = changed.compare_tables(old, new, ())
    gone = np.zeros(len(old), dtype=bool)
    gone[rows.gone] = True
    boxes = [arrow.boxes_of(table, np.flatnonzero(some))
             for table, some in ((old, gone), (new, ~rows.same))]
    return Land(grids, Index(arrow.codes_of(old).to_pandas(), dtype="str"), ~rows.same, gone,
                np.concatenate(boxes))


def attach_again(name: str, past: Past, now: Now) -> tuple[fill.Attached, str] | None:
    """Attach the rows that a change touches; take over all others.

    Parameters
    ----------
    name : str
        What the ledger calls the rows.
    past : Past
    now : Now

    Returns
    -------
    attached : Attached
        As `fill.attach_frame` makes it, byte for byte.
    told : str
        How many rows were attached.

    Or None, where a part does not tell what the whole would: rows stand in another order,
    columns, kinds or footprints appear or vanish, or too much changed.
    """
    by_grid = past.outputs["by_grid"]
    still = now.stands_still(past.table)
    if by_grid is None or not len(now.table) or not _comparable(past, now, by_grid, still):
        return None
    moves, boxes = _find_moves(past, now, still), now.land.boxes
    asked = ~now.rows.same | (moves.was < 0)
    if len(boxes):
        asked |= arrow.find_meeting(now.table, widen(boxes, now.snap_m + _MARGIN_M))
    ready = _lay_lattice(asked, now)
    if ready is not None and len(boxes):
        asked |= _find_doubtful(now.table, ready, moves)
    rows = np.flatnonzero(asked)
    if len(rows) > MOST * len(asked):
        return None
    found, codes = _hold(rows, now, moves, ready), now.land.grids.index
    attached = fill.Attached(
        columns.write_columns(found.position, found.way, codes),
        _count(found, now, moves, by_grid),
        attach.write_rejects(found.frame, found.position[rows].astype(np.intp), found.reason,
                             codes),
        _tell_held(name, found.position >= 0, now.table))
    return attached, f"{len(rows):,} of {len(now.table):,} rows"


def read_most(table: pa.Table) -> dict[str, Series]:
    """Return the most households and people that a row has, for those that ask for any.

    Examples
    --------
    >>> table = arrow.to_table(DataFrame({"people": [1, 2]}))
    >>> {name: values.tolist() for name, values in read_most(table).items()}
    {'people': [2.0]}
    """
    return {m: Series([pc.max(table[m]).as_py()], dtype="float64")
            for m in MASSES if m in table.column_names}


def read_masses(table: pa.Table) -> dict[str, Series]:
    """Return households and people of each row, as far as a table has them.

    Examples
    --------
    >>> table = arrow.to_table(DataFrame({"people": [1, 2]}))
    >>> {name: values.tolist() for name, values in read_masses(table).items()}
    {'people': [1, 2]}
    """
    return {m: columns.read_series(table, m) for m in MASSES if m in table.column_names}


# --- whether a part tells the whole -----------------------------------------------------------


def _comparable(past: Past, now: Now, by_grid: DataFrame, still: bool) -> bool:
    """Say whether counts of grids that nothing touched are what the whole would count."""
    old, new = past.table, now.table
    kinds = arrow.tell_columns(old), arrow.tell_columns(new)
    if kinds[0] != kinds[1] or arrow.tell_geometry(old) != arrow.tell_geometry(new):
        return False
    # Sums of fractions depend on the order of the rows.
    if not still and (np.diff(now.rows.was[now.rows.same]) < 0).any():
        return False
    known = ["rows", *MASSES, *(f"count_{kind}" for kind in _list_kinds(new))]
    known += ["footprint_m2", "floor_area_m2"] if _has_footprints(new) else []
    silent = [_is_silent(table) for table in (old, new)]
    return list(by_grid.columns) == known and silent[0] == silent[1]


def _list_kinds(table: pa.Table) -> list[str]:
    """Return the kinds that rows are counted by, in order."""
    if "kind" in table.column_names:
        return sorted(pc.unique(table["kind"]).drop_null().to_pylist())
    return [str(arrow.to_frame(table.slice(0, 0)).index.name)]


def _is_silent(table: pa.Table) -> dict[str, bool]:
    """Say of households and people whether no row tells any."""
    return {name: all(some.null_count == len(some) or pc.all(pc.is_nan(some)).as_py()
                      for some in table[name].chunks)
            for name in MASSES if name in table.column_names}


def _has_footprints(table: pa.Table) -> bool:
    shapes = (some.drop_null() for some in table[arrow.SHAPE[4]].chunks
              if some.null_count < len(some))
    some = (one.slice(at, _SOME).to_numpy(zero_copy_only=False)
            for one in shapes for at in range(0, len(one), _SOME))
    return any(attach.has_footprints(shapely.from_wkb(one)) for one in some)


# --- which rows are looked at -----------------------------------------------------------------


def _find_moves(past: Past, now: Now, still: bool) -> _Moves:
    """Bring the grids of the run before to positions in those of this one."""
    table, land = past.outputs.table("columns"), now.land
    number, words = columns.read_words(table["grid"])
    kind = columns.choose_kind(len(land.grids))
    left = land.grids.index.get_indexer(words).astype(kind)
    stale = land.gone[land.was.get_indexer(words)]
    there = np.append(np.where(stale, _UNKNOWN, left), attach.NOWHERE).astype(kind)
    way = columns.read_positions(table["how"], Index(attach.WAYS))
    gone = number[now.rows.gone]
    position = there[columns.carry_over(number, now.rows.was, still=still)]
    if not still:
        position[now.rows.was < 0] = _UNKNOWN
    return _Moves(position, columns.carry_over(way, now.rows.was, still=still),
                  left[gone[gone >= 0]])


def _lay_lattice(asked: Flags, now: Now) -> locator.Locator | None:
    """Return the locator of the whole where footprints are looked at, and None elsewhere.

    The last digits of a share can depend on it; where a point lies does not.
    """
    if len(now.table) < points.FEW_POINTS:
        return None
    other = now.table[arrow.SHAPE[4]]
    if other.null_count == len(other) or not (
            len(now.land.boxes) or (arrow.find_shaped(now.table) & asked).any()):
        return None
    return locator.build_locator(now.land.grids, engine="numpy")


def _find_doubtful(table: pa.Table, ready: locator.Locator, moves: _Moves) -> Flags:
    """Say which footprints are not wholly, and beyond doubt, in the grid that held them."""
    rows = np.flatnonzero(arrow.find_shaped(table))
    holder = around.look_at_boxes(arrow.boxes_of(table, rows), ready).holder
    place = np.append(ready.by_code, attach.NOWHERE)[holder]
    sure = (holder >= 0) & (place == moves.was[rows]) & (moves.way[rows] == places.INSIDE)
    flags = np.zeros(len(table), dtype=bool)
    flags[rows[~sure]] = True
    return flags


# --- attach and count -------------------------------------------------------------------------


def _hold(
    rows: NDArray[np.intp], now: Now, moves: _Moves, ready: locator.Locator | None
) -> _Found:
    """Find the grid of some rows."""
    position, way, grids = moves.was.copy(), moves.way.copy(), now.land.grids
    frame = _read_rows(now.table, rows)
    if not len(rows):
        return _Found(rows, frame, np.empty(0, dtype=object), position, way)
    rivals = np.arange(len(grids))
    if ready is None:
        boxes = widen(frame.bounds.to_numpy(), now.snap_m + _MARGIN_M)
        boxes = boxes[np.isfinite(boxes).all(axis=1)]
        tree = shapely.STRtree(grids.geometry.to_numpy())
        rivals = np.unique(np.append(tree.query(shapely.box(*boxes.T))[1], 0))
    held = attach.hold_elements(frame, grids.iloc[rivals], nearest_m=now.snap_m, ready=ready)
    position[rows] = np.append(rivals, attach.NOWHERE)[held.position]
    way[rows] = held.way
    return _Found(rows, frame, held.reason, position, way)


def _read_rows(table: pa.Table, rows: NDArray[np.intp]) -> GeoDataFrame:
    return GeoDataFrame(arrow.to_frame(arrow.take(table, rows)))


def _count(found: _Found, now: Now, moves: _Moves, by_grid: DataFrame) -> DataFrame:
    """Count the grids that changed, or that hold or held a row that did."""
    touched = np.append(now.land.changed, False)
    touched[moves.left] = True
    was, position = moves.was[found.rows], found.position[found.rows]  # no other row moved
    moved = ~now.rows.same[found.rows] | (position != was)
    touched[position[moved]] = True
    touched[np.maximum(was[moved], attach.NOWHERE)] = True
    touched[attach.NOWHERE] = False  # the last place answers for it
    rows = np.flatnonzero(touched[found.position])
    codes = now.land.grids.index
    fresh = attach.count_elements(
        _read_rows(now.table, rows), found.position[rows].astype(np.intp), codes,
        footprints_too="footprint_m2" in by_grid)
    silent = _is_silent(now.table)
    counts = {}
    for name, kept in by_grid.items():
        new = fresh[name] if name in fresh else Series(0, index=codes)
        if name in silent and not silent[name]:
            new = new.fillna(0)  # unknown among these rows, not everywhere
        mended = np.where(touched[:-1], new, kept.reindex(codes))
        counts[name] = Series(mended, index=codes).astype(kept.dtype)
    return DataFrame(counts, index=codes)


# --- the ledger -------------------------------------------------------------------------------


def _tell_held(name: str, inside: Flags, table: pa.Table) -> DataFrame:
    """Return the lines of the ledger, as `fill.tell_held` does."""
    masses = [m for m in MASSES if m in table.column_names] if name == "elements" else []
    if not all(_adds_up(table[mass]) for mass in masses):
        return fill.tell_held(name, inside, read_masses(table))
    outside = columns.take_rows(table, masses, np.flatnonzero(~inside))
    sums = {mass: [pc.sum(one[mass]).as_py() or 0 for one in (table, outside)]
            for mass in masses}
    # Two rows that stand for all add up to what all do.
    lines = fill.tell_held(name, np.array([True, False]), {
        mass: Series([whole - left, left]) for mass, (whole, left) in sums.items()})
    return ledger.join_ledger(fill.tell_held(name, inside, {}), lines.iloc[1:])


def _adds_up(column: pa.ChunkedArray) -> bool:
    """Say whether sums of a column are exact, in whatever order: all numbers are whole."""
    kind = column.type
    if column.null_count == len(column) or not (
            pa.types.is_integer(kind) or pa.types.is_float64(kind)):
        return False
    most = 0.0
    for some in columns.cut(column):
        values = some.fill_null(0).to_numpy()
        if not (np.floor(values) == values).all():
            return False
        most = max(most, float(np.abs(values).max()))
    return most * len(column) < _EXACT
