"""Workers of a Dask cluster, on this machine or on many."""

from __future__ import annotations

import contextlib
import logging
import pickle
import platform
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from importlib import metadata
from typing import Any, NamedTuple

import shapely

from ..errors import ExecutorError, listed
from . import base
from .base import Answer, Closing, Part

#: How long a scheduler may take to answer, and then its first worker.
PATIENCE_S = 10

#: What decides about bytes, beside gridmap: workers must have the same.
STANDS_ON = ("gridmap", "numpy", "pandas", "geopandas", "shapely", "numba", "pyarrow")

#: Dask warns of parts above 10 MB. Ours are sent one by one and freed when they are done.
LARGE = {"distributed.admin.large-graph-warning-threshold": "4GiB"}


#: A cluster of this machine answers nobody by HTTP: its pages tell about work, and end workers.
MUTE: dict[str, list[str]] = {"distributed.scheduler.http.routes": [],
                              "distributed.worker.http.routes": []}


class _Sent:
    """A value on the cluster, and here, in case the cluster loses it."""

    def __init__(self, client: Any, value: Any) -> None:
        self._client, self._value = client, value
        self.again()

    def again(self) -> None:
        """Send the value to every worker."""
        # in a list, as Dask takes a tuple or a mapping apart
        self.future = self._client.scatter([self._value], broadcast=True, hash=False)[0]


class _Part(NamedTuple):
    """A part that was handed out, kept here until its answer is there."""

    number: int
    future: Any
    again: Callable[[], Any]


class Dask(Closing):
    """Workers of ``dask.distributed``: pip install "gridmap[dask]".

    Without a scheduler a cluster of processes is started on this machine, which talks over
    TLS with a key of its own, so that nobody else on the machine can hand it work. A script
    that does so keeps its main part under ``if __name__ == "__main__"``. Whoever reaches a
    scheduler without TLS can run code on its workers: keep it in a network of your own.

    Workers need the same gridmap, and what it stands on, as the caller. A worker that is killed
    costs the parts it had; Dask gives them to another one.

    Parameters
    ----------
    scheduler : str, optional
        Address, such as "tls://scheduler:8786"; keys and certificates are those of Dask's own
        configuration.
    workers : int, default 2
        Processes of a cluster on this machine; a scheduler that is named has its own.

    Raises
    ------
    ExecutorError
        If Dask is absent, no scheduler or worker answers, workers have other versions, a
        function or a part cannot be sent, or a part was given up.
    """

    def __init__(self, scheduler: str | None = None, *, workers: int = 2) -> None:
        if workers < 1:
            raise ExecutorError(f"workers is {workers}: at least 1 is needed")
        with contextlib.ExitStack() as stack:
            self._client = (_start(workers, stack) if scheduler is None
                            else _connect(scheduler, stack))
            self._end = stack.pop_all()
        self._local = workers if scheduler is None else 0

    @property
    def workers(self) -> int:
        """Threads of all workers that are there now."""
        return self._local or max(1, sum(self._client.nthreads().values()))

    def broadcast(self, value: Any) -> _Sent:
        """Send a value to every worker."""
        return _Sent(self._client, value)

    def map(
        self, function: Callable[..., Answer], parts: Iterable[Part], *, shared: Any = None
    ) -> Iterator[Answer]:
        """Yield the answers in the order of the parts; see `Executor`."""
        base.check_function(function)
        return base.in_order(
            parts, base.AHEAD * self.workers, hand_out=partial(self._hand_out, function, shared),
            take=partial(_take, shared), let_go=self._let_go,
        )

    def _hand_out(
        self, function: Callable[..., Any], shared: _Sent | None, number: int, part: Any
    ) -> _Part:
        again = partial(self._submit, function, shared, number, part)
        return _Part(number, again(), again)

    def _submit(
        self, function: Callable[..., Any], shared: _Sent | None, number: int, part: Any
    ) -> Any:
        import dask

        given = [part] if shared is None else [part, shared.future]
        try:
            with dask.config.set(LARGE):
                return self._client.submit(function, *given, pure=False)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            raise ExecutorError(base.tell_unsent(number, error)) from error

    def _let_go(self, waiting: Collection[_Part]) -> None:
        self._client.cancel([part.future for part in waiting], force=True)

    def close(self) -> None:
        """Leave the cluster, and end it if it was started here."""
        self._end.close()


