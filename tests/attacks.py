"""An attack on withheld counts, by linear programming, for the tests of what is published."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

SMALLEST = 10


def attack(by_grid, published, name, levels=("territory",)):
    """Return the least and the most that each hidden count can be, for who knows it all.

    Known are the figures shown, the totals that are not withheld, why each count was
    suppressed, and the rule: a small count is 1 to 9, any other hidden one is 10 or more.
    A hidden 0 is taken as known.
    """
    told = published.suppressed[published.suppressed["column"] == name]
    small = set(told.loc[told["reason"] == "small", "id"])
    open_whole = (told["level"] == "all").any()
    hidden = published.by_grid.index[published.by_grid[name].isna() & (by_grid[name] > 0)]
    truth = by_grid.loc[hidden]
    bounds = [(1, SMALLEST - 1) if code in small else (SMALLEST, None) for code in hidden]
    sums = []
    for level in levels:
        withheld = set(told.loc[told["level"] == level, "id"])
        sums += [truth[level].to_numpy() == t for t in by_grid[level].unique()
                 if t not in withheld]
    sums += [] if open_whole else [np.ones(len(hidden), dtype=bool)]
    known = [truth.loc[rows, name].sum() for rows in sums]
    ranges = {}
    for n, code in enumerate(hidden):
        aim = np.eye(len(hidden))[n]
        ends = []
        for sign in (1, -1):
            answer = linprog(sign * aim, A_eq=np.array(sums, dtype=float) if sums else None,
                             b_eq=known if sums else None, bounds=bounds, method="highs")
            ends.append(np.inf if answer.status == 3 else answer.x[n])
        ranges[code] = tuple(ends)
    return ranges
