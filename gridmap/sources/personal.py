"""Names, phone and ID numbers: recognised, left out, never shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import Series

from ..errors import NUMBER_LIKE, hide_numbers, holds_number
from . import cells

_CHINESE = re.compile(
    "姓名|曾用名|户主|联系人|联系方式|电话|手机|座机|身份证|证件号|公民身份|护照|驾驶证|社保卡|银行卡|"
    "微信|邮箱|电子邮件|出生日期|出生年月|生日|监护人|法定代表人|法人代表|车牌|"
    "申请人|报告人|上报人|诉求人|来电人|投诉人|举报人|反映人|当事人|经办人|承办人|受访人|被访人|填表人|"
    "登记人|租客|房东|产权人|"
    "戶主|聯絡人|聯絡電話|電話|手機|身分證|護照|出生"
)
#: How tables whose headers hold ten letters write 姓名, 身份证号, 联系电话 and the like.
_PINYIN = {"xm", "xingming", "hzxm", "huzhu", "sfz", "sfzh", "sfzhm", "gmsfhm", "zjhm", "lxr",
           "lxdh", "lxfs", "dhhm", "dianhua", "sjh", "sjhm", "shouji", "csrq"}
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
    {"applicant"}, {"complainant"}, {"caller"}, {"respondent"}, {"tenant"}, {"landlord"},
)
_OWNERS_ALONE = ("owner", "contact")
#: A count of persons or phones is no person and no phone.
_COUNTS = re.compile(r"(数|数量|個數|个数|户数|人数|總數|总数|数目|率|占比)$")
_COUNT_WORDS = {"count", "counts", "total", "share", "rate"}

#: The same for RE2, which has no look-behind: what it finds is looked at once more.
_NUMBER_LIKE = rf"(^|[^0-9０-９])({NUMBER_LIKE})($|[^0-9０-９A-Za-z])"

_NAME = r"(?:[\u4e00-\u9fff·]{1,4}|(?:[A-Z][a-z'-]+[ ,]*){1,3})"
_BETWEEN = r"[\s:：,，;；、(（)）\"'“”-]*"
_NAMED = re.compile(rf"(?:{_NAME}{_BETWEEN})?…(?:{_BETWEEN}{_NAME})?")

#: Headers of numbers that are no phones although they look like them.
_PUBLIC = ("osm_id", "osm_way_id", "@id")

#: A word that fewer rows say may be a name.
_FEW = 3

#: Share of the filled cells that makes a column personal as a whole.
_SHARE = 0.3


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
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", header))
    if _COUNTS.search(text):
        return False
    if _CHINESE.search(text) or text in _CHINESE_WHOLE:
        return True
    plain = unicodedata.normalize("NFKC", header).strip()
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower()
    words = set(re.findall(r"[a-z]+", spaced.replace("e-mail", "email")))
    if words & _COUNT_WORDS:
        return False
    if spaced in _OWNERS_ALONE or spaced in _PINYIN:
        return True
    return any(needed <= words for needed in _ENGLISH)


def is_public_key(headers: Iterable[str]) -> bool:
    """Say whether headers name numbers that only look like phones: ids of OpenStreetMap.

    Examples
    --------
    >>> is_public_key(["osm_way_id", "osm_id"]), is_public_key(["id"])
    (True, False)
    """
    return all(header in _PUBLIC for header in headers)


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
    return is_share(int(find_personal(values).sum()), values)


def is_share(found: int, values: Series) -> bool:
    """Say whether so many personal cells make a column personal as a whole.

    Examples
    --------
    >>> is_share(3, Series(["a"] * 10)), is_share(2, Series(["a"] * 10)), is_share(0, Series([]))
    (True, False, False)
    """
    filled = int(values.notna().sum())
    return bool(filled) and float(found) >= _SHARE * filled


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
    numbers = cells.whole_numbers(cells.to_array(text))
    if numbers is not None:  # codes; a comparison is many times faster than a pattern
        likely = np.flatnonzero(_is_number_like(numbers))
        found[likely] = [holds_number(value) for value in text.iloc[likely]]
        return found
    likely = np.flatnonzero(cells.matches(text, _NUMBER_LIKE))
    found[likely] = [holds_number(value) for value in text.iloc[likely]]
    return found


def _is_number_like(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say which whole numbers have the digits of a mobile number, bare or after 86, or 18."""
    bare = (numbers >= 13 * 10**9) & (numbers < 20 * 10**9)
    foreign = (numbers >= 8613 * 10**9) & (numbers < 8620 * 10**9)
    return np.asarray(bare | foreign | (numbers >= 10**17))


def _is_long_enough(text: Series) -> bool:
    if not (pd.api.types.is_string_dtype(text) and len(text)):
        return False
    longest = pc.max(pc.binary_length(cells.to_array(text))).as_py()
    return longest is not None and longest >= 11


#: Characters without width.
_UNSEEN = "[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]"


def hide_personal(values: Series) -> Series:
    """Put "…" in the place of mobile and ID numbers inside text, and of a name beside them.

    Up to four Chinese characters, or three words that begin with a capital, count as a name.

    Examples
    --------
    >>> hide_personal(Series(["call 13800138000", "路灯坏了，某某某：13800138000"])).tolist()
    ['call …', '路灯坏了，…']
    """
    bare = values.str.replace(_UNSEEN, "", regex=True)  # which may stand between digits
    found = find_personal(values) | find_personal(bare)
    if not found.any():
        return values
    hidden = values.copy()
    hidden[found] = [_NAMED.sub("…", hide_numbers(value)) for value in bare[found]]
    return hidden


def hide_rare_words(values: Series) -> Series:
    """Put "…" in the place of cells with letters of which fewer than three rows say the same.

    A cell that should be a number and holds a word may hold anybody's name. What many rows
    say, such as "unknown", is nobody's.

    Examples
    --------
    >>> hide_rare_words(Series(["12a", "?", "none", "none", "none", None])).tolist()
    ['…', '?', 'none', 'none', 'none', nan]
    """
    text = cells.to_text(values)
    wordy = text.str.contains(r"[^\W\d_]", regex=True).fillna(False).astype(bool)
    rare = text.map(text[wordy].value_counts()).lt(_FEW)
    return text.mask(wordy & rare, "…")


def harmless_headers(headers: Iterable[str]) -> list[str]:
    """Return the headers that may be shown: not personal, and not a personal number.

    A file without a header line has its first row in their place: then none is shown.

    Examples
    --------
    >>> harmless_headers(["地址", "户主"]), harmless_headers(["地址", "某人", "13800138000"])
    (['地址'], [])
    """
    told = list(headers)
    if any(map(holds_number, told)):
        return []
    return [header for header in told if not is_personal_header(header)]
