"""The error tree: every error of gridmap says what is wrong, where, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class GridmapError(Exception):
    """Any fault that gridmap reports.

    Parameters
    ----------
    message : str
        What is wrong, where, what was expected and what to do. Codes and counts only,
        never names, phones or ID numbers.
    rows : sequence of str, default ()
        Codes of the faulty rows, all of them.
    """

    def __init__(self, message: str, *, rows: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.rows = tuple(rows)


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
