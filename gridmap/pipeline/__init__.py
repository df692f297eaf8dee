"""The whole way, from raw files to grids on a map."""

from .check import find_faults
from .fill import fill_grids
from .job import Run, draw_base_grids, run
from .load import Inputs, load_inputs
from .mend import mend_inputs
from .save import save_run
from .summary import explain_sizes, summarise
from .totals import join_totals
from .units import make_units

__all__ = [
    "Inputs",
    "Run",
    "draw_base_grids",
    "explain_sizes",
    "fill_grids",
    "find_faults",
    "join_totals",
    "load_inputs",
    "make_units",
    "mend_inputs",
    "run",
    "save_run",
    "summarise",
]
