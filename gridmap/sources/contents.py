"""What is inside a file that GDAL or a parser of XML would follow on its own."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote
from xml.parsers import expat

from ..errors import SourceError, listed

_PIECE = 65_536

#: Virtual tables that a GeoPackage has for its indexes.
_INDEXES = ("rtree", "rtree_i32", "fts3", "fts4", "fts5")


class _FirstElement(Exception):  # noqa: N818  no fault: it ends the walk
    """The first element was reached."""


def check_xml(stream: IO[bytes], told: object, root: str | None = None) -> None:
    """Raise where XML declares entities or a document type, or has another first element.

    Parameters
    ----------
    stream : file of bytes
    told : object
        What the file is called in messages.
    root : str, optional
        The first element, without its namespace.

    Raises
    ------
    SourceError
        Before anything that a document type names is looked at.
    """
    found: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def forbid(*_: Any) -> None:
        raise SourceError(
            f"{told} has a document type (<!DOCTYPE …>), whose entities may grow beyond measure "
            "or name other files: it is not opened. Take the line out, or write the file anew"
        )

    def see(name: str, _: Any) -> None:
        found.append(name.rpartition(" ")[2])
        raise _FirstElement

    parser.StartDoctypeDeclHandler = forbid
    parser.StartElementHandler = see
    try:
        while piece := stream.read(_PIECE):
            parser.Parse(piece, False)
    except _FirstElement:
        pass
    except expat.ExpatError as error:
        raise SourceError(f"{told} is no XML that can be read: {error}") from error
    if root is not None and found != [root]:
        looks = f"its first element is <{found[0][:40]}>" if found else "it has no element"
        raise SourceError(f"{told} is no {root.upper()}, {looks}: it is not opened")


def check_package(path: Path) -> None:
    """Raise where a GeoPackage has layers that are computed or lie in other files.

    A view may compute rows without end, and a virtual table may be any file or address. What
    lies in a write-ahead log beside the file is looked at as GDAL would.

    Raises
    ------
    SourceError
        Names the layer.
    """
    if _size(path, "-journal"):
        raise SourceError(f"{path} has the journal of an interrupted write beside it, which would "
                          "change it while it is read: open and close it once in QGIS, or remove "
                          f"{path.name}-journal")
    mode = "ro" if _size(path, "-wal") else "ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode={mode}",
                                     uri=True)) as package:
            package.execute("PRAGMA trusted_schema = 0")
            parts = package.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master"
                                    ).fetchall()
            layers = {name.lower() for (name,) in package.execute(
                "SELECT table_name FROM gpkg_contents").fetchall()}
    except (sqlite3.Error, AttributeError) as error:
        raise SourceError(f"{path} is no GeoPackage that can be read: {error}") from error
    views = [name for kind, name, _ in parts if kind == "view" and name.lower() in layers]
    if views:
        raise SourceError(
            f"{path} has layers that are views, whose rows are computed while they are read: "
            f"{listed(views)}. Make each a table (CREATE TABLE … AS SELECT …)"
        )
    made = [(name, _module(sql)) for _, name, sql in parts]
    strange = [name for name, module in made if module and module not in _INDEXES]
    if strange:
        raise SourceError(
            f"{path} has virtual tables that may lie anywhere: {listed(strange)}. It is not "
            "opened: drop them"
        )


def _size(path: Path, ending: str) -> int:
    beside = path.resolve().with_name(path.resolve().name + ending)
    return beside.stat().st_size if beside.is_file() else 0


def _module(sql: str) -> str:
    found = re.search(r"\bCREATE\s+VIRTUAL\s+TABLE\b.*?\bUSING\s+[\"\[`']?(\w+)", sql,
                      re.IGNORECASE | re.DOTALL)
    return found.group(1).lower() if found else ""
