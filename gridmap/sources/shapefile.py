"""Shapefiles: shapes by GDAL, the table by its bytes, and the two held against each other."""

from __future__ import annotations

import shutil
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pandas import DataFrame
from pyproj import CRS

from ..errors import CRSError, SourceError
from . import crs as crs_room
from . import dbf as table_room
from . import gdal
from .raw import Raw, check_columns, make_raw

_HEADER = 100  # bytes of .shp and .shx before the first record
_MAGIC = b"\x00\x00\x27\x0a"
_PROMISED_BYTES = 24  # big-endian, in words of two bytes


def read_shapefile(path: Path, wanted: list[str], *, encoding: str | None = None) -> Raw:
    """Read columns and shapes of a shapefile.

    Parameters
    ----------
    path : Path
        The ``.shp``; the files beside it are found in any spelling of their endings. A
        missing ``.shx`` is made anew outside the folder.
    wanted : list of str
        Columns to read; others never enter.
    encoding : str, optional
        Overrules what the ``.cpg`` says and the bytes show.

    Returns
    -------
    Raw
        One row for each record that either file has. A row whose shape is missing has the
        reason why.

    Raises
    ------
    SourceError
        If there is no shape that can be read, or a column is absent.
    """
    beside = {file.suffix.lower(): file for file in path.parent.iterdir()
              if file.stem == path.stem and file.is_file()}
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise SourceError(f"{path} is no shapefile: its first bytes are of another kind of file")
    notes = []
    fids, shapes, crs = _read_shapes(path, beside)
    count = _count_records(content, beside.get(".shx"))
    columns, headers, deleted, told = _read_table(path, beside, wanted, encoding)
    notes += told
    size = max(count, len(columns) if headers else 0, int(fids.max()) + 1 if len(fids) else 0)
    placed = np.full(size, None, dtype=object)
    placed[fids] = shapes
    reasons = _reasons(placed, size, count, content)
    kept = np.ones(size, dtype=bool)
    kept[: len(deleted)] = ~deleted[:size]
    if not kept.all():
        notes.append(("rows marked as deleted", f"{int((~kept).sum()):,} rows left out"))
    promised = _promised(content)
    if promised > len(content):
        short = f".shp has {len(content):,} of {promised:,} bytes"
        if size and shapely.is_missing(placed).all():
            raise SourceError(f"{path} has no shape that can be read: {short}, and ends before "
                              f"the first of {size:,} shapes. Fetch the file again, whole")
        notes.append(("file cut short", short))
    full = columns.reindex(range(size))
    raw = make_raw(full, headers, geometry=placed, crs=crs or _prj(beside), notes=notes)
    return raw._replace(table=full[kept].reset_index(drop=True), geometry=placed[kept],
                        rows=raw.rows[kept], reasons=reasons[kept])


def _promised(content: bytes) -> int:
    """Return how many bytes a .shp or .shx says that it has."""
    return 2 * int(struct.unpack_from(">i", content, _PROMISED_BYTES)[0])


