"""Where service reaches, what it costs, and what of it may be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .access import measure_access
    from .carry import carry_indicators
    from .disclosure import check_disclosure, find_disclosures, merge_zones
    from .events import find_hot_spots, measure_matters
    from .indicators import measure_indicators, stack_indicators
    from .isochrones import build_isochrones, measure_area_reach
    from .measure import (
        Added,
        Coverage,
        Served,
        add_reach,
        measure_coverage,
        measure_served,
        sum_collected,
    )
    from .medians import choose_medians
    from .network import Network, build_network
    from .periods import sum_periods
    from .publish import Published, suppress_counts, suppress_places
    from .ratios import Ratios, compare_totals, measure_ratios
    from .siting import Sites, choose_sites
    from .walking import Pairs, measure_distances, measure_pairs
    from .workload import Workload, measure_gini, measure_workload

__all__ = [
    "Added",
    "Coverage",
    "Network",
    "Pairs",
    "Published",
    "Ratios",
    "Served",
    "Sites",
    "Workload",
    "add_reach",
    "build_isochrones",
    "build_network",
    "carry_indicators",
    "check_disclosure",
    "choose_medians",
    "choose_sites",
    "compare_totals",
    "find_disclosures",
    "find_hot_spots",
    "measure_access",
    "measure_area_reach",
    "measure_coverage",
    "measure_distances",
    "measure_gini",
    "measure_indicators",
    "measure_matters",
    "measure_pairs",
    "measure_ratios",
    "measure_served",
    "measure_workload",
    "merge_zones",
    "stack_indicators",
    "sum_collected",
    "sum_periods",
    "suppress_counts",
    "suppress_places",
]

__getattr__, __dir__ = give_names(__name__)
