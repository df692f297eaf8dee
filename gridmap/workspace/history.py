"""The log of a workspace: what happened to its versions, when, and at whose hands.

One line of JSON for each event. Clocks and machines stand here and not in a manifest, so
that the same input makes the same version.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from pandas import DataFrame

from ..errors import ConfigError, WorkspaceError
from . import manifest, store
from .manifest import MANIFEST

LOG = "log.jsonl"

#: Columns of a history.
COLUMNS = ("time", "event", "version", "current", "there", "seconds", "host", "pid", "changed",
           "files_changed", "counts", "note")

#: How events are called.
MADE, SAME, RESTORED, PRUNED, RECOVERED, CRASHED, FAILED = (
    "made", "same", "restored", "pruned", "recovered", "crashed", "failed")


#: What a file system says when no byte more can be written.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def note_event(place: Path, event: str, **told: Any) -> bool:
    """Append an event to the log; a line that a crash cut short is closed first.

    On a full disk an event goes unnoted: what it would tell of is done all the same, and to
    remove old versions must be possible just then.

    Parameters
    ----------
    place : Path
    event : str
        made, same (as the current version, so nothing was made), restored, pruned, recovered,
        crashed or failed.
    **told
        version, seconds, host, pid, changed, counts, note: what is known.

    Returns
    -------
    bool
        Whether it was noted.
    """
    file = store.store_of(place) / LOG
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = json.dumps({"time": now, "event": event, **told}, ensure_ascii=False)
    try:
        _append(file, line)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        return False
    return True


def _append(file: Path, line: str) -> None:
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and _last_byte(handle, size) != b"\n"
        os.write(handle, (("\n" if torn else "") + line + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def _last_byte(handle: int, size: int) -> bytes:
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)


def load_events(place: Path) -> list[dict[str, Any]]:
    """Read the log as it is, the oldest event first; lines cut short are left out."""
    file = store.store_of(place) / LOG
    if not file.is_file():
        return []
    events = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and {"time", "event"} <= event.keys():
            events.append(event)
    return events


def last_made(place: Path) -> dict[str, Any]:
    """Return the last event that made a version, or found it to be the same."""
    made = [event for event in load_events(place) if event["event"] in (MADE, SAME)]
    return made[-1] if made else {}


def highest_number(place: Path) -> int:
    """Return the highest number that a version ever had, 0 for none.

    A number is given once, even if its version was pruned.
    """
    told = [str(event.get("version", "")) for event in load_events(place)]
    return max([0, *(int(number) for number in told if number.isdigit())])


def find_untold(place: Path) -> str | None:
    """Return the last version, if it is whole and the log tells nothing of it.

    A run was cut short between making it and noting it. Where the log tells nothing of the
    current version either, it was lost, and nothing can be learnt from it.
    """
    numbers, current = store.list_numbers(place), store.current_number(place)
    told = {event.get("version") for event in load_events(place)}
    if not numbers or current is None or numbers[-1] in told:
        return None
    if current not in (*told, numbers[-1]):
        return None
    folder = store.store_of(place) / numbers[-1]
    try:
        outputs = manifest.load_manifest(folder)["outputs"]
    except WorkspaceError:
        return None
    return numbers[-1] if not manifest.find_altered(folder, outputs) else None


def load_history(workspace: str | Path, *, since: str | None = None) -> DataFrame:
    """Read what happened to a workspace.

    Parameters
    ----------
    workspace : str or Path
    since : str, optional
        Leave out what was before: a time such as ``2026-03-01``, or ``7d`` or ``12h`` for so
        many days or hours back. Times are UTC.

    Returns
    -------
    DataFrame
        One row per event, the oldest first: time, event, version, current (the version that
        the workspace stands for now), there (not pruned), seconds, host, pid, changed (how
        many files), files_changed, counts, note.

    Raises
    ------
    ConfigError
        If ``since`` is no time.

    Examples
    --------
    >>> import tempfile
    >>> len(load_history(tempfile.mkdtemp() + "/out", since="7d"))
    0
    """
    place = store.find_place(workspace)
    numbers, current = store.list_numbers(place), store.current_number(place)
    events = load_events(place)
    told = {event.get("version") for event in events}
    events += [_untold(place, number) for number in numbers if number not in told]
    rows = [
        {**event, "files_changed": event.get("changed"),
         "changed": None if event.get("changed") is None else len(event["changed"]),
         "current": event.get("version") == current, "there": event.get("version") in numbers}
        for event in sorted(events, key=lambda event: str(event["time"]))
    ]
    table = DataFrame(rows, columns=list(COLUMNS))
    return table if since is None else table[table["time"] >= read_since(since)]


def _untold(place: Path, number: str) -> dict[str, Any]:
    """Return the event of a version that a crash kept out of the log."""
    made = (store.store_of(place) / number / MANIFEST).stat().st_mtime
    time = datetime.fromtimestamp(made, UTC).isoformat(timespec="seconds")
    return {"time": time, "event": MADE, "version": number, "note": "not in the log"}


def read_since(text: str) -> str:
    """Return a time as the log writes it: of a date, or so many days or hours back.

    Examples
    --------
    >>> read_since("2026-03-01")
    '2026-03-01T00:00:00+00:00'
    """
    count, unit = text[:-1], text[-1:]
    if count.isdigit() and unit in ("d", "h"):
        back = timedelta(days=int(count)) if unit == "d" else timedelta(hours=int(count))
        return (datetime.now(UTC) - back).isoformat(timespec="seconds")
    try:
        time = pd.Timestamp(text)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no time: write a date such as 2026-03-01, 7d for days or 12h for hours"
        ) from error
    known = time.tz_localize(UTC) if time.tzinfo is None else time.tz_convert(UTC)
    return str(known.isoformat(timespec="seconds"))


def count_facts(facts: Mapping[str, Any]) -> dict[str, float]:
    """Return the few figures of a version that its line in the log tells."""
    summary = facts.get("summary", {})
    wanted = ("grids", "households", "people", "rows rejected", "share in size range")
    return {name: summary[name] for name in wanted if summary.get(name) is not None}
