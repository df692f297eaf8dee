"""Seamless polygons: find their faults, mend them locally, build units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .again import repair_again, repair_and_tell
    from .areas import measure_area
    from .check import check_tiling
    from .faults import find_gaps, find_outside, find_overlaps, find_slivers
    from .frames import put_shapes
    from .h3cells import build_h3_lattice
    from .lattice import build_lattice, build_lattice_cells
    from .parts import find_repeated_parts
    from .patches import is_tiling_still
    from .repair import Repaired, repair_tiling
    from .territories import build_territories
    from .units import Divided, Units, build_units, divide_land, tell_units

__all__ = [
    "Divided",
    "Repaired",
    "Units",
    "build_h3_lattice",
    "build_lattice",
    "build_lattice_cells",
    "build_territories",
    "build_units",
    "check_tiling",
    "divide_land",
    "find_gaps",
    "find_outside",
    "find_overlaps",
    "find_repeated_parts",
    "find_slivers",
    "is_tiling_still",
    "measure_area",
    "put_shapes",
    "repair_again",
    "repair_and_tell",
    "repair_tiling",
    "tell_units",
]

__getattr__, __dir__ = give_names(__name__)
