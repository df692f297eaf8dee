"""Tables of figures that are keyed by codes, and have no place of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pandas import Series

from .. import ledger
from ..errors import SourceError
from ..schema import Column
from . import account, cells, choose, database, fit, loaders, personal, reading
from .account import Fault, Fitted, Note
from .limits import USUAL, Limits
from .loaded import Loaded
from .raw import Raw

#: Share of the filled cells that have to be numbers for a column to be one of figures.
_FIGURES = 0.5


def load_table(
    path: str | Path,
    *,
    key: str,
    columns: Mapping[str, Any],
    period: str | None = None,
    encoding: str | None = None,
    where: Mapping[str, Any] | None = None,
    strip: str | None = None,
    limits: Limits = USUAL,
) -> Loaded:
    """Read a table of figures that is keyed by codes, or by codes and periods.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, a sheet, or any file of features or table of PostGIS, whose geometry is left.
    key : str
        Column of the file with the codes.
    columns : mapping
        Name -> column of the file. A column is one of figures where at least half of its
        filled cells are numbers; the others are noted and left missing. Any other column
        stays text, and so does one called grid, unit, territory, locked or linked.
    period : str, optional
        Column of the file with the period, such as 2026-03, where a code has a row for each;
        it becomes the text ``period``. A code then repeats, but never in the same period.
    encoding, where
        As in `load_frame`.
    strip : str, optional
        Characters to leave out of the codes, such as ``"-"``.
    limits : Limits, optional
        How much the file may ask for, where the usual is not enough.

    Returns
    -------
    Loaded
        A DataFrame indexed by ``code``, whose codes are unique where there are no periods.

    Raises
    ------
    SourceError
        If the file or a column is absent.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "people.csv")
    >>> _ = file.write_text("code,people\\n65-001,1679\\n65-002,1504\\ntotal,\\n")
    >>> loaded = load_table(file, key="code", columns={"people": "people"}, strip="-")
    >>> loaded.frame["people"].to_dict()
    {'65001': 1679.0, '65002': 1504.0, 'total': nan}
    """
    file = database.as_path(path)
    named = dict(columns) if period is None else {"period": period, **columns}
    wanted = choose.choose_columns(named, where, key)
    asked = choose.leave_private(wanted, where)
    whole = reading.read_file(file, asked, encoding=encoding, limits=limits)
    raw, left_out = choose.keep_rows(whole, where)
    fit.check_key([str(key)], "the key")
    codes = fit.fit_key(raw.table[str(key)], "the key", strip=strip,
                        public=personal.is_public_key([str(key)]))
    fitted = {name: part for name, source in wanted.columns.items()
              if (part := _fit(raw, name, source)) is not None}
    notes = [*_declared(codes.notes, strip), *(n for part in fitted.values() for n in part.notes)]
    faults = list(codes.faults)
    ids = codes.values
    if period is not None:
        ids = _with_period(ids, fitted, faults, file)
    kept = account.sift(len(raw.table), faults) < 0
    faults += fit.find_twins(ids, raw, None, kept)
    first = account.sift(len(raw.table), faults)
    private = fit.find_private(wanted.columns, fitted, "code")
    lines = [loaders.tell_empty(whole, file),
             *loaders.about_file(raw, file, left_out, private)]
    lines += _tell_strip(codes.notes, strip, file)
    frame = loaders.take_kept(codes.values, fitted, first < 0, "code")
    changes = account.write_notes(codes.values, raw.rows, first < 0, notes, file.name)
    rejects = account.write_rejects(codes.values, raw.rows, first, faults, raw.lost)
    return Loaded(frame, rejects, ledger.join_changes(*lines, changes),
                  len(raw.table) + len(raw.lost))


def _with_period(
    codes: Series, fitted: Mapping[str, Fitted], faults: list[Fault], file: Path
) -> Series:
    """Return what must be unique, code and period; a row without a period is at fault."""
    if "period" not in fitted:
        raise SourceError(f"{file.name}: the column of the period holds personal values")
    periods = fitted["period"].values
    faults.append(Fault(periods.isna().to_numpy(), "period missing",
                        "the row does not say which period it is of"))
    return codes.str.cat(periods, sep=" in ")


def _is_declared(note: Note) -> np.ndarray:
    reasons = note.note if isinstance(note.note, Series) else Series(dtype="str")
    return np.asarray(reasons.str.endswith("as declared").fillna(False), dtype=bool)


def _declared(notes: tuple[Note, ...], strip: str | None) -> list[Note]:
    """Leave out the notes about what was declared: one line tells them all."""
    if strip is None:
        return list(notes)
    return [note._replace(rows=note.rows & ~_is_declared(note)) for note in notes]


def _tell_strip(notes: tuple[Note, ...], strip: str | None, file: Path) -> list[Any]:
    count = sum(int((note.rows & _is_declared(note)).sum()) for note in notes) if strip else 0
    if not count:
        return []
    return [account.tell("characters left out of codes", before=strip,
                         note=f"{file.name}: {count:,} codes, as strip says")]


#: Columns of codes, which stay text although they look like numbers.
_CODED = (*fit.CODED, "locked", "linked", "period")


def _fit(raw: Raw, name: str, source: Any) -> Fitted | None:
    """Return a column of figures or of text, or None where it is personal."""
    headers = [source] if isinstance(source, str) else source
    if any(map(personal.is_personal_header, headers)):
        return None
    values = fit.pick(raw, source)
    if personal.has_personal_values(values):
        return None
    filled = int((~account.is_blank(values)).sum())
    numbers = int(cells.to_numbers(values).notna().sum())
    if name not in _CODED and numbers >= _FIGURES * filled:
        column = Column(name=name, kind="number", meaning="a figure of the table", missing=True)
        return fit.fit_figures(values, column)
    column = Column(name=name, kind="text", meaning="a text of the table", missing=True)
    return fit.fit_text(values, column)
