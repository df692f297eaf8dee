"""The encoding of a text, proven by its bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import numpy as np

from ..errors import SourceError, listed

_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF8, "UTF-8-SIG"), (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)

#: Names that files use, and the encoding that reads all of them: GB18030 holds GBK and
#: GB2312, and CP950 is the Big5 that Windows writes.
_NAMES = {
    "GBK": "GB18030", "GB2312": "GB18030", "GB18030": "GB18030", "CP936": "GB18030",
    "936": "GB18030", "EUCCN": "GB18030", "EUCGB": "GB18030", "BIG5": "Big5", "CP950": "Big5",
    "950": "Big5", "BIG5HKSCS": "big5hkscs", "UTF8": "UTF-8", "65001": "UTF-8", "CP65001": "UTF-8",
    "88591": "ISO-8859-1", "ISO88591": "ISO-8859-1", "LATIN1": "ISO-8859-1", "ANSI": "cp1252",
    "1252": "cp1252", "932": "cp932", "949": "cp949", "SHIFTJIS": "cp932",
}


class Encoding(NamedTuple):
    """An encoding and what it was concluded from."""

    name: str
    evidence: str


def known_encoding(name: str) -> str | None:
    """Return the name that Python and gridmap use, None where nobody knows the encoding.

    Examples
    --------
    >>> known_encoding("gbk"), known_encoding("ANSI 936"), known_encoding("GBQ")
    ('GB18030', 'GB18030', None)
    """
    plain = "".join(c for c in name.upper() if c.isalnum())
    for spelling in (plain, plain.removeprefix("ANSI"), plain.removeprefix("OEM")):
        if spelling in _NAMES:
            return _NAMES[spelling]
    for spelling in (name, f"cp{name}", plain.removeprefix("ISO")):
        try:
            codecs.lookup(spelling)
        except (LookupError, ValueError):
            continue
        return spelling
    return None


def find_encoding(sample: bytes, *, declared: str | None = None) -> Encoding:
    """Find the encoding of a text from its bytes.

    Parameters
    ----------
    sample : bytes
        The text, or a long piece from its start; a character cut at the end is no fault.
    declared : str, optional
        What the file says of itself, as in a ``.cpg``. It is kept where the bytes allow it.

    Returns
    -------
    Encoding
        The name as Python knows it, and the evidence in one phrase. GBK and GB2312 are
        read as GB18030, which holds both.

    Examples
    --------
    >>> find_encoding("乡镇,社区".encode("gb18030")).name
    'GB18030'
    >>> find_encoding("乡镇,社区".encode()).evidence
    'every byte is valid UTF-8, 4 characters of several bytes'
    """
    for mark, name in _BOMS:
        if sample.startswith(mark) and _decodes(sample, name):
            return Encoding(name, "it starts with a byte order mark")
    if sample.isascii() and 0 not in sample:
        return Encoding("UTF-8", "only ASCII bytes")
    said = known_encoding(declared) if declared else None
    if said is not None and _decodes(sample, said) and not _is_belied(sample, said):
        return Encoding(said, f"the file declares {declared}, and its bytes agree")
    found = _find_wide(sample) or _find_utf8(sample) or _find_chinese(sample)
    if found is not None:
        return found._replace(evidence=found.evidence + _against(declared, said, found.name))
    return Encoding("ISO-8859-1", "no encoding of several bytes fits: a guess, look at the text")


def _against(declared: str | None, said: str | None, found: str) -> str:
    if not declared or said == found:
        return ""
    if said is None:
        return f"; the file declares {declared}, which nobody knows"
    return f"; the file declares {declared}, which its bytes deny"


def _decodes(sample: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)("strict").decode(sample, final=False)
    except UnicodeError:
        return False
    return True


def _is_belied(sample: bytes, said: str) -> bool:
    """Say whether the bytes are plainly something else than what is declared.

    An encoding of one byte holds any bytes, and those of several often hold each other's,
    so that decoding is no proof: what is common Chinese, or UTF-8, is it.
    """
    if said == "UTF-8":
        return _is_chance_utf8(sample)
    if _find_wide(sample) is not None:
        return not said.upper().startswith("UTF")
    if _decodes(sample, "utf-8") and _count_wide(sample) >= 3 and not _is_chance_utf8(sample):
        return True
    chinese = _find_chinese(sample)
    if said in ("GB18030", "Big5"):
        return chinese is not None and chinese.name != said and "only just" not in chinese.evidence
    one_byte = codecs.lookup(said).name.startswith(("iso8859", "cp125", "latin", "cp437", "cp850"))
    return one_byte and chinese is not None


def _find_wide(sample: bytes) -> Encoding | None:
    """Find UTF-16 without a mark: other encodings of text have no byte 0."""
    if len(sample) < 4 or 0 not in sample:
        return None
    pairs = np.frombuffer(sample[: len(sample) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    first, second = (pairs == 0).mean(axis=0)
    name = "UTF-16-LE" if second >= first else "UTF-16-BE"
    if max(first, second) < 0.02 or min(first, second) > 0.02 or not _decodes(sample, name):
        return None
    return Encoding(name, "bytes of 0 stand on one side of pairs only")


def _find_utf8(sample: bytes) -> Encoding | None:
    if not _decodes(sample, "utf-8") or _is_chance_utf8(sample):
        return None
    several = f"{_count_wide(sample):,} characters of several bytes"
    return Encoding("UTF-8", f"every byte is valid UTF-8, {several}")


def _count_wide(sample: bytes) -> int:
    octets = np.frombuffer(sample, dtype=np.uint8)
    return int((octets >= 0xC0).sum())


def _is_chance_utf8(sample: bytes) -> bool:
    """Say whether a few characters of GB2312 happen to be valid UTF-8 as well.

    UTF-8 writes Chinese in three bytes; what it writes in two are accented letters, which
    stand alone between ASCII ones, and Greek or Cyrillic, half of whose second bytes lie
    below A1. Runs of pairs above A0 only are Chinese.
    """
    octets = np.frombuffer(sample, dtype=np.uint8)
    if (octets >= 0xE0).any() or not _decodes(sample, "utf-8") or not _decodes(sample, "gb18030"):
        return False
    lead, trail = _pairs(sample)
    high = octets >= 0x80
    runs = int((high & ~np.r_[False, high[:-1]]).sum())
    return bool((lead >= 0xB0).all() and (trail >= 0xA1).all()) and len(lead) >= 2 * runs > 0


#: Zones of characters: (first lead, last lead, first trail, share of Chinese text, how many
#: characters). Level 1 holds the common ones in both standards; the shares are round.
_GB = ((0xB0, 0xD7, 0xA1, 0.95, 3755), (0xA1, 0xA3, 0xA1, 0.03, 282),
       (0xD8, 0xF7, 0xA1, 0.018, 3008), (0x81, 0xFE, 0x40, 0.002, 17_000))
_BIG5 = ((0xA4, 0xC6, 0x40, 0.95, 5401), (0xA1, 0xA3, 0x40, 0.03, 408),
         (0xC9, 0xF9, 0x40, 0.02, 7652))


def _find_chinese(sample: bytes) -> Encoding | None:
    """Tell GB18030 from Big5 by how likely Chinese text puts its pairs where they are.

    References
    ----------
    GB 2312-80 and Big5 order characters by how common they are: level 1 first.
    """
    sure = {"GB18030": _decodes(sample, "gb18030"), "Big5": _decodes(sample, "cp950")}
    lead, trail = _pairs(sample)
    if not any(sure.values()) or not len(lead):
        return None
    likely = {"GB18030": _likelihood(lead, trail, _GB), "Big5": _likelihood(lead, trail, _BIG5)}
    name = max((n for n, fits in sure.items() if fits), key=lambda n: likely[n])
    zones = _GB if name == "GB18030" else _BIG5
    common = _zone_share(lead, trail, zones[:2])
    if common < 0.5:
        return None
    other = "Big5" if name == "GB18030" else "GB18030"
    margin = likely[name] - likely[other] if sure[other] else np.inf
    how = "" if margin > np.log(100) else f", {other} only just less: look at the text"
    return Encoding(
        name, f"valid {name}, {common:.0%} of {len(lead):,} characters are common in it{how}"
    )


def _likelihood(lead: np.ndarray, trail: np.ndarray, zones: tuple[tuple[float, ...], ...]
                ) -> float:
    score = np.full(len(lead), np.log(1e-8))
    for first, last, low, share, size in reversed(zones):
        score[(lead >= first) & (lead <= last) & (trail >= low)] = np.log(share / size)
    return float(score.sum())


def _zone_share(lead: np.ndarray, trail: np.ndarray, zones: tuple[tuple[float, ...], ...]
                ) -> float:
    held = np.zeros(len(lead), dtype=bool)
    for first, last, low, _, _ in zones:
        held |= (lead >= first) & (lead <= last) & (trail >= low)
    return float(held.mean())


_PAIR = re.compile(
    rb"[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]|([\x80-\xff][\x40-\xff])", re.DOTALL
)


def _pairs(sample: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Split into two-byte characters, skipping ASCII; the first 20,000 are enough."""
    found = (match.group(1) for match in _PAIR.finditer(sample))
    pairs = b"".join(islice((pair for pair in found if pair), 20_000))
    both = np.frombuffer(pairs, dtype=np.uint8).reshape(-1, 2).astype(int)
    return both[:, 0], both[:, 1]


def check_encoding_holds(texts: Iterable[str], encoding: str) -> None:
    """Raise unless every character of texts can be written in an encoding.

    Parameters
    ----------
    texts : iterable of str
        What is to be written.
    encoding : str
        Such as ``"GBK"``, which is taken at its word here and not as GB18030.

    Raises
    ------
    SourceError
        Names the characters that the encoding does not have.

    Examples
    --------
    >>> check_encoding_holds(["龑村䶮家"], "GB18030")
    >>> check_encoding_holds(["龑村䶮家"], "GBK")
    Traceback (most recent call last):
    gridmap.errors.SourceError: GBK has no character for 䶮 (U+4DAE): it would be lost. Write \
UTF-8 or GB18030 instead.
    """
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise SourceError(f"there is no encoding {encoding!r}") from error
    characters = sorted(set("".join(texts)))
    lost = [c for c in characters if not _holds(c, encoding)]
    if lost:
        told = listed([f"{c} (U+{ord(c):04X})" for c in lost])
        raise SourceError(
            f"{encoding} has no character for {told}: it would be lost. Write UTF-8 or GB18030 "
            "instead."
        )


def _holds(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
