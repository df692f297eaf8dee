"""The executor that a configuration names."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial

from ..errors import ExecutorError, listed
from .base import Executor
from .cluster import Dask
from .later import Later
from .processes import Processes

EXECUTORS = ("local", "dask")


def open_executor(
    name: str = "local", *, workers: int = 1, scheduler: str | None = None, later: bool = False
) -> AbstractContextManager[Executor | None]:
    """Return an executor for a ``with``, which gives None where one core does it all.

    Parameters
    ----------
    name : {"local", "dask"}
        Processes of this machine, or a Dask cluster.
    workers : int, default 1
        Processes; one local worker needs no executor.
    scheduler : str, optional
        Address of a Dask scheduler; without one a cluster is started here.
    later : bool, default False
        Whether the cluster is sought when it is first used, and not at once. Processes of this
        machine always start when they are needed.

    Returns
    -------
    context manager
        Gives an Executor, or None, which functions with ``executor=`` take as well.

    Raises
    ------
    ExecutorError
        If there is no such executor, or it cannot be reached.

    Examples
    --------
    >>> with open_executor("local", workers=1) as executor:
    ...     executor is None
    True
    >>> open_executor("farm")
    Traceback (most recent call last):
    gridmap.errors.ExecutorError: executor is 'farm': expected local, dask
    """
    if name not in EXECUTORS:
        raise ExecutorError(f"executor is {name!r}: expected {listed(EXECUTORS)}")
    if scheduler is not None and name != "dask":
        raise ExecutorError(f"a scheduler is named, but executor is {name!r}: set it to 'dask'")
    if name == "dask":
        return Later(partial(Dask, scheduler, workers=workers)) if later else (
            Dask(scheduler, workers=workers))
    return Processes(workers) if workers > 1 else nullcontext()
