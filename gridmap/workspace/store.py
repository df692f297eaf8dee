"""How the versions of a workspace lie on disk, and which of them is the current one.

``out`` is a link to ``out.versions/0003``. A version has its number for good and is never
changed. Where links cannot be made, ``out`` is a folder with the same files, and its file
``.version`` says which version they are of.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import WorkspaceError, listed
from . import swap
from .manifest import MANIFEST

#: After the name of a workspace: the folder with all its versions.
STORE = ".versions"

#: Among the versions: what steps of a run made, so that the next run need not. It may be
#: removed at any time.
STEPS = "steps"

#: In a workspace that is a folder because links cannot be made: the number of its version.
MARK = ".version"

_BUILDING, _PRUNING = ".building-", ".pruning-"
_NUMBER = re.compile(r"\d{4,}")
_AT = re.compile(r"(?P<place>.+)@(?P<number>\d+)")


def find_place(folder: str | Path) -> Path:
    """Return where a workspace stands: its name, with links of other makers followed.

    Raises
    ------
    WorkspaceError
        If the folder is a version, which is never changed.

    Examples
    --------
    >>> find_place("city/out.versions/0002")
    Traceback (most recent call last):
    gridmap.errors.WorkspaceError: city/out.versions/0002 is a version, and versions are never \
