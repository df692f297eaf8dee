"""The offset of Chinese web maps (GCJ-02), forward only: the sample needs no way back."""

from __future__ import annotations

import numpy as np

from .plan import Floats

_AXIS, _SQUARED_ECCENTRICITY = 6378245.0, 0.00669342162296594323


def to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return WGS 84 coordinates with the published GCJ-02 offset added."""
    x, y = lon - 105.0, lat - 35.0
    waves = 20.0 * (np.sin(6 * np.pi * x) + np.sin(2 * np.pi * x))
    east = 300.0 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += (waves + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)
             + 150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    north = -100.0 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += (waves + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)
              + 160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    slant = np.radians(lat)
    flat = 1 - _SQUARED_ECCENTRICITY * np.sin(slant) ** 2
    meridian = _AXIS * (1 - _SQUARED_ECCENTRICITY) / flat**1.5
    return (lon + np.degrees(east / (_AXIS / np.sqrt(flat) * np.cos(slant))),
            lat + np.degrees(north / meridian))
