"""Fill polygons with elements: points, footprints and published totals."""
