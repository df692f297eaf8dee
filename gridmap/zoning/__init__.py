"""The heart: from units to base grids, their codes, and the figures of any partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .codes import issue_codes
    from .layouts import check_codes, find_code_faults, parse_codes
    from .measure import Measures, measure_partition, measure_sizes
    from .merged import issue_merged_codes
    from .partitions import Partition, partition
    from .sizes import measure_density
    from .weights import DrawingWeights

__all__ = [
    "DrawingWeights",
    "Measures",
    "Partition",
    "check_codes",
    "find_code_faults",
    "issue_codes",
    "issue_merged_codes",
    "measure_density",
    "measure_partition",
    "measure_sizes",
    "parse_codes",
    "partition",
]

__getattr__, __dir__ = give_names(__name__)