def _take(shared: _Sent | None, part: _Part) -> Any:
    """Wait for an answer; hand the part out again where the cluster lost what it needs."""
    import distributed
    from distributed.client import FutureCancelledError

    future, why = part.future, ""
    for _ in range(base.TRIES):
        try:
            return future.result()
        except distributed.KilledWorker as error:  # Dask has tried several workers itself
            raise ExecutorError(base.tell_lost(part.number, base.TRIES, "every worker that "
                                "had it ended"), rows=[str(part.number + 1)]) from error
        except FutureCancelledError as error:
            why = f"{type(error).__name__} on the cluster"
            if shared is not None and shared.future.status != "finished":
                shared.again()
            future = part.again()
    raise ExecutorError(base.tell_lost(part.number, base.TRIES, why),
                        rows=[str(part.number + 1)])


def _start(workers: int, stack: contextlib.ExitStack) -> Any:
    """Start a cluster on this machine, and return a client of it."""
    try:
        import dask
        import distributed
        from distributed.security import Security

        security = Security.temporary()
    except ImportError as error:
        raise ExecutorError(
            f'executor "dask" needs {error.name}: pip install "gridmap[dask]"') from error
    with dask.config.set(MUTE):
        cluster = stack.enter_context(_start_workers(partial(
            distributed.LocalCluster,
            n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0", memory_limit=0, host="tls://127.0.0.1",
            security=security, silence_logs=logging.CRITICAL)))
    return stack.enter_context(
        distributed.Client(cluster, security=security, set_as_default=False))


def _start_workers(start: Callable[[], Any]) -> Any:
    """Start a cluster; a worker that ends before it has answered costs another try."""
    for _ in range(base.TRIES):
        try:
            return start()
        except RuntimeError as error:
            why = str(error).rstrip(".")
    raise ExecutorError(
        f"{base.TRIES} times a worker of Dask ended before it had started: {why}. See whether "
        'memory is short, or set executor to "local"')


def _connect(scheduler: str, stack: contextlib.ExitStack) -> Any:
    """Return a client of a scheduler that has workers like us."""
    try:
        import distributed
    except ImportError as error:
        raise ExecutorError(
            f'executor "dask" needs {error.name}: pip install "gridmap[dask]"') from error
    try:
        client = stack.enter_context(distributed.Client(
            scheduler, timeout=f"{PATIENCE_S}s", set_as_default=False))
    except (OSError, ValueError, TypeError) as error:
        raise ExecutorError(
            f"no Dask scheduler answers at {scheduler}: {type(error).__name__}. Start one by "
            "`dask scheduler` and workers by `dask worker ADDRESS`, or correct the address."
        ) from error
    try:
        client.wait_for_workers(1, timeout=PATIENCE_S)
    except TimeoutError as error:
        raise ExecutorError(f"the Dask scheduler at {scheduler} has no workers: start some by "
                            f"`dask worker {scheduler}`") from error
    _check_alike(client)
    return client


def _check_alike(client: Any) -> None:
    """Raise unless all workers have what we have: other versions may draw other bytes."""
    here = tell_versions()
    try:
        there: dict[str, dict[str, str]] = client.run(tell_versions)
    except ImportError as error:
        raise ExecutorError(f"workers of the Dask cluster have no {error.name}: install there "
                            "what is installed here") from error
    others = [f"{name} {versions[name]} at {worker} ({here[name]} here)"
              for worker, versions in sorted(there.items())
              for name in here if versions[name] != here[name]]
    if others:
        raise ExecutorError(f"workers of the Dask cluster differ: {listed(others)}. Install the "
                            "same versions, or outcomes might differ as well.")


def tell_versions() -> dict[str, str]:
    """Return the versions of what decides about bytes in this process.

    Examples
    --------
    >>> tell_versions()["numpy"] == metadata.version("numpy")
    True
    """
    known = dict.fromkeys(STANDS_ON, "absent")
    for name in STANDS_ON:
        with contextlib.suppress(metadata.PackageNotFoundError):
            known[name] = metadata.version(name)
    return {**known, "GEOS": shapely.geos_version_string, "Python": platform.python_version(),
            "machine": platform.machine()}
