"""Contact lines of posts: what a user wants to be printed, and never a person's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pandas import DataFrame

from ..errors import SourceError, holds_number, listed
from . import cells, choose, personal, reading

#: What a phone of a post is called; what is left of a header tells whose it is.
_PHONE = re.compile(r"联系电话|值班电话|電話|电话|座机|telephone|phone|tel(?![a-z])|contact",
                    re.IGNORECASE)
_KEYS = ("grid", "territory")


def load_posts(
    path: str | Path, *, columns: Mapping[str, str], encoding: str | None = None
) -> DataFrame:
    """Read the contact lines of posts, one row for a grid or for a territory.

    Parameters
    ----------
    path : str or Path
        A table in any format.
    columns : mapping
        Name of a field -> column of the file, one of them ``grid`` or ``territory``. No other
        column is read. Without ``contact`` the fields make it, in their order.
    encoding : str, optional
        Of the file; found by reading it by default.

    Returns
    -------
    DataFrame
        Text by ``grid`` or ``territory``; an empty cell is empty text.

    Raises
    ------
    SourceError
        If a column names persons or their private numbers, if a cell holds a mobile or an ID
        number, or if a code is missing or repeated.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "posts.csv")
    >>> _ = file.write_text("code,post,phone,boss\\nG1,Office,0631-5200000,Li\\n")
    >>> load_posts(file, columns={"grid": "code", "post": "post", "phone": "phone"}
    ...            )["contact"].to_dict()
    {'G1': 'Office 0631-5200000'}
    """
    file = Path(path)
    keys = [name for name in _KEYS if name in columns]
    if len(keys) != 1 or len(columns) < 2:
        raise SourceError(
            f"{file.name}: say which column holds the code of the grid (or territory), and which "
            "are printed: grid=COLUMN and contact=COLUMN")
    odd = [header for header in columns.values() if _is_refused(header)]
    if odd:
        raise SourceError(
            f"{file.name}: {listed(odd)} would print persons or their numbers. Only what belongs "
            "to a post is printed: its name, its office phone")
    raw = reading.read_file(file, choose.choose_columns(columns, None), encoding=encoding)
    table = DataFrame({name: cells.to_text(raw.table[header]).astype("str").str.strip()
                       for name, header in columns.items()})
    key = keys[0]
    codes = table[key]
    if codes.isna().any() or (codes == "").any():
        raise SourceError(f"{file.name}: {int((codes.isna() | (codes == '')).sum()):,} rows have "
                          f"no {key}")
    twins = sorted(codes[codes.duplicated()].unique())
    if twins:
        raise SourceError(f"{file.name}: {listed(twins)} have several rows; write one line for "
                          f"each {key}", rows=twins)
    posts = table.set_index(pd.Index(codes, name=key)).drop(columns=key).fillna("")
    _check_numbers(posts, file.name)
    if "contact" not in posts:
        posts["contact"] = [" ".join(filter(None, row)) for row in
                            posts.itertuples(index=False, name=None)]
    return posts


def _is_refused(header: str) -> bool:
    """Say whether a header is personal, where a phone alone may be that of a post."""
    if not personal.is_personal_header(header):
        return False
    rest = re.sub(r"[\s_.-]+", " ", _PHONE.sub(" ", header)).strip()
    return not _PHONE.search(header) or (bool(rest) and personal.is_personal_header(rest))


def _check_numbers(posts: DataFrame, name: str) -> None:
    held = posts.map(holds_number)
    if held.to_numpy().any():
        rows = posts.index[held.any(axis=1)].tolist()
        raise SourceError(
            f"{name}: {listed(held.columns[held.any()])} hold mobile or ID numbers, in the rows "
            f"of {listed(rows)}. Print the phone of the post: a landline or a short number",
            rows=rows)
