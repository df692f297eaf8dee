"""An executor that is opened when it is first used: a run may find nothing to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .base import Answer, Closing, Executor, Part


class Later(Closing):
    """Stands for an executor, and opens it for the first value or part.

    Parameters
    ----------
    opening : callable
        Returns the executor.

    Examples
    --------
    >>> from gridmap.executors import Processes
    >>> with Later(lambda: Processes(1)) as executor:
    ...     list(executor.map(len, ["one", "three"]))
    [3, 5]
    """

    def __init__(self, opening: Callable[[], Executor]) -> None:
        self._opening = opening
        self._opened: Executor | None = None

    def _open(self) -> Executor:
        if self._opened is None:
            self._opened = self._opening()
        return self._opened

    @property
    def workers(self) -> int:
        """How many parts are worked on at a time."""
        return self._open().workers

    def broadcast(self, value: Any) -> Any:
        """Give every worker a value; see `Executor`."""
        return self._open().broadcast(value)

    def map(
        self, function: Callable[..., Answer], parts: Iterable[Part], *, shared: Any = None
    ) -> Iterator[Answer]:
        """Yield the answers in the order of the parts; see `Executor`."""
        return self._open().map(function, parts, shared=shared)

    def close(self) -> None:
        """End the workers, if there are any."""
        if self._opened is not None:
            self._opened.close()
