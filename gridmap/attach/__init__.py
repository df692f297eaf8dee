"""Fill polygons with elements: points, footprints and published totals."""

from .elements import attach_elements
from .footprints import attach_footprints, measure_footprint_shares
from .places import Attachment
from .points import attach_points
from .population import Population, attach_population

__all__ = [
    "Attachment",
    "Population",
    "attach_elements",
    "attach_footprints",
    "attach_points",
    "attach_population",
    "measure_footprint_shares",
]
