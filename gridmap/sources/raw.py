"""A file as it is: the columns that were asked for, its geometry, and what was noticed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from ..errors import SourceError, listed
from . import account, personal
from .account import Lost


class Raw(NamedTuple):
    """Rows of a file before they follow any schema."""

    table: DataFrame  # the columns that were asked for, as text where the file has text
    geometry: NDArray[Any] | None
    crs: Any  # what the file says, None where it is silent
    headers: tuple[str, ...]  # all columns of the file
    rows: NDArray[np.int64]  # number of each row in the file, counted from 1
    notes: tuple[tuple[str, str], ...] = ()  # (what, note) about the file as a whole
    lost: tuple[Lost, ...] = ()  # rows that could not be read
    reasons: NDArray[Any] | None = None  # why a row has no geometry, where that is known


def make_raw(
    table: DataFrame,
    headers: Sequence[str],
    *,
    geometry: NDArray[Any] | None = None,
    crs: Any = None,
    notes: Sequence[tuple[str, str]] = (),
    lost: Sequence[Lost] = (),
) -> Raw:
    """Return a Raw whose rows stand in the file in the order they are given."""
    return Raw(
        table.reset_index(drop=True), geometry, crs, tuple(map(str, headers)),
        account.row_numbers(len(table), lost), tuple(notes), tuple(lost),
    )


def check_columns(wanted: Sequence[str], headers: Sequence[str], path: object) -> None:
    """Raise unless every column that was asked for is in the file, and only once.

    Raises
    ------
    SourceError
        Names the absent columns, those that there are, and the nearest of them.
    """
    absent = [name for name in wanted if name not in headers]
    if absent:
        there = personal.harmless_headers(headers)
        near = get_close_matches(absent[0].upper(), [h.upper() for h in there], n=1)
        meant = [h for h in there if near and h.upper() == near[0]]
        guess = f". Is {meant[0]} meant?" if meant else ""
        raise SourceError(
            f"{path} has no column {listed(absent)}. Its columns are "
            f"{listed(there, show=20)}{guess}"
        )
    twice = sorted({name for name in wanted if list(headers).count(name) > 1})
    if twice:
        raise SourceError(
            f"{path} has the header {listed(twice)} more than once: give each column its own"
        )
