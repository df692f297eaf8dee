"""Which cells of a table must be hidden so that no total gives a small count away.

The attacker is taken to know every total that is shown, why each cell is hidden, and the
rule itself: a small count is 1 to ``smallest - 1``, any other hidden count is ``smallest``
or more. Hidden cells of one total keep each other's secret while the attacker can still
move the whole range of small counts from cell to cell:

- downwards, the cells together must be ``smallest - 2`` or more above what the attacker
  knows they are at least (`_slack`), so that a small count could be ``smallest - 1``;
- upwards, one hidden cell without an upper limit is enough, so that a small count could be
  1; where all are small, they must be as far below their upper limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Hidden(NamedTuple):
    """Cells and totals that must not be shown."""

    cells: NDArray[np.bool_]
    totals: tuple[NDArray[np.bool_], ...]  # for each level of parents, by number
    whole: bool  # the total of everything


def find_hidden(
    values: NDArray[np.float64], parents: Sequence[NDArray[np.integer]], *, smallest: float
) -> Hidden:
    """Find the cells and totals to hide, one pattern for all columns of a table.

    Parameters
    ----------
    values : array of float, cells by columns
        Counts that bound each other, such as households and people: a cell is hidden in
        all columns or in none. Rows in order of code; missing is unknown and counts as 0.
    parents : sequence of array of int
        For each level of parents, the lowest first, the number of the parent of each cell,
        from 0. Parents of one level lie whole in those of the next.
    smallest : float
        Counts above 0 and below this are small.

    Returns
    -------
    Hidden
        As few cells as a greedy search finds: in a parent that cannot hide its small counts
        by itself the total goes, and others beside it with it, level by level.

    References
    ----------
    Complementary suppression: L. Willenborg and T. de Waal (2001), "Elements of Statistical
    Disclosure Control", Springer.

    Examples
    --------
    >>> counts = np.array([[4.0], [30.0], [50.0], [70.0]])
    >>> find_hidden(counts, [np.array([0, 0, 0, 1])], smallest=10).cells.tolist()
    [True, True, False, False]
    """
    values = np.nan_to_num(values)
    cells: NDArray[np.bool_] = np.any(_is_small(values, smallest), axis=1)
    everything = np.zeros(len(values), dtype=np.intp)
    levels = [*parents, everything]
    totals = [np.zeros(_count(parent), dtype=bool) for parent in levels]
    open_rows = np.ones(len(cells), dtype=bool)  # rows whose totals below are all hidden
    for depth, parent in enumerate(levels):
        for number in np.unique(parent[cells & open_rows]):
            rows = np.flatnonzero(parent == number)
            before = cells[rows].copy()
            safe = _protect(values, cells, rows[open_rows[rows]], rows, smallest)
            totals[depth][number] |= not safe
            # A cell of another parent helps only while that parent's totals are hidden too.
            for below in range(depth):
                totals[below][levels[below][rows[cells[rows] & ~before]]] = True
        open_rows = np.all(
            [totals[low][levels[low]] for low in range(depth + 1)], axis=0)
        if not open_rows.any():
            break
    *of_parents, whole = totals
    return Hidden(cells, tuple(of_parents), bool(whole.any()))


def _count(parent: NDArray[np.integer]) -> int:
    return int(parent.max()) + 1 if len(parent) else 0


def _protect(
    values: NDArray[np.float64],
    cells: NDArray[np.bool_],
    pool: NDArray[np.integer],
    helpers: NDArray[np.integer],
    smallest: float,
) -> bool:
    """Hide more of ``helpers`` until the hidden cells of the pool are safe; say if they are.

    The smallest cell that does it alone; if none does, the largest, and then on.
    """
    hidden = pool[cells[pool]]
    while not is_safe(values[hidden], smallest):
        free = helpers[~cells[helpers]]
        free = free[(values[free] >= smallest).any(axis=1)]
        if not len(free):
            return False
        free = free[np.lexsort((free, values[free].sum(axis=1)))]
        enough = next(
            (row for row in free if is_safe(values[np.append(hidden, row)], smallest)), free[-1]
        )
        cells[enough] = True
        hidden = np.append(hidden, enough)
    return True


def is_safe(hidden: NDArray[np.float64], smallest: float) -> bool:
    """Say whether hidden cells that add up to a known total keep each other's secret.

    Parameters
    ----------
    hidden : array of float, cells by columns
        The hidden counts.
    smallest : float
        Counts above 0 and below this are small.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_safe(np.array([[9.0], [9.0]]), 10)  # 18 for two counts below 10
    False
    >>> is_safe(np.array([[5.0], [40.0]]), 10)
    True
    """
    return all(_column_is_safe(column[column > 0], smallest) for column in hidden.T)


def _column_is_safe(hidden: NDArray[np.float64], smallest: float) -> bool:
    if not len(hidden):
        return True
    small = hidden[hidden < smallest]
    large = len(hidden) - len(small)
    needed = smallest - 2
    below = (small - 1).sum() + (hidden[hidden >= smallest] - smallest).sum()
    above = (smallest - 1 - small).sum()
    if not len(small):
        return large > 1 and bool(below >= needed)
    return bool(below >= needed) and (large > 0 or bool(above >= needed))


def _is_small(values: NDArray[np.float64], smallest: float) -> NDArray[np.bool_]:
    return (values > 0) & (values < smallest)
