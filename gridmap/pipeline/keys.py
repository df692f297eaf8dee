"""What a step depends on, as hashes: the code that does it, the rules it reads, its input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pandas import DataFrame

from ..workspace import manifest

_HOME = Path(__file__).resolve().parents[1]

#: What every room stands on.
_GROUND = ("errors.py", "ledger.py", "rules.py", "schema.py", "executors")


@cache
def hash_code(*rooms: str) -> str:
    """Return the hash of the code of some rooms, and of what every room stands on.

    A version of gridmap that leaves them as they are leaves the outcome of their steps as it
    is; one that does not is told by it, released or not.

    Examples
    --------
    >>> hash_code("tiling") == hash_code("tiling"), hash_code("tiling") == hash_code("zoning")
    (True, False)
    """
    return manifest.hash_text(" ".join(map(_hash_room, sorted({*_GROUND, *rooms}))))


@cache
def _hash_room(room: str) -> str:
    """Return the hash of the code of a room, or of a module."""
    digest, place = hashlib.sha256(), _HOME / room
    for file in [place] if place.is_file() else sorted(place.rglob("*")):
        if "__pycache__" not in file.parts and file.is_file():
            digest.update(file.relative_to(_HOME).as_posix().encode() + b"\0")
            digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def hash_libraries() -> str:
    """Return the hash of the versions of all that gridmap stands on, itself left out."""
    told = {k: v for k, v in manifest.tell_versions().items() if k != "gridmap"}
    return manifest.hash_text(json.dumps(told, sort_keys=True))


def hash_value(value: Any) -> str:
    """Return the hash of a rule, or of any value of a configuration.

    Examples
    --------
    >>> hash_value({"a": 1}) == hash_value({"a": 1})
    True
    """
    said = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)
    return manifest.hash_text(said)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=str)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def hash_frame(frame: DataFrame) -> str:
    """Return the hash of a small frame of text and numbers."""
    return manifest.hash_text(frame.to_csv())


def make_key(step: str, ingredients: Mapping[str, str]) -> str:
    """Return the key of a step: the hash of its name and of everything it is made of."""
    said = json.dumps([step, dict(ingredients)], sort_keys=True, ensure_ascii=False)
    return manifest.hash_text(said)


def tell_difference(now: Mapping[str, str], before: Mapping[str, str]) -> str:
    """Say in words which ingredients of a step are not what they were.

    Examples
    --------
    >>> tell_difference({"size": "1", "seed": "2"}, {"size": "3", "seed": "2"})
    'changed: size'
    """
    changed = sorted(k for k in now.keys() & before.keys() if now[k] != before[k])
    new, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    told = [f"{word}: {', '.join(some)}" for word, some in
            (("changed", changed), ("new", new), ("gone", gone)) if some]
    return "; ".join(told) or "not kept"
