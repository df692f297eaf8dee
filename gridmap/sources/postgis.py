"""Tables and views of a PostGIS database, read as files are: columns by name, shapes, a CRS.

Rows come as Arrow batches out of one ``COPY``, from one state of the database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCRSError

from ..errors import CRSError, SourceError, listed
from . import crs as crs_room
from . import database, nesting
from .database import Address
from .limits import USUAL, Limits
from .raw import Raw, check_columns, make_raw

#: Types that come as they are; all others come as the text that PostgreSQL writes.
_PLAIN = ("bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "name", "date",
          "timestamp", "timestamptz")

_SHAPES = ("geometry", "geography")

_COLUMNS = """
SELECT a.attname::text, t.typname::text, c.relkind::text, coalesce(
    (SELECT array_position(i.indkey::int2[], a.attnum) FROM pg_catalog.pg_index i
     WHERE i.indrelid = c.oid AND i.indisprimary), -1)::int4
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND a.attnum > 0 AND NOT a.attisdropped
    AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
ORDER BY a.attnum"""

_TABLES = """
SELECT f_table_schema::text || '.' || f_table_name::text FROM (
    SELECT f_table_schema, f_table_name FROM geometry_columns
    UNION SELECT f_table_schema, f_table_name FROM geography_columns) AS places
WHERE pg_catalog.has_table_privilege(
    pg_catalog.format('%I.%I', f_table_schema, f_table_name), 'SELECT')
