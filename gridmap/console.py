"""What the command line prints: progress, tables, JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas import DataFrame
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from . import pipeline

if TYPE_CHECKING:
    from .pipeline import Diagnosis, Outcome, Since
    from .workspace import Config

_STARTED = time.perf_counter()

#: Shares are printed per cent, everything else as a number.
_SHARES = ("share in size range", "contiguous share", "elements collected")

#: What the one line about a run tells.
_LINE = (("grids", "grids"), ("households", "households"), ("people", "people"),
         ("share in size range", "in size range"), ("rows rejected", "rows rejected"))

#: How severities look on a terminal.
_STYLES = {"blocks the run": "bold red", "mended": "blue", "look at this": "bold"}


@contextmanager
def watch(*, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """Show a progress bar for each step while the block runs, on the error stream.

    The command line shows none where that stream is no terminal, as under cron.

    Parameters
    ----------
    quiet : bool, default False
        Show nothing.

    Yields
    ------
    callable
        The ``progress`` of `run`, told (step, done, total), and of `partition`, told
        (done, total).

    Examples
    --------
    >>> from gridmap import SizeRule, partition
    >>> from gridmap.sketch import sketch_units
    >>> size = SizeRule(minimum=2, target=2, maximum=2)
    >>> with watch(quiet=True) as progress:
    ...     drawn = partition(sketch_units("ABCD"), size, progress=progress)
    >>> len(drawn.grids)
    2
    """
    bars = Progress(
        TextColumn("{task.description:>10}"), BarColumn(), TextColumn("{task.completed:,.0f}/"
                                                                      "{task.total:,.0f}"),
        TimeElapsedColumn(), console=Console(stderr=True), disable=quiet,
    )
    tasks: dict[str, TaskID] = {}

    def tell(*told: str | int) -> None:
        step, done, total = told if len(told) == 3 else ("partition", *told)
        if step not in tasks:
            tasks[str(step)] = bars.add_task(str(step), total=max(int(total), 1))
        bars.update(tasks[str(step)], completed=int(done), total=max(int(total), 1))

    with bars:
        yield tell


def print_run(done: Outcome, config: Config, files: list[str], event: Mapping[str, Any]) -> None:
    """Print what a run made: tables on a terminal, one line where nobody watches.

    Parameters
    ----------
    done : Outcome
    config : Config
    files : list of str
    event : mapping
        What the log of the workspace says of it.
    """
    if not sys.stdout.isatty():
        print(f"{tell_run(done, config, event)}, {time.perf_counter() - _STARTED:,.1f} s")
        return
    console = Console()
    console.print(_summary_table(done, config))
    reasons = pipeline.explain_sizes(done.changes)
    if len(reasons):
        console.print(_two_columns("Grids outside their size range", "reason", "grids", reasons))
    console.print(_ledger_table(done.ledger))
    for file in files:
        if file.endswith(("map.html", "report.html", "grids.gpkg")):
            console.print(f"{file}", soft_wrap=True, highlight=False)
    console.print(tell_run(done, config, event), soft_wrap=True, highlight=False)


def tell_run(done: Outcome, config: Config, event: Mapping[str, Any]) -> str:
    """Return a run in one line: its version, what changed, and the figures that matter."""
    version, changed = event.get("version", "?"), event.get("changed") or []
    state = (f"version {version} stands, nothing changed" if event.get("event") == "same" else
             f"version {version}, {len(changed)} files changed")
    figures = done.summary
    told = [f"{_said(name, figures[name])} {words}" for name, words in _LINE if name in figures]
    return f"{config.settings.name}: {state}; {', '.join(told)}"


def _summary_table(done: Outcome, config: Config) -> Table:
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


def print_run_json(
    done: Outcome, files: list[str], event: Mapping[str, Any], since: Since | None = None
) -> None:
    """Print the summary, the reasons, the ledger and the files of a run as one JSON object."""
    told = {
        "version": event.get("version"),
        "made": event.get("event") != "same",
        "changed": event.get("changed") or [],
        "summary": _plain(done.summary),
        "reasons": _plain(pipeline.explain_sizes(done.changes)),
        "ledger": json.loads(done.ledger.to_json(orient="records")),
        "files": files,
        "steps": json.loads(done.steps.to_json(orient="records")),
        **({} if since is None else {"since": since._asdict()}),
        "seconds": round(time.perf_counter() - _STARTED, 1),
        "peak_memory_mb": round(peak_memory_mb()),
    }
    print(json.dumps(told, ensure_ascii=False))


def _plain(values: pd.Series) -> dict[str, float | None]:
    return {str(name): None if pd.isna(value) else float(value) for name, value in values.items()}


def print_steps(steps: DataFrame) -> None:
    """Print what became of every step of a run, and why."""
    console = Console()
    table = Table(title="Steps", title_justify="left")
    for name in ("step", "", "why"):
        table.add_column(name)
    table.add_column("CPU s", justify="right")
    for line in steps.itertuples():
        took = f"{float(str(line.seconds)):,.2f}" if line.seconds else ""
        table.add_row(*(str(told) for told in (line.step, line.did, line.why)), took)
    console.print(table)


def print_check(diagnosis: Diagnosis, files: list[str]) -> None:
    """Print what `gridmap check` found, the severest first, and the files it wrote."""
    console = Console()
    findings = diagnosis.findings
    if findings.empty:
        console.print("Nothing found: every row is read, every tiling is seamless.")
    else:
        console.print(_findings_table(findings))
        counts = findings.groupby("severity")["rows"].sum()
        told = [f"{counts[name]:,} {name}" for name in pipeline.SEVERITIES if name in counts]
        console.print("; ".join(told), highlight=False)
    for file in files:
        console.print(f"{file}", soft_wrap=True, highlight=False)


def _findings_table(findings: DataFrame) -> Table:
    """Make a table with a heading for each severity, readable on 80 columns."""
    table = Table(title="What was found", title_justify="left")
    table.add_column("what, and where", overflow="fold", max_width=32)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("which, and why", overflow="fold", ratio=1)
    for severity in pipeline.SEVERITIES:
        lines = findings[findings["severity"] == severity]
        if len(lines):
            table.add_section()
            count = int(lines["rows"].sum())
            table.add_row(Text(severity.upper(), style=_STYLES[severity]), f"{count:,}", "")
        for line in lines.itertuples():
            what = Text(str(line.what)).append(f"\n{line.layer}", style="dim")
            table.add_row(what, f"{line.rows:,}", _why(line))
    return table


def _why(line: Any) -> Text:
    """Say which rows and why, and what to do where there is something to do."""
    why = Text(str(line.note))
    if line.suggestion and not line.suggestion.startswith("nothing"):
        why.append(f"{chr(10) if line.note else ''}→ {line.suggestion}", style="italic")
    return why


def print_check_json(diagnosis: Diagnosis, files: list[str]) -> None:
    """Print what `gridmap check` found as one JSON object, as check.json has it."""
    print(json.dumps({**pipeline.tell_check(diagnosis), "files": files}, ensure_ascii=False))
