"""Frames as Arrow files that give back every bit: for steps that are done once and kept.

GeoParquet is for people; here a frame is written in a tenth of the time, points as two columns
of numbers, and read without a copy where nothing asks for one.
"""

from __future__ import annotations

import json
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geopandas import GeoDataFrame
from geopandas.array import GeometryDtype
from pandas import DataFrame
from pyproj import CRS

from ..workspace import manifest
from . import meeting, memory

_X, _Y, _EAST, _NORTH, _WKB = "__x", "__y", "__east", "__north", "__wkb"

#: Columns that a geometry becomes.
SHAPE = (_X, _Y, _EAST, _NORTH, _WKB)

#: Texts are written once each where a column has so many rows, and so few different ones.
_MANY_ROWS, _FEW_TEXTS = 10_000, 0.1

#: Rows, at least, by which that is judged.
_LOOKED_AT = 100_000
_META = b"gridmap"


class Unfit(Exception):  # noqa: N818  inside only, and caught here
    """A frame that would not come back as it went in; never leaves this room."""


def take_frame(frame: DataFrame) -> pa.Table:
    """Return a frame as a table, and make sure that it comes back as it is.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        With one column of geometry at most.

    Raises
    ------
    Unfit
        If it holds what Arrow does not give back as it was.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> len(take_frame(sketch_points((0.5, 1.5))))
    1
    """
    # Rows numbered from 0 know how many they are: some of a frame are tried, not of a table.
    if not _is_plain(frame):
        _check_same(frame, to_frame(to_table(frame.iloc[:100])))
    return to_table(frame)


def _is_plain(frame: DataFrame) -> bool:
    """Say whether a frame holds nothing but what every table gives back, columns named by text."""
    index, plain = frame.index, DataFrame(frame)
    kinds = [kind for kind in plain.dtypes if not isinstance(kind, GeometryDtype)]
    counted = type(index) is pd.RangeIndex and (index.start, index.step) == (0, 1)
    return bool(
        (counted or index.dtype == "str") and plain.columns.is_unique
        and plain.columns.name is None and len(plain.dtypes) - len(kinds) <= 1
        and all(isinstance(name, str) for name in plain.columns)
        and all(kind == "str" or (isinstance(kind, np.dtype) and kind.kind in "biuf")
                for kind in kinds))


def pack(table: pa.Table) -> pa.Buffer:
    """Return the bytes of a table as `to_table` makes them: the same rows give the same bytes.

    Parameters
    ----------
    table : Table
        In any number of chunks, its words in any order.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> once = to_table(sketch_points((0.5, 1.5)))
    >>> len(unpack(pack(pa.concat_tables([once, once]))))
    2
    """
    table, stream = _shorten(table), pa.BufferOutputStream()
    with pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def unpack(held: pa.Buffer) -> pa.Table:
    """Return the table of bytes as `pack` returns them, without a copy."""
    return pa.ipc.open_file(held).read_all()


def to_table(frame: DataFrame) -> pa.Table:
    """Return a frame as a table: points as numbers, other shapes as their box and WKB.

    Raises
    ------
    Unfit
        If it holds what Arrow does not give back as it was.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> to_table(sketch_points((0.5, 1.5)))["__y"].to_pylist()
    [1.5]
    """
    said: dict[str, Any] = {"geometry": None}
    plain: DataFrame = DataFrame(frame)
    placed = isinstance(frame, GeoDataFrame) and frame._geometry_column_name is not None
    if placed and isinstance(frame, GeoDataFrame):
        name = str(frame._geometry_column_name)
        said = {"geometry": name, "at": list(plain.columns).index(name),
                "crs": tell_crs(frame.crs)}
        plain = plain.drop(columns=name)
    said["kinds"] = [str(kind) for kind in plain.dtypes]
    try:
        table = pa.Table.from_pandas(plain)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise Unfit(str(error)) from error
    if placed and isinstance(frame, GeoDataFrame):
        for column, values in _split_shapes(frame.geometry.to_numpy()).items():
            table = table.append_column(column, values)
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _META: json.dumps(said).encode()})