changed: name the workspace, city/out
    """
    path = Path(folder)
    if is_version(path):
        place = path.parent.with_name(path.parent.name.removesuffix(STORE))
        raise WorkspaceError(
            f"{folder} is a version, and versions are never changed: name the workspace, {place}"
        )
    path = path.parent.resolve() / path.name if path.name not in ("", "..") else path.resolve()
    if not path.is_symlink():
        return path
    target = path.parent / os.readlink(path)
    return path if target.parent == store_of(path) else find_place(target)


def is_version(path: Path) -> bool:
    """Say whether a path is one of a version, by its name."""
    return path.parent.name.endswith(STORE) and bool(_NUMBER.fullmatch(path.name))


def store_of(place: Path) -> Path:
    """Return the folder with the versions of a workspace.

    Examples
    --------
    >>> store_of(Path("city/out")).as_posix()
    'city/out.versions'
    """
    return place.with_name(place.name + STORE)


def list_numbers(place: Path) -> list[str]:
    """Return the numbers of all versions that are there, the oldest first."""
    store = store_of(place)
    names = [p.name for p in store.iterdir()] if store.is_dir() else []
    return sorted((n for n in names if _NUMBER.fullmatch(n) and (store / n / MANIFEST).is_file()),
                  key=int)


def current_number(place: Path) -> str | None:
    """Return the number of the version that a workspace stands for; None where unknown."""
    if place.is_symlink():
        target = place.parent / os.readlink(place)
        there = target.parent == store_of(place) and (target / MANIFEST).is_file()
        return target.name if there else None
    mark = place / MARK
    return mark.read_text(encoding="ascii").strip() if mark.is_file() else None


def find_version(path: str | Path) -> Path:
    """Return the folder of a version named like ``out@0002``; other paths as they are.

    Parameters
    ----------
    path : str or Path
        ``out@2`` is the same. A path that exists is never taken for such a name.

    Raises
    ------
    WorkspaceError
        If the workspace has no such version.

    Examples
    --------
    >>> find_version("net2026.gpkg").name
    'net2026.gpkg'
    """
    named = _AT.fullmatch(str(path))
    if named is None or Path(path).exists():
        return Path(path)
    place = find_place(named["place"])
    return store_of(place) / check_number(place, named["number"])


def name_version(path: str | Path) -> str:
    """Return what a workspace or one of its versions is called: ``out``, or ``out@0002``.

    Examples
    --------
    >>> name_version("city/out.versions/0002"), name_version("city/out")
    ('out@0002', 'out')
    """
    place = Path(path)
    if place.name in ("", ".", ".."):
        place = place.resolve()
    if is_version(place):
        return f"{place.parent.name.removesuffix(STORE)}@{place.name}"
    return place.name


def check_number(place: Path, number: str) -> str:
    """Return the full number of a version that is there, "0002" for "2".

    Raises
    ------
    WorkspaceError
        If there is none of that number.
    """
    there = list_numbers(place)
    for known in there:
        if number.isdigit() and int(known) == int(number):
            return known
    raise WorkspaceError(
        f"{place.name} has no version {number}, but {listed(there, show=9)}. See them with: "
        f"gridmap log {place.name}"
    )


def start_building(place: Path) -> Path:
    """Return a new, empty folder to build a version in."""
    folder = store_of(place) / f"{_BUILDING}{os.getpid()}"
    swap.remove_tree(folder)
    folder.mkdir(parents=True)
    return folder


def add_version(place: Path, building: Path, *, after: int = 0) -> str:
    """Give what was built the next number; all of it is on the disk before.

    Parameters
    ----------
    place : Path
    building : Path
        As `start_building` returned it, with all files in it.
    after : int, default 0
        The highest number that was ever given, where its version may be gone.

    Returns
    -------
    str
        The number. It is not the current version yet.
    """
    swap.seal_tree(building)
    highest = max([after, *map(int, list_numbers(place))])
    number = f"{highest + 1:04}"
    os.replace(building, store_of(place) / number)
    swap.sync_folder(store_of(place))
    return number


def make_current(place: Path, number: str) -> None:
    """Let a workspace stand for a version, in one step."""
    version = store_of(place) / number
    fresh, aside = (place.with_name(f".{place.name}.{end}") for end in ("next", "old"))
    swap.remove_tree(fresh)
    swap.remove_tree(aside)
    try:
        os.symlink(f"{store_of(place).name}/{number}", fresh, target_is_directory=True)
    except (OSError, NotImplementedError):
        swap.share_tree(version, fresh)
        (fresh / MARK).write_text(f"{number}\n", encoding="ascii")
    swap.replace_name(fresh, place, aside)


def recover(place: Path, *, after: int = 0) -> str | None:
    """Put right what an interruption left, and say what was done.

    Call it with the lock held. What was not finished is removed; a workspace whose name is
    gone stands for its last version again; a folder of an older gridmap becomes a version.

    Returns
    -------
    str or None
        What was done in words, None where all was well.
    """
    store, aside = store_of(place), place.with_name(f".{place.name}.old")
    for path in (*store.glob(f"{_BUILDING}*"), *store.glob(f"{_PRUNING}*"),
                 place.with_name(f".{place.name}.next"), place.with_name(f".{place.name}.new")):
        swap.remove_tree(path)
    if not os.path.lexists(place) and (aside / MANIFEST).is_file():
        os.replace(aside, place)
        return "an interrupted exchange was undone"
    swap.remove_tree(aside)
    numbers = list_numbers(place)
    if not (place / MANIFEST).is_file() and numbers and not _holds_files(place):
        make_current(place, numbers[-1])
        return f"the workspace was gone and stands for version {numbers[-1]} again"
    if place.is_dir() and current_number(place) is None and (place / MANIFEST).is_file():
        return _take_over(place, numbers, after)
    return None


def _holds_files(place: Path) -> bool:
    return place.is_dir() and any(place.iterdir())


def _take_over(place: Path, numbers: list[str], after: int) -> str:
    """Make a version of a workspace that an older gridmap wrote as a folder."""
    said = (place / MANIFEST).read_bytes()
    # An interrupted attempt may have made the version already.
    if numbers and (store_of(place) / numbers[-1] / MANIFEST).read_bytes() == said:
        make_current(place, numbers[-1])
        return f"the folder {place.name} is version {numbers[-1]}"
    building = start_building(place)
    building.rmdir()
    swap.share_tree(place, building)
    number = add_version(place, building, after=after)
    make_current(place, number)
    return f"the folder {place.name} was taken over as version {number}"


def remove_version(place: Path, number: str) -> None:
    """Remove a version that is not the current one: its number goes in one step."""
    doomed = store_of(place) / f"{_PRUNING}{number}"
    os.replace(store_of(place) / number, doomed)
    swap.remove_tree(doomed)
