"""Files that appear whole or not at all, and never in the place of somebody's own."""

from __future__ import annotations

import gzip
import mmap
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import WorkspaceError
from .. import store, swap
from .published import MARK


def check_target(target: Path, *, force: bool = False) -> None:
    """Raise unless an export may be written to a path.

    Parameters
    ----------
    target : Path
    force : bool, default False
        Whether a file may be replaced that is no export of gridmap.

    Raises
    ------
    WorkspaceError
        If its folder is absent, it lies inside a workspace, is a folder, or is a file that
        gridmap did not export.

    Examples
    --------
    >>> check_target(Path("a_folder_that_does_not_exist/grids.fgb"))
    Traceback (most recent call last):
    gridmap.errors.WorkspaceError: there is no folder a_folder_that_does_not_exist for grids.fgb
    """
    folder = target.parent
    if not folder.is_dir():
        raise WorkspaceError(f"there is no folder {folder} for {target.name}")
    for above in [*folder.resolve().parents, folder.resolve()]:
        if store.is_version(above) or (above / ".version").is_file():
            raise WorkspaceError(
                f"{target} lies inside a workspace, whose versions are never changed: name a "
                "place outside of it"
            )
    if target.is_dir():
        raise WorkspaceError(f"{target} is a folder; the name of a file is needed")
    there = [file for file in list_parts(target) if file.exists()]
    if there and not force and not is_export(target):
        raise WorkspaceError(
            f"{there[0]} is there already and is no export of gridmap, so it is not replaced. "
            "Choose another name, or say --force"
        )


def is_export(file: Path) -> bool:
    """Say whether a file bears the note that gridmap leaves in every export.

    That of a shapefile stands in the text file beside it.
    """
    if file.suffix.lower() == ".shp":
        file = note_beside(file)
    if not file.is_file() or not file.stat().st_size:
        return False
    if file.suffix.lower() == ".xlsx":
        return MARK.encode() in _read_properties(file)
    with file.open("rb") as stream:
        if file.suffix.lower() == ".pmtiles":
            return MARK.encode() in _read_tile_notes(stream.read(127), file)
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(MARK.encode()) >= 0


def list_parts(target: Path) -> list[Path]:
    """Return the files that an export consists of, the target first.

    Examples
    --------
    >>> [file.suffix for file in list_parts(Path("net.shp"))]
    ['.shp', '.shx', '.dbf', '.prj', '.cpg', '.txt']
    """
    more = (".shx", ".dbf", ".prj", ".cpg", ".txt") if target.suffix.lower() == ".shp" else ()
    return [target, *map(target.with_suffix, more)]


def note_beside(shapefile: Path) -> Path:
    """Return the text file with the note of a shapefile."""
    return shapefile.with_suffix(".txt")


def _read_properties(workbook: Path) -> bytes:
    """Return what a workbook says of itself; nothing where it is none."""
    try:
        with zipfile.ZipFile(workbook) as parts, parts.open("docProps/core.xml") as stream:
            return stream.read(1 << 16)
    except (zipfile.BadZipFile, KeyError):
        return b""


def _read_tile_notes(header: bytes, file: Path) -> bytes:
    """Return what a PMTiles archive says of itself; nothing where it is none."""
    if len(header) < 127 or header[:7] != b"PMTiles":
        return b""
    start, length = struct.unpack_from("<QQ", header, 24)
    with file.open("rb") as stream:
        stream.seek(start)
        packed = stream.read(min(length, 1 << 20))
    with suppress(OSError, EOFError):
        return gzip.decompress(packed)
    return packed


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yield a path to write to; all files beside it appear at once when the block ends.

    They are written in a hidden folder beside the target and renamed, the target last. After
    an error nothing is left.

    Raises
    ------
    WorkspaceError
        If the system refuses to write there.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            yield folder / target.name
            made = sorted(folder.iterdir(), key=lambda file: (file.name == target.name, file))
            for file in made:
                swap.sync_file(file)
            for file in made:
                os.replace(file, target.with_name(file.name))
            swap.sync_folder(target.parent)
        finally:
            swap.remove_tree(folder)
    except OSError as error:
        raise WorkspaceError(
            f"{target} cannot be written: {error.strerror or error}. What was there before is "
            "still there"
        ) from error
