"""One thin decorator: a kernel is compiled where numba is installed, and plain Python else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from ... import _compiling as compiling

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

try:
    import numba

    HAS_NUMBA = True
except ImportError:
    HAS_NUMBA = False


def compiled(kernel: Kernel, *, inline: Literal["never", "always"] = "never") -> Kernel:
    """Return a kernel that numba compiles on its first call, and keeps on disk.

    Without numba the kernel runs as it stands: the same outcome, a hundred times slower.

    Parameters
    ----------
    kernel : callable
        A function of numbers and arrays, in the part of Python that numba knows.
    inline : {"never", "always"}
        Whether its text is put into the kernels that call it.

    Examples
    --------
    >>> from gridmap.zoning.kernels.anneal import factor  # compiled by this decorator
    >>> factor(1.0, 8.0, 4)
    2.0
    """
    if HAS_NUMBA:
        made: Any = numba.njit(
            cache=True, nogil=True, error_model="numpy", inline=inline
        )(kernel)
        return made
    return _wrapping(kernel)


def inlined(kernel: Kernel) -> Kernel:
    """Return a small kernel that is put into those that call it.

    Numba passes an array as seven values, so that a call in an inner loop costs more than
    what it does: this halved the time of a step of the search.

    Examples
    --------
    >>> from gridmap.zoning.kernels.anneal import factor  # compiled by `compiled`
    >>> factor(1.0, 8.0, 4)
    2.0
    """
    return compiled(kernel, inline="always")


def _wrapping(kernel: Kernel) -> Kernel:
    """Let whole numbers run over as they do in compiled code, without a warning."""

    @functools.wraps(kernel)
    def plain(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return kernel(*arguments)

    return plain  # type: ignore[return-value]


def tell_about_compiling() -> None:
    """Warn once where the kernels have to be compiled first, or numba is absent."""
    from . import anneal  # which imports this module

    compiling.tell_compiling("drawing grids", anneal.flip, lasts="up to a minute",
                             slower="about a hundred times slower")