ORDER BY 1"""


class _Table(NamedTuple):
    told: str  # what it is called in messages
    name: str  # as SQL has it
    columns: dict[str, str]  # name -> type
    key: list[str]  # columns of the primary key


def read_table(
    path: Path, wanted: list[str], *, layer: str | None = None, limits: Limits = USUAL
) -> Raw:
    """Read columns and geometry of a table or view.

    Parameters
    ----------
    path : Path
        As `database.as_path` writes it.
    wanted : list of str
        Columns to read; others never leave the database. A column of shapes that is asked
        for by name comes as WKB.
    layer : str, optional
        ``schema.table``, where the address names none.
    limits : Limits, optional
        How many bytes the table may have.

    Returns
    -------
    Raw
        Rows in the order of the primary key, where there is one, else of their columns:
        always the same for the same rows.

    Raises
    ------
    SourceError
        If the database cannot be reached, or lacks the table or a column.
    """
    address = database.address_of(path, layer)
    with database.connected(address) as cursor:
        table = _find_table(cursor, address)
        shape = _choose_shape(table, wanted)
        headers = [name for name in table.columns if name != shape]
        check_columns([name for name in wanted if name != shape], headers, table.told)
        crs = _find_crs(cursor, table, shape)
        rows = _fetch(cursor, _select(table, wanted, shape), table, limits)
    frame = rows.select(range(len(wanted))).to_pandas()
    frame.columns = list(wanted)
    shapes = None if shape is None else _shapes(rows.column(len(wanted)))
    frame = frame if wanted else frame.reindex(range(rows.num_rows))
    return make_raw(frame, headers, geometry=shapes, crs=crs)


def list_tables(path: Path) -> list[str]:
    """Return the tables and views with shapes that may be read, as ``schema.table``.

    Raises
    ------
    SourceError
        If the database cannot be reached.
    """
    with database.connected(database.address_of(path, "-")) as cursor:
        cursor.execute(_TABLES)
        return [name for (name,) in cursor.fetchall()]


def hash_table(path: Path, layer: str | None = None) -> str:
    """Return a fingerprint of a table: the same for the same rows in any order.

    The database computes it, and no row leaves it. It tells a change from none; it does not
    withstand somebody who makes rows to deceive it.

    Raises
    ------
    SourceError
        If the database cannot be reached, or lacks the table.
    """
    address = database.address_of(path, layer)
    with database.connected(address) as cursor:
        table = _find_table(cursor, address)
        row = ", ".join(map(database.quoted, table.columns))
        halves = ", ".join(
            f"coalesce(sum(('x' || substr(md5, {at}, 15))::bit(60)::int8), 0)::text"
            for at in (1, 17))
        cursor.execute(f"SELECT count(*)::text, {halves} FROM (SELECT md5(ROW({row})::text) "
                       f"AS md5 FROM {table.name}) AS hashes")
        return "-".join(cursor.fetchone())


def _find_table(cursor: Any, address: Address) -> _Table:
    schema, name = database.split_name(str(address.table))
    told = f"the table {schema}.{name}"
    cursor.execute(_COLUMNS, [schema, name])
    found = cursor.fetchall()
    if not found:
        cursor.execute(_TABLES)
        there = [table for (table,) in cursor.fetchall()]
        raise SourceError(f"the database {address.database} has no {told[4:]} that may be read. "
                          f"Tables with shapes are {listed(there, show=20)}")
    key = sorted((place, column) for column, _, _, place in found if place >= 0)
    return _Table(told, database.quoted(schema, name), {c: kind for c, kind, _, _ in found},
                  [column for _, column in key])


def _choose_shape(table: _Table, wanted: list[str]) -> str | None:
    """Return the column of shapes, where it is not asked for by name."""
    shapes = [c for c, kind in table.columns.items() if kind in _SHAPES and c not in wanted]
    asked = any(table.columns.get(name) in _SHAPES for name in wanted)
    if asked or not shapes:
        return None
    if len(shapes) > 1:
        raise SourceError(f"{table.told} has {len(shapes)} columns of shapes, {listed(shapes)}: "
                          f"name one with columns = {{ wkt = \"{shapes[0]}\" }}")
    return shapes[0]


def _find_crs(cursor: Any, table: _Table, shape: str | None) -> CRS | None:
    """Return the CRS of a column of shapes, which all its rows have to share."""
    if shape is None:
        return None
    column = database.quoted(shape)
    of = f"ST_SRID({column}{'::geometry' if table.columns[shape] == 'geography' else ''})"
    cursor.execute(f"SELECT DISTINCT {of} FROM {table.name} WHERE {column} IS NOT NULL ORDER BY 1 "
                   "LIMIT 9")
    numbers = [number for (number,) in cursor.fetchall() if number]
    if len(numbers) > 1:
        raise SourceError(f"{table.told} has shapes in several CRS, SRID {listed(numbers)}: split "
                          "it by ST_SRID in views")
    if not numbers:
        return None
    cursor.execute("SELECT auth_name::text, auth_srid, srtext::text FROM spatial_ref_sys "
                   "WHERE srid = $1", [numbers[0]])
    found = cursor.fetchone()
    try:
        if found and found[0] and found[1]:
            return CRS.from_authority(found[0], found[1])
        return crs_room.crs_of_text(found[2]) if found and found[2] else None
    except (CRSError, ProjCRSError):
        return None


def _select(table: _Table, wanted: list[str], shape: str | None) -> str:
    taken = [f"{_taken(name, table.columns[name])} AS c{number}"
             for number, name in enumerate(wanted)]
    taken += [f"ST_AsBinary({database.quoted(shape)}, 'NDR') AS shape"] if shape else []
    keys = table.key or sorted({*wanted, *([shape] if shape else [])})
    order = [_ordered(name, table.columns[name]) for name in keys]
    return (f"SELECT {', '.join(taken) or '1 AS c0'} FROM {table.name}"
            + (f" ORDER BY {', '.join(order)}" if order else ""))


def _taken(name: str, kind: str) -> str:
    column = database.quoted(name)
    if kind in _SHAPES:
        return f"ST_AsBinary({column}, 'NDR')"
    return column if kind in _PLAIN else f"{column}::text"


def _ordered(name: str, kind: str) -> str:
    """Return how rows are ordered by a column: the same under all languages of a server."""
    column = database.quoted(name)
    if kind in _SHAPES:
        return f"ST_AsBinary({column}, 'NDR')"
    return column if kind in _PLAIN and kind not in ("text", "varchar", "name") else (
        f'{column}::text COLLATE "C"')


def _fetch(cursor: Any, statement: str, table: _Table, limits: Limits) -> pa.Table:
    """Fetch rows batch by batch, so that a table beyond measure is told in time."""
    cursor.execute(statement)
    batches, size = [], 0
    reader = cursor.fetch_record_batch()
    for batch in reader:
        size += batch.nbytes
        if size > limits.whole_bytes:
            raise SourceError(f"{table.told} has more than the {limits.whole_bytes:,} bytes that "
                              "are read. Read it in parts, or raise the limit whole_bytes")
        batches.append(batch)
    return pa.Table.from_batches(batches, schema=reader.schema)


def _shapes(column: Any) -> NDArray[Any]:
    return nesting.read_wkb(column.to_numpy())
