"""Where service reaches, what it costs, and what of it may be published."""

from .disclosure import check_disclosure, find_disclosures, merge_zones
from .measure import Coverage, measure_coverage
from .network import Network, build_network, measure_distances
from .publish import Published, suppress_counts
from .siting import Sites, choose_sites

__all__ = [
    "Coverage",
    "Network",
    "Published",
    "Sites",
    "build_network",
    "check_disclosure",
    "choose_sites",
    "find_disclosures",
    "measure_coverage",
    "measure_distances",
    "merge_zones",
    "suppress_counts",
]
