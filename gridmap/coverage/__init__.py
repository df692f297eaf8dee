"""Where service reaches, what it costs, and what of it may be published."""

from .measure import Coverage, measure_coverage
from .network import Network, build_network, measure_distances
from .publish import Published, suppress_counts

__all__ = [
    "Coverage",
    "Network",
    "Published",
    "build_network",
    "measure_coverage",
    "measure_distances",
    "suppress_counts",
]
