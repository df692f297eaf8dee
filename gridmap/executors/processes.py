"""Processes of this machine: the executor that is always there."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ExecutorError
from . import base, frames
from .base import Answer, Closing, Part

#: Seconds between two looks for an interrupt.
WAKE_S = 0.2

#: Variables that workers have no use for, and that a crash of theirs must not show.
SECRET = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|_KEY|^PG|_URL$|_DSN$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class _Kept:
    """A value in a file that workers map into memory, for as long as somebody holds this."""

    key: int
    mapped: frames.Mapped


class _Worker:
    """One process, and what it holds already."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            # -P: no module of the folder that the run was started in goes before ours
            [sys.executable, "-P", "-m", "gridmap.executors.worker"], bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(),
        )
        self.held: list[int] = []
        self._send(frames.pack(list(sys.path)))

    def run(self, function: Callable[..., Any], part: Any, kept: _Kept | None) -> tuple[bool, Any]:
        """Return whether it went well, and the answer or the error."""
        news = None if kept is None or kept.key in self.held else kept.mapped
        self._send(frames.pack((function, part, kept and kept.key, news)))
        fine, answer = frames.unpack(frames.receive(self.process.stdout))  # type: ignore[arg-type]
        if kept is not None and news is not None:
            self.held = [*self.held, kept.key][-base.HELD :] if fine else []
        return fine, answer

    def _send(self, packed: frames.Packed) -> None:
        with open(os.dup(self.process.stdin.fileno()), "wb") as pipe:  # type: ignore[union-attr]
            frames.send(pipe, packed)

    def end(self) -> int:
        """Kill it, if it still runs, and return its code."""
        self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        return code


def _environment() -> dict[str, str]:
    """Return what workers get of the variables: no secrets, and one thread each."""
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    path = os.pathsep.join(path for path in sys.path if path)
    plain = {name: value for name, value in os.environ.items() if not SECRET.search(name)}
    return {**plain, **alone, "PYTHONPATH": path}


class Processes(Closing):
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
        If there are to be fewer than one, a function or a part cannot be sent, or a part was
        given up.

    Examples
    --------
    >>> with Processes(2) as executor:
    ...     list(executor.map(len, ["one", "three"]))
    [3, 5]
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ExecutorError(f"workers is {workers}: at least 1 is needed")
        self._workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="gridmap-worker")
        self._idle: deque[_Worker | None] = deque([None] * workers)
        self._all: set[_Worker] = set()
        self._folder: Path | None = None
        self._keys = itertools.count()
        self._stopping = False
        self._closed = False

    @property
    def workers(self) -> int:
        """Number of processes."""
        return self._workers

    def broadcast(self, value: Any) -> _Kept:
        """Put a value where all workers read it, for as long as the answer is held."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gridmap-"))  # for this user alone
        key = next(self._keys)
        path = self._folder / f"{key}.bin"
        kept = _Kept(key, frames.save_mapped(value, path))
        weakref.finalize(kept, path.unlink, missing_ok=True)
        return kept

    def map(
        self, function: Callable[..., Answer], parts: Iterable[Part], *, shared: Any = None
    ) -> Iterator[Answer]:
        """Yield the answers in the order of the parts; see `Executor`."""
        base.check_function(function)
        if self._closed:
            raise ExecutorError("this executor was closed: open another one")
        return base.in_order(
            parts, base.AHEAD * self.workers, take=_wait, let_go=self._stop,
            hand_out=lambda number, part: self._threads.submit(
                self._run, function, shared, number, part),
        )

    def _run(
        self, function: Callable[..., Answer], kept: _Kept | None, number: int, part: Any
    ) -> Answer:
        why = ""
        for _ in range(base.TRIES):
            worker, left = self._idle.popleft(), None
            try:
                worker = worker or self._start()
                fine, answer = worker.run(function, part, kept)
                left = worker
            except (EOFError, OSError) as error:
                why = self._why(worker, error)
                if self._stopping:
                    break
                continue
            except (TypeError, AttributeError, pickle.PicklingError) as error:
                raise ExecutorError(base.tell_unsent(number, error)) from error
            finally:
                if left is None:
                    self._drop(worker)
                self._idle.append(left)
            if fine:
                return answer
            raise answer
        raise ExecutorError(base.tell_lost(number, base.TRIES, why), rows=[str(number + 1)])

    def _why(self, worker: _Worker | None, error: BaseException) -> str:
        if worker is None:
            return f"no worker could be started, {error}"
        return f"the worker ended with code {self._drop(worker)}"

    def _start(self) -> _Worker:
        worker = _Worker()
        self._all.add(worker)
        if self._stopping:
            worker.end()
        return worker

    def _drop(self, worker: _Worker | None) -> int | None:
        if worker is None:
            return None
        self._all.discard(worker)
        return worker.end()

    def _stop(self, waiting: Collection[Future[Any]]) -> None:
        """Let go of all that was handed out, and end the workers that are at it."""
        for future in waiting:
            future.cancel()
        if all(future.done() for future in waiting):
            return
        self._stopping = True
        for worker in list(self._all):
            worker.process.kill()
        for future in waiting:
            if not future.cancelled():
                future.exception()
        self._stopping = self._closed

    def close(self) -> None:
        """End the workers."""
        self._closed = self._stopping = True
        for worker in list(self._all):
            worker.end()
        self._all.clear()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _wait(future: Future[Answer]) -> Answer:
    """Wait for an answer, woken up now and then: some interrupts do not end a wait on a lock."""
    while True:
        try:
            return future.result(WAKE_S)
        except NotYet:
            if future.done():
                return future.result()
