"""What every executor can do."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from ..errors import ExecutorError

Part = TypeVar("Part")
Answer = TypeVar("Answer")
Waiting = TypeVar("Waiting")

#: How often a part is given to a worker before the run ends with an error.
TRIES = 3

#: Parts handed out ahead of the one whose answer is waited for, per worker. More would keep
#: more of a stream in memory; fewer would let workers wait.
AHEAD = 2

#: Broadcast values that a worker of this machine keeps, the last ones that it used.
HELD = 2


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

    @property
    def workers(self) -> int:
        """How many parts are worked on at a time."""
        ...

    def broadcast(self, value: Any) -> Any:
        """Give every worker a value that all parts need, once; the answer goes to `map`."""
        ...

    def map(
        self, function: Callable[..., Answer], parts: Iterable[Part], *, shared: Any = None
    ) -> Iterator[Answer]:
        """Yield ``function(part)``, or ``function(part, value)``, in the order of the parts.

        Parts are taken from the iterable a few ahead of the answers only, so that a stream of
        any length goes through in bounded memory. An error of a part is raised where its answer
        would have come.
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


class Closing(ABC):
    """Something that is closed at the end of a ``with`` block.

    Examples
    --------
    >>> class Door(Closing):
    ...     def close(self):
    ...         print("shut")
    >>> with Door():
    ...     print("in")
    in
    shut
    """

    @abstractmethod
    def close(self) -> None:
        """End it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def in_order(
    parts: Iterable[Part],
    ahead: int,
    *,
    hand_out: Callable[[int, Part], Waiting],
    take: Callable[[Waiting], Answer],
    let_go: Callable[[Collection[Waiting]], None],
) -> Iterator[Answer]:
    """Yield answers in the order of the parts, with at most so many parts handed out.

    Parameters
    ----------
    parts : iterable
        Taken one by one.
    ahead : int
        Parts that are handed out before the first answer is waited for.
    hand_out : callable
        From the number of a part and the part to what can be waited for.
    take : callable
        Waits, and returns the answer.
    let_go : callable
        Told what is still handed out when an error, an interrupt or the reader ends it all.

    Examples
    --------
    >>> list(in_order("ab", 2, hand_out=lambda number, part: part * 2, take=str.upper,
    ...               let_go=print))
    ['AA', 'BB']
    """
    waiting: deque[Waiting] = deque()
    todo = enumerate(parts)
    try:
        for number, part in itertools.islice(todo, ahead):
            waiting.append(hand_out(number, part))
        while waiting:
            answer = take(waiting[0])
            waiting.popleft()
            for number, part in itertools.islice(todo, 1):
                waiting.append(hand_out(number, part))
            yield answer
    finally:
        if waiting:
            let_go(waiting)


def check_function(function: Callable[..., Any]) -> None:
    """Raise unless workers can import a function by its name.

    Raises
    ------
    ExecutorError
        If it is defined in the script itself, inside another function, or has no name.

    Examples
    --------
    >>> check_function(len)
    >>> check_function(lambda part: part)
    Traceback (most recent call last):
    gridmap.errors.ExecutorError: <lambda> cannot be imported by workers, as it has no name of \
its own in a module. Define it with def at the top of a module.
    """
    name = getattr(function, "__qualname__", type(function).__qualname__)
    if getattr(function, "__module__", None) == "__main__":
        raise ExecutorError(
            f"{name} is defined in the script itself, where workers cannot find it. Put it into "
            "a module of its own and import it."
        )
    if "<" in name or not hasattr(function, "__qualname__"):
        raise ExecutorError(
            f"{name} cannot be imported by workers, as it has no name of its own in a module. "
            "Define it with def at the top of a module."
        )


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


def tell_unsent(number: int, error: BaseException) -> str:
    """Return the message for a part that cannot be sent.

    Examples
    --------
    >>> tell_unsent(0, TypeError("cannot pickle 'generator' object"))[:38]
    'part 1 cannot be sent to a worker: Typ'
    """
    return (
        f"part {number + 1} cannot be sent to a worker: {type(error).__name__}, {error}. Parts "
        "and answers are frames, arrays, numbers and text, or tuples of them."
    )


def tell_unsent_answer(name: str, error: BaseException) -> str:
    """Return the message for an answer that cannot be sent back.

    Examples
    --------
    >>> tell_unsent_answer("count", TypeError("cannot pickle 'generator' object"))[:43]
    'the answer of count cannot be sent back: Ty'
    """
    return (
        f"the answer of {name} cannot be sent back: {type(error).__name__}, {error}. Parts and "
        "answers are frames, arrays, numbers and text, or tuples of them."
    )