def _read_shapes(
    path: Path, beside: dict[str, Path]
) -> tuple[NDArray[np.int64], NDArray[Any], Any]:
    """Read the shapes; alone, where a file beside them is absent or damaged."""
    fitting = _HEADER + 8 * (path.stat().st_size // 12)  # no record has less than 12 bytes
    whole = ".shx" in beside and _HEADER <= beside[".shx"].stat().st_size <= fitting
    if whole:
        with suppress(SourceError):
            return _read_with_gdal(path, path)
    with tempfile.TemporaryDirectory() as folder:  # GDAL would write a .shx beside the file
        copy = Path(folder) / "shapes.shp"
        shutil.copyfile(path, copy)
        if whole:
            shutil.copyfile(beside[".shx"], copy.with_suffix(".shx"))
        else:
            copy.with_suffix(".shx").write_bytes(_make_index(path.read_bytes()))
        return _read_with_gdal(copy, path)


def _read_with_gdal(file: Path, told: Path) -> tuple[NDArray[np.int64], NDArray[Any], Any]:
    try:
        with gdal.quietly():
            meta, fids, shapes, _ = pyogrio.raw.read(
                file.resolve(), columns=[], return_fids=True, encoding="ISO-8859-1"
            )
    except gdal.FAULTS as error:
        raise SourceError(f"{told} has no shape that can be read: {error}") from error
    return np.asarray(fids), shapely.from_wkb(shapes, on_invalid="ignore"), meta["crs"]


def _make_index(content: bytes) -> bytes:
    """Write the .shx of a .shp by walking over its records.

    References
    ----------
    ESRI Shapefile Technical Description, July 1998: records start with their number and
    the length of their content in words of two bytes, both big-endian.
    """
    places, at = [], _HEADER
    while at + 8 <= len(content):
        words = struct.unpack_from(">i", content, at + 4)[0]
        if words < 2:
            break
        places.append(struct.pack(">ii", at // 2, words))
        at += 8 + 2 * words
    index = b"".join(places)
    words = (_HEADER + len(index)) // 2
    return content[:_PROMISED_BYTES] + struct.pack(">i", words) + content[28:_HEADER] + index


def _count_records(content: bytes, index: Path | None) -> int:
    if index is not None and index.stat().st_size >= _HEADER:
        return min((index.stat().st_size - _HEADER) // 8, len(content) // 12)
    return (len(_make_index(content)) - _HEADER) // 8


def _reasons(shapes: NDArray[Any], size: int, count: int, content: bytes) -> NDArray[Any]:
    """Say why rows have no shape: none was written, or the file ends before it."""
    reasons = np.full(size, None, dtype=object)
    missing = shapely.is_missing(shapes)
    reasons[missing] = "the shapefile has no shape for this row"
    if _promised(content) > len(content):
        reasons[missing] = "the .shp file ends before this shape"
    reasons[count:] = "the .shp file has fewer records than its table"
    return reasons


def _read_table(
    path: Path, beside: dict[str, Path], wanted: list[str], encoding: str | None
) -> tuple[DataFrame, list[str], NDArray[np.bool_], list[tuple[str, str]]]:
    nothing = np.zeros(0, dtype=bool)
    if ".dbf" not in beside:
        if wanted:
            raise SourceError(f"{path} has no .dbf beside it, so it has no columns to choose from")
        return DataFrame(), [], nothing, [("file missing", "there is no .dbf: no columns")]
    declared = _declared(beside.get(".cpg"))
    try:
        dbf = table_room.open_dbf(beside[".dbf"].read_bytes())
        chosen = table_room.prove_encoding(dbf, declared, encoding)
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from error
    headers = table_room.name_fields(dbf, chosen.name)
    check_columns(wanted, headers, path)
    columns, cut = table_room.read_columns(dbf, wanted, chosen.name)
    notes = [("encoding", f"{chosen.name}: {chosen.evidence}")]
    if cut:
        notes.append(("text cut short", f"{cut:,} cells end within a character, at the width of "
                      "their column; that character is left out"))
    if dbf.promised > len(dbf.records):
        notes.append(("file cut short", f".dbf has {len(dbf.records):,} of {dbf.promised:,} rows"))
    return columns, headers, dbf.records[:, 0] == ord("*"), notes


def _declared(file: Path | None) -> str | None:
    if file is None:
        return None
    return file.read_bytes()[:80].decode("ascii", errors="ignore").strip() or None


def _prj(beside: dict[str, Path]) -> CRS | None:
    """Read a .prj that GDAL could not, such as one with a byte order mark."""
    if ".prj" not in beside:
        return None
    text = beside[".prj"].read_bytes()[:20_000].decode("utf-8-sig", errors="ignore").strip()
    try:
        return crs_room.crs_of_text(text) if text else None
    except CRSError:
        return None
