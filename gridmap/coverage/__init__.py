"""Where service reaches, what it costs, and what of it may be published."""

from .measure import Coverage, measure_coverage
from .publish import Published, suppress_counts

__all__ = ["Coverage", "Published", "measure_coverage", "suppress_counts"]
