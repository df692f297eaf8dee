"""What every executor can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol, TypeVar

Part = TypeVar("Part")
Answer = TypeVar("Answer")

#: How often a part is given to a worker before the run ends with an error.
TRIES = 3

#: Parts handed out ahead of the one whose answer is waited for, per worker. More would keep
#: more of a stream in memory; fewer would let workers wait.
AHEAD = 2


class Shared(Protocol):
    """A value that every worker holds once; made by `Executor.broadcast`."""


class Executor(Protocol):
    """Something that works on parts, and gives answers in the order of the parts.

    Examples
    --------
    >>> from gridmap.executors import Processes
    >>> with Processes(1) as executor:
    ...     list(executor.map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    workers: int

    def broadcast(self, value: Any) -> Shared:
        """Give every worker a value that all parts need, once."""
        ...

    def map(
        self, function: Callable[..., Answer], parts: Iterable[Part], *,
        shared: Shared | None = None,
    ) -> Iterator[Answer]:
        """Yield ``function(part)``, or ``function(part, value)``, in the order of the parts.

        Parts are taken from the iterable a few ahead of the answers only, so that a stream of
        any length goes through in bounded memory.
        """
        ...

    def close(self) -> None:
        """End the workers."""
        ...

    def __enter__(self) -> Executor: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def tell_lost(number: int, tries: int, why: str) -> str:
    """Return the message for a part that no worker came back with.

    Examples
    --------
    >>> tell_lost(4, 3, "the worker ended with code -9")[:41]
    'part 5 was given up after 3 tries: the wo'
    """
    return (
        f"part {number + 1} was given up after {tries} tries: {why}. The other parts are not at "
        "fault. Look whether the machine ran out of memory; fewer workers need less of it."
    )
