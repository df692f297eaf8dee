"""Names on disk changed in one step, and bytes that are on the disk before their name is."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2

#: Bits that let anybody write.
_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def replace_name(fresh: Path, place: Path, aside: Path) -> None:
    """Let a name stand for something new: one step wherever the system has one.

    Parameters
    ----------
    fresh : Path
        A link or a folder, whole. It is gone afterwards.
    place : Path
        The name: a link, a folder, or nothing yet.
    aside : Path
        Where a folder goes for the moment between two renames, on systems that cannot
        exchange two names. It must not exist.

    Examples
    --------
    >>> import tempfile
    >>> home = Path(tempfile.mkdtemp())
    >>> (home / "old").mkdir(), (home / "new").mkdir(), (home / "new" / "page").touch()
    (None, None, None)
    >>> replace_name(home / "new", home / "old", home / "aside")
    >>> [str(path.relative_to(home)) for path in sorted(home.rglob("*"))]
    ['old', 'old/page']
    """
    plain = fresh.is_symlink() and (place.is_symlink() or not os.path.lexists(place))
    if plain or not os.path.lexists(place):
        os.replace(fresh, place)
    elif _exchange_names(fresh, place):
        remove_tree(fresh)
    else:
        os.replace(place, aside)
        os.replace(fresh, place)
        remove_tree(aside)
    sync_folder(place.parent)


def _exchange_names(first: Path, second: Path) -> bool:
    """Exchange two names in one step; say whether the system could.

    Linux has ``renameat2`` for it, on most file systems. What it refuses for another reason
    is an error of the system, as that of any other change of names.
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # another system, or an old one
        return False
    left = rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second),
                  _RENAME_EXCHANGE)
    if left == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
        return False
    raise OSError(code, os.strerror(code), str(second))


def share_file(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where a file cannot have two."""
    try:
        os.link(source, target, follow_symlinks=True)
    except (OSError, NotImplementedError):
        shutil.copyfile(source, target)


def share_tree(source: Path, target: Path) -> None:
    """Make a folder with the same files as another: second names of them, or copies."""
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        if path.is_dir():
            (target / path.relative_to(source)).mkdir(exist_ok=True)
        else:
            share_file(path, target / path.relative_to(source))


def remove_tree(path: Path) -> None:
    """Remove a folder or a link, whether or not its files may be written."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path, onerror=_unlock_and_retry)


def _unlock_and_retry(remove: object, path: str, reason: object) -> None:
    """Let a file be removed that may not be written, which Windows refuses."""
    if not os.path.lexists(path):
        return
    os.chmod(path, stat.S_IRWXU)
    if os.path.isdir(path):
        os.rmdir(path)
    else:
        os.unlink(path)


def seal_tree(folder: Path) -> None:
    """Take the right to write from every file, and wait until all is on the disk.

    A program that opens a package only to look at it would else change its bytes.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            sync_file(path)
            path.chmod(path.stat().st_mode & ~_WRITE)
    for path in sorted([folder, *folder.rglob("*")], reverse=True):
        if path.is_dir():
            sync_folder(path)


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can tell."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF):
            raise
    finally:
        os.close(handle)
