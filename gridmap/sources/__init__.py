"""The only room that reads files: any format in, frames that follow a schema out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .codes import mend_codes
    from .crs import metric_crs
    from .crs_faults import find_crs_faults
    from .encodings import check_encoding_holds, find_encoding
    from .kinds import (
        load_assets,
        load_barriers,
        load_elements,
        load_events,
        load_grids,
        load_schemes,
        load_sites,
        load_territories,
        load_units,
        load_visits,
        load_workers,
    )
    from .limits import Limits, make_limits
    from .loaded import Loaded
    from .offset_faults import find_offset
    from .offsets import from_bd09, from_gcj02, to_bd09, to_gcj02
    from .peek import list_columns
    from .tables import load_table

__all__ = [
    "Limits",
    "Loaded",
    "check_encoding_holds",
    "find_crs_faults",
    "find_encoding",
    "find_offset",
    "from_bd09",
    "from_gcj02",
    "list_columns",
    "load_assets",
    "load_barriers",
    "load_elements",
    "load_events",
    "load_grids",
    "load_schemes",
    "load_sites",
    "load_table",
    "load_territories",
    "load_units",
    "load_visits",
    "load_workers",
    "make_limits",
    "mend_codes",
    "metric_crs",
    "to_bd09",
    "to_gcj02",
]

__getattr__, __dir__ = give_names(__name__)
