"""Fill polygons with elements: points, footprints and published totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .addresses import match_addresses, parse_addresses
    from .by_address import attach_addresses
    from .elements import attach_elements, count_elements, has_footprints, hold_elements
    from .footprints import attach_footprints, measure_footprint_shares
    from .leftovers import attach_leftovers, find_repeated
    from .locator import Locator, build_locator, locate_points
    from .places import NOWHERE, WAYS, Attachment, Held, write_rejects
    from .points import attach_points
    from .population import Population, attach_population
    from .rasters import RasterSums, attach_raster
    from .stream import attach_batch, attach_batches, count_batch
    from .sums import measure_collected, measure_territories
    from .tables import attach_table

__all__ = [
    "NOWHERE",
    "WAYS",
    "Attachment",
    "Held",
    "Locator",
    "Population",
    "RasterSums",
    "attach_addresses",
    "attach_batch",
    "attach_batches",
    "attach_elements",
    "attach_footprints",
    "attach_leftovers",
    "attach_points",
    "attach_population",
    "attach_raster",
    "attach_table",
    "build_locator",
    "count_batch",
    "count_elements",
    "find_repeated",
    "has_footprints",
    "hold_elements",
    "locate_points",
    "match_addresses",
    "measure_collected",
    "measure_footprint_shares",
    "measure_territories",
    "parse_addresses",
    "write_rejects",
]

__getattr__, __dir__ = give_names(__name__)
