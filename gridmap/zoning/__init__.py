"""The heart: from units to base grids, their codes, and the figures of any partition."""

from .codes import issue_codes
from .measure import Measures, measure_partition
from .partition import Partition, partition
from .sizes import measure_density
from .weights import DrawingWeights

__all__ = [
    "DrawingWeights",
    "Measures",
    "Partition",
    "issue_codes",
    "measure_density",
    "measure_partition",
    "partition",
]
