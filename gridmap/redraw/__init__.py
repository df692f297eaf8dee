"""Redraw a net that is in use: move little, say what it costs, keep the codes traceable."""

from .heirs import build_version_crosswalk, find_heirs, renew_codes
from .lineage import Fates, build_lineage, check_lineage, measure_fates, measure_lineage
from .telling import describe_lineage
from .trace import measure_lives, order_lineages, trace

__all__ = [
    "Fates",
    "build_lineage",
    "build_version_crosswalk",
    "check_lineage",
    "describe_lineage",
    "find_heirs",
    "measure_fates",
    "measure_lineage",
    "measure_lives",
    "order_lineages",
    "renew_codes",
    "trace",
]
