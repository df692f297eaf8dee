"""Which columns and rows of a file are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas import Series

from ..errors import SourceError
from . import cells, personal
from .raw import Raw


class Wanted(NamedTuple):
    """What is asked of a file."""

    columns: dict[str, Any]  # our name -> theirs, or a list of theirs
    headers: list[str]  # of theirs, all that are to be read
    headed: bool  # the first line names the columns


def choose_columns(
    columns: Mapping[str, Any] | None, where: Mapping[str, Any] | None, *extra: str
) -> Wanted:
    """Say which columns are asked for, by name or by position.

    Parameters
    ----------
    columns : mapping or None
        Our name -> header, or a list of headers. Whole numbers are positions from 1, in a
        file without a header line; all have to be numbers then.
    where : mapping or None
        Its keys are asked for as well.
    *extra : str
        More headers.

    Returns
    -------
    Wanted

    Raises
    ------
    SourceError
        If names and positions are mixed.

    Examples
    --------
    >>> choose_columns({"element": ["way", "id"], "x": "lon"}, {"level": "8"}).headers
    ['way', 'id', 'lon', 'level']
    >>> choose_columns({"element": 1, "x": 4}, None).headed
    False
    """
    columns = dict(columns or {})
    listed = {name: [v] if isinstance(v, (str, int)) else list(v) for name, v in columns.items()}
    told = [header for headers in listed.values() for header in headers]
    told += [*extra, *(where or {})]
    by_position = [isinstance(h, int) or (isinstance(h, str) and h.isdecimal()) for h in told]
    headed = not any(isinstance(header, int) for header in told)
    if not headed and not all(by_position):
        raise SourceError(
            "columns mixes names and positions: a file has a header line, or it has not"
        )
    texts = {n: str(v[0]) if len(v) == 1 else [str(h) for h in v] for n, v in listed.items()}
    return Wanted(texts, list(dict.fromkeys(str(header) for header in told)), headed)


def leave_private(wanted: Wanted, where: Mapping[str, Any] | None) -> Wanted:
    """Leave out columns whose header is personal, so that they are not even read.

    A code that would have to come from one is an error later on. A column that only says
    which rows are wanted is read, and goes no further.

    Examples
    --------
    >>> leave_private(choose_columns({"element": "id", "kind": "姓名"}, None), None).headers
    ['id']
    """
    asked = [header for header in wanted.headers
             if header in (where or {}) or not personal.is_personal_header(header)]
    return wanted._replace(headers=asked)


def keep_rows(raw: Raw, where: Mapping[str, Any] | None) -> tuple[Raw, int]:
    """Keep the rows that were asked for, and count the others.

    Parameters
    ----------
    raw : Raw
    where : mapping or None
        Header -> value or list of values to keep; ``"*"`` keeps filled cells, and
        ``{"not": values}`` all others. Values are compared as text.

    Returns
    -------
    (Raw, int)
    """
    kept = np.ones(len(raw.table), dtype=bool)
    for name, value in (where or {}).items():
        kept &= _holds(cells.to_text(raw.table[str(name)]), value)
    if kept.all():
        return raw, 0
    return take_rows(raw, kept), int((~kept).sum())


def _holds(text: Series, value: Any) -> NDArray[np.bool_]:
    if isinstance(value, Mapping):
        return ~_holds(text, value["not"])
    if value == "*":
        return np.asarray(text.notna())
    values = list(value) if isinstance(value, (list, tuple, set)) else [value]
    return np.asarray(text.isin([str(v) for v in values]))


def take_rows(raw: Raw, kept: NDArray[np.bool_]) -> Raw:
    """Return the rows that are kept, with their numbers in the file."""
    return raw._replace(
        table=raw.table[kept].reset_index(drop=True),
        geometry=None if raw.geometry is None else raw.geometry[kept],
        rows=raw.rows[kept],
        reasons=None if raw.reasons is None else raw.reasons[kept],
    )
