"""Workers of a Dask cluster, on this machine or on many."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from ..errors import ExecutorError
from . import base
from .base import Answer, Part


class _Sent:
    """A value on the cluster, and here, in case the cluster loses it."""

    def __init__(self, client: Any, value: Any) -> None:
        self._client, self._value = client, value
        self.future = client.scatter(value, broadcast=True, hash=False)

    def again(self) -> None:
        """Send the value anew, if no worker holds it any more."""
        if self.future.status != "finished":
            self.future = self._client.scatter(self._value, broadcast=True, hash=False)


class Dask:
    """Workers of ``dask.distributed``: pip install "gridmap[dask]".

    Workers need the same gridmap as the caller. A worker that is killed costs the parts it
    had; Dask gives them to another one.

    Parameters
    ----------
    scheduler : str, optional
        Address, such as "tcp://scheduler:8786". Without one a cluster of processes is started
        on this machine, and ended with the executor.
    workers : int, default 2
        Processes of that cluster; a scheduler that is named has its own.

    Raises
    ------
    ExecutorError
        If Dask is absent, no scheduler answers, or a part was given up.
    """

    def __init__(self, scheduler: str | None = None, *, workers: int = 2) -> None:
        try:
            import distributed
        except ImportError as error:
            raise ExecutorError(
                'executor "dask" needs dask.distributed: pip install "gridmap[dask]"') from error
        self._cluster: Any = None
        if scheduler is None:
            self._cluster = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None,
                host="127.0.0.1", memory_limit=0)
        try:
            self._client = distributed.Client(
                scheduler or self._cluster, timeout="10s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise ExecutorError(
                f"no Dask scheduler answers at {scheduler}: {type(error).__name__}. Start one by "
                "`dask scheduler` and workers by `dask worker ADDRESS`, or correct [run] scheduler."
            ) from error
        self._named = scheduler is not None
        self._local = workers

    @property
    def workers(self) -> int:
        """Threads of all workers that are there now."""
        if not self._named:
            return self._local
        return max(1, sum(self._client.nthreads().values()))

    def broadcast(self, value: Any) -> _Sent:
        """Send a value to every worker."""
        return _Sent(self._client, value)

    def map(
        self, function: Callable[..., Answer], parts: Iterable[Part], *, shared: Any = None
    ) -> Iterator[Answer]:
        """Yield the answers in the order of the parts; see `Executor`."""
        waiting: deque[tuple[int, Any, Any]] = deque()
        todo = enumerate(parts)
        try:
            for number, part in itertools.islice(todo, base.AHEAD * self.workers):
                waiting.append((number, part, self._submit(function, part, shared)))
            while waiting:
                number, part, future = waiting.popleft()
                answer = self._answer(function, number, part, shared, future)
                for following, more in itertools.islice(todo, 1):
                    waiting.append((following, more, self._submit(function, more, shared)))
                yield answer
        finally:
            self._client.cancel([future for *_, future in waiting], force=True)

    def _submit(self, function: Callable[..., Any], part: Any, shared: _Sent | None) -> Any:
        given = [part] if shared is None else [part, shared.future]
        return self._client.submit(function, *given, pure=False)

    def _answer(
        self, function: Callable[..., Answer], number: int, part: Any, shared: _Sent | None,
        future: Any,
    ) -> Answer:
        import distributed
        from distributed.client import FutureCancelledError

        why = ""
        for _ in range(base.TRIES):
            try:
                return future.result()  # type: ignore[no-any-return]
            except (distributed.KilledWorker, FutureCancelledError) as error:
                why = f"{type(error).__name__} on the cluster"
                if shared is not None:
                    shared.again()
                future = self._submit(function, part, shared)
        raise ExecutorError(base.tell_lost(number, base.TRIES, why), rows=[str(number + 1)])

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def __enter__(self) -> Dask:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
