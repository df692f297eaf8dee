"""The whole way, from raw files to grids on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .again import Outcome, run_again
    from .base_grids import draw_base_grids
    from .check import diagnose_inputs, find_faults
    from .check_files import save_check, tell_check
    from .faults import SEVERITIES, Diagnosis
    from .fill import fill_grids
    from .job import Run, run
    from .load import Inputs, load_inputs
    from .loose import FileReading, diagnose_files
    from .mend import mend_inputs
    from .net import NetRun, reconcile_schemes
    from .net_files import draw_conflicts, measure_net, publish_against, save_net
    from .save import save_run
    from .since import Since, find_since
    from .summary import explain_sizes, summarise
    from .totals import join_totals
    from .units import make_units

__all__ = [
    "SEVERITIES",
    "Diagnosis",
    "FileReading",
    "Inputs",
    "NetRun",
    "Outcome",
    "Run",
    "Since",
    "diagnose_files",
    "diagnose_inputs",
    "draw_base_grids",
    "draw_conflicts",
    "explain_sizes",
    "fill_grids",
    "find_faults",
    "find_since",
    "join_totals",
    "load_inputs",
    "make_units",
    "measure_net",
    "mend_inputs",
    "publish_against",
    "reconcile_schemes",
    "run",
    "run_again",
    "save_check",
    "save_net",
    "save_run",
    "summarise",
    "tell_check",
]

__getattr__, __dir__ = give_names(__name__)
