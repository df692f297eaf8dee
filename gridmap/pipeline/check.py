"""Diagnose the input of a run, and write nothing."""

from __future__ import annotations

import pandas as pd
from pandas import DataFrame

from ..errors import GridmapError, listed
from ..workspace.config import Config
from .load import Progress, load_inputs, silent
from .mend import mend_inputs
from .totals import join_totals

#: From worst to least, as the table shows them.
SEVERITIES = ("blocks", "rejected", "mended", "look at this")

#: Changes that are only worth a look: nothing was altered.
_NOTICES = ("scheme overlaps itself", "no figure given", "rows not asked for",
            "households derived", "CRS assumed", "encoding")


def find_faults(config: Config, *, progress: Progress = silent) -> DataFrame:
    """Read and mend all inputs, and list what was found by severity.

    Parameters
    ----------
    config : Config
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    DataFrame
        Columns ``severity`` (blocks, rejected, mended, look at this), ``step``, ``what``,
        ``rows`` (how many) and ``note`` (which, and why); the severest first. A fault that
        blocks the run is one row with the message of the error.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> sorted(set(find_faults(config)["severity"]))
    ['look at this', 'mended']
    """
    try:
        inputs = load_inputs(config, progress=progress)
        inputs = mend_inputs(inputs, config, progress=progress)
        inputs = join_totals(inputs, config)
    except GridmapError as error:
        return _blocked(error)
    rejected = inputs.rejects.assign(severity="rejected")
    notices = inputs.changes["what"].isin(_NOTICES)
    changed = inputs.changes.assign(
        severity=notices.map({True: "look at this", False: "mended"})
    )
    return _grouped(pd.concat([rejected, changed]))


def _blocked(error: GridmapError) -> DataFrame:
    return DataFrame(
        {"severity": ["blocks"], "step": ["load"], "what": [type(error).__name__],
         "rows": [max(len(error.rows), 1)], "note": [str(error)]}
    )


def _grouped(findings: DataFrame) -> DataFrame:
    """Say each kind of finding once, with its count and the first few codes."""
    lines = []
    for (severity, step, what), rows in findings.groupby(["severity", "step", "what"]):
        named = rows["id"].dropna()
        notes = rows["note"].dropna()
        which = f"{listed(named)}: " if len(named) else ""
        lines.append({"severity": severity, "step": step, "what": what, "rows": len(rows),
                      "note": which + (notes.iloc[0] if len(notes) else "")})
    found = DataFrame(lines, columns=["severity", "step", "what", "rows", "note"])
    rank = found["severity"].map({name: i for i, name in enumerate(SEVERITIES)})
    return found.iloc[rank.argsort(kind="stable")].reset_index(drop=True)
