"""The encoding of a text, proven by its bytes."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

#: Python names of the encodings, by the names that files and people use.
_BOMS = ((codecs.BOM_UTF8, "UTF-8-SIG"), (codecs.BOM_UTF16_LE, "UTF-16"),
         (codecs.BOM_UTF16_BE, "UTF-16"))


class Encoding(NamedTuple):
    """An encoding and what it was concluded from."""

    name: str
    evidence: str


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
        The name as Python knows it, and the evidence in one phrase.

    Examples
    --------
    >>> find_encoding("乡镇,社区".encode("gb18030")).name
    'GB18030'
    >>> find_encoding("乡镇,社区".encode()).evidence
    'every byte is valid UTF-8'
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return Encoding(name, "it starts with a byte order mark")
    possible = bool(declared) and _known(str(declared)) and _decodes(sample, str(declared))
    if possible and not _belies(sample, str(declared)):
        return Encoding(str(declared), "the file declares it, and its bytes agree")
    if sample.isascii():
        return Encoding("UTF-8", "only ASCII bytes")
    if _looks_like_utf16(sample):
        low_first = sample[1::2].count(0) >= sample[::2].count(0)
        return Encoding("UTF-16-LE" if low_first else "UTF-16-BE", "every second byte is 0")
    if _decodes(sample, "utf-8") and not _is_gb_by_chance_utf8(sample):
        return Encoding("UTF-8", "every byte is valid UTF-8" + _against(declared))
    chinese = _find_chinese(sample)
    if chinese is not None:
        return Encoding(chinese.name, chinese.evidence + _against(declared))
    if possible:
        return Encoding(str(declared), "the file declares it")
    return Encoding("ISO-8859-1", "no multibyte encoding fits; a guess, look at the text")


def _against(declared: str | None) -> str:
    return f"; the file declares {declared}, which its bytes deny" if declared else ""


def _known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def _decodes(sample: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _belies(sample: bytes, declared: str) -> bool:
    """True where a one-byte encoding is declared but the bytes are plainly UTF-8 or Chinese."""
    one_byte = codecs.lookup(declared).name.startswith(("iso8859", "cp125", "latin"))
    if not one_byte or sample.isascii():
        return False
    return _decodes(sample, "utf-8") or _find_chinese(sample) is not None


def _looks_like_utf16(sample: bytes) -> bool:
    if len(sample) < 4:
        return False
    half = len(sample) // 2
    return max(sample[::2].count(0), sample[1::2].count(0)) > 0.3 * half


def _find_chinese(sample: bytes) -> Encoding | None:
    """Tell GB18030 from Big5 by where the second bytes of pairs lie.

    Common characters of GB 2312 have both bytes above A0; in Big5 about half of the second
    bytes lie in 40 to 7E, and the first bytes of its common characters in A4 to C6.
    """
    gb, big5 = _decodes(sample, "gb18030"), _decodes(sample, "big5")
    if not gb and not big5:
        return None
    pairs = _pairs(sample)
    if not pairs:
        return None
    low = sum(second < 0x80 for _, second in pairs) / len(pairs)
    if big5 and low > 0.15:
        return Encoding("Big5", "valid Big5, and its pairs lie where Big5 has common characters")
    if not gb:
        return Encoding("Big5", "valid Big5 and not GB18030")
    common = sum(0xB0 <= first <= 0xF7 and second >= 0xA1 for first, second in pairs)
    if common < 0.5 * len(pairs):
        return None
    return Encoding("GB18030", "valid GB18030, and its pairs lie where it has common characters")


def _is_gb_by_chance_utf8(sample: bytes) -> bool:
    """Tell a few Chinese characters in GB2312 that happen to be valid UTF-8 as well.

    UTF-8 writes Chinese in three bytes; what it writes in two are accented letters, which
    stand alone between ASCII ones, and Greek or Cyrillic, half of whose second bytes lie
    below A1. Runs of pairs above A0 only are Chinese.
    """
    if any(byte >= 0xE0 for byte in sample) or not _decodes(sample, "gb18030"):
        return False
    pairs = _pairs(sample)
    runs = len(re.findall(rb"[\x80-\xff]+", sample))
    return all(first >= 0xB0 and second >= 0xA1 for first, second in pairs) and (
        len(pairs) >= 2 * runs
    )


def _pairs(sample: bytes) -> list[tuple[int, int]]:
    """Split into two-byte characters, skipping ASCII; at most 20,000 are enough."""
    pairs: list[tuple[int, int]] = []
    at = 0
    while at + 1 < len(sample) and len(pairs) < 20_000:
        if sample[at] < 0x80:
            at += 1
            continue
        pairs.append((sample[at], sample[at + 1]))
        at += 2
    return pairs
