"""Names, phone and ID numbers: recognised, left out, never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import Series

from . import cells

_CHINESE = re.compile(
    "姓名|曾用名|户主|联系人|联系方式|电话|手机|座机|身份证|证件号|公民身份|护照|驾驶证|社保卡|银行卡|"
    "微信|邮箱|电子邮件|出生日期|出生年月|生日|监护人|法定代表人|法人代表|车牌|"
    "戶主|聯絡人|聯絡電話|電話|手機|身分證|護照|出生"
)
_CHINESE_WHOLE = ("网格员", "网格长", "负责人", "网格员名", "业主", "房主", "人名")

#: Words of an English header, in any spelling: PhoneNo, phone_no, "Phone no".
_ENGLISH = (
    {"phone"}, {"telephone"}, {"mobile"}, {"cellphone"}, {"tel"}, {"email"}, {"mail"}, {"wechat"},
    {"passport"}, {"ssn"}, {"surname"}, {"householder"}, {"birthday"}, {"birthdate"}, {"dob"},
    {"birth", "date"}, {"full", "name"}, {"first", "name"}, {"last", "name"}, {"given", "name"},
    {"family", "name"}, {"middle", "name"}, {"maiden", "name"}, {"person", "name"},
    {"resident", "name"}, {"owner", "name"}, {"contact", "name"}, {"contact", "person"},
    {"worker", "name"}, {"guardian"}, {"head", "household"}, {"id", "card"}, {"idcard"},
    {"identity"}, {"id", "number"}, {"idnumber"}, {"national", "id"}, {"citizen", "id"},
    {"licence", "plate"}, {"license", "plate"}, {"fullname"}, {"firstname"}, {"lastname"},
)
_OWNERS_ALONE = ("owner", "contact")
#: A count of persons or phones is no person and no phone.
_COUNTS = re.compile(r"(数|数量|個數|个数|户数|人数|總數|总数|数目|率|占比)$")
_COUNT_WORDS = {"count", "counts", "total", "share", "rate"}

_MOBILE = r"(?:\+?86[- ]?)?1[3-9]\d{9}"
_ID = r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
_EITHER = re.compile(rf"(?<![\dA-Za-z])({_ID}|{_MOBILE})(?![\dA-Za-z])")
#: The same for RE2, which has no look-behind.
_EITHER_RE2 = rf"(^|[^0-9A-Za-z])({_ID}|{_MOBILE})($|[^0-9A-Za-z])"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"

#: Share of the filled cells that makes a column personal as a whole.
_SHARE = 0.3
_HIDDEN = "…"


def is_personal_header(header: str) -> bool:
    """Say whether a column's header names a person, phone or ID number.

    Parameters
    ----------
    header : str
        Chinese or English, in any spelling. A count of persons is not personal.

    Returns
    -------
    bool

    Examples
    --------
    >>> [is_personal_header(h) for h in ("联系电话", "Phone No", "ownerName", "户主")]
    [True, True, True, True]
    >>> [is_personal_header(h) for h in ("name", "电话亭数", "地址", "hotel")]
    [False, False, False, False]
    """
    text = header.strip()
    if _COUNTS.search(text):
        return False
    if _CHINESE.search(text) or text in _CHINESE_WHOLE:
        return True
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()
    words = set(re.findall(r"[a-z]+", spaced.replace("e-mail", "email")))
    if words & _COUNT_WORDS:
        return False
    return any(needed <= words for needed in _ENGLISH) or spaced in _OWNERS_ALONE


def has_personal_values(values: Series) -> bool:
    """Say whether a column holds mobile or ID numbers, by pattern and check digit.

    Parameters
    ----------
    values : Series
        Any column; only text and whole numbers are looked at.

    Returns
    -------
    bool
        True where at least 30 % of the filled cells hold a mobile number, or an ID number
        with a right check digit.

    Examples
    --------
    >>> has_personal_values(Series(["13800138000", "13900139000"]))
    True
    >>> has_personal_values(Series(["371002001001", "371002001002"]))
    False
    """
    filled = int(values.notna().sum())
    return bool(filled) and float(find_personal(values).sum()) >= _SHARE * filled


def find_personal(values: Series) -> NDArray[np.bool_]:
    """Say for each row whether its cell holds a mobile or ID number.

    Examples
    --------
    >>> find_personal(Series(["call 13800138000", "371002001001", None])).tolist()
    [True, False, False]
    """
    text = cells.to_text(values)
    found = np.zeros(len(text), dtype=bool)
    if not _is_long_enough(text):
        return found
    likely = np.flatnonzero(cells.matches(text, _EITHER_RE2))
    found[likely] = [_holds_personal(value) for value in text.iloc[likely]]
    return found


def _is_long_enough(text: Series) -> bool:
    if not (pd.api.types.is_string_dtype(text) and len(text)):
        return False
    longest = pc.max(pc.binary_length(cells.to_array(text))).as_py()
    return longest is not None and longest >= 11


def _holds_personal(value: str) -> bool:
    return any(_is_personal(number) for number in _EITHER.findall(value))


def _is_personal(number: str) -> bool:
    bare = re.sub(r"[+\- ]", "", number)
    return len(bare) != 18 or _has_check_digit(bare)


def _has_check_digit(text: str) -> bool:
    """Check an 18-digit ID number (GB 11643: ISO 7064, mod 11-2)."""
    if len(text) != 18 or not text[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECK[total % 11] == text[17].upper()


def hide_personal(values: Series) -> Series:
    """Put "…" in the place of mobile and ID numbers inside text.

    Examples
    --------
    >>> hide_personal(Series(["call 13800138000", "gate 4"])).tolist()
    ['call …', 'gate 4']
    """
    found = find_personal(values)
    if not found.any():
        return values
    hidden = values.copy()
    hidden[found] = [_hide(value) for value in values[found]]
    return hidden


def _hide(value: str) -> str:
    return _EITHER.sub(lambda m: _HIDDEN if _is_personal(m.group()) else m.group(), value)


def harmless_headers(headers: Iterable[str]) -> list[str]:
    """Return the headers that may be shown: not personal, and not a personal number.

    A file without a header line has its first row in their place.

    Examples
    --------
    >>> harmless_headers(["地址", "户主", "13800138000"])
    ['地址']
    """
    return [h for h in headers if not is_personal_header(h) and not _holds_personal(h)]
