"""A file as it is: the columns that were asked for, its geometry, and what was noticed."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray
from pandas import DataFrame

from ..errors import SourceError, listed
from . import personal


class Raw(NamedTuple):
    """Rows of a file before they follow any schema."""

    table: DataFrame  # the columns that were asked for, as text where the file has text
    geometry: NDArray[Any] | None
    crs: Any  # what the file says, None where it is silent
    headers: tuple[str, ...]  # all columns of the file
    notes: tuple[tuple[str, str], ...] = ()  # (what, note) about the file as a whole
    lost: tuple[tuple[str, str], ...] = ()  # (row, reason) for rows that could not be read


def choose_columns(wanted: list[str], headers: tuple[str, ...], path: object) -> None:
    """Raise unless every column that was asked for is in the file.

    Raises
    ------
    SourceError
        Names the absent columns and those that there are.
    """
    absent = [name for name in wanted if name not in headers]
    if absent:
        there = [h for h in headers if not personal.is_personal_header(h)]
        raise SourceError(
            f"{path} has no column {listed(absent)}. Its columns are {listed(there, show=20)}"
        )
