"""The store of steps: what was made of what, kept beside the versions of a workspace.

``records`` say of a step what it was made of and what came out; ``objects`` are the frames
themselves, named by the hash of their bytes. Every byte is proven when it is read: what is gone
or altered is made again. Nothing here is needed to read a workspace, and all of it may be
removed at any time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pandas import DataFrame
from pyarrow import Schema, Table

from ..workspace import manifest
from . import arrow, objects

#: Versions whose steps are kept: the current one, and the one to go back to.
KEPT_VERSIONS = 2

#: Letters of the hash that a frame is named by.
_NAME = 64

_RECORDS, _OBJECTS, _LAST, _USED = "records", "objects", "last.json", "used.json"


class Damaged(Exception):  # noqa: N818  inside only, and caught here
    """A step whose kept frames are gone or altered; never leaves this room."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Record(NamedTuple):
    """What is known of a step that was done."""

    step: str
    key: str
    ingredients: dict[str, str]  # what it was made of, by name: a hash, or a value as text
    outputs: dict[str, str]  # hash of each frame that came out; "" for none
    told: dict[str, Any]  # values that came out


def open_shelf(folder: Path) -> Path:
    """Return the folder of a store, made where it is absent."""
    objects.forget()
    for name in (_RECORDS, _OBJECTS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*/.writing-*"):
        left.unlink(missing_ok=True)
    return folder


def find_record(shelf: Path, key: str) -> Record | None:
    """Return the record of a key; None where there is none, or its frames are gone."""
    said = _read_json(shelf / _RECORDS / f"{key}.json")
    if said is None or said.pop("proof", None) != _prove(said):
        return None
    record = Record(**said)
    whole = all(not name or objects.is_there(shelf / _OBJECTS, name)
                for name in record.outputs.values())
    return record if whole and record.key == key else None


def add_record(shelf: Path, record: Record) -> None:
    """Keep a record, all at once or not at all."""
    said = record._asdict()
    _write_json(shelf / _RECORDS / f"{record.key}.json", {**said, "proof": _prove(said)})


def add_frame(shelf: Path, frame: DataFrame | Table) -> str:
    """Keep a frame, or the table of one, and return the hash that it is named by.

    Raises
    ------
    Unfit
        If it would not come back as it is.
    """
    return objects.add(
        shelf / _OBJECTS, frame if isinstance(frame, Table) else arrow.take_frame(frame))


def is_name(text: str) -> bool:
    """Say whether a text is the name of a frame that may be kept.

    Examples
    --------
    >>> is_name("0" * 64), is_name("a key: units")
    (True, False)
    """
    return len(text) == _NAME and " " not in text


def read_table(shelf: Path, name: str, step: str) -> Table:
    """Return a frame as a table, its bytes proven.

    Raises
    ------
    Damaged
        If it is gone or altered; it is then removed.
    """
    try:
        return objects.read(shelf / _OBJECTS, name)
    except objects.Lost as error:
        raise Damaged(step) from error


def read_schema(shelf: Path, name: str, step: str) -> Schema:
    """Return the columns of a frame as a table; most of its bytes are not looked at.

    Raises
    ------
    Damaged
        As `read_table`.
    """
    try:
        return objects.read_schema(shelf / _OBJECTS, name)
    except objects.Lost as error:
        raise Damaged(step) from error


def load_last(shelf: Path) -> dict[str, str]:
    """Return the key of each step of the last run."""
    said = _read_json(shelf / _LAST)
    return {str(k): str(v) for k, v in said.items()} if said else {}


def note_run(shelf: Path, keys: Mapping[str, str], version: str, there: Iterable[str]) -> None:
    """Remember the steps of a version, and forget what the last versions do not need.

    Parameters
    ----------
    shelf : Path
    keys : mapping
        Step -> key, of the run that ends.
    version : str
        Its number.
    there : iterable of str
        The numbers of all versions that are there.
    """
    _write_json(shelf / _LAST, dict(keys))
    used = _read_json(shelf / _USED) or {}
    used[version] = sorted(set(keys.values()))
    lasting = sorted(set(there) | {version}, key=int)[-KEPT_VERSIONS:]
    used = {number: some for number, some in used.items() if number in {*lasting, version}}
    _write_json(shelf / _USED, used)
    _sweep(shelf, {key for some in used.values() for key in some})


def _sweep(shelf: Path, keys: set[str]) -> None:
    """Remove records that are not among the keys, and frames that no record names."""
    needed: set[str] = set()
    for file in (shelf / _RECORDS).glob("*.json"):
        record = find_record(shelf, file.stem) if file.stem in keys else None
        if record is None:
            file.unlink(missing_ok=True)
        else:
            for name in record.outputs.values():
                needed |= {name, *objects.list_pieces(shelf / _OBJECTS, name)}
    for file in (shelf / _OBJECTS).iterdir():
        if file.stem not in needed:
            file.unlink(missing_ok=True)


def remove_shelf(folder: Path) -> None:
    """Remove a store."""
    with suppress(OSError):
        shutil.rmtree(folder)


def _prove(said: Mapping[str, Any]) -> str:
    return manifest.hash_text(json.dumps(said, sort_keys=True, ensure_ascii=False))


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def _write_json(file: Path, said: Mapping[str, Any]) -> None:
    fresh = file.with_name(f".writing-{os.getpid()}")
    fresh.write_text(json.dumps(said, sort_keys=True, ensure_ascii=False), encoding="utf-8")
    os.replace(fresh, file)
