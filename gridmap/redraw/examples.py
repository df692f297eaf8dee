"""Small pieces of land for the examples of this room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .kernels.state import Land


def row_of_units(loads: Sequence[float]) -> Land:
    """Return units of 1 m in a row, each bordering the next, with loads given.

    Examples
    --------
    >>> row_of_units([1, 2, 3]).neighbour.tolist()
    [1, 0, 2, 1]
    """
    size = len(loads)
    pairs = [v for u in range(size) for v in (u - 1, u + 1) if 0 <= v < size]
    counts = [sum(0 <= v < size for v in (u - 1, u + 1)) for u in range(size)]
    load = np.array(loads, np.float64)
    return Land(
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        neighbour=np.array(pairs, np.int64),
        length=np.ones(len(pairs)),
        load=load[:, None],
        cost=load / max(load.max(), 1.0),
        area=np.ones(size),
        outline=np.full(size, 4.0),
        place=np.stack([np.arange(size) + 0.5, np.full(size, 0.5)], axis=1),
    )
