"""What differs between a frame and the one before: rows, and the places they lie at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from . import arrow, pieces

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

#: Rows in a row that are compared where they lie, without being taken out.
_STRETCH = 1_000


def find_changed(
    old: GeoDataFrame | None, new: GeoDataFrame | None, columns: Sequence[str] = ()
) -> tuple[Flags, Flags]:
    """Say which rows of two frames are not, to the last bit, in the other.

    Parameters
    ----------
    old, new : GeoDataFrame or None
        With unique indexes.
    columns : sequence of str
        What counts beside the code and the geometry; absent columns count as missing.

    Returns
    -------
    old, new : arrays of bool
        True for rows that are gone, new, or have other values.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> [flags.tolist() for flags in find_changed(sketch_grids("AAB"), sketch_grids("ACB"))]
    [[True, False], [True, False, True]]
    """
    if old is None or new is None:
        return np.ones(0 if old is None else len(old), bool), np.ones(
            0 if new is None else len(new), bool)
    at = old.index.get_indexer(new.index)
    there = np.flatnonzero(at >= 0)
    same = _same_shapes(old.geometry.to_numpy()[at[there]], new.geometry.to_numpy()[there])
    for name in columns:
        same &= _same_values(old, new, name, at[there], there)
    if old.crs != new.crs:
        same &= False
    now, before = np.ones(len(new), bool), np.ones(len(old), bool)
    now[there[same]] = False
    before[at[there[same]]] = False
    return before, now


def _same_shapes(one: Shapes, two: Shapes) -> Flags:
    return np.asarray(shapely.to_wkb(one) == shapely.to_wkb(two), dtype=bool)


def _same_values(
    old: GeoDataFrame, new: GeoDataFrame, name: str, at: NDArray[np.intp],
    there: NDArray[np.intp],
) -> Flags:
    if name not in old and name not in new:
        return np.ones(len(there), bool)
    if name not in old or name not in new:
        return np.zeros(len(there), bool)
    one, two = old[name].iloc[at].array, new[name].iloc[there].array
    absent = np.asarray(pd.isna(one)), np.asarray(pd.isna(two))
    equal = np.asarray(pd.Series(one).eq(pd.Series(two)).fillna(False), dtype=bool)
    return (equal & ~absent[0] & ~absent[1]) | (absent[0] & absent[1])


def find_near(shapes: Shapes, others: Shapes, *, reach_m: float) -> Flags:
    """Say which shapes are within reach of any of others.

    Examples
    --------
    >>> one = np.array([shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1)])
    >>> find_near(one, np.array([shapely.Point(1.5, 0)]), reach_m=1.0).tolist()
    [True, False]
    """
    near = np.zeros(len(shapes), bool)
    if len(others):
        hit = shapely.STRtree(shapes).query(others, predicate="dwithin", distance=reach_m)[1]
        near[hit] = True
    return near


def find_touching(shapes: Shapes, chosen: Flags, *, reach_m: float = 0.1) -> Flags:
    """Say which shapes are chosen, or touch one that is.

    Examples
    --------
    >>> one = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 0, 6, 1)])
    >>> find_touching(one, np.array([True, False, False])).tolist()
    [True, True, False]
    """
    more = chosen.copy()
    if chosen.any():
        more[shapely.STRtree(shapes).query(
            shapes[chosen], predicate="dwithin", distance=reach_m)[1]] = True
    return more


class Rows(NamedTuple):
    """What became of the rows of a table."""

    was: NDArray[np.intp]  # where each row stood before; -1 for one that is new
    same: Flags  # of the rows: nothing about them changed
    gone: NDArray[np.intp]  # where rows stood that are gone, or are not as they were


def compare_tables(
    old: pa.Table, new: pa.Table, columns: Sequence[str] | None = None
) -> Rows:
    """Say which rows of two tables are the same to the last bit, without making frames.

    Parameters
    ----------
    old, new : Table
        As `to_table` makes them, of frames with unique indexes.
    columns : sequence of str, optional
        What counts beside the code and the geometry; all columns by default.

    Returns
    -------
    Rows

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> old = sketch_points((0, 0), (1, 1), (2, 2))
    >>> rows = compare_tables(arrow.to_table(old), arrow.to_table(old.iloc[[0, 2]]))
    >>> rows.was.tolist(), rows.same.tolist(), rows.gone.tolist()
    ([0, 2], [True, True], [1])
    """
    shared = pieces.find_shared(old, new) if arrow.has_codes(new) else []
    (old_rest, before), (new_rest, now) = (
        _leave_out(table, spans) for table, spans in (
            (old, [(one.before, one.rows) for one in shared]),
            (new, [(one.start, one.rows) for one in shared])))
    found = _find_before(arrow.codes_of(old_rest), arrow.codes_of(new_rest))
    was, same = np.empty(len(new), np.intp), np.ones(len(new), bool)
    for one in shared:
        was[one.start : one.start + one.rows] = np.arange(one.before, one.before + one.rows)
    was[now] = np.where(found < 0, -1, np.append(before, -1)[found])
    same[now] = compare_values(old_rest, new_rest, found, columns)
    gone = np.ones(len(old), bool)
    gone[was[same]] = False
    return Rows(was, same, np.flatnonzero(gone))


def _leave_out(
    table: pa.Table, spans: Sequence[tuple[int, int]]
) -> tuple[pa.Table, NDArray[np.intp]]:
    """Return the rows of a table that no span holds, and where they stand."""
    left = pieces.leave_out(table, spans)
    places = [np.arange(start, start + rows) for start, rows in left]
    return pieces.join_slices(table, left), np.concatenate([np.empty(0, np.intp), *places])


def compare_values(
    old: pa.Table, new: pa.Table, was: NDArray[np.intp], columns: Sequence[str] | None = None
) -> Flags:
    """Say which rows of a table hold, to the last bit, what they held where they stood.

    Parameters
    ----------
    old, new : Table
        As `to_table` makes them.
    was : array of int
        Where each row stood; -1 for one that is new.
    columns : sequence of str, optional
        As in `compare_tables`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> some = arrow.to_table(sketch_points((0, 0), (1, 1)))
    >>> compare_values(some, some, np.array([0, 0])).tolist()
    [True, False]
    """
    same = was >= 0
    for one, two in _pair_columns(old, new, columns):
        if one is None or two is None:
            return np.zeros(len(new), bool)
        for before, now in _pieces(was):
            same[now] &= _equal(_take(one, before), _take(two, now))
    return same


def stay_same(table: pa.Table) -> Rows:
    """Return what became of the rows of a table that is the one before.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> stay_same(arrow.to_table(sketch_points((0, 0)))).same.tolist()
    [True]
    """
    return Rows(np.arange(len(table)), np.ones(len(table), bool), np.empty(0, np.intp))


def find_shapes(
    old: pa.Table | None, new: pa.Table | None, columns: Sequence[str] = ()
) -> Shapes:
    """Return the places of all rows that changed, where they were and where they are.

    Parameters
    ----------
    old, new : Table or None
        As in `compare_tables`; the very same table where nothing changed.
    columns : sequence of str
        What counts beside the code and the geometry.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> some = arrow.to_table(sketch_points((0, 0), (1, 1)))
    >>> [shape.wkt for shape in find_shapes(some.slice(0, 1), some)]
    ['POINT (1 1)']
    """
    if old is new:
        return np.empty(0, dtype=object)
    if old is None or new is None:
        return _drop_empty(arrow.join_shapes(new if old is None else old))
    return take_shapes(compare_tables(old, new, columns), old, new)


def take_shapes(rows: Rows, old: pa.Table, new: pa.Table) -> Shapes:
    """Return the places of the rows that changed between two tables; see `find_shapes`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> some = arrow.to_table(sketch_points((0, 0), (1, 1)))
    >>> len(take_shapes(compare_tables(some, some), some, some))
    0
    """
    shapes = np.concatenate([arrow.join_shapes(arrow.take(table, some)) for table, some in
                             ((old, rows.gone), (new, np.flatnonzero(~rows.same)))])
    return _drop_empty(shapes)


def _drop_empty(shapes: Shapes) -> Shapes:
    return shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


def _find_before(old: pa.Array, new: pa.Array) -> NDArray[np.intp]:
    """Return where each code stood; what is the same at both ends is not looked up."""
    least = min(len(old), len(new))
    front = _count_same(old.slice(0, least), new.slice(0, least))
    back = _count_same(old.slice(len(old) - least), new.slice(len(new) - least), from_end=True)
    back = min(back, least - front)
    middle = pd.Index(old.slice(front, len(old) - front - back).to_pandas()).get_indexer(
        pd.Index(new.slice(front, len(new) - front - back).to_pandas()))
    return np.concatenate([
        np.arange(front), np.where(middle < 0, -1, middle + front),
        np.arange(len(old) - back, len(old))]).astype(np.intp)


def _count_same(one: pa.Array, two: pa.Array, *, from_end: bool = False) -> int:
    """Count the rows at the front, or at the end, that are equal."""
    differ = np.flatnonzero(~_equal(one, two))
    if not len(differ):
        return len(one)
    return len(one) - 1 - int(differ[-1]) if from_end else int(differ[0])


def _pair_columns(
    old: pa.Table, new: pa.Table, columns: Sequence[str] | None
) -> Iterator[tuple[pa.ChunkedArray | None, pa.ChunkedArray | None]]:
    """Yield the columns that count, side by side; None where one table has none of it."""
    said = [arrow.tell_columns(table) for table in (old, new)]
    asked = list(dict.fromkeys([*said[0], *said[1]])) if columns is None else columns
    shapes = [name for name in arrow.SHAPE
              if name in old.column_names or name in new.column_names]
    if arrow.tell_geometry(old) != arrow.tell_geometry(new):
        yield None, None
    for name in [*asked, *shapes]:
        one, two = (table[name] if name in table.column_names else None for table in (old, new))
        if one is None and two is None:
            continue
        apart = one is None or two is None or said[0].get(name) != said[1].get(name)
        yield (None, None) if apart else (one, two)


def _pieces(was: NDArray[np.intp]) -> Iterator[tuple[slice | NDArray[np.intp], ...]]:
    """Yield stretches of rows that stand as they did, and all others that were there."""
    if not len(was):
        return
    ends = np.flatnonzero(np.diff(was) != 1) + 1
    starts = np.concatenate([[0], ends])
    lengths = np.diff(np.append(starts, len(was)))
    long = (lengths > _STRETCH) & (was[starts] >= 0)
    scattered = was >= 0
    for start, length in zip(starts[long], lengths[long], strict=True):
        first = int(was[start])
        yield slice(first, first + length), slice(int(start), int(start + length))
        scattered[start : start + length] = False
    if scattered.any():
        yield was[scattered], np.flatnonzero(scattered)


def _take(column: pa.ChunkedArray, rows: slice | NDArray[np.intp]) -> pa.Array:
    if isinstance(rows, slice):
        taken = column.slice(rows.start, rows.stop - rows.start)
    else:
        taken = column.take(pa.array(rows))
    return arrow.in_one_piece(taken)


def _equal(one: pa.Array, two: pa.Array) -> Flags:
    """Say which values are equal to the last bit, missing ones among them."""
    if pa.types.is_dictionary(one.type) != pa.types.is_dictionary(two.type):
        one, two = (a.dictionary_decode() if pa.types.is_dictionary(a.type) else a
                    for a in (one, two))
    if pa.types.is_dictionary(one.type):
        known = pc.index_in(one.dictionary, value_set=two.dictionary).fill_null(-1)
        one, two = known.take(one.indices), two.indices.cast(pa.int32())
    if one.type != two.type:
        return np.zeros(len(one), bool)
    if pa.types.is_floating(one.type):
        bits = pa.int64() if one.type.bit_width == 64 else pa.int32()
        one, two = one.view(bits), two.view(bits)
    equal = pc.equal(one, two).fill_null(False)
    if one.null_count and two.null_count:
        equal = pc.or_(equal, pc.and_(one.is_null(), two.is_null()))
    return np.asarray(equal.to_numpy(zero_copy_only=False), dtype=bool)
