"""Large frames of a workspace: from the tables of steps to GeoParquet, without making frames.

Row groups whose rows are those of a group of the version before are copied; see
``docs/decisions/0105-row-groups-are-copied.md``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas.api import types
from pyarrow import parquet

from ..workspace import rowgroups
from ..workspace.rowgroups import RowGroups
from . import arrow, changed, memory, pieces
from .changed import Rows

#: Names of geometries in GeoParquet by their number in WKB.
_TYPES = ("", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
          "GeometryCollection")

_GEO = b"geo"


class Placed(NamedTuple):
    """A frame, and what attaching adds to it."""

    frame: pa.Table  # as `arrow.to_table` makes them, with places
    added: pa.Table | None = None  # in the order of its rows

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column; what was added counts more."""
        if self.added is not None and name in self.added.column_names:
            return self.added[name]
        return self.frame[name]


class Written(NamedTuple):
    """A frame as a version before has it."""

    placed: Placed
    file: Path  # its bytes proven
    rows: Rows | None = None  # what became of them since, where that is known


def lay_out_rows(
    placed: Placed, names: Sequence[str], before: Written | None = None
) -> RowGroups | None:
    """Return a frame as row groups of GeoParquet; None where it is to be written as a whole.

    Parameters
    ----------
    placed : Placed
    names : sequence of str
        The columns to write, in order; those that are not there are left out.
    before : Written, optional
        What to copy from.

    Returns
    -------
    RowGroups or None
        None for columns other than text, numbers, flags and times, for an index that is not
        text, and without places: whether that is so depends on kinds alone.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> table = arrow.to_table(sketch_points((0.5, 1.5)))
    >>> lay_out_rows(Placed(table), ["kind", "floors"]).schema.names
    ['kind', 'geometry', 'element']
    """
    head = _head(placed, names)
    if head is None:
        return None
    schema = _tell_schema(head, placed)
    borders = rowgroups.cut_rows(pieces.tell_places(placed.frame))
    groups = [_Group(placed, schema, int(a), int(b)) for a, b in pairwise(borders)]
    varied = ("geometry", str(head.index.name))
    if before is None:
        return RowGroups(schema, groups, varied)
    with before.file.open("rb") as file:
        footer = rowgroups.read_footer(file)
    kept = {} if footer is None else _find_kept(placed, borders, before, footer)
    return RowGroups(schema, groups, varied, before.file, kept, footer)


def _head(placed: Placed, names: Sequence[str]) -> GeoDataFrame | None:
    """Return the frame without its rows; None where it is not of known kinds."""
    frame = arrow.to_frame(placed.frame.slice(0, 0))
    if not isinstance(frame, GeoDataFrame) or frame._geometry_column_name != "geometry":
        return None
    if placed.added is not None:
        added = arrow.to_frame(placed.added.slice(0, 0))
        frame = frame.assign(**{str(name): added[name].array for name in added})
    head = frame[[*(name for name in names if name in frame), "geometry"]]
    head.columns = pd.Index(head.columns.tolist(), dtype="str")
    kinds = [head.index.dtype, *head.dtypes.drop("geometry")]
    index = isinstance(head.index.name, str) and isinstance(kinds[0], pd.StringDtype)
    return head if index and all(map(_is_plain, kinds)) else None


def _is_plain(kind: Any) -> bool:
    if isinstance(kind, pd.StringDtype):
        return True
    number = types.is_numeric_dtype(kind) or types.is_datetime64_any_dtype(kind)
    return isinstance(kind, np.dtype) and number


def _tell_schema(head: GeoDataFrame, placed: Placed) -> pa.Schema:
    """Return the schema that geopandas would write, with the box and types of all rows."""
    held = io.BytesIO()
    head.to_parquet(held)
    schema = parquet.read_schema(held)
    said = json.loads(schema.metadata[_GEO])
    told = said["columns"]["geometry"]
    told["geometry_types"] = _tell_types(placed)
    box = list(memory.find_box(*(placed.column(n) for n in arrow.SHAPE[:4])))
    if np.isfinite(box).all():
        told["bbox"] = box
    return schema.with_metadata({**schema.metadata, _GEO: json.dumps(said).encode()})


def _tell_types(placed: Placed) -> list[str]:
    x, east = (placed.column(name).to_numpy() for name in (arrow.SHAPE[0], arrow.SHAPE[2]))
    found = {"Point"} if (~np.isnan(x) & np.isnan(east)).any() else set()
    for some in placed.column(arrow.SHAPE[4]).chunks:
        if some.null_count < len(some):
            found |= _tell_kinds(some)
    return sorted(found)


def _tell_kinds(shapes: pa.Array) -> set[str]:
    kinds = _kinds_of(shapes)
    found = {_TYPES[kind] for kind in np.unique(kinds[kinds > 0])}
    odd = shapes.take(pa.array(np.flatnonzero(kinds < 0))).to_numpy(zero_copy_only=False)
    for shape in shapely.from_wkb(odd):  # rare: shapes with heights
        found.add(f"{_name(shape)} Z" if shapely.has_z(shape) else _name(shape))
    return found


