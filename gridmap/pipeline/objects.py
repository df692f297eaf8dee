"""Tables of the store as files named by their hash, large ones as a list of pieces.

Every byte is proven when it is read. A piece that is read into a table is known by its memory:
where it stands in a table that is kept later, it is neither written nor hashed again.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, NoReturn

import pyarrow as pa
import xxhash
from pyarrow import Table

from ..workspace import manifest, rowgroups
from . import arrow, memory, pieces

_TABLE, _LIST = ".arrow", ".json"

#: What a list looks like; one of another form, which another version wrote, is made again.
_FORM = 1

#: Rows of a piece: the fewest, how many more until a border is likely, and the most.
SIZES = {"least": rowgroups.LEAST, "likely": rowgroups.LIKELY, "most": rowgroups.MOST}


class Lost(Exception):  # noqa: N818  inside only, and caught here
    """A table whose bytes are gone or altered; what was left of it is removed."""


class _Piece(NamedTuple):
    """A piece as a list tells it."""

    name: str
    check: str  # XXH3 of its bytes: ten times as fast as what it is named by
    rows: int
    box: memory.Box  # of its rows


class _Read(NamedTuple):
    """What was read or written since the store was opened."""

    tables: dict[tuple[Path, tuple[str, ...]], Table]
    names: dict[memory.Memory, _Piece]
    lists: dict[Path, tuple[pa.Schema, list[_Piece]]]
    whole: dict[Path, Table]


_READ = _Read({}, {}, {}, {})


def forget() -> None:
    """Forget what was read, so that it is proven again."""
    for known in (*_READ, memory.BOXES):
        known.clear()


def is_there(folder: Path, name: str) -> bool:
    """Say whether a table is kept."""
    return any((folder / f"{name}{end}").is_file() for end in (_TABLE, _LIST))


def add(folder: Path, table: Table) -> str:
    """Keep a table, and return its name: the same rows have the same name.

    Parameters
    ----------
    folder : Path
    table : Table
        As `arrow.to_table` makes them, in any number of chunks, its words in any order.
    """
    for file, known in _READ.whole.items():
        if known is table:
            return file.stem
    placed = arrow.SHAPE[0] in table.column_names and len(table) > SIZES["least"]
    borders = (rowgroups.cut_rows(pieces.tell_places(table), **SIZES).tolist() if placed
               else [0, len(table)])
    if len(borders) == 2:
        return _write(folder, arrow.pack(table), _TABLE)
    there = {span: place for place, span in pieces.tell_memory(table).items()}
    said = []
    for start, end in pairwise(borders):
        known = _READ.names.get(there.get((start, end - start), ()))
        said.append(known or _add_piece(folder, table.slice(start, end - start)))
    schema = base64.b64encode(_spell_kinds(table.schema).serialize()).decode()
    told = {"form": _FORM, "schema": schema, "pieces": said}
    return _write(folder, json.dumps(told).encode(), _LIST)


def _add_piece(folder: Path, table: Table) -> _Piece:
    held = arrow.pack(table.replace_schema_metadata(None))
    box = memory.measure_box(*(table[name].to_numpy() for name in arrow.SHAPE[:4]))
    return _Piece(_write(folder, held, _TABLE), xxhash.xxh3_128_hexdigest(held), len(table), box)


def _write(folder: Path, held: bytes | pa.Buffer, end: str) -> str:
    name = manifest.hash_bytes(held)
    fresh = folder / f".writing-{os.getpid()}"
    try:
        fresh.write_bytes(held)
        os.replace(fresh, folder / f"{name}{end}")
    finally:
        fresh.unlink(missing_ok=True)
    return name


def _spell_kinds(schema: pa.Schema) -> pa.Schema:
    """Return a schema in which texts are texts, whether each stands in the table once or not."""
    kinds = [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type)
             else field for field in schema]
    return pa.schema(kinds, schema.metadata)


def read(folder: Path, name: str) -> Table:
    """Return a table, its bytes proven; they are looked at where they lie.

    Raises
    ------
    Lost
        If it is gone, altered or of another form; it is then removed.
    """
    file = folder / f"{name}{_LIST}"
    if not file.is_file():
        file = folder / f"{name}{_TABLE}"
    if file not in _READ.whole:
        _READ.whole[file] = (_join(folder, file) if file.suffix == _LIST
                             else _read_file(file, name))
    return _READ.whole[file]


def _join(folder: Path, file: Path) -> Table:
    """Return the table of a list."""
    schema, said = _read_list(file)
    try:
        parts = [_read_piece(folder, one) for one in said]
    except Lost:
        file.unlink(missing_ok=True)
        raise
    short = {field.name for part in parts for field in part.schema
             if pa.types.is_dictionary(field.type)}
    alike = [_shorten(folder, one, part, short) for one, part in zip(said, parts, strict=True)]
    return pa.concat_tables(alike).replace_schema_metadata(schema.metadata)


def read_schema(folder: Path, name: str) -> pa.Schema:
    """Return the columns of a table; of one in pieces, the pieces are not read.

    Raises
    ------
    Lost
        As `read`.
    """
    file = folder / f"{name}{_LIST}"
    return _read_list(file)[0] if file.is_file() else read(folder, name).schema


def list_pieces(folder: Path, name: str) -> Iterator[str]:
    """Yield the names of the pieces of a table, none for one that is not in pieces."""
    file = folder / f"{name}{_LIST}"
    if file.is_file():
        with suppress(Lost):
            yield from (one.name for one in _read_list(file)[1])


def _read_list(file: Path) -> tuple[pa.Schema, list[_Piece]]:
    if file not in _READ.lists:
        held = _open(file, lambda held: manifest.hash_bytes(held) == file.stem)
        said = json.loads(held.to_pybytes())
        if said.get("form") != _FORM:
            _remove(file)
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(said["schema"])))
        _READ.lists[file] = schema, [
            _Piece(name, check, rows, (box[0], box[1], box[2], box[3]))
            for name, check, rows, box in said["pieces"]]
    return _READ.lists[file]


def _remove(file: Path) -> NoReturn:
    with suppress(OSError):
        file.unlink()
    raise Lost(file.name)


def _read_file(file: Path, name: str) -> Table:
    """Return a table that is one file."""
    return arrow.unpack(_open(file, lambda held: manifest.hash_bytes(held) == name))


def _read_piece(folder: Path, piece: _Piece) -> Table:
    file = folder / f"{piece.name}{_TABLE}"
    if (file, ()) not in _READ.tables:
        held = _open(file, lambda held: xxhash.xxh3_128_hexdigest(held) == piece.check)
        _keep(file, (), arrow.unpack(held), piece)
    return _READ.tables[file, ()]


def _keep(file: Path, short: tuple[str, ...], table: Table, piece: _Piece) -> None:
    _READ.tables[file, short] = table
    memory.BOXES[memory.tell_array(table[arrow.SHAPE[0]].chunk(0))] = piece.box
    for place in pieces.tell_memory(table):
        _READ.names[place] = piece


def _open(file: Path, proves: Callable[[pa.Buffer], bool]) -> pa.Buffer:
    """Map a file into memory and prove it."""
    with suppress(OSError):
        with pa.memory_map(str(file)) as source:
            held = source.read_buffer()
        if proves(held):
            return held
    _remove(file)


def _shorten(folder: Path, piece: _Piece, table: Table, names: set[str]) -> Table:
    """Return a piece in which some columns hold each text once, as other pieces do."""
    plain = [name for name in table.column_names
             if name in names and not pa.types.is_dictionary(table[name].type)]
    if not plain:
        return table
    file, key = folder / f"{piece.name}{_TABLE}", tuple(plain)
    if (file, key) not in _READ.tables:
        for name in plain:
            table = table.set_column(table.column_names.index(name), name,
                                     table[name].dictionary_encode())
        _keep(file, key, table, piece)
    return _READ.tables[file, key]
