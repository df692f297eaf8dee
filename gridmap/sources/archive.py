"""Zipped files: unpacked into a folder of their own that is gone afterwards."""

from __future__ import annotations

import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..errors import SourceError, listed
from . import limits as bounds
from .limits import USUAL, Limits

#: What Python raises for a damaged archive: places outside the file are an OSError.
FAULTS = (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError,
          ValueError, struct.error)


@contextmanager
def unpacked(
    path: Path, endings: tuple[str, ...], *, limits: Limits = USUAL
) -> Iterator[Path]:
    """Unpack the one file of a zip archive that can be read, and what lies beside it.

    Parameters
    ----------
    path : Path
        The archive.
    endings : tuple of str
        Endings of files that are read.
    limits : Limits, optional
        How much may come out.

    Yields
    ------
    Path
        The unpacked file, inside a folder that is removed when the block ends.

    Raises
    ------
    SourceError
        If it is no archive, would grow beyond measure, needs a password, or holds no file
        that is read, or several.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                members = [one for one in archive.infolist() if not one.is_dir()]
                check_members(path, archive.infolist(), limits)
                inside = _unpack(archive, members, _choose(path, members, endings), Path(folder))
        except FAULTS as error:
            raise SourceError(f"{path} is no zip archive that can be read: {error}") from error
        yield inside


def check_members(path: Path, members: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Raise where an archive has too many members, or would grow beyond measure.

    Python never takes more bytes out of a member than its entry in the directory says.
    """
    if len(members) > limits.members:
        raise SourceError(f"{path} holds {len(members):,} files, more than the "
                          f"{limits.members:,} that are looked at: it is not opened. Unpack it "
                          "and name the file, or raise the limit members")
    bounds.check_grown(sum(one.file_size for one in members), path, path.stat().st_size, limits)


def _root(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return the file a member belongs to; a geodatabase is a folder of files."""
    place = PurePosixPath(member.filename.replace("\\", "/"))
    inside = [parent for parent in place.parents if parent.suffix.lower() == ".gdb"]
    return inside[0] if inside else place


def _choose(path: Path, members: list[zipfile.ZipInfo], endings: tuple[str, ...]
            ) -> PurePosixPath:
    roots = dict.fromkeys(_root(one) for one in members)
    known = [r for r in roots if r.suffix.lower() in endings and "__MACOSX" not in r.parts]
    if len(known) != 1:
        what = "no file that is read" if not known else f"{len(known)} files"
        raise SourceError(
            f"{path} holds {what}: {listed([r.name for r in known or roots])}. Unpack it and name "
            "the file"
        )
    return known[0]


def _unpack(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], chosen: PurePosixPath,
            folder: Path) -> Path:
    """Copy the members that belong to the chosen one, under names that are ours."""
    for one in members:
        root = _root(one)
        if root == chosen and chosen.suffix.lower() == ".gdb":
            name = Path("inside.gdb") / PurePosixPath(one.filename).name
        elif root.parent == chosen.parent and root.stem == chosen.stem:
            name = Path(f"inside{root.suffix.lower()}")
        else:
            continue
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        with archive.open(one) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    return folder / f"inside{chosen.suffix.lower()}"