def _name(shape: Any) -> str:
    return str(shape.geom_type).replace("LinearRing", "LineString")


def _split(placed: Placed, start: int, end: int) -> tuple[NDArray[np.bool_], pa.Array]:
    """Return which rows are plain points, and the WKB of the others."""
    x, east = (placed.column(name).slice(start, end - start).to_numpy()
               for name in (arrow.SHAPE[0], arrow.SHAPE[2]))
    other = placed.column(arrow.SHAPE[4]).slice(start, end - start)
    return ~np.isnan(x) & np.isnan(east), arrow.in_one_piece(other)


def _kinds_of(shapes: pa.Array) -> NDArray[np.int8]:
    """Return the number of the kind of each WKB: 0 for none, -1 with heights or measures."""
    there = np.asarray(shapes.is_valid().to_numpy(zero_copy_only=False), bool)
    kinds = np.zeros(len(shapes), np.int8)
    if there.any():
        _, places, held = shapes.buffers()
        at = np.frombuffer(places, np.int64)[shapes.offset : shapes.offset + len(shapes)][there]
        letters = np.frombuffer(held, np.uint8)
        plain = (letters[at] == 1) & (letters[at + 1] < len(_TYPES))
        for more in (2, 3, 4):
            plain &= letters[at + more] == 0
        kinds[there] = np.where(plain, letters[at + 1].astype(np.int8), -1)
    return kinds


class _Group:
    """The rows of one group, put together when they are asked for."""

    def __init__(self, placed: Placed, schema: pa.Schema, start: int, end: int) -> None:
        self._placed, self._schema = placed, schema
        self._start, self._end = start, end

    def __call__(self) -> pa.Table:
        columns = [self._shapes() if field.name == "geometry" else self._column(field)
                   for field in self._schema]
        return pa.Table.from_arrays(columns, schema=self._schema)

    def _column(self, field: pa.Field) -> pa.Array:
        column = self._placed.column(field.name).slice(self._start, self._end - self._start)
        return arrow.in_one_piece(column).cast(field.type)

    def _shapes(self) -> pa.Array:
        """Return the geometries as WKB."""
        plain, other = _split(self._placed, self._start, self._end)
        x, y = (self._placed.column(name).slice(self._start, self._end - self._start).to_numpy()
                for name in arrow.SHAPE[:2])
        points = _write_points(x, y, plain)
        return points if plain.all() else pc.coalesce(_as_iso(other).cast(pa.binary()), points)


def _write_points(
    x: NDArray[np.float64], y: NDArray[np.float64], plain: NDArray[np.bool_]
) -> pa.Array:
    """Return points as WKB: little-endian, the number of points, x and y."""
    letters = np.empty((len(x), 21), np.uint8)
    letters[:, :5] = (1, 1, 0, 0, 0)
    letters[:, 5:13] = x.astype("<f8").view(np.uint8).reshape(-1, 8)
    letters[:, 13:] = y.astype("<f8").view(np.uint8).reshape(-1, 8)
    places = np.arange(0, 21 * len(x) + 1, 21, dtype=np.int32)
    there = None if plain.all() else pa.py_buffer(np.packbits(plain, bitorder="little"))
    return pa.Array.from_buffers(
        pa.binary(), len(x), [there, pa.py_buffer(places), pa.py_buffer(letters)])


def _as_iso(other: pa.Array) -> pa.Array:
    """Return WKB as GeoParquet asks for it: with heights it is written another way."""
    if (_kinds_of(other) >= 0).all():
        return other
    shapes = shapely.from_wkb(other.to_numpy(zero_copy_only=False))
    return pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.large_binary())


def _find_kept(
    placed: Placed, borders: NDArray[np.intp], before: Written, footer: rowgroups.Footer
) -> dict[int, int]:
    """Return the groups that are those of the file before, each with its number there."""
    old, sizes = before.placed, [part.rows for part in footer.groups]
    if len(old.frame) != sum(sizes) or (old.added is None) != (placed.added is None):
        return {}
    starts = np.cumsum([0, *sizes])[:-1].tolist()
    there = {(start, rows): number for number, (start, rows) in enumerate(
        zip(starts, sizes, strict=True))}
    rows = before.rows or changed.compare_tables(old.frame, placed.frame)
    same, was = rows.same, rows.was
    if old.added is not None and placed.added is not None:
        same = same & changed.compare_values(old.added, placed.added, was)
    kept = {}
    for number, (start, end) in enumerate(pairwise(borders.tolist())):
        stood = was[start:end]
        if len(stood) and (int(stood[0]), end - start) in there and (
                same[start:end].all() and (np.diff(stood) == 1).all()):
            kept[number] = there[int(stood[0]), end - start]
    return kept
