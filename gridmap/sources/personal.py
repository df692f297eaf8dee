"""Names, phone and ID numbers: recognised, left out, never shown."""

from __future__ import annotations

import re

import pandas as pd
from pandas import Series

_HEADERS = re.compile(
    r"姓名|户主|联系人|联系电话|电话|手机|身份证|证件号|公民身份|"
    r"^(full_?name|first_?name|last_?name|surname|person_?name|head_of_household|householder)$|"
    r"phone|mobile|telephone|^tel$|id_?card|id_?number|identity|passport|e-?mail",
    re.IGNORECASE,
)
_MOBILE = r"(?:\+?86)?1[3-9]\d{9}"
_ID = r"\d{6}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"

#: Share of the filled values that must look personal, and how many are looked at.
_SHARE, _SAMPLE = 0.3, 2_000


def is_personal_header(header: str) -> bool:
    """Say whether a column's header names a person, phone or ID number.

    Parameters
    ----------
    header : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_personal_header("联系电话"), is_personal_header("name")
    (True, False)
    """
    return bool(_HEADERS.search(header.strip()))


def has_personal_values(values: Series) -> bool:
    """Say whether a column holds mobile or ID numbers, by pattern and check digit.

    Parameters
    ----------
    values : Series
        Any column; only text is looked at.

    Returns
    -------
    bool
        True where at least 30 % of the filled values, out of the first 2,000, are mobile
        numbers, or ID numbers with a right check digit.

    Examples
    --------
    >>> has_personal_values(Series(["13800138000", "13900139000"]))
    True
    >>> has_personal_values(Series(["371002001001", "371002001002"]))
    False
    """
    if not pd.api.types.is_string_dtype(values):
        return False
    filled = values.dropna().head(_SAMPLE).str.strip()
    if filled.empty:
        return False
    mobiles = filled.str.fullmatch(_MOBILE)
    numbers = filled.str.fullmatch(_ID) & filled.map(_has_check_digit)
    return bool((mobiles | numbers).mean() >= _SHARE)


def _has_check_digit(text: str) -> bool:
    """Check an 18-digit ID number (GB 11643: ISO 7064, mod 11-2)."""
    if len(text) != 18 or not text[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECK[total % 11] == text[17].upper()
