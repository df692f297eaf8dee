"""The few figures that sum a run up."""

from __future__ import annotations

import pandas as pd
from pandas import DataFrame, Series

from .. import coverage
from .fill import Filled, collected_share

#: How the step partition begins what it says of a grid outside its range.
_REASON = "out of range: "


def summarise(
    filled: Filled, measured: coverage.Coverage, *, changes: DataFrame, ledger: DataFrame
) -> Series:
    """Sum a run up in one column of figures.

    Parameters
    ----------
    filled : Filled
        Grids with what was attached.
    measured : Coverage
        Their figures.
    changes, ledger : DataFrame
        The account of the run.

    Returns
    -------
    Series
        Named figures in the order to print them: counts, shares from 0 to 1, missing where
        nothing was given to measure.
    """
    by_grid = measured.by_grid
    sized = by_grid[by_grid["kind"] != "dedicated"]
    known = sized[sized["size_state"].isin(["in range", "small", "large"])]
    states = known["size_state"].value_counts()
    figures = {
        "grids": len(by_grid),
        "dedicated grids": int((by_grid["kind"] == "dedicated").sum()),
        "households": by_grid["households"].sum(),
        "people": by_grid["people"].sum(),
        "grids in size range": int(states.get("in range", 0)),
        "share in size range": _share(states.get("in range", 0), len(known)),
        "too small": int(states.get("small", 0)),
        "too large": int(states.get("large", 0)),
        "size unknown": len(sized) - len(known),
        "contiguous share": float((by_grid["parts"] == 1).mean()),
        "Polsby-Popper mean": float(by_grid["compactness"].mean()),
        "Polsby-Popper 5th percentile": float(by_grid["compactness"].quantile(0.05)),
        "elements collected": collected_share(filled.elements),
        "people left over": _left_over(ledger[ledger["step"].isin(("join", "spread", "attach"))],
                                       "people"),
        "rows rejected": _left_over(ledger[ledger["step"] == "load"], "rows"),
        "changes": len(changes),
    }
    return Series(figures, name="summary")


def _share(part: float, whole: float) -> float:
    return float(part) / whole if whole else float("nan")


def _left_over(ledger: DataFrame, measure: str) -> float:
    return float(ledger.loc[ledger["measure"] == measure, "left_over"].sum())


def explain_sizes(changes: DataFrame) -> Series:
    """Count the reasons of grids outside their size range.

    Parameters
    ----------
    changes : DataFrame, schema CHANGES

    Returns
    -------
    Series
        Reason -> number of grids, the most frequent first.
    """
    told = changes.loc[changes["step"] == "partition", "what"]
    reasons = told[told.str.startswith(_REASON)].str.removeprefix(_REASON)
    counts: pd.Series = reasons.value_counts()
    return counts
