"""Processes of this machine: the executor that is always there."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ..errors import ExecutorError
from . import base, frames
from .base import Answer, Part

#: Seconds between two looks for an interrupt.
WAKE_S = 0.2


class _Kept(NamedTuple):
    """A value in a file that workers map into memory."""

    key: int
    mapped: frames.Mapped


class _Worker:
    """One process, and what it holds already."""

    def __init__(self) -> None:
        # One thread each: the workers are what runs side by side.
        alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gridmap.executors.worker"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0, env={**os.environ, **alone, "PYTHONPATH":
            os.pathsep.join(path for path in sys.path if path)},
        )
        self.held: set[int] = set()
        self._send(list(sys.path))

    def run(self, function: Callable[..., Any], part: Any, kept: _Kept | None) -> tuple[bool, Any]:
        if kept is not None and kept.key not in self.held:
            self._send(("share", kept.key, kept.mapped))
            self.held.add(kept.key)
        self._send(("run", function, part, kept and kept.key))
        answer: tuple[bool, Any] = frames.receive(self.process.stdout)  # type: ignore[arg-type]
        return answer

    def _send(self, value: Any) -> None:
        with open(os.dup(self.process.stdin.fileno()), "wb") as pipe:  # type: ignore[union-attr]
            frames.send(pipe, value)

    def end(self) -> int:
        """Kill it, if it still runs, and return its code."""
        self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        return code


class Processes:
    """Processes of this machine, started when they are first needed.

    Functions must be importable: defined in a module, not in the script itself. Parts and
    answers travel by pipe; a value that is broadcast lies in a file that all workers map into
    memory, so it is there once. A worker that is killed is replaced, and its part is done
    again, three times at most. Workers end with the executor, with an interrupt, and when the
    caller is killed.

    Parameters
    ----------
    workers : int
        Number of processes, 1 or more.

    Raises
    ------
    ExecutorError
        If there are to be fewer than one, or a part was given up.

    Examples
    --------
    >>> with Processes(2) as executor:
    ...     list(executor.map(len, ["one", "three"]))
    [3, 5]
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ExecutorError(f"workers is {workers}: at least 1 is needed")
        self.workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="gridmap-worker")
        self._idle: deque[_Worker | None] = deque([None] * workers)
        self._all: set[_Worker] = set()
        self._folder: Path | None = None
        self._keys = itertools.count()
        self._closed = False

    def broadcast(self, value: Any) -> _Kept:
        """Put a value where all workers read it, for as long as the executor lives."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gridmap-"))
        key = next(self._keys)
        return _Kept(key, frames.save_mapped(value, self._folder / f"{key}.bin"))

    def map(
        self, function: Callable[..., Answer], parts: Iterable[Part], *, shared: Any = None
    ) -> Iterator[Answer]:
        """Yield the answers in the order of the parts; see `Executor`."""
        if function.__module__ == "__main__":
            raise ExecutorError(
                f"{function.__qualname__} is defined in the script itself, where workers cannot "
                "find it. Put it into a module of its own and import it."
            )
        waiting: deque[Future[Answer]] = deque()
        todo = enumerate(parts)
        try:
            for number, part in itertools.islice(todo, base.AHEAD * self.workers):
                waiting.append(self._threads.submit(self._run, function, number, part, shared))
            while waiting:
                answer = _wait(waiting.popleft())
                for number, part in itertools.islice(todo, 1):
                    waiting.append(self._threads.submit(self._run, function, number, part, shared))
                yield answer
        except BaseException:
            self._stop(waiting)
            raise

    def _run(
        self, function: Callable[..., Answer], number: int, part: Any, kept: _Kept | None
    ) -> Answer:
        why = ""
        for _ in range(base.TRIES):
            worker = self._idle.popleft() or self._start()
            try:
                fine, answer = worker.run(function, part, kept)
            except (EOFError, OSError):
                self._all.discard(worker)
                why = f"the worker ended with code {worker.end()}"
                self._idle.append(None)
                if self._closed:
                    break
                continue
            except BaseException:
                self._all.discard(worker)  # a part half sent: the pipe is of no more use
                worker.end()
                self._idle.append(None)
                raise
            self._idle.append(worker)
            if fine:
                return answer  # type: ignore[no-any-return]
            raise answer
        raise ExecutorError(base.tell_lost(number, base.TRIES, why), rows=[str(number + 1)])

    def _start(self) -> _Worker:
        worker = _Worker()
        self._all.add(worker)
        if self._closed:
            worker.end()
        return worker

    def _stop(self, waiting: Iterable[Future[Any]]) -> None:
        """Let go of all that was handed out, and end the workers that are at it."""
        waiting = list(waiting)
        for future in waiting:
            future.cancel()
        if all(future.done() for future in waiting):
            return
        closed, self._closed = self._closed, True
        for worker in list(self._all):
            worker.process.kill()
        for future in waiting:
            if not future.cancelled():
                future.exception()
        self._closed = closed

    def close(self) -> None:
        """End the workers."""
        self._closed = True
        for worker in list(self._all):
            worker.end()
        self._all.clear()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _wait(future: Future[Answer]) -> Answer:
    """Wait for an answer, woken up now and then: some interrupts do not end a wait on a lock."""
    while True:
        try:
            return future.result(WAKE_S)
        except NotYet:
            if future.done():
                return future.result()
