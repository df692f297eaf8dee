"""Attacks on what is published: every one that succeeds is a defect.

Who attacks knows all that is shown, every total that is not withheld, why each count was
withheld, and the rule itself. He solves a linear program for each withheld count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame, Series
from scipy import sparse
from scipy.optimize import linprog

SMALLEST = 10


def attack_totals(by_grid: DataFrame, published: Any, name: str, levels: Sequence[str]) -> int:
    """Return how many withheld small counts can be narrowed down below the whole range."""
    told = published.suppressed[published.suppressed["column"] == name]
    small = set(told.loc[told["reason"] == "small", "id"])
    hidden = by_grid.index[published.by_grid[name].isna() & (by_grid[name] > 0)]
    truth = by_grid.loc[hidden]
    bounds = [(1, SMALLEST - 1) if code in small else (SMALLEST, None) for code in hidden]
    sums = []
    for level in levels:
        withheld = set(told.loc[told["level"] == level, "id"])
        sums += [truth[level].to_numpy() == code for code in truth[level].unique()
                 if code not in withheld]
    if not (told["level"] == "all").any():
        sums.append(np.ones(len(hidden), dtype=bool))
    if not len(hidden):
        return 0
    rows = sparse.csr_array(np.array(sums, dtype=float).reshape(len(sums), len(hidden)))
    known = [float(truth.loc[one, name].sum()) for one in sums]
    found = 0
    for n, code in enumerate(hidden):
        if code not in small:
            continue
        aim = np.zeros(len(hidden))
        aim[n] = 1.0
        ends = [linprog(sign * aim, A_eq=rows if sums else None, b_eq=known if sums else None,
                        bounds=bounds, method="highs").x[n] for sign in (1.0, -1.0)]
        found += ends[0] > 1 + 1e-6 or ends[1] < SMALLEST - 1 - 1e-6
    return found


def attack_naively(by_grid: DataFrame, name: str) -> int:
    """Return how many small counts come out by subtraction if only they are withheld."""
    small = by_grid[name].between(1, SMALLEST - 1)
    alone = small.groupby(by_grid["territory"]).transform("sum") == 1
    return int((small & alone).sum())


def move_borders(homes: DataFrame, *, seed: int = 1) -> Series:
    """Return new grids in which a few households at a time went to another grid."""
    chance = np.random.default_rng(seed)
    grids = homes["grid"].to_numpy().copy()
    order = pd.Series(grids).dropna().unique()
    for code in chance.choice(order, max(len(order) // 10, 1), replace=False):
        rows = np.flatnonzero(grids == code)
        few = rows[: int(chance.integers(1, 6))]
        others = order[order != code]
        grids[few] = others[int(chance.integers(len(others)))]
    return Series(grids, index=homes.index, dtype="str")