def _split_shapes(shapes: np.ndarray) -> dict[str, pa.Array]:
    """Return plain points as numbers, and everything else as its box and WKB."""
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    plain = (shapely.get_type_id(shapes) == 0) & ~shapely.has_z(shapes) & ~shapely.has_m(shapes)
    plain &= ~shapely.is_empty(shapes)
    spots = np.full((len(shapes), 2), np.nan)
    mine = plain[row]
    spots[row[mine]] = xy[mine]
    plain &= np.isfinite(spots).all(axis=1)
    box = np.full((len(shapes), 4), np.nan)
    box[plain, :2] = spots[plain]
    box[~plain] = shapely.bounds(shapes[~plain])
    wkb = np.full(len(shapes), None, dtype=object)
    wkb[~plain] = shapely.to_wkb(shapes[~plain])
    sides = {name: pa.array(box[:, side]) for side, name in enumerate(SHAPE[:4])}
    return {**sides, _WKB: pa.array(wkb, type=pa.large_binary())}


def to_frame(table: pa.Table) -> DataFrame:
    """Return the frame of a table, as `to_table` took it.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> to_frame(to_table(sketch_points((0.5, 1.5)))).geometry.iloc[0].wkt
    'POINT (0.5 1.5)'
    """
    said = json.loads(table.schema.metadata[_META])
    frame = to_plain(table)
    if said["geometry"] is None:
        return frame
    shapes = geopandas.GeoSeries(join_shapes(table), index=frame.index, crs=read_crs(said["crs"]))
    frame.insert(said["at"], said["geometry"], shapes)
    return GeoDataFrame(frame, geometry=said["geometry"])


def to_plain(table: pa.Table) -> DataFrame:
    """Return the frame of a table without its geometry.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> list(to_plain(to_table(sketch_points((0.5, 1.5)))))
    ['kind', 'count']
    """
    said = json.loads(table.schema.metadata[_META])
    plain = _spell_out(table.select([n for n in table.column_names if n not in SHAPE]))
    frame = plain.to_pandas()
    for name, kind in zip(frame.columns, said["kinds"], strict=True):
        if str(frame[name].dtype) != kind:
            frame[name] = frame[name].astype(kind)
    return frame


def join_shapes(table: pa.Table) -> np.ndarray:
    """Return the geometries of a table with places."""
    x, y, east = (table[name].to_numpy() for name in (_X, _Y, _EAST))
    other = table[_WKB]
    shapes = np.full(len(x), None, dtype=object)
    plain = ~np.isnan(x) & np.isnan(east)
    shapes[plain] = shapely.points(x[plain], y[plain])
    if other.null_count < len(other):
        at = np.flatnonzero(find_shaped(table))
        shapes[at] = shapely.from_wkb(other.drop_null().to_numpy())
    return shapes


def codes_of(table: pa.Table) -> pa.Array:
    """Return the index of a frame whose table this is.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> codes_of(to_table(sketch_points((0, 0), (1, 1)))).to_pylist()
    ['e0', 'e1']
    """
    index = _tell_pandas(table)["index_columns"][0]
    if isinstance(index, str):
        return in_one_piece(table[index])
    return pa.array(np.arange(len(table)))


def hash_shapes(table: pa.Table) -> str:
    """Return the hash of the index and the geometries of a frame whose table this is.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> frame = sketch_points((0, 0), (1, 1))
    >>> hash_shapes(to_table(frame)) == hash_shapes(to_table(frame.assign(count=7)))
    True
    """
    held = pack(pa.table({"": codes_of(table), **{name: table[name] for name in SHAPE}}))
    return manifest.hash_text(f"{manifest.hash_bytes(held)} {tell_geometry(table)[1]}")


def has_codes(table: pa.Table) -> bool:
    """Say whether the index of a frame whose table this is has texts or numbers of its own.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> has_codes(to_table(sketch_points((0, 0)))), has_codes(to_table(DataFrame({"a": [1]})))
    (True, False)
    """
    return isinstance(_tell_pandas(table)["index_columns"][0], str)


def tell_columns(table: pa.Table) -> dict[str, str]:
    """Return the columns of a table without index and geometry, each with its kind.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> list(tell_columns(to_table(sketch_points((0, 0)))))
    ['kind', 'count']
    """
    index = _tell_pandas(table)["index_columns"]
    names = [n for n in table.column_names if n not in SHAPE and n not in index]
    return dict(zip(names, json.loads(table.schema.metadata[_META])["kinds"], strict=True))


