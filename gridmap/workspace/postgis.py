"""The published layers of a workspace as tables of PostGIS, all or none of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pyogrio

from ..errors import WorkspaceError, listed
from ..sources import database
from . import manifest, store
from .packages import Layer
from .postgis_table import SHAPE, Table, make_table
from .save import Contents

#: How the comment of a table begins that gridmap wrote, and may replace.
_OURS = "gridmap: "

#: The columns that QGIS looks for in its table of styles.
_STYLES = (
    "id serial PRIMARY KEY, f_table_catalog varchar, f_table_schema varchar, "
    "f_table_name varchar, f_geometry_column varchar, stylename text, styleqml xml, "
    "stylesld xml, useasdefault boolean, description text, "
    "owner varchar(63) DEFAULT CURRENT_USER, ui xml, update_time timestamp "
    "DEFAULT CURRENT_TIMESTAMP, type varchar"
)


class Saved(NamedTuple):
    """What was written into a database."""

    tables: dict[str, int]  # "schema.table" -> its rows
    notes: tuple[str, ...]  # what could not be done, such as styles where nobody may write them


def save_postgis(
    workspace: str | Path | Contents, url: str, *, layers: Sequence[str] | None = None,
    schema: str = "gridmap",
) -> Saved:
    """Write the published layers of a workspace into a PostGIS database, all or none.

    Everything happens in one transaction: who reads meanwhile sees the old tables, and after
    it the new ones. A table that has the same columns as before is filled anew, so that
    privileges and views on it stay; otherwise it is dropped and made again.

    Parameters
    ----------
    workspace : str, Path or Contents
        A workspace, one of its versions such as ``out@0002``, or contents that are not saved.
        Only what stands in its GeoPackages is written: what its publication profile allows.
    url : str
        ``postgis://user@host:port/database`` or ``postgis://?service=NAME``, without a
        password.
    layers : sequence of str, optional
        Which layers; all by default.
    schema : str, default "gridmap"
        The schema of the tables, made where it is not there. A layer becomes the table of its
        name, with its code as primary key, an index on its shapes (``geom``), and comments.

    Returns
    -------
    Saved
        The tables with their rows, and notes on what was left out.

    Raises
    ------
    SourceError
        If the address holds a password or cannot be read.
    WorkspaceError
        If there is no such workspace or layer, the database cannot be reached or refuses
        something, or a table of that name was not written by gridmap. Nothing is changed then.
    """
    address = database.read_address(url)
    if address.table is not None:
        raise WorkspaceError("the address of a target names a table: tables are called as layers "
                             "are. Take table=… out")
    there, note = _published(workspace)
    strange = [name for name in layers or () if name not in there]
    if strange:
        raise WorkspaceError(f"there is no published layer {listed(strange)}. Layers are "
                             f"{listed(there, show=20)}")
    chosen = {name: there[name] for name in (layers if layers is not None else there)}
    made = {name: make_table(name, layer.frame) for name, layer in chosen.items()}
    with database.connected(address, kind=WorkspaceError, reading=False) as cursor:
        _check_extension(cursor, address)
        _make_schema(cursor, schema)
        tables = {f"{schema}.{name}": _replace(cursor, schema, name, table, note)
                  for name, table in made.items()}
        notes = _save_styles(cursor, schema, chosen, made)
    return Saved(tables, notes)


def _published(workspace: str | Path | Contents) -> tuple[dict[str, Layer], str]:
    """Return the layers of all GeoPackages, and what their tables say of themselves."""
    if isinstance(workspace, Contents):
        return ({name: layer for package in workspace.packages.values()
                 for name, layer in package.items()}, _tell(workspace.facts))
    place = store.find_version(workspace).resolve()
    note = _tell(manifest.load_manifest(place))
    layers: dict[str, Layer] = {}
    for package in sorted(place.glob("*.gpkg")):
        layers |= _load_package(package)
    return layers, note


def _tell(facts: Mapping[str, Any]) -> str:
    profile = facts.get("publication")
    return (f'{_OURS}{facts.get("name", "grids")}'
            + (f', publication profile "{profile}"' if profile else ""))


def _load_package(package: Path) -> dict[str, Layer]:
    with closing(sqlite3.connect(f"{package.as_uri()}?mode=ro", uri=True)) as inside:
        styled = inside.execute("SELECT 1 FROM sqlite_master WHERE name = 'layer_styles'")
        styles = {} if styled.fetchone() is None else dict(inside.execute(
            "SELECT f_table_name, styleQML FROM layer_styles").fetchall())
        names = [name for (name,) in inside.execute(
            "SELECT table_name FROM gpkg_contents WHERE data_type = 'features' "
            "ORDER BY rowid").fetchall()]
    layers = {}
    for name in names:
        frame = pyogrio.read_dataframe(package, layer=name)
        layers[name] = Layer(frame.set_index(frame.columns[0]), styles.get(name))
    return layers


def _check_extension(cursor: Any, address: database.Address) -> None:
    cursor.execute("SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'postgis'")
    if cursor.fetchone() is None:
        raise WorkspaceError(f"the database {address.database} has no PostGIS: let its owner say "
                             "CREATE EXTENSION postgis")


def _make_schema(cursor: Any, schema: str) -> None:
    """Make the schema where it is not there, and let no other export in until the end."""
    cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))",
                   [f"gridmap {schema}"])
    cursor.fetchall()
    cursor.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [schema])
    if cursor.fetchone() is None:
        cursor.execute(f"CREATE SCHEMA {database.quoted(schema)}")


def _replace(cursor: Any, schema: str, name: str, table: Table, note: str) -> int:
    """Put a layer in the place of a table; return its rows."""
    target = database.quoted(schema, name)
    before = _columns_of(cursor, schema, name)
    kept = before == table.columns
    if before is not None:
        cursor.execute(f"DELETE FROM {target}" if kept else f"DROP TABLE {target}")
    if not kept:
        made = ", ".join(f"{database.quoted(c)} {sql}" for c, sql in table.columns.items())
        cursor.execute(f"CREATE TABLE {target} ({made}, PRIMARY KEY "
                       f"({database.quoted(table.key)}))")
        cursor.execute(f"CREATE INDEX {database.quoted(f'{name}_{SHAPE}_idx')} ON {target} "
                       f"USING gist ({database.quoted(SHAPE)})")
    _fill(cursor, target, table)
    comments = {f"TABLE {target}": note} | {
        f"COLUMN {target}.{database.quoted(c)}": text for c, text in table.comments.items()}
    for what, text in comments.items():
        cursor.execute(f"COMMENT ON {what} IS {_text(text)}")
    cursor.execute(f"ANALYZE {target}")
    return int(table.rows.num_rows)


def _fill(cursor: Any, target: str, table: Table) -> None:
    """Copy the rows into a table that only this transaction sees, and on from there."""
    aside = "gridmap_rows"
    cursor.adbc_ingest(aside, table.rows, mode="create", temporary=True)
    names = ", ".join(map(database.quoted, table.columns))
    shape = database.quoted(SHAPE)
    taken = names.replace(shape, f"ST_GeomFromWKB({shape}, {table.srid})")
    cursor.execute(f"INSERT INTO {target} ({names}) SELECT {taken} FROM pg_temp.{aside}")
    cursor.execute(f"DROP TABLE pg_temp.{aside}")


def _columns_of(cursor: Any, schema: str, name: str) -> dict[str, str] | None:
    """Return the columns of a table that gridmap wrote; None where there is none."""
    cursor.execute(
        "SELECT c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), '') "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace "
        "WHERE nspname = $1 AND relname = $2", [schema, name])
    found = cursor.fetchone()
    if found is None:
        return None
    kind, comment = found
    if kind != "r" or not comment.startswith(_OURS):
        raise WorkspaceError(
            f"the database has a {schema}.{name} that gridmap did not write, so it is not "
            "replaced. Rename it, or choose another schema")
    cursor.execute(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute "
        "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [database.quoted(schema, name)])
    renamed = {"timestamp with time zone": "timestamptz"}
    return {column: renamed.get(sql, sql) for column, sql in cursor.fetchall()}


def _text(text: str) -> str:
    """Return a text as SQL has it, whatever the database takes a backslash for."""
    return "E'" + text.replace("\\", r"\\").replace("'", "''") + "'"


def _save_styles(
    cursor: Any, schema: str, layers: Mapping[str, Layer], made: Mapping[str, Table]
) -> tuple[str, ...]:
    """Put styles where QGIS looks for them, the table layer_styles of the schema public."""
    styles = {name: layer.style for name, layer in layers.items() if layer.style}
    if not styles:
        return ()
    cursor.execute("SELECT to_regclass('public.layer_styles') IS NOT NULL, "
                   "has_schema_privilege('public', 'CREATE')")
    there, may = cursor.fetchone()
    if there:
        cursor.execute("SELECT has_table_privilege('public.layer_styles', "
                       "'SELECT, INSERT, DELETE')")
        (may,) = cursor.fetchone()
    if not may:
        return ("styles were left out: the schema public has no table layer_styles that may be "
                "written. Let its owner grant it, and export again",)
    if not there:
        cursor.execute(f"CREATE TABLE public.layer_styles ({_STYLES})")
    for name, style in styles.items():
        cursor.execute(
            "DELETE FROM public.layer_styles WHERE f_table_catalog = current_database() "
            "AND f_table_schema = $1 AND f_table_name = $2 AND stylename = $2", [schema, name])
        cursor.execute(
            "INSERT INTO public.layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, stylename, styleqml, useasdefault, description, type) VALUES "
            "(current_database(), $1, $2, $3, $2, XMLPARSE(DOCUMENT $4), true, 'gridmap', $5)",
            [schema, name, SHAPE, style, _styled(made[name].shape)])
    return ()


def _styled(shape: str) -> str | None:
    """Return what QGIS calls a kind of shapes in its table of styles."""
    return next((word for word in ("Point", "Line", "Polygon") if word in shape), None)
