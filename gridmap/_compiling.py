"""Compiled kernels: saying when a machine compiles them for the first time, or cannot."""

from __future__ import annotations

import functools
import logging
from importlib.util import find_spec
from typing import Any

_log = logging.getLogger(__name__)

HAS_NUMBA = find_spec("numba") is not None


def tell_compiling(what: str, kernel: Any, *, lasts: str, slower: str) -> None:
    """Warn once in a session where kernels are not ready: they compile, or they cannot.

    Logged as a warning, because a first call that takes long looks like one that hangs.

    Parameters
    ----------
    what : str
        What the kernels do: "drawing grids".
    kernel : callable
        The largest of them, as numba made it, or plain Python without numba.
    lasts : str
        How long compiling takes: "about half a minute".
    slower : str
        How much slower it goes without numba: "about a hundred times slower".

    Examples
    --------
    >>> tell_compiling("counting", len, lasts="a second", slower="slower")  # nothing to tell
    """
    if not HAS_NUMBA:
        _warn_once(
            f"numba is not installed: {what} goes without compiled kernels, with the same "
            f"outcome but {slower}. Install it with: pip install numba"
        )
    elif is_cold(kernel):
        _warn_once(
            f"first use on this machine: the kernels for {what} are compiled, which takes "
            f"{lasts}. Later starts read them from the cache."
        )


def is_cold(kernel: Any) -> bool:
    """Say whether a kernel of numba has to be compiled when it is called next.

    Examples
    --------
    >>> is_cold(len)
    False
    """
    if getattr(kernel, "signatures", None) or not hasattr(kernel, "py_func"):
        return False
    try:
        # No public name says whether the cache on disk is fresh; asking it compiles nothing.
        return not kernel._cache._cache_file._load_index()
    except (AttributeError, OSError):
        return False


@functools.cache
def _warn_once(message: str) -> None:
    _log.warning(message)