def tell_geometry(table: pa.Table) -> tuple[str | None, str | None]:
    """Return the name of the column of geometry, and its CRS."""
    said = json.loads(table.schema.metadata[_META])
    return said["geometry"], said.get("crs")


def boxes_of(table: pa.Table, rows: np.ndarray) -> np.ndarray:
    """Return west, south, east and north of some rows of a table with places.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> boxes_of(to_table(sketch_points((0, 1))), np.array([0])).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """
    sides = [table[name].to_numpy()[rows] for name in SHAPE[:4]]
    return np.stack([*sides[:2], np.fmax(sides[0], sides[2]), np.fmax(sides[1], sides[3])],
                    axis=1)


def _tell_pandas(table: pa.Table) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(table.schema.metadata[b"pandas"])
    return said


def in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; one that is in one piece already is not copied.

    Examples
    --------
    >>> in_one_piece(pa.chunked_array([["a"], ["b"]])).to_pylist()
    ['a', 'b']
    """
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    return column.combine_chunks()


def find_shaped(table: pa.Table) -> np.ndarray:
    """Say which rows of a table with places are anything but plain points.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> find_shaped(to_table(sketch_points((0, 1)))).tolist()
    [False]
    """
    shaped: np.ndarray = table[_WKB].is_valid().to_numpy()
    return shaped


def put_like(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a schema, in its order and of its kinds.

    Raises
    ------
    Unfit
        If it does not have them.

    Examples
    --------
    >>> schema = pa.schema({"a": pa.dictionary(pa.int32(), pa.string())})
    >>> put_like(pa.table({"b": [1], "a": ["x"]}), schema).to_pydict()
    {'a': ['x']}
    """
    try:
        columns = [table[field.name].dictionary_encode() if pa.types.is_dictionary(field.type)
                   else table[field.name] for field in schema]
        return pa.Table.from_arrays(columns, schema=schema)
    except (pa.ArrowException, KeyError, TypeError) as error:
        raise Unfit(str(error)) from error


def take_rows(table: pa.Table, boxes: np.ndarray) -> Any:
    """Return the frame of the rows whose boxes meet any of some boxes; see `find_rows`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> take_rows(to_table(sketch_points((0.5, 1.5), (9, 9))), np.array([[0, 0, 1, 2]])).index[0]
    'e0'
    """
    return to_frame(take(table, find_rows(table, boxes)))


