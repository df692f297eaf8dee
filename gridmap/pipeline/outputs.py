"""Files of a workspace before they are made: what each is made of, and how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..workspace import manifest


class Current(NamedTuple):
    """The files of the version that a run begins with, each hashed once."""

    folder: Path | None
    read: manifest.Hashes

    def find(self, name: str, known: str) -> Path | None:
        """Return a file if its bytes are what they were; None where not."""
        file = None if self.folder is None else self.folder / name
        return file if file is not None and self.read.tells(file, known) else None


class Output(NamedTuple):
    """One file of a workspace."""

    name: str
    ingredients: dict[str, str]
    make: Callable[[], Any]  # a frame or its row groups, layers, a table, or a page


class Make:
    """A function with its argument, to be called later."""

    def __init__(self, function: Callable[[str], Any], name: str) -> None:
        self._function, self._name = function, name

    def __call__(self) -> Any:
        return self._function(self._name)
