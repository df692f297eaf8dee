"""Names of a room that are loaded when they are first used, so that nobody pays for all."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def give_names(room: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a room that gives its names on demand.

    The room imports its names under ``if TYPE_CHECKING``, where type checkers and readers
    look for them; that list is read here, so that it stands once.

    Parameters
    ----------
    room : str
        ``__name__`` of the package.

    Examples
    --------
    >>> from gridmap import coverage
    >>> "measure_access" in dir(coverage), coverage.measure_access.__name__
    (True, 'measure_access')
    """
    module = sys.modules[room]
    homes = _find_homes(module)

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(import_module(f".{homes[name]}", room), name)
        setattr(module, name, value)  # the next one need not ask
        return value

    return load, lambda: sorted({*vars(module), *homes})


def _find_homes(module: Any) -> dict[str, str]:
    """Return the part of a room that each of its names lives in."""
    source = module.__spec__.loader.get_source(module.__name__)
    listed = [node for node in ast.parse(source).body if isinstance(node, ast.If)]
    return {alias.name: str(found.module) for block in listed for found in block.body
            if isinstance(found, ast.ImportFrom) for alias in found.names}