def take(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Return some rows of a table, in the order they are asked for.

    Parameters
    ----------
    table : Table
        In any number of chunks, which are not joined: only those that hold the rows are
        looked at.
    rows : array of int
        In any order.

    Examples
    --------
    >>> table = pa.concat_tables([pa.table({"a": [1, 2]}), pa.table({"a": [3]})])
    >>> take(table, np.array([2, 0]))["a"].to_pylist()
    [3, 1]
    """
    if (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        back = np.empty(len(rows), dtype=np.intp)
        back[order] = np.arange(len(rows))
        return take(table, rows[order]).take(pa.array(back))
    return pa.Table.from_arrays(
        [_take_column(table[name], rows) for name in table.column_names], schema=table.schema)


def _take_column(column: pa.ChunkedArray, rows: np.ndarray) -> pa.ChunkedArray:
    """Return some values of a column, in the order they stand."""
    ends = np.cumsum([0, *(len(chunk) for chunk in column.chunks)])
    at = np.searchsorted(rows, ends)
    taken = [chunk.take(pa.array(rows[a:b] - start)) for chunk, start, a, b in
             zip(column.chunks, ends[:-1], at[:-1], at[1:], strict=True) if b > a]
    return pa.chunked_array(taken, column.type)


def find_rows(table: pa.Table, boxes: np.ndarray) -> np.ndarray:
    """Return the positions of the rows whose boxes meet any of some boxes.

    Parameters
    ----------
    table : Table
        As `to_table` makes them, of a frame with places.
    boxes : array
        West, south, east, north of each.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> table = to_table(sketch_points((0.5, 1.5), (9, 9)))
    >>> find_rows(table, np.array([[0, 0, 1, 2]])).tolist()
    [0]
    """
    rows = np.flatnonzero(find_meeting(table, boxes))
    hit = shapely.STRtree(shapely.box(*boxes.T)).query(shapely.box(*boxes_of(table, rows).T))[0]
    found: np.ndarray = rows[np.unique(hit)]
    return found


def find_meeting(table: pa.Table, boxes: np.ndarray) -> np.ndarray:
    """Say which rows of a table may meet any of some boxes: all that do, and a few beside.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> table = to_table(sketch_points((0, 0), (0.5, 9), (9, 9)))
    >>> find_meeting(table, np.array([[0.0, 0, 1, 1], [8, 8, 9, 9]])).tolist()
    [True, False, True]
    """
    flags = np.zeros(len(table), dtype=bool)
    near = list(memory.find_near(table[_X], boxes))
    if near:
        sides = pa.concat_tables([table.select(SHAPE[:4]).slice(*span) for span in near])
        west, south, east, north = (sides[name].to_numpy() for name in SHAPE[:4])
        found = meeting.find_meeting(west, south, east, north, boxes)
        for (start, rows), some in zip(
                near, np.split(found, np.cumsum([rows for _, rows in near])[:-1]), strict=True):
            flags[start : start + rows] = some
    return flags


def _shorten(table: pa.Table) -> pa.Table:
    """Return a table in one piece; texts that come again and again stand in it once each.

    How it was put together makes no difference: the words stand in the order they first come.
    """
    if any(pa.types.is_dictionary(field.type) for field in table.schema):
        table = table.unify_dictionaries()
    table = pa.Table.from_arrays(
        [_copy(table[name]) for name in table.column_names], schema=table.schema)
    for at, field in enumerate(table.schema):
        if not _is_text(field.type):
            continue
        column = table[field.name].chunk(0)
        if _comes_again(column):
            short = column if pa.types.is_dictionary(field.type) else column.dictionary_encode()
            table = table.set_column(at, field.name, _sort_words(short))
        elif pa.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, column.dictionary_decode())
    return table


def _copy(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, with nothing of what stood before or behind it."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _comes_again(column: pa.Array) -> bool:
    """Say whether texts repeat, by rows from all over: one file after the other is in a table."""
    if len(column) < _MANY_ROWS:
        return False
    values = column.indices if pa.types.is_dictionary(column.type) else column
    rows = np.arange(0, len(column), max(len(column) // _LOOKED_AT, 1))
    return bool(pc.count_distinct(values.take(pa.array(rows))).as_py() < _FEW_TEXTS * len(rows))


def _sort_words(column: pa.DictionaryArray) -> pa.DictionaryArray:
    used = pc.unique(column.indices.drop_null())
    if used.equals(pa.array(np.arange(len(column.dictionary)), used.type)):
        return column
    new = np.zeros(len(column.dictionary), dtype=used.to_numpy().dtype)
    new[used.to_numpy()] = np.arange(len(used))
    places = pc.take(pa.array(new), column.indices)
    return pa.DictionaryArray.from_arrays(places, column.dictionary.take(used))


def _spell_out(table: pa.Table) -> pa.Table:
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(
                at, field.name, table[field.name].cast(field.type.value_type))
    return table


def tell_crs(crs: CRS | None) -> str | None:
    """Return a text that `read_crs` makes the same CRS of."""
    if crs is None:
        return None
    name = str(crs.srs)
    return name if CRS.from_user_input(name).to_json() == crs.to_json() else str(crs.to_json())


def read_crs(text: str | None) -> CRS | None:
    """Return the CRS of a text.

    Examples
    --------
    >>> read_crs(tell_crs(CRS(4550))) == CRS(4550), read_crs(None)
    (True, None)
    """
    return None if text is None else CRS.from_user_input(text)


def _check_same(frame: DataFrame, back: DataFrame) -> None:
    """Raise unless the first rows come back as they were, with their kinds and names."""
    some = frame.iloc[:100]
    try:
        pd.testing.assert_frame_equal(DataFrame(some), DataFrame(back), check_freq=False,
                                      check_exact=True, check_index_type="equiv")
    except AssertionError as error:
        raise Unfit(str(error)) from error
