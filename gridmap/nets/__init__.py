"""Many nets into one: common atoms, conflicts, crosswalks, and a proposal."""

from ..rules import NetRule
from .conflicts import measure_conflicts
from .convert import Converted, convert
from .crosswalk import build_crosswalk, chain_crosswalks
from .reconcile import Reconciliation, reconcile

__all__ = [
    "Converted",
    "NetRule",
    "Reconciliation",
    "build_crosswalk",
    "chain_crosswalks",
    "convert",
    "measure_conflicts",
    "reconcile",
]
