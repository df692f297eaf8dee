"""Write a whole version of a workspace or nothing: built beside, made current in one step."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd
import pyogrio
from geopandas import GeoDataFrame
from pandas import DataFrame

from ..errors import GridmapError, WorkspaceError
from . import history, lock, manifest, store, swap
from .lock import Owner
from .manifest import MANIFEST, Hashes
from .packages import Layer, save_package
from .pieces import join_pieces
from .rowgroups import RowGroups

#: Cells that a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


#: What GDAL cannot write.
_GDAL = (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError,
         pyogrio.errors.FeatureError)

#: What the system says where nothing more can be written.
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

#: Drivers say of a full disk only that something failed; with less room than this it is full.
_FULL_BELOW = 1 << 20


class Contents(NamedTuple):
    """What a workspace holds, by file name without folder."""

    frames: Mapping[str, GeoDataFrame | DataFrame | RowGroups]  # GeoParquet
    packages: Mapping[str, Mapping[str, Layer]]  # GeoPackage -> layers
    tables: Mapping[str, DataFrame]  # CSV
    pages: Mapping[str, str]  # HTML
    facts: Mapping[str, Any]  # manifest
    kept: Mapping[str, Path] = MappingProxyType({})  # file name -> the same file, as it was
    grounds: Mapping[str, bytes | None] = MappingProxyType({})  # package -> `make_ground` of it


def save_workspace(
    folder: str | Path, contents: Contents, *, read: Hashes | None = None
) -> list[Path]:
    """Write a version of a workspace, and let it become current in one step.

    Everything is written into a new folder among the versions. When all of it is on the disk
    the workspace, a link, is turned to it: a reader sees one whole version or the other. An
    output that is the current version byte for byte makes no new one; files that are the
    same share their place on the disk.

    Parameters
    ----------
    folder : str or Path
        The workspace, whose versions lie beside it in ``folder.versions``. A folder that an
        older gridmap wrote becomes a version.
    contents : Contents
        What to write.
    read : Hashes, optional
        Files that were hashed already in this run, so that none is read twice.

    Returns
    -------
    list of Path
        The files of the workspace, the manifest last.

    Raises
    ------
    WorkspaceError
        If the folder holds something that is no workspace, or cannot be written.
    BusyError
        If another run is writing it.
    """
    place = store.find_place(folder)
    check_replaceable(place)
    with told_as_error(place), lock.hold_lock(place) as crashed:
        lock.check_held(place)
        begin_work(place, crashed)
        names = _save_version(place, contents, read or Hashes())
    return [Path(folder) / name for name in names]


@contextmanager
def hold_workspace(folder: str | Path, *, wait_s: float = 0.0) -> Iterator[Path]:
    """Keep every other run from a workspace while the block runs.

    What an interrupted run left is put right first. An error of the block is noted in the
    log of the workspace, where every night can be looked up.

    Parameters
    ----------
    folder : str or Path
        The workspace.
    wait_s : float, default 0.0
        Wait so many seconds for another run to end.

    Yields
    ------
    Path
        Where the workspace stands.

    Raises
    ------
    BusyError
        If another run is at work and does not end in time; the message says which, and since
        when.
    WorkspaceError
        If the folder holds something that is no workspace, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with hold_workspace(tempfile.mkdtemp() + "/out") as place:
    ...     place.name
    'out'
    """
    place = store.find_place(folder)
    check_replaceable(place)
    with lock.hold_lock(place, wait_s=wait_s) as crashed:
        with told_as_error(place):
            begin_work(place, crashed)
        try:
            with _told_where_unwritable(place):
                yield place
        except (GridmapError, KeyboardInterrupt, MemoryError) as error:
            owner = lock.tell_owner()
            with suppress(OSError):  # the error that is under way says more
                history.note_event(place, history.FAILED, host=owner.host, pid=owner.pid,
                                   note=f"{type(error).__name__}: {error}".removesuffix(": "))
            raise


@contextmanager
def told_as_error(place: Path) -> Iterator[None]:
    """Tell what the system refuses as an error of the workspace."""
    try:
        yield
    except (OSError, sqlite3.Error, *_GDAL) as error:
        raise WorkspaceError(
            f"the workspace {place} cannot be written: {_tell(error, place)}. What was there "
            "before is still there; make room or choose another folder in [run] workspace"
        ) from error


@contextmanager
def _told_where_unwritable(place: Path) -> Iterator[None]:
    """Tell of a workspace that takes no more while a run is at work; other errors pass."""
    try:
        yield
    except OSError as error:
        lock.check_held(place)
        if error.errno in _UNWRITABLE or any(os.strerror(n) in str(error) for n in _UNWRITABLE):
            with told_as_error(place):
                raise
        raise


def _tell(error: Exception, place: Path) -> str:
    """Return what the system refused in words; drivers of formats say it in many."""
    known = error.errno if isinstance(error, OSError) else None
    room = next((folder for folder in place.parents if folder.is_dir()), place.parent)
    full = known is None and shutil.disk_usage(room).free < _FULL_BELOW
    if full or known in (errno.ENOSPC, errno.EDQUOT):
        return "No space left on device"
    return str(getattr(error, "strerror", None) or error).split("\n")[0]


def begin_work(place: Path, crashed: Owner | None) -> None:
    """Put right what an interrupted run left, and note it; call it with the lock held."""
    if crashed is not None:
        history.note_event(place, history.CRASHED, note=f"{crashed.told} did not end its work")
    done = store.recover(place, after=history.highest_number(place))
    if done is not None:
        history.note_event(place, history.RECOVERED, version=store.current_number(place),
                           note=done)
    untold = history.find_untold(place)
    if untold is not None:
        if store.current_number(place) != untold:
            store.make_current(place, untold)
        history.note_event(place, history.RECOVERED, version=untold,
                           note="it was whole, and the run that made it could not note it")


def _save_version(place: Path, contents: Contents, read: Hashes) -> list[str]:
    building = store.start_building(place)
    try:
        with told_as_error(place):  # here, while what fills the disk is still there
            _write(building, contents)
        names = manifest.list_files(building)
        hashes = {name: read.of(building / name) for name in names}
        _check_kept(contents.kept, hashes)
        manifest.save_manifest(building, contents.facts, hashes)
        current = store.current_number(place)
        changed = _compare(place, current, building, hashes, read)
        number, event = current, history.SAME
        if changed is not None or number is None:
            event = history.MADE
            lock.check_held(place)
            number = store.add_version(place, building, after=history.highest_number(place))
            store.make_current(place, number)
    finally:
        swap.remove_tree(building)
    owner = lock.tell_owner()
    history.note_event(
        place, event, version=number, seconds=round(lock.measure_held(place), 3),
        host=owner.host, pid=owner.pid, changed=changed or [],
        counts=history.count_facts(contents.facts))
    return [*names, MANIFEST]


def _compare(
    place: Path, current: str | None, building: Path, hashes: Mapping[str, str], read: Hashes
) -> list[str] | None:
    """Return the files that differ from the current version; None where nothing does.

    Files that do not differ become second names of those of the current version. A file of
    it that was altered since is told as different, so that the new version mends it.
    """
    if current is None:
        return sorted(hashes)
    before = store.store_of(place) / current
    known = _outputs_of(before)
    alike = [name for name, digest in hashes.items()
             if known.get(name) == digest and read.tells(before / name, digest)]
    said = (building / MANIFEST).read_bytes()
    if len(alike) == len(hashes) == len(known) and said == (before / MANIFEST).read_bytes():
        return None
    for name in alike:
        if (building / name).samefile(before / name):
            continue  # kept already; to rename one name of a file to another of it does nothing
        shared = building / f"{name}.shared"
        swap.share_file(before / name, shared)
        os.replace(shared, building / name)
    return sorted((set(hashes) | set(known)) - set(alike))


def _check_kept(kept: Mapping[str, Path], hashes: Mapping[str, str]) -> None:
    """Raise if a file that was kept is not what its version said it was."""
    known: dict[Path, dict[str, str]] = {}
    for name, path in kept.items():
        folder = _version_of(path)
        if folder is None:
            continue
        if folder not in known:
            known[folder] = _outputs_of(folder)
        said = known[folder].get(path.relative_to(folder).as_posix())
        if said is not None and said != hashes[name]:
            raise WorkspaceError(
                f"{path.name} of {store.name_version(folder)} was altered since it was written, "
                "so it is not taken over. See what else was with: gridmap verify",
                rows=[name],
            )


def _outputs_of(version: Path) -> dict[str, str]:
    """Return the hashes that a version tells; none where its manifest is damaged.

    What cannot be compared is written anew, so that a damaged version stops no run.
    """
    try:
        outputs: dict[str, str] = manifest.load_manifest(version)["outputs"]
    except WorkspaceError:
        return {}
    return outputs


def _version_of(path: Path) -> Path | None:
    return next((folder for folder in path.parents if store.is_version(folder)), None)


def check_replaceable(target: Path) -> None:
    """Raise unless a folder is absent, empty, or a workspace of gridmap.

    Raises
    ------
    WorkspaceError
        If writing there would remove somebody's files.

    Examples
    --------
    >>> check_replaceable(Path("a_folder_that_does_not_exist"))
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise WorkspaceError(f"{target} is a file; [run] workspace needs a folder")
    if any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise WorkspaceError(
            f"{target} holds files but no {MANIFEST}, so it is no workspace and is not replaced. "
            "Empty it, or choose another folder in [run] workspace"
        )


