"""Every row accounted for: the CHANGES and REJECTS frames and the balance of each step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from .errors import LedgerError, listed
from .schema import CHANGES, LEDGER, empty_frame

#: Mass may differ by this share of its total, for the rounding of sums of floats.
TOLERANCE = 1e-9


def note_changes(
    ids: Iterable[object],
    *,
    step: str,
    what: str,
    before: object = None,
    after: object = None,
    area_m2: object = None,
    note: object = None,
) -> DataFrame:
    """Write rows of CHANGES (or REJECTS, which looks the same), one for each id.

    Parameters
    ----------
    ids : iterable
        Codes of the rows concerned; ``[None]`` for a line about a whole frame.
    step, what : str
        Who says so, and what was done or found.
    before, after, area_m2, note : scalar or one value for each id, optional
        The values on either side, the area that changed hands, the reason.

    Returns
    -------
    DataFrame, schema CHANGES

    Examples
    --------
    >>> note_changes(["G1"], step="mend", what="gap filled", area_m2=3.5)["id"].tolist()
    ['G1']
    """
    named = ids if isinstance(ids, pd.Index | pd.Series) else list(ids)
    if not len(named):
        return empty_frame(CHANGES)
    number = pd.RangeIndex(len(named), name=CHANGES.index)
    columns = {"step": step, "what": what, "id": named, "before": before, "after": after,
               "note": note}
    texts = {name: _texts(values, number) for name, values in columns.items()}
    area = area_m2 if _is_one(area_m2) else list(area_m2)  # type: ignore[call-overload]
    numbers = pd.to_numeric(pd.Series(area, index=number)).astype("float64")
    return DataFrame({**texts, "area_m2": numbers})[[c.name for c in CHANGES.columns]]


def _is_one(values: object) -> bool:
    return isinstance(values, str) or not isinstance(values, Iterable)


def _texts(values: Any, number: pd.RangeIndex) -> pd.Series:
    """Return a column of text; one value stands for all rows, and text stays as it is."""
    if _is_one(values):
        return pd.Series(_text(values), index=number, dtype="str")
    if isinstance(values, pd.Index | pd.Series) and isinstance(values.dtype, pd.StringDtype):
        return pd.Series(values.array, index=number, dtype="str")
    return pd.Series(list(values), index=number).map(_text).astype("str")


def _text(value: Any) -> str | None:
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else str(value)


def join_changes(*parts: DataFrame) -> DataFrame:
    """Put CHANGES (or REJECTS) one below the other and number them anew from 0.

    Examples
    --------
    >>> a = note_changes(["G1"], step="mend", what="gap filled")
    >>> join_changes(a, a).index.tolist()
    [0, 1]
    """
    full = [part for part in parts if len(part)]
    if not full:
        return empty_frame(CHANGES)
    joined = pd.concat(full, ignore_index=True)
    joined.index.name = CHANGES.index
    return joined


def balance(
    step: str,
    frame: str,
    *,
    measure: str = "rows",
    came_in: float,
    went_on: float,
    left_over: float = 0,
) -> DataFrame:
    """Write one line of the ledger.

    Parameters
    ----------
    step, frame : str
        The step, and what it counted.
    measure : str, default "rows"
        rows, households or people.
    came_in, went_on, left_over : float
        Totals before and after the step, and what did not go on.

    Returns
    -------
    DataFrame, schema LEDGER

    Examples
    --------
    >>> balance("load", "addresses", came_in=10, went_on=9, left_over=1)["left_over"].tolist()
    [1.0]
    """
    line = {"step": [step], "frame": [frame], "measure": [measure], "came_in": [float(came_in)],
            "went_on": [float(went_on)], "left_over": [float(left_over)]}
    return DataFrame(line, index=pd.RangeIndex(1, name=LEDGER.index)).astype(
        {"step": "str", "frame": "str", "measure": "str"}
    )


def join_ledger(*lines: DataFrame) -> DataFrame:
    """Put ledger lines one below the other and number them anew from 0.

    Examples
    --------
    >>> join_ledger(balance("load", "units", came_in=2, went_on=2)).index.tolist()
    [0]
    """
    full = [line for line in lines if len(line)]
    if not full:
        return empty_frame(LEDGER)
    joined = pd.concat(full, ignore_index=True)
    joined.index.name = LEDGER.index
    return joined


def find_unbalanced(ledger: DataFrame) -> DataFrame:
    """Return the ledger lines that do not close.

    Parameters
    ----------
    ledger : DataFrame, schema LEDGER

    Returns
    -------
    DataFrame, schema LEDGER
        Lines whose ``came_in`` is not ``went_on + left_over``: rows exactly, mass to
        1e-9 of its total.

    Examples
    --------
    >>> lines = balance("load", "addresses", came_in=10, went_on=9)
    >>> len(find_unbalanced(lines))
    1
    """
    off = (ledger["came_in"] - ledger["went_on"] - ledger["left_over"]).abs()
    allowed = np.where(ledger["measure"] == "rows", 0.0, TOLERANCE * ledger["came_in"].abs())
    return ledger[~(off <= allowed)]


def check_balance(ledger: DataFrame) -> None:
    """Raise unless every line of the ledger closes: in = out + left over.

    Raises
    ------
    LedgerError
        If a step lost or doubled rows or mass; the message names the lines.

    Examples
    --------
    >>> check_balance(balance("load", "addresses", came_in=10, went_on=9))
    Traceback (most recent call last):
    gridmap.errors.LedgerError: the ledger does not close: load addresses rows: 10 came in, \
9 went on, 0 left over. Please report this: no step may lose or double anything.
    """
    open_lines = find_unbalanced(ledger)
    if len(open_lines):
        told = [
            f"{line.step} {line.frame} {line.measure}: {line.came_in:,.10g} came in, "
            f"{line.went_on:,.10g} went on, {line.left_over:,.10g} left over"
            for line in open_lines.itertuples()
        ]
        raise LedgerError(
            f"the ledger does not close: {listed(told)}. Please report this: no step may lose "
            "or double anything.",
            rows=[str(number) for number in open_lines.index],
        )
