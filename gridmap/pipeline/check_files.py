"""What a check leaves behind: a page for people and a file for machines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pandas import isna

from .. import maps
from ..errors import WorkspaceError
from .faults import SEVERITIES, Diagnosis

PAGE, TABLE = "check.html", "check.json"
_DIGITS = 7  # of degrees: 1 cm


def save_check(
    diagnosis: Diagnosis,
    folder: str | Path,
    *,
    name: str,
) -> list[Path]:
    """Write ``check.html`` and ``check.json`` into a folder, which is made if need be.

    Parameters
    ----------
    diagnosis : Diagnosis
        As `diagnose_inputs` or `diagnose_files` returns it.
    folder : str or Path
        Files of these names in it are replaced; others stay.
    name : str
        What was checked: heading of the page.

    Returns
    -------
    list of Path
        The page and the file.

    Raises
    ------
    WorkspaceError
        If they cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> from gridmap.pipeline import diagnose_inputs
    >>> diagnosis = diagnose_inputs(load_config(save_sketch(tempfile.mkdtemp())))
    >>> [file.name for file in save_check(diagnosis, tempfile.mkdtemp(), name="Drawn town")]
    ['check.html', 'check.json']
    """
    page = maps.draw_faults(
        diagnosis.faults, territories=diagnosis.territories, polygons=diagnosis.polygons,
        coarse=diagnosis.coarse,
        title=(f"{name}: check of the input", f"{name}：输入检查"),
    )
    told = {"name": name, **tell_check(diagnosis)}
    texts = {PAGE: page.get_root().render(),
             TABLE: json.dumps(told, ensure_ascii=False, indent=1) + "\n"}
    where = Path(folder)
    try:
        where.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            fresh = where / f".{file}.new"
            fresh.write_text(text, encoding="utf-8", newline="\n")
            os.replace(fresh, where / file)
    except OSError as error:
        raise WorkspaceError(
            f"{where} cannot be written: {error.strerror or error}. Choose another folder with "
            "--to FOLDER, or write no files with --no-files"
        ) from error
    return [where / PAGE, where / TABLE]


def tell_check(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return what a check found as plain values: counts, the table, and every fault.

    Parameters
    ----------
    diagnosis : Diagnosis

    Returns
    -------
    dict
        ``counts`` by severity; ``findings``, the lines of the table; ``faults``, one entry for
        each with its place as [longitude, latitude], None where it has none.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> from gridmap.pipeline import diagnose_inputs
    >>> told = tell_check(diagnose_inputs(load_config(save_sketch(tempfile.mkdtemp()))))
    >>> told["counts"]
    {'blocks the run': 0, 'mended': 0, 'look at this': 4}
    """
    counts = diagnosis.faults["severity"].value_counts()
    rows = zip(diagnosis.faults.itertuples(), diagnosis.faults.geometry, strict=True)
    return {
        "counts": {name: int(counts.get(name, 0)) for name in SEVERITIES},
        "findings": json.loads(diagnosis.findings.to_json(orient="records")),
        "faults": [_fault(row, shape) for row, shape in rows],
    }


def _fault(row: Any, shape: Any) -> dict[str, Any]:
    point = None if shape is None else shape.representative_point()
    return {
        "fault": row.Index, "severity": row.severity, "step": row.step, "what": row.what,
        "id": _plain(row.id), "layer": row.layer, "note": _plain(row.note),
        "suggestion": _plain(row.suggestion), "area_m2": _plain(row.area_m2),
        "place": None if point is None else [round(point.x, _DIGITS), round(point.y, _DIGITS)],
    }


def _plain(value: Any) -> Any:
    return None if isna(value) else value
