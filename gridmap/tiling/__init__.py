"""Seamless polygons: find their faults, mend them locally, build units."""

from .areas import measure_area
from .check import check_tiling
from .faults import find_gaps, find_outside, find_overlaps, find_slivers
from .repair import repair_tiling
from .territories import build_territories
from .units import Units, build_units

__all__ = [
    "Units",
    "build_territories",
    "build_units",
    "check_tiling",
    "find_gaps",
    "find_outside",
    "find_overlaps",
    "find_slivers",
    "measure_area",
    "repair_tiling",
]
