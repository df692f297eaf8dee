"""What the command line prints: progress, tables, JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
from pandas import DataFrame
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .pipeline import Run, explain_sizes
from .workspace import Config

_STARTED = time.perf_counter()

#: Shares are printed per cent, everything else as a number.
_SHARES = ("share in size range", "contiguous share", "elements collected")


@contextmanager
def watch(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each step on the error stream while the block runs.

    Parameters
    ----------
    quiet : bool
        Show nothing.

    Yields
    ------
    callable
        To be told (step, done, total).
    """
    bars = Progress(
        TextColumn("{task.description:>10}"), BarColumn(), TextColumn("{task.completed:,.0f}/"
                                                                      "{task.total:,.0f}"),
        TimeElapsedColumn(), console=Console(stderr=True), disable=quiet,
    )
    tasks: dict[str, object] = {}

    def tell(step: str, done: int, total: int) -> None:
        if step not in tasks:
            tasks[step] = bars.add_task(step, total=max(total, 1))
        bars.update(tasks[step], completed=done, total=max(total, 1))  # type: ignore[arg-type]

    with bars:
        yield tell


def print_run(done: Run, config: Config, files: list[str]) -> None:
    """Print the summary, the reasons of odd grids, the ledger and the files of a run."""
    console = Console()
    console.print(_summary_table(done, config))
    reasons = explain_sizes(done.changes)
    if len(reasons):
        console.print(_two_columns("Grids outside their size range", "reason", "grids", reasons))
    console.print(_ledger_table(done.ledger))
    for file in files:
        if file.endswith(("map.html", "report.html", "grids.gpkg")):
            console.print(f"{file}", soft_wrap=True, highlight=False)


def _summary_table(done: Run, config: Config) -> Table:
    rows = {name: _said(name, value) for name, value in done.summary.items()}
    rows["seconds"] = f"{time.perf_counter() - _STARTED:,.1f}"
    rows["peak memory"] = f"{peak_memory_mb():,.0f} MB"
    title = f"{config.settings.name}: profile {config.profile.name}"
    return _two_columns(title, "figure", "value", pd.Series(rows))


def _two_columns(title: str, left: str, right: str, values: pd.Series) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(left)
    table.add_column(right, justify="right")
    for name, value in values.items():
        table.add_row(str(name), value if isinstance(value, str) else f"{value:,}")
    return table


def _said(name: object, value: float) -> str:
    if pd.isna(value):
        return "not given"
    if name in _SHARES:
        return f"{value:.1%}"
    return f"{value:,.3f}" if str(name).startswith("Polsby") else f"{value:,.0f}"


def _ledger_table(ledger: DataFrame) -> Table:
    table = Table(title="Ledger: in = on + left over", title_justify="left")
    for name in ("step", "what", "measure"):
        table.add_column(name)
    for name in ("in", "on", "left over"):
        table.add_column(name, justify="right")
    for line in ledger.itertuples():
        table.add_row(str(line.step), str(line.frame), str(line.measure), f"{line.came_in:,.0f}",
                      f"{line.went_on:,.0f}", f"{line.left_over:,.0f}")
    return table


def peak_memory_mb() -> float:
    """Return the most memory that this process has used, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def print_run_json(done: Run, files: list[str]) -> None:
    """Print the summary, the reasons, the ledger and the files of a run as one JSON object."""
    told = {
        "summary": _plain(done.summary),
        "reasons": _plain(explain_sizes(done.changes)),
        "ledger": json.loads(done.ledger.to_json(orient="records")),
        "files": files,
        "seconds": round(time.perf_counter() - _STARTED, 1),
        "peak_memory_mb": round(peak_memory_mb()),
    }
    print(json.dumps(told, ensure_ascii=False))


def _plain(values: pd.Series) -> dict[str, float | None]:
    return {str(name): None if pd.isna(value) else float(value) for name, value in values.items()}


def print_findings(findings: DataFrame) -> None:
    """Print what `gridmap check` found, the severest first."""
    console = Console()
    if findings.empty:
        console.print("Nothing found: every row is read, every tiling is seamless.")
        return
    table = Table(title="What was found", title_justify="left")
    for name in ("severity", "step", "what"):
        table.add_column(name)
    table.add_column("rows", justify="right")
    table.add_column("where, and why", overflow="fold")
    for line in findings.itertuples():
        table.add_row(str(line.severity), str(line.step), str(line.what), f"{line.rows:,}",
                      str(line.note))
    console.print(table)


def print_findings_json(findings: DataFrame) -> None:
    """Print what `gridmap check` found as one JSON object."""
    found = json.loads(findings.to_json(orient="records"))
    print(json.dumps({"findings": found}, ensure_ascii=False))
