"""Executors: one small interface for work in parts, on one machine or on many.

An executor maps a function of this package over parts, and yields the answers in the order of
the parts. What is computed does not depend on the executor or on the number of workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .base import Executor, Shared
    from .choose import EXECUTORS, open_executor
    from .cluster import Dask
    from .processes import Processes
    from .spark import map_in_arrow

__all__ = ["EXECUTORS", "Dask", "Executor", "Processes", "Shared", "map_in_arrow",
           "open_executor"]

__getattr__, __dir__ = give_names(__name__)
