"""Codes are text from the first byte to the last."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from pandas import Series

_WHOLE = r"^\s*(\d+)\.0+\s*$"
_EXPONENT = r"^\s*\d(?:\.\d+)?[eE]\+?\d+\s*$"


class Codes(NamedTuple):
    """Codes with an account of what was done to them; all indexed like the input."""

    codes: Series  # text, missing where there is none
    mended: Series  # flag: it differs from what the file has
    hopeless: Series  # flag: digits are lost, as in 3.71002E+11


def mend_codes(values: Series, *, strip: str | None = None) -> Codes:
    """Turn values into codes: text, with the damage of spreadsheets undone.

    ``371002001001.0`` becomes ``371002001001``; blanks around a code go; ``3.71002E+11``
    has lost digits and stays missing. Numbers that a file stores as numbers are written
    out in full.

    Parameters
    ----------
    values : Series
        Text or numbers.
    strip : str, optional
        Characters to leave out wherever they stand, such as ``"-"``.

    Returns
    -------
    Codes

    Examples
    --------
    >>> values = Series(["0371 ", "371002001001.0", "3.71002E+11", ""])
    >>> mend_codes(values).codes.tolist()
    ['0371', '371002001001', nan, nan]
    """
    text = _as_text(values)
    hopeless = text.str.fullmatch(_EXPONENT).fillna(False).astype(bool)
    codes = text.str.strip().str.replace(_WHOLE, r"\1", regex=True)
    for character in strip or "":
        codes = codes.str.replace(character, "", regex=False)
    codes = codes.mask(hopeless | (codes == ""))
    mended = codes.notna() & (codes != text)
    return Codes(codes.astype("str"), mended.astype(bool), hopeless)


def _as_text(values: Series) -> Series:
    """Write numbers out in full: 371002001001.0 as a float is a whole number, not text."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all() and (whole.abs() < 2**53).all():
            return values.map(lambda v: f"{v:.0f}", na_action="ignore").astype("str")
    return values.astype("str").where(values.notna())
