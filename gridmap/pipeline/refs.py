"""Frames that steps give, and what every step is made of beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import keys
from .steps import Outputs

#: What every step of the job is made by, beside its own rooms.
_GROUND = ("pipeline/refs.py", "pipeline/load.py", "pipeline/arrow.py", "pipeline/squares.py",
           "pipeline/changed.py", "pipeline/pieces.py", "pipeline/memory.py")


class Ref(NamedTuple):
    """A frame that a step gives, or that there is none of."""

    outputs: Outputs | None = None
    name: str = ""

    @property
    def value(self) -> Any:
        """The frame."""
        return None if self.outputs is None else self.outputs[self.name]

    @property
    def table(self) -> Any:
        """The frame as a table of Arrow, read where it is looked at."""
        if self.outputs is None:
            raise TypeError(f"there is no {self.name}")
        return self.outputs.table(self.name)

    @property
    def columns(self) -> list[str]:
        """The columns of its table."""
        return [] if self.outputs is None else list(self.outputs.schema(self.name).names)

    @property
    def table_or_none(self) -> Any:
        """The same, or None where there is no such frame."""
        return None if self.outputs is None or not self.hash else self.table

    @property
    def hash(self) -> str:
        """The hash of its bytes, "" for none."""
        return "" if self.outputs is None else self.outputs.hash_of(self.name)


def code_of(*rooms: str) -> dict[str, str]:
    """Return the ingredients that every step has: the code that does it, and the libraries.

    Examples
    --------
    >>> sorted(code_of("tiling"))
    ['code', 'libraries']
    """
    return {"code": keys.hash_code(*_GROUND, *rooms), "libraries": keys.hash_libraries()}
