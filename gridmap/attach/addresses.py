"""Chinese standard addresses: taken apart into their levels, and matched by them.

The libraries that parse Chinese addresses know provinces, cities and counties only; what
tells a grid from the next are the levels below. They are read here by their endings, in
two passes of a linear-time matcher: 12 µs for an address, and each address once, however
many residents share it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas import DataFrame, Series

from ..errors import SchemaError, listed

#: Levels from the largest to the smallest.
LEVELS = (
    "province", "city", "county", "town", "community", "road", "lane", "number", "site",
    "building", "entrance", "room",
)

_HEAD = (
    "^(?P<province>[^0-9省市县区镇乡]{2,6}?(?:省|自治区))?"
    "(?P<city>[^0-9省市县区镇乡路街号]{2,7}?(?:市|自治州|地区|盟))?"
    # 社区 and 小区 are no counties.
    "(?P<county>[^0-9县区市镇乡路街号村社小]{1,10}?(?:自治县|区|县|旗|市))?"
    "(?P<town>[^0-9A-Za-z号]{1,8}?(?:街道办事处|街道办|街道|镇|乡))?"
    # A community may be called after a road, a village is not; a 新村 is a housing estate.
    "(?P<community>[^0-9A-Za-z号]{1,12}?社区(?:居民委员会|居委会)?"
    "|[^0-9A-Za-z号路街巷弄]{0,9}?[^0-9A-Za-z号路街巷弄新]村(?:民委员会|委会)?"
    "|[^0-9A-Za-z号路街巷弄]{1,10}?居(?:民委员会|委会))?"
    "(?P<road>[^0-9A-Za-z号]{1,12}?(?:大道|大街|胡同|路|街|巷|弄))?"
    "(?P<lane>[0-9]+(?:弄|巷))?"
    "(?P<number>[0-9]+(?:[-之附][0-9]+)?号院?)?"
    "(?P<tail>.*)$"
)
_TAIL = (
    r"^(?P<site>\p{Han}*)"
    "(?P<number>[0-9]+(?:[-之附][0-9]+)?号院?)?"
    "(?P<building>[0-9A-Za-z]+(?:栋|座))?"
    "(?P<entrance>[0-9A-Za-z]+单元)?"
    "(?P<room>[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*(?:室|户)?)?"
    "(?P<rest>.*)$"
)

#: One word for the same thing, so that spellings of one address are equal.
_SAME = (
    (r"[\s,，。.、·]+", ""),
    (r"([0-9A-Za-z])(?:号楼|号栋|#楼|#|幢|楼栋|栋楼)", r"\1栋"),
    (r"([0-9])(?:门洞|门)", r"\1单元"),
    (r"([0-9])(?:房间|房|号室)", r"\1室"),
)
_SPELT = "[一二三四五六七八九十百〇零两]+(?:号|栋|幢|座|单元|室|#)"
_NUMERAL = re.compile("[一二三四五六七八九十百〇零两]+(?=(?:号(?![路街桥])|栋|幢|座|单元|室|#))")
_DIGITS = {d: n for n, d in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


def parse_addresses(addresses: Series) -> DataFrame:
    """Take addresses apart into their levels, county down to room.

    Parameters
    ----------
    addresses : Series of text
        Chinese standard addresses, in any width of characters; levels may be left out.

    Returns
    -------
    DataFrame
        Indexed like ``addresses``: a column of text for each of `LEVELS`, missing where the
        address has no such level, ``rest``, what could not be read, and ``read_share``, the
        share of the characters that was. Numbers in hanzi become digits and 号楼, 幢 and #
        become 栋, so that spellings of one address are equal.

    Examples
    --------
    >>> parse_addresses(Series(["荣成市崖头街道青山社区青山西路12号海韵花园三号楼2单元501室"])
    ... ).iloc[0].dropna().drop(["read_share"]).tolist()
    ['荣成市', '崖头街道', '青山社区', '青山西路', '12号', '海韵花园', '3栋', '2单元', '501室']
    """
    coded = _array(addresses.astype("str")).dictionary_encode(null_encoding="encode")
    levels = _read(coded.dictionary).take(coded.indices.to_numpy())
    levels.index = addresses.index
    return levels


def _read(addresses: pa.Array) -> DataFrame:
    """Take texts apart, each of which stands there once."""
    texts = normalise_addresses(Series(addresses.to_pandas(), dtype="str"))
    head = _extract(texts, _HEAD)
    tail = _extract(_array(head.pop("tail")), _TAIL)
    number = head["number"].where(head["number"] != "", tail.pop("number"))
    levels = DataFrame({**head, **tail, "number": number})
    length = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    unread = levels["rest"].str.len().to_numpy(dtype="float64")
    levels = levels[[*LEVELS, "rest"]].replace("", np.nan).astype("str")
    with np.errstate(invalid="ignore"):
        return levels.assign(read_share=1 - unread / length)


def normalise_addresses(addresses: Series) -> pa.Array:
    """Return addresses in one spelling: narrow characters, digits, one word for a building.

    Parameters
    ----------
    addresses : Series of text

    Returns
    -------
    Array of text

    Examples
    --------
    >>> normalise_addresses(Series(["海韵花园 ＃１２幢", "十二号楼"])).to_pylist()
    ['海韵花园#12栋', '12栋']
    """
    texts = pc.utf8_normalize(_array(addresses.astype("str")), "NFKC")
    has_numeral = pc.match_substring_regex(texts, _SPELT)
    rows = np.flatnonzero(has_numeral.fill_null(False).to_numpy(zero_copy_only=False))
    if len(rows):
        # Only the few addresses that write a number in hanzi go through Python.
        spelt = texts.take(pa.array(rows)).to_pylist()
        told = _array([_NUMERAL.sub(lambda m: str(read_numeral(m.group())), s) for s in spelt])
        mask = np.zeros(len(texts), dtype=bool)
        mask[rows] = True
        texts = pc.replace_with_mask(texts, pa.array(mask), told)
    for pattern, word in _SAME:
        texts = pc.replace_substring_regex(texts, pattern, word)
    return texts


def read_numeral(text: str) -> int:
    """Return the number that hanzi up to the hundreds write.

    Examples
    --------
    >>> [read_numeral(text) for text in ("三", "十二", "二十", "一百零五", "二〇三")]
    [3, 12, 20, 105, 203]
    """
    if not set(text) & set("十百"):
        return int("".join(str(_DIGITS[c]) for c in text))
    total, digit = 0, 0
    for c in text:
        if c in "十百":
            total += (digit or 1) * (10 if c == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[c]
    return total + digit


def _array(texts: Series | list[str]) -> pa.Array:
    """Return one array, large enough for any number of texts."""
    array = pa.array(texts, pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _extract(texts: pa.Array, pattern: str) -> dict[str, Series]:
    found = pc.extract_regex(texts, pattern)
    fields = dict(zip([field.name for field in found.type], found.flatten(), strict=True))
    return {name: Series(field.to_pandas(), dtype="str").fillna("")
            for name, field in fields.items()}


class _Step(NamedTuple):
    """One way to match: equal in all these levels, of which the needed ones must be there."""

    score: float
    name: str
    levels: tuple[str, ...]
    needed: tuple[str, ...]


_STREET = ("road", "lane", "number")
_STEPS = (
    _Step(1.0, "room", (*_STREET, "site", "building", "entrance", "room"), ("room",)),
    _Step(0.95, "entrance", (*_STREET, "site", "building", "entrance"), ("entrance",)),
    _Step(0.9, "building", (*_STREET, "site", "building"), ("building",)),
    _Step(0.85, "number", (*_STREET, "site"), ("number",)),
    _Step(0.8, "building", ("site", "building"), ("site", "building")),
    _Step(0.7, "number", _STREET, ("road", "number")),
    _Step(0.5, "site", ("site",), ("site",)),
)


def match_addresses(addresses: DataFrame, known: DataFrame) -> DataFrame:
    """Match addresses to known ones, such as those of buildings, level by level.

    The finest level on which both agree decides: the same room, entrance, building, number
    or site, in the same town and community as far as both name them.

    Parameters
    ----------
    addresses, known : DataFrame
        As from `parse_addresses`; the index of ``known`` are the codes to match.

    Returns
    -------
    DataFrame
        Indexed like ``addresses``: ``match``, a code of ``known`` or missing; ``level`` on
        which they agree; ``score`` from 1 (same room) to 0.5 (same site), 0.1 less where only
        one of the two names its community and 0.2 less where only one names its town; and
        ``candidates``, how many of ``known`` agree, of which the code that sorts first is the
        match. Rows without a match stay, with a score of 0.

    Raises
    ------
    SchemaError
        If a level is absent, or codes of ``known`` repeat.

    Examples
    --------
    >>> known = parse_addresses(Series({"B1": "崖头街道青山西路12号海韵花园3栋"}))
    >>> asked = parse_addresses(Series(["崖头街道海韵花园三号楼2单元", "成山镇西霞口村8号"]))
    >>> match_addresses(asked, known)[["match", "level", "score"]].values.tolist()
    [['B1', 'building', 0.8], [nan, nan, 0.0]]
    """
    for name, frame in (("addresses", addresses), ("known", known)):
        absent = [level for level in LEVELS if level not in frame]
        if absent:
            raise SchemaError(f"{name}: column {listed(absent)} is absent: use parse_addresses")
    if not known.index.is_unique:
        twice = known.index[known.index.duplicated()].unique()
        raise SchemaError(f"known: the index repeats {listed(twice)}", rows=list(map(str, twice)))
    left = addresses[list(LEVELS)].fillna("").reset_index(drop=True)
    right = known.sort_index()[list(LEVELS)].fillna("")
    best = DataFrame({"match": Series(np.nan, left.index, dtype="str"),
                      "level": Series(np.nan, left.index, dtype="str"),
                      "score": 0.0, "candidates": 0}, index=left.index)
    for step in _STEPS:
        _improve(best, left, right, step, ("town", "community"), 0.0)
    for level, places, loss in (("community", ("town",), 0.1), ("town", ("community",), 0.2)):
        # Silent on one side, whatever the other says.
        for step in _STEPS:
            _improve(best, left[left[level] == ""], right, step, places, loss)
            _improve(best, left, right[right[level] == ""], step, places, loss)
    best.index = addresses.index
    return best


def _improve(
    best: DataFrame,
    left: DataFrame,
    right: DataFrame,
    step: _Step,
    places: tuple[str, ...],
    loss: float,
) -> None:
    """Fill ``best`` where a step finds a match with a better score."""
    score = round(step.score - loss, 2)
    if left.empty or right.empty or (best["score"].to_numpy() >= score).all():
        return
    open_rows = left[(best["score"].reindex(left.index) < score) & _has(left, step.needed)]
    known = right[_has(right, step.needed)]
    if not len(open_rows) or not len(known):
        return
    keys = [*places, *step.levels]
    first = known.assign(match=known.index).groupby(keys, sort=False)["match"].agg(
        ["first", "size"])
    found = open_rows.join(first, on=keys).dropna(subset=["first"])
    best.loc[found.index, "match"] = found["first"].astype("str")
    best.loc[found.index, "level"] = step.name
    best.loc[found.index, "score"] = score
    best.loc[found.index, "candidates"] = found["size"].astype("int64")


def _has(levels: DataFrame, needed: tuple[str, ...]) -> Series:
    present: Series = (levels[list(needed)] != "").all(axis=1)
    return present