def _write(fresh: Path, contents: Contents) -> None:
    for name, frame in contents.frames.items():
        (fresh / "frames").mkdir(exist_ok=True)
        _save_frame(fresh / "frames" / f"{name}.parquet", frame)
    profile = contents.facts.get("publication")
    note = f'gridmap, publication profile "{profile}"' if profile else "gridmap"
    for name, layers in contents.packages.items():
        save_package(fresh / f"{name}.gpkg", layers, note=note,
                     ground=contents.grounds.get(name))
    for name, table in contents.tables.items():
        save_table(fresh / f"{name}.csv", table)
    for name, page in contents.pages.items():
        (fresh / f"{name}.html").write_text(page, encoding="utf-8")
    for name, path in contents.kept.items():
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        swap.share_file(Path(path), fresh / name)


def _save_frame(file: Path, frame: GeoDataFrame | DataFrame | RowGroups) -> None:
    if isinstance(frame, RowGroups):
        frame.save(file)
    else:
        join_pieces(frame).to_parquet(file, compression="zstd")


def save_table(path: Path, table: DataFrame) -> None:
    """Write a table as CSV in UTF-8 with a byte order mark, safe to open in a spreadsheet.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    safe = make_harmless(table)
    if pd.api.types.is_string_dtype(safe.index):
        safe.index = safe.index.map(_harmless).astype("str").rename(table.index.name)
    safe.to_csv(path, encoding="utf-8-sig", lineterminator="\n")


def make_harmless(table: DataFrame) -> DataFrame:
    """Return a table in whose texts and headers no spreadsheet sees a formula.

    A return becomes the end of a line: alone it is not put in quotation marks, and what stands
    behind it would begin a row.

    Examples
    --------
    >>> make_harmless(DataFrame({"name": ["=1+1", "A"], "n": [-1, 2]})).values.tolist()
    [["'=1+1", -1], ['A', 2]]
    """
    texts = [name for name in table.columns if pd.api.types.is_string_dtype(table[name])]
    return table.assign(**{name: table[name].map(_harmless, na_action="ignore")
                           for name in texts}).rename(columns=_harmless_header)


def _harmless_header(name: object) -> object:
    return _harmless(name) if isinstance(name, str) else name


def _harmless(text: str) -> str:
    safe = f"'{text}" if text.startswith(_FORMULA) else text
    return safe.replace("\r\n", "\n").replace("\r", "\n") if "\r" in safe else safe
