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

#: What changes begin or end with where something was altered; all others are only noticed.
_ALTERED_ENDS = (" mended", " undone", " matched", " filled", " decided", " given", " joined",
                 " valid", " the parent")
_ALTERED = ("swallowed", "characters left out of codes")


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
    ['look at this']
    """
    try:
        inputs = load_inputs(config, progress=progress)
        inputs = mend_inputs(inputs, config, progress=progress)
        inputs = join_totals(inputs, config)
    except GridmapError as error:
        return _blocked(error)
    rejected = inputs.rejects.assign(severity="rejected")
    what = inputs.changes["what"]
    altered = what.str.endswith(_ALTERED_ENDS) | what.isin(_ALTERED)
    changed = inputs.changes.assign(
        severity=altered.map({True: "mended", False: "look at this"})
    )
    return _grouped(pd.concat([rejected, changed]))


def _blocked(error: GridmapError) -> DataFrame:
    return DataFrame(
        {"severity": ["blocks"], "step": ["load"], "what": [type(error).__name__],
         "rows": [max(len(error.rows), 1)], "note": [str(error)]}
    )


def _grouped(findings: DataFrame) -> DataFrame:
    """Say each kind of finding once, with its count and the first few codes."""
    lines = [
        {"severity": severity, "step": step, "what": what, "rows": len(rows),
         "note": _told(rows)}
        for (severity, step, what), rows in findings.groupby(["severity", "step", "what"])
    ]
    found = DataFrame(lines, columns=["severity", "step", "what", "rows", "note"])
    rank = found["severity"].map({name: i for i, name in enumerate(SEVERITIES)})
    return found.iloc[rank.argsort(kind="stable")].reset_index(drop=True)


def _told(rows: DataFrame) -> str:
    """Say which rows, how much land, and the first of the reasons."""
    area = rows["area_m2"].sum()
    parts = [
        listed(rows["id"].dropna()) if rows["id"].notna().any() else "",
        f"{area:,.2f} m² in all" if area > 0 else "",
        str(rows["note"].dropna().iloc[0]) if rows["note"].notna().any() else "",
    ]
    return "; ".join(part for part in parts if part)
