"""Seamless polygons: find their faults, mend them locally, build units."""

from .areas import measure_area
from .faults import check_tiling, find_gaps, find_outside, find_overlaps, find_slivers
from .repair import repair_tiling

__all__ = [
    "check_tiling",
    "find_gaps",
    "find_outside",
    "find_overlaps",
    "find_slivers",
    "measure_area",
    "repair_tiling",
]
