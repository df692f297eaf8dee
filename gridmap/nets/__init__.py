"""Many nets into one: common atoms, conflicts, crosswalks, and a proposal."""

from .convert import Converted, convert
from .crosswalk import build_crosswalk, chain_crosswalks

__all__ = [
    "Converted",
    "build_crosswalk",
    "chain_crosswalks",
    "convert",
]
