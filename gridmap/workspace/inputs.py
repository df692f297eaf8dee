"""The files that a run reads, as they were before it: a change on the way is not missed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ..errors import SourceError, listed
from ..sources import database
from ..sources.postgis import hash_table
from . import manifest
from .config import MANY, Config

#: Files that are read with another one of the same name.
_BESIDE = {".shp": (".shx", ".dbf", ".prj", ".cpg", ".qix"), ".csv": (".csvt", ".prj"),
           ".tif": (".tfw", ".tif.aux.xml"), ".gpkg": (".gpkg-wal",)}


class Reading(NamedTuple):
    """The files of a configuration as they were at some moment."""

    hashes: dict[str, str]  # by name as a manifest tells it
    states: dict[Path, tuple[int | str, ...]]


def read_inputs(config: Config) -> Reading:
    """Look at every file that a run reads: its bytes, and what the system knows of it.

    Parameters
    ----------
    config : Config

    Returns
    -------
    Reading
        With the parts of shapefiles and the files of folders. Absent files are left out:
        loading them tells it better. A table of a database tells its own fingerprint.

    Raises
    ------
    SourceError
        If a database cannot be reached, or lacks a table.
    """
    named = name_files(config)
    states = {path: _state(path) for path in named.values()}
    return Reading({name: str(states[path][0]) if database.is_table(path)
                    else manifest.hash_file(path) for name, path in named.items()}, states)


def check_inputs(reading: Reading) -> None:
    """Raise if a file is no longer what it was when it was looked at.

    Raises
    ------
    SourceError
        If one was written, replaced or removed since.
    """
    changed = [path.name for path in reading.states if not stands(reading, path)]
    if changed:
        raise SourceError(
            f"{listed(sorted(changed))} changed while the run was at work, so what was read may "
            "be half of one state and half of another. Nothing was written and the last version "
            "stands: run again when nobody writes the input",
            rows=sorted(changed),
        )


def stands(reading: Reading, path: Path) -> bool:
    """Say whether a file is still what it was when it was looked at.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> reading = read_inputs(config)
    >>> file = next(iter(reading.states))
    >>> before = stands(reading, file)
    >>> file.unlink()
    >>> before, stands(reading, file)
    (True, False)
    """
    there = database.is_table(path) or path.is_file()
    return there and _state(path) == reading.states[path]


def _state(path: Path) -> tuple[int | str, ...]:
    if database.is_table(path):
        return (hash_table(path),)
    known = path.stat()
    return known.st_size, known.st_mtime_ns, known.st_ctime_ns, known.st_ino


def name_files(config: Config) -> dict[str, Path]:
    """Return every file that a run reads, by a name that is the same on all machines.

    A file below the folder of the configuration is named from there; any other by its last
    name, with a number where that is taken. A table of a database is named without it.
    """
    sources = [s for name in MANY for s in getattr(config, name)] + [config.units, config.grids]
    files = {file for s in sources if s is not None for file in _with_parts(Path(s.path))}
    home = config.path.parent
    named: dict[str, Path] = {}
    for path in sorted(files):
        inside = path.is_relative_to(home)
        name = path.relative_to(home).as_posix() if inside else path.name
        name = f"{database.SCHEME} {name}" if database.is_table(path) else name
        same = sum(other == name or other.startswith(f"{name} (") for other in named)
        named[f"{name} ({same + 1})" if same else name] = path
    return named


def _with_parts(path: Path) -> list[Path]:
    """Return a file with those read beside it, or all files of a folder."""
    if database.is_table(path):
        return [path]
    path = Path(os.path.normpath(path))
    if path.is_dir():
        return [path / name for name in manifest.list_files(path)]
    beside = [path.with_suffix(end) for end in _BESIDE.get(path.suffix.lower(), ())]
    upper = [path.with_suffix(end.upper()) for end in _BESIDE.get(path.suffix.lower(), ())]
    return [file for file in (path, *beside, *upper) if file.is_file()]
