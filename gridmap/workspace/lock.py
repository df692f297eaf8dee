"""One run at a time: a lock that names its owner, and that no crash leaves closed.

The operating system holds the lock, so it is free in the moment its process ends, however
it ends. The text in the file is for people; it decides only between machines that share a
folder, where the mark of time of the file is renewed while a run is at work.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BusyError, WorkspaceError
from . import store

#: In the folder of versions.
LOCK = "lock"

#: A run renews the mark of its lock this often; one of another machine whose mark is older
#: than the second figure has crashed.
RENEWED_S, STALE_S = 30.0, 600.0

#: Where a locked byte lies: past all text, since Windows lets nobody read locked bytes.
_BYTE = 1 << 30

_ASKED_EVERY_S = 0.5
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)

#: Locks that this process holds: the system grants a process its own lock again.
_HELD: dict[Path, _Held] = {}
_HELD_GUARD = threading.Lock()


class _Held(NamedTuple):
    thread: int
    since: float
    file: tuple[int, int] | None = None  # of the lock: another one there is another lock


class Owner(NamedTuple):
    """Who holds a lock. No person is named."""

    host: str
    pid: int
    since: str  # UTC
    started: str = ""  # of the process, in ticks since the machine started
    boot: str = ""  # of the machine

    @property
    def told(self) -> str:
        """The owner in words."""
        return f"process {self.pid} on {self.host} since {self.since}"


@contextmanager
def hold_lock(place: Path, *, wait_s: float = 0.0) -> Iterator[Owner | None]:
    """Hold the lock of a workspace while the block runs.

    A block inside another of the same thread passes.

    Parameters
    ----------
    place : Path
        The workspace.
    wait_s : float, default 0.0
        Wait so long for another run to end.

    Yields
    ------
    Owner or None
        The run before, where it crashed without giving the lock back.

    Raises
    ------
    BusyError
        If another run is at work; the message names it.
    WorkspaceError
        If the folder of versions cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with hold_lock(Path(tempfile.mkdtemp()) / "out") as crashed:
    ...     crashed is None
    True
    """
    key, thread = store.store_of(place), threading.get_ident()
    with _HELD_GUARD:
        holder = _HELD.get(key)
        if holder is None:
            _HELD[key] = _Held(thread, time.monotonic())
    if holder is not None and holder.thread == thread:
        yield None
        return
    if holder is not None:
        raise BusyError(f"another thread of this process is writing {place}: wait for it")
    try:
        with _open_lock(key, place, wait_s) as crashed:
            yield crashed
    finally:
        with _HELD_GUARD:
            del _HELD[key]


@contextmanager
def _open_lock(folder: Path, place: Path, wait_s: float) -> Iterator[Owner | None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _refused(place, error) from error
    try:
        try:
            crashed = _wait(handle, folder, place, time.monotonic() + wait_s)
            _write_owner(handle, tell_owner())
            _HELD[folder] = _HELD[folder]._replace(file=_identity(os.fstat(handle)))
        except OSError as error:
            raise _refused(place, error) from error
        over = threading.Event()
        renewing = threading.Thread(target=_renew, args=(folder / LOCK, over), daemon=True)
        renewing.start()
        try:
            yield crashed
        finally:
            over.set()
            renewing.join()
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)  # which gives the lock of the system back


def _refused(place: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"the workspace {place} cannot be written: {store.store_of(place)} says "
        f"{error.strerror or error}. What was there before is still there; let gridmap write "
        "there, or choose another folder in [run] workspace"
    )


def _identity(known: os.stat_result) -> tuple[int, int]:
    return known.st_dev, known.st_ino


def _wait(handle: int, folder: Path, place: Path, until: float) -> Owner | None:
    """Return when the lock is ours, with the crashed owner that the file still names."""
    while True:
        granted = _take(handle)
        named = _read_owner(handle)
        if granted and (named is None or not _works_elsewhere(named, folder)):
            return named
        if time.monotonic() >= until:
            raise BusyError(_refuse(place, named))
        if granted:
            _give_back(handle)
        time.sleep(_ASKED_EVERY_S)


def _refuse(place: Path, owner: Owner | None) -> str:
    who = "another run" if owner is None else owner.told
    return (
        f"{place} is being written by {who}. Nothing was changed: wait for it to end, or let "
        "this run wait with --wait SECONDS"
    )


def _works_elsewhere(owner: Owner, folder: Path) -> bool:
    """Say whether another machine renewed its mark lately, by the clock of the file system.

    On this machine the lock of the system has decided already. Where a file system has none,
    it is asked whether the process lives.
    """
    here = tell_owner()
    if owner.host == here.host:
        known = not owner.boot or owner.boot == here.boot
        return not _has_locks(folder) and known and owner.started == _started(owner.pid)
    probe = folder / f".now-{os.getpid()}"
    probe.touch()
    now = probe.stat().st_mtime
    probe.unlink()
    return now - (folder / LOCK).stat().st_mtime < STALE_S


def _has_locks(folder: Path) -> bool:
    """Say whether the file system keeps locks at all."""
    probe = folder / f".lock-{os.getpid()}"
    handle = os.open(probe, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock_byte(handle)
    except OSError as error:
        return error.errno not in _NO_LOCKS
    finally:
        os.close(handle)
        probe.unlink()
    return True


def _take(handle: int) -> bool:
    """Ask the system for the lock; a file system that has none grants it to all."""
    try:
        _lock_byte(handle)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        if error.errno not in _NO_LOCKS:
            raise
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock_byte(handle: int) -> None:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _give_back(handle: int) -> None:
        os.lseek(handle, _BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    # Records of POSIX, not flock: they work on NFS, and no child of a killed run keeps them.
    def _lock_byte(handle: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _BYTE, os.SEEK_SET)

    def _give_back(handle: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_UN, 1, _BYTE, os.SEEK_SET)


def _renew(file: Path, over: threading.Event) -> None:
    while not over.wait(RENEWED_S):
        try:
            os.utime(file)
        except OSError:  # the folder is gone: saving will tell it
            return


def tell_owner() -> Owner:
    """Return this process as the owner of a lock."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Owner(platform.node(), os.getpid(), now, _started(os.getpid()), _boot())


def _started(pid: int) -> str:
    """Return when a process started, which tells it from a later one of the same number."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _write_owner(handle: int, owner: Owner) -> None:
    """Name the owner. On a full disk it stays unnamed: to prune must be possible just then."""
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        os.write(handle, json.dumps(owner._asdict()).encode())
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        os.ftruncate(handle, 0)


def _read_owner(handle: int) -> Owner | None:
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        read: dict[str, Any] = json.loads(os.read(handle, 4096))
        return Owner(**read)
    except (ValueError, TypeError):  # empty: given back; or cut short by a crash
        return None


def measure_held(place: Path) -> float:
    """Return for how many seconds this process has held the lock of a workspace."""
    held = _HELD.get(store.store_of(place))
    return 0.0 if held is None else time.monotonic() - held.since


def check_held(place: Path) -> None:
    """Raise if the folder of versions was removed under the run that holds its lock.

    A folder that another run made anew in its place is no longer ours.

    Raises
    ------
    WorkspaceError
        If it is gone, or another one.
    """
    folder = store.store_of(place)
    held = _HELD.get(folder)
    try:
        there = _identity((folder / LOCK).stat())
    except OSError:
        there = None
    if there is None or (held is not None and held.file != there):
        raise WorkspaceError(
            f"{folder} vanished while the run was at work. Nothing was written: bring it back, "
            "or run again to start anew"
        )
