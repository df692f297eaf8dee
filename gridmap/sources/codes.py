"""Codes are text from the first byte to the last."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas import Series

from . import cells

#: A cell that a spreadsheet showed short: 3.71002E+11. A plain 1E5 may well be a code.
_EXPONENT = r"^(\d)(?:\.(\d+))?[eE]\+(\d+)$"
_WHOLE = r"^(\d+)\.0+$"
_WRAPPED = r"^=?\"([^\"]*)\"$"
_BLANKS = ("NULL", "null", "nan", "NaN", "None", "<NA>", "#N/A", "#VALUE!", "#REF!", r"\N")

#: A code without any of these, and with ASCII letters only, is as it should be. (A blank
#: marker is no code of letters and figures either, but is found by its letters.)
_SUSPECT = b" \t\r\n\x0b\x0c.+'\"=#<\\"

_SPREADSHEET = "a spreadsheet made it a number"
_SPACES = "blanks and characters that do not show were left out"


class Codes(NamedTuple):
    """Codes with an account of what was done to them; all indexed like the input."""

    codes: Series  # text, missing where there is none
    mended: Series  # flag: it differs from what the file has
    hopeless: Series  # flag: digits are lost, as in 3.71002E+11
    reason: Series  # text: why it was mended, missing where it was not


def mend_codes(values: Series, *, strip: str | None = None) -> Codes:
    """Turn values into codes: text, with the damage of spreadsheets undone.

    ``371002001001.0`` becomes ``371002001001``; so does ``3.71002001001E+11``, which has
    all its digits, while ``3.71002E+11`` has lost some and stays missing. Blanks around a
    code, characters that do not show, a leading apostrophe and ``="…"`` go, and full-width
    digits become plain ones. Numbers that a file stores as numbers are written out in full.

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
    >>> values = Series(["0371 ", "371002001001.0", "3.71002E+11", "", "３７１００２"])
    >>> mend_codes(values).codes.tolist()
    ['0371', '371002001001', nan, nan, '371002']
    """
    text = cells.to_text(values)
    lost = _lost_digits(values)
    codes, reason = text, Series(None, index=text.index, dtype="str")
    odd = _find_odd(text)
    if odd.any():
        fixed = [_mend(value) for value in text[odd]]  # row by row: few rows are odd
        codes = text.copy()
        codes[odd] = Series([f[0] for f in fixed], index=text.index[odd], dtype="str")
        reason[odd] = Series([f[1] for f in fixed], index=text.index[odd], dtype="str")
        lost[odd] = [f[2] for f in fixed]
    if strip:
        codes, reason = _strip(codes, reason, strip)
    codes = codes.mask(lost) if lost.any() else codes
    mended = reason.notna() & codes.notna()
    return Codes(codes, mended, lost, reason)


def _lost_digits(values: Series) -> Series:
    """Say where a file stores a code as a number too large to be exact."""
    lost = Series(False, index=values.index)
    if pd.api.types.is_float_dtype(values):
        lost |= values.abs().ge(2**53) | (values.notna() & (values != values.round()))
    return lost


def _find_odd(text: Series) -> np.ndarray:
    if not cells.holds_any(text, _SUSPECT, beyond_ascii=True) and not _has_letters(text):
        return np.zeros(len(text), dtype=bool)
    pattern = r"[\s.+'\"=]|[^\x00-\x7f]|^(" + "|".join(_escaped(b) for b in _BLANKS) + ")$"
    return cells.matches(text, pattern)


def _has_letters(text: Series) -> bool:
    return cells.holds_any(text, b"NnuLl")


def _escaped(mark: str) -> str:
    return "".join(f"\\{c}" if not c.isalnum() else c for c in mark)


def _mend(value: str) -> tuple[str | None, str | None, bool]:
    """Return one code, why it was mended, and whether it is beyond mending."""
    code = unicodedata.normalize("NFKC", value) if _has_wide_digits(value) else value
    code = "".join(c for c in code if unicodedata.category(c) not in ("Cc", "Cf")).strip()
    reason = _SPACES if code != value else None
    bare = _unwrapped(code)
    if bare != code:
        code, reason = bare, "a spreadsheet marked it as text"
    if code in _BLANKS or not code:
        return None, None, False
    short = _match(_EXPONENT, code)
    if short is not None:
        digits, zeros = short[0] + (short[1] or ""), int(short[2])
        return (digits, _SPREADSHEET, False) if len(digits) == zeros + 1 else (None, None, True)
    whole = _match(_WHOLE, code)
    return (code, reason, False) if whole is None else (whole[0], _SPREADSHEET, False)


def _has_wide_digits(value: str) -> bool:
    return any("\uff01" <= c <= "\uff5e" or c == "\u3000" for c in value)


def _unwrapped(code: str) -> str:
    wrapped = _match(_WRAPPED, code)
    if wrapped is not None:
        return wrapped[0].strip()
    return code[1:].strip() if code.startswith("'") else code


def _match(pattern: str, code: str) -> tuple[str, ...] | None:
    import re

    found = re.match(pattern, code)
    return None if found is None else found.groups()


def _strip(codes: Series, reason: Series, characters: str) -> tuple[Series, Series]:
    bare = codes
    for character in characters:
        bare = bare.str.replace(character, "", regex=False)
    bare = bare.mask(bare == "")
    differs = (bare != codes) & codes.notna()
    return bare, reason.mask(differs & reason.isna(), f"{characters} left out as declared")
