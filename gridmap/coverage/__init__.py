"""Where service reaches, what it costs, and what of it may be published."""

from .disclosure import check_disclosure, find_disclosures, merge_zones
from .measure import Coverage, measure_coverage
from .network import Network, build_network, measure_distances
from .publish import Published, suppress_counts

__all__ = [
    "Coverage",
    "Network",
    "Published",
    "build_network",
    "check_disclosure",
    "find_disclosures",
    "measure_coverage",
    "measure_distances",
    "merge_zones",
    "suppress_counts",
]
