"""Upkeep of versions: an earlier one made current again, old ones removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pandas import DataFrame, Index

from ..errors import ConfigError, WorkspaceError, listed
from . import history, lock, manifest, save, store, swap


def restore_version(workspace: str | Path, number: str, *, wait_s: float = 0.0) -> str:
    """Let a workspace stand for an earlier version again, in one step.

    Nothing is lost: the later versions stay, and can be restored as well.

    Parameters
    ----------
    workspace : str or Path
    number : str
        Of the version, such as ``"0002"`` or ``"2"``.
    wait_s : float, default 0.0
        Wait so many seconds for a run to end.

    Returns
    -------
    str
        The full number.

    Raises
    ------
    WorkspaceError
        If there is no such version, or a file of it is gone or altered.
    BusyError
        If a run is at work.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.workspace import Contents, save_workspace
    >>> place = Path(tempfile.mkdtemp()) / "out"
    >>> for text in ("one", "two"):
    ...     files = save_workspace(place, Contents({}, {}, {}, {"map": text}, {}))
    >>> restore_version(place, "1"), (place / "map.html").read_text()
    ('0001', 'one')
    """
    with save.hold_workspace(workspace, wait_s=wait_s) as place:
        known = store.check_number(place, number)
        folder = store.store_of(place) / known
        altered = manifest.find_altered(folder, manifest.load_manifest(folder)["outputs"])
        if altered:
            raise WorkspaceError(
                f"version {known} is not what it was when it was written: {listed(altered)} "
                f"is gone or altered. Nothing was changed; see more with: gridmap verify "
                f"{place.name}@{known}", rows=altered,
            )
        with save.told_as_error(place):
            before = store.current_number(place)
            if before != known:
                store.make_current(place, known)
                history.note_event(place, history.RESTORED, version=known, **_owner(),
                                   note=f"before it was version {before}")
    return known


def find_prunable(
    workspace: str | Path, *, keep: int | None = None, older_than_days: float | None = None
) -> DataFrame:
    """Return the versions that may go.

    Parameters
    ----------
    workspace : str or Path
    keep : int, optional
        Spare the last so many versions.
    older_than_days : float, optional
        Spare versions younger than this.

    Returns
    -------
    DataFrame
        Index ``version``, the oldest first; ``bytes`` that each frees, a file shared with a
        later version counted in none of them. The current version is never among them.

    Raises
    ------
    ConfigError
        If neither limit is given, or one is below 0.

    Examples
    --------
    >>> find_prunable("nowhere", keep=3).index.tolist()
    []
    """
    if keep is None and older_than_days is None:
        raise ConfigError("say what may go: --keep N, --older-than DAYS, or both")
    if (keep or 0) < 0 or (older_than_days or 0) < 0:
        raise ConfigError("--keep and --older-than need numbers of 0 or more")
    place = store.find_place(workspace)
    numbers, current = store.list_numbers(place), store.current_number(place)
    going = numbers[: max(len(numbers) - keep, 0)] if keep is not None else numbers
    if older_than_days is not None:
        limit = datetime.now(UTC) - timedelta(days=older_than_days)
        going = [number for number in going if _made(place, number) < limit]
    going = [number for number in going if number != current]
    freed = _measure_freed(place, going)
    return DataFrame({"bytes": [freed[number] for number in going]}, dtype="int64",
                     index=Index(going, dtype="str", name="version"))


def _made(place: Path, number: str) -> datetime:
    made = (store.store_of(place) / number / manifest.MANIFEST).stat().st_mtime
    return datetime.fromtimestamp(made, UTC)


def _measure_freed(place: Path, numbers: list[str]) -> dict[str, int]:
    """Return the bytes of files that no version has that stays, told once for each file."""
    names: dict[tuple[int, int], int] = {}
    last: dict[tuple[int, int], tuple[str, int]] = {}
    for number in numbers:
        folder = store.store_of(place) / number
        for name in manifest.list_files(folder):
            known = (folder / name).stat()
            key = known.st_dev, known.st_ino
            names[key] = names.get(key, known.st_nlink) - 1
            last[key] = number, known.st_size
    freed = dict.fromkeys(numbers, 0)
    for key, (number, size) in last.items():
        freed[number] += size if names[key] <= 0 else 0
    return freed


def prune_versions(
    workspace: str | Path, *, keep: int | None = None, older_than_days: float | None = None,
    wait_s: float = 0.0,
) -> DataFrame:
    """Remove old versions for good. The current one and their numbers are never touched.

    Parameters
    ----------
    workspace, keep, older_than_days
        As in `find_prunable`.
    wait_s : float, default 0.0
        Wait so many seconds for a run to end.

    Returns
    -------
    DataFrame
        As `find_prunable` returned it before.

    Raises
    ------
    BusyError
        If a run is at work.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.workspace import Contents, save_workspace
    >>> place = Path(tempfile.mkdtemp()) / "out"
    >>> for text in ("one", "two", "three"):
    ...     files = save_workspace(place, Contents({}, {}, {}, {"map": text}, {}))
    >>> prune_versions(place, keep=1).index.tolist()
    ['0001', '0002']
    """
    with save.hold_workspace(workspace, wait_s=wait_s) as place:
        going = find_prunable(workspace, keep=keep, older_than_days=older_than_days)
        with save.told_as_error(place):
            for number in going.index:
                store.remove_version(place, number)
                history.note_event(place, history.PRUNED, version=number, **_owner())
    return going


def prune_steps(workspace: str | Path, *, remove: bool = True, wait_s: float = 0.0) -> int:
    """Remove what steps of earlier runs made, so that the next run does all of them again.

    A run keeps what the last two versions need; no version needs any of it to be read.

    Parameters
    ----------
    workspace : str or Path
    remove : bool, default True
        False only measures.
    wait_s : float, default 0.0
        Wait so many seconds for a run to end.

    Returns
    -------
    int
        Bytes that come free.

    Raises
    ------
    BusyError
        If a run is at work.

    Examples
    --------
    >>> prune_steps("nowhere", remove=False)
    0
    """
    folder = store.store_of(store.find_place(workspace)) / store.STEPS
    size = sum((folder / name).stat().st_size for name in manifest.list_files(folder))
    if remove and folder.exists():
        with save.hold_workspace(workspace, wait_s=wait_s) as place, save.told_as_error(place):
            swap.remove_tree(folder)
            history.note_event(place, history.PRUNED, **_owner(), note="the store of steps")
    return size


def _owner() -> dict[str, object]:
    owner = lock.tell_owner()
    return {"host": owner.host, "pid": owner.pid}
