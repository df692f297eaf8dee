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

from .. import attach
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

#: Position of a row of which nothing is known from before.
_UNKNOWN = -2

#: Added to the snapping distance, so that rounding leaves nobody out.
_MARGIN_M = 0.01


class Past(NamedTuple):
    """What attaching gave in the run before, and of what."""

    table: pa.Table
    grids: GeoDataFrame
    outputs: Any  # columns, by_grid


class Now(NamedTuple):
    """What is attached in this run."""

    table: pa.Table
    grids: GeoDataFrame
    rows: Rows  # of the table, against the one before
    snap_m: float


class _Moves(NamedTuple):
    """Where rows were held, in positions of the grids of this run."""

    was: Numbers  # of the rows of this run: -1 for nowhere, -2 where that is not known any more
    way: Numbers
    changed: Flags  # of the grids: changed, or new
    boxes: Floats  # of grids that changed, are new or are gone
    left: Numbers  # grids that rows were in that are gone, or are not as they were


class _Found(NamedTuple):
    """The grid of each row, found again where it had to be."""

    rows: NDArray[np.intp]  # those that were looked at
    frame: GeoDataFrame  # of them
    reason: NDArray[np.object_]  # of them
    position: Numbers  # of all rows
    way: Numbers  # of all rows


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
    if by_grid is None or not len(now.table) or not _comparable(past, now, by_grid):
        return None
    moves = _find_moves(past, now)
    asked = ~now.rows.same | (moves.was < 0)
    if len(moves.boxes):
        asked |= arrow.find_meeting(now.table, widen(moves.boxes, now.snap_m + _MARGIN_M))
    ready = _lay_lattice(asked, now, moves)
    if ready is not None and len(moves.boxes):
        asked |= _find_doubtful(now.table, ready, moves)
    if asked.mean() > MOST:
        return None
    found = _hold(np.flatnonzero(asked), now, moves, ready)
    attached = fill.Attached(
        columns.write_columns(found.position, found.way, now.grids.index),
        _count(found, now, moves, by_grid),
        attach.write_rejects(found.frame, found.position[found.rows], found.reason,
                             now.grids.index),
        fill.tell_held(name, found.position >= 0,
                       read_masses(now.table) if name == "elements" else {}))
    return attached, f"{len(found.rows):,} of {len(now.table):,} rows"


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


def _comparable(past: Past, now: Now, by_grid: DataFrame) -> bool:
    """Say whether counts of grids that nothing touched are what the whole would count."""
    old, new = past.table, now.table
    kinds = arrow.tell_columns(old), arrow.tell_columns(new)
    if kinds[0] != kinds[1] or arrow.tell_geometry(old) != arrow.tell_geometry(new):
        return False
    # Sums of fractions depend on the order of the rows.
    order = now.rows.was[now.rows.same]
    if (np.diff(order) < 0).any() or past.grids.crs != now.grids.crs:
        return False
    if past.grids.index.name != now.grids.index.name or not now.grids.index.is_unique:
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
    some = read_masses(table.slice(0, _SOME))
    silent = {name: bool(values.isna().all()) for name, values in some.items()}
    if any(silent.values()):  # what the first rows do not tell, others may
        return {name: bool(values.isna().all()) for name, values in read_masses(table).items()}
    return silent


def _has_footprints(table: pa.Table) -> bool:
    other = table[arrow.SHAPE[4]].drop_null()
    return any(attach.has_footprints(shapely.from_wkb(other.slice(at, _SOME).to_numpy()))
               for at in range(0, len(other), _SOME))


# --- which rows are looked at -----------------------------------------------------------------


def _find_moves(past: Past, now: Now) -> _Moves:
    """Bring the grids of the run before to positions in those of this one."""
    before, after = changed.find_changed(past.grids, now.grids)
    boxes = shapely.bounds(np.concatenate([past.grids.geometry.to_numpy()[before],
                                           now.grids.geometry.to_numpy()[after]]))
    left = now.grids.index.get_indexer(past.grids.index).astype(np.int32)
    there = np.append(np.where(before, _UNKNOWN, left), attach.NOWHERE).astype(np.int32)
    table, was = past.outputs.table("columns"), now.rows.was
    at = columns.read_positions(table["grid"], past.grids.index)
    way = columns.read_positions(table["how"], Index(attach.WAYS))
    gone = at[now.rows.gone]
    if not np.array_equal(was, np.arange(len(at))):
        at, way = at[was], way[was]
    position = there[at]
    position[was < 0] = _UNKNOWN
    return _Moves(position, way, after, boxes, left[gone[gone >= 0]])


def _lay_lattice(asked: Flags, now: Now, moves: _Moves) -> locator.Locator | None:
    """Return the locator of the whole where footprints are looked at, and None elsewhere.

    The last digits of a share can depend on it; where a point lies does not.
    """
    if len(now.table) < points.FEW_POINTS:
        return None
    drawn = arrow.find_shaped(now.table)
    if not drawn.any() or not (len(moves.boxes) or (drawn & asked).any()):
        return None
    return locator.build_locator(now.grids, engine="numpy")


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
    position, way = moves.was.copy(), moves.way.copy()
    frame = arrow.to_frame(now.table.take(pa.array(rows)))
    if not len(rows):
        return _Found(rows, frame, np.empty(0, dtype=object), position, way)
    rivals = np.arange(len(now.grids))
    if ready is None:
        boxes = widen(frame.bounds.to_numpy(), now.snap_m + _MARGIN_M)
        boxes = boxes[np.isfinite(boxes).all(axis=1)]
        tree = shapely.STRtree(now.grids.geometry.to_numpy())
        rivals = np.unique(np.append(tree.query(shapely.box(*boxes.T))[1], 0))
    held = attach.hold_elements(frame, now.grids.iloc[rivals], nearest_m=now.snap_m, ready=ready)
    position[rows] = np.append(rivals, attach.NOWHERE)[held.position]
    way[rows] = held.way
    return _Found(rows, frame, held.reason, position, way)


def _count(found: _Found, now: Now, moves: _Moves, by_grid: DataFrame) -> DataFrame:
    """Count the grids that changed, or that hold or held a row that did."""
    touched = np.append(moves.changed, False)
    touched[moves.left] = True
    touched[found.position[~now.rows.same]] = True
    moved = found.position != moves.was
    touched[found.position[moved]] = True
    touched[np.maximum(moves.was[moved], attach.NOWHERE)] = True
    touched[attach.NOWHERE] = False  # the last place answers for it
    rows = np.flatnonzero(touched[found.position])
    codes = now.grids.index
    fresh = attach.count_elements(
        arrow.to_frame(now.table.take(pa.array(rows))), found.position[rows], codes,
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
