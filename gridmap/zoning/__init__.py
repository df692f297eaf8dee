"""The heart: from units to base grids, their codes, and the figures of any partition."""

from .codes import issue_codes
from .measure import Measures, measure_partition
from .partition import Partition, partition

__all__ = ["Measures", "Partition", "issue_codes", "measure_partition", "partition"]
