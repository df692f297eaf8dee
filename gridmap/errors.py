"""The error tree: every error of gridmap says what is wrong, where, and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


class GridmapError(Exception):
    """Any fault that gridmap reports.

    Parameters
    ----------
    message : str
        What is wrong, where, what was expected and what to do. Codes and counts only,
        never names. A mobile or ID number in it, or in ``rows``, becomes "…".
    rows : sequence of str, default ()
        Codes of the faulty rows, all of them.
    """

    def __init__(self, message: str, *, rows: Sequence[str] = ()) -> None:
        super().__init__(hide_numbers(message))
        self.rows = tuple(hide_numbers(str(row)) for row in rows)


class ConfigError(GridmapError):
    """The configuration (``gridmap.toml``) asks for something that cannot be done."""


class ProfileError(GridmapError):
    """A rule or a profile contradicts itself or has unknown entries."""


class SchemaError(GridmapError):
    """A frame does not follow its written schema."""


class CRSError(GridmapError):
    """Coordinates are in no CRS, in the wrong one, or in different ones."""


class SourceError(GridmapError):
    """A file cannot be read, or does not hold what was asked of it."""


class TilingError(GridmapError):
    """Polygons that should tile a territory have gaps, overlaps or strays."""


class PartitionError(GridmapError):
    """Units cannot be partitioned as asked."""


class CodeError(GridmapError):
    """A code does not follow its rule, or a rule has no code left to issue."""


class LedgerError(GridmapError):
    """A step lost or doubled rows or mass."""


class PublicationError(GridmapError):
    """An output would show more than its publication profile allows."""


class WorkspaceError(GridmapError):
    """A workspace folder cannot be written, or holds something unexpected."""


class ExecutorError(GridmapError):
    """Work cannot be handed out, or a part of it was lost again and again."""


class BusyError(WorkspaceError):
    """Another run is writing the workspace."""


def listed(names: Iterable[object], *, show: int = 3) -> str:
    """Name the first few of many: "A, B, C and 4 more".

    Parameters
    ----------
    names : iterable
        What to name, in the order to show.
    show : int, default 3
        How many are named before the rest is counted.

    Returns
    -------
    str
        The names joined by commas; "none" if there are none.

    Examples
    --------
    >>> listed(["G1", "G2"])
    'G1, G2'
    >>> listed("ABCDEFG")
    'A, B, C and 4 more'
    >>> listed([])
    'none'
    """
    texts = [str(name) for name in names]
    if not texts:
        return "none"
    head = ", ".join(texts[:show])
    return head if len(texts) <= show else f"{head} and {len(texts) - show:,} more"


_DIGIT = "[0-9０-９]"  # full-width ones as well
_MOBILE = (rf"(?:(?:\+|00)?86[- ]?)?[1１][3-9３-９]{_DIGIT}(?:[- ]?{_DIGIT}{{4}}){{2}}")
_ID = (rf"[1-9１-９]{_DIGIT}{{5}}[- ]?(?:18|19|20|１８|１９|２０){_DIGIT}{{2}}[01０１]{_DIGIT}"
       rf"[0-3０-３]{_DIGIT}[- ]?{_DIGIT}{{3}}[0-9０-９XxＸｘ]")

#: Anything that may be such a number, in the syntax that Python and RE2 share.
NUMBER_LIKE = f"{_ID}|{_MOBILE}"

#: Not inside a longer code; but a label may stand right before it.
_NUMBER = re.compile(
    rf"(?:(?<![0-9０-９A-Za-z])|(?<=tel)|(?<=phone)|(?<=mobile)|(?<=mob)|(?<=cell)|(?<=wechat)|"
    rf"(?<=wx)|(?<=id)|(?<=no))({NUMBER_LIKE})(?![0-9０-９A-Za-z])", re.IGNORECASE)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_HIDDEN = "…"


def hide_numbers(text: str) -> str:
    """Put "…" in the place of mobile numbers and of ID numbers with a right check digit.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    References
    ----------
    GB 11643-1999: the last of the 18 characters checks the others (ISO 7064, mod 11-2).

    Examples
    --------
    >>> hide_numbers("call 138-0013-8000 about 371002001001")
    'call … about 371002001001'
    """
    return _NUMBER.sub(lambda m: _HIDDEN if _is_personal(m[1]) else m[0], text)


def holds_number(text: str) -> bool:
    """Say whether a text holds a mobile number, or an ID number with a right check digit.

    Examples
    --------
    >>> holds_number("13800138000"), holds_number("371002001001")
    (True, False)
    """
    return any(_is_personal(number) for number in _NUMBER.findall(text))


def _is_personal(number: str) -> bool:
    bare = re.sub(r"[+\- ]", "", number)
    return len(bare) != 18 or _has_check_digit(bare)


def _has_check_digit(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return _CHECK[total % 11] == number[17].upper().translate({0xFF38: "X"}) or (
        number[17].isdigit() and _CHECK[total % 11] == str(int(number[17])))
