"""How large the city is, and the seeded randomness and smooth noise it is made with."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The bundled size.
BUNDLED_HOUSEHOLDS = 12_000
#: Elements (addresses, buildings, population records) for each household: measured on the
#: cities this makes, of which 1.5 million households make 5 million elements.
ELEMENTS_PER_HOUSEHOLD = 3.35
LAND_M2 = 34.0e6
CRS = "EPSG:4550"
#: Somewhere in the open sea, so that nobody takes the city for a real one.
MIDDLE = (122.35, 36.05)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the city is to be: its size, its seed, and whether its layers are big files."""

    households: int = BUNDLED_HOUSEHOLDS
    seed: int = 1
    big: bool = False

    @property
    def growth(self) -> float:
        """How many times the bundled city this one is."""
        return self.households / BUNDLED_HOUSEHOLDS

    @property
    def height_m(self) -> float:
        """North-south extent of the map; land covers roughly 0.7 of its square."""
        return float(np.sqrt(LAND_M2 * self.growth / 0.72))

    @property
    def rural_share(self) -> float:
        """Share of households in villages: smaller in larger cities."""
        return float(np.clip(0.26 - 0.016 * np.log2(max(1.0, self.growth)), 0.15, 0.26))

    def random(self, topic: str) -> np.random.Generator:
        """Return a stream of its own for a topic, so that topics do not disturb each other."""
        return np.random.default_rng([self.seed, zlib.crc32(topic.encode())])


def plan_for_elements(elements: int, *, seed: int) -> Plan:
    """Return the plan of a city with about so many elements, its big layers as GeoParquet."""
    households = max(2_000, round(elements / ELEMENTS_PER_HOUSEHOLD))
    return Plan(households=households, seed=seed, big=True)


def smooth_noise(
    x: Floats, y: Floats, rng: np.random.Generator, *, wavelength: float, octaves: int = 4,
    roughness: float = 0.5,
) -> Floats:
    """Return smooth noise between about -1 and 1: waves in random directions, added up.

    Rounded, so that the last bit of a sine on another processor cannot move a decision.
    """
    total = np.zeros(np.shape(x))
    weight, size = 1.0, wavelength
    for _ in range(octaves):
        for _ in range(6):
            angle, phase = rng.uniform(0, 2 * np.pi, 2)
            stretch = rng.uniform(0.75, 1.3)
            along = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi * stretch / size)
            total += weight / 2.6 * np.sin(along + phase)
        weight *= roughness
        size /= 2.0
    return np.round(total, 9)


def share_out(total: int, weights: Floats) -> NDArray[np.int64]:
    """Return whole numbers in proportion to the weights that add up to the total.

    Rounded along the running sum: vectorised, and no row is off by one or more.
    """
    if not len(weights) or weights.sum() <= 0:
        return np.zeros(len(weights), dtype=np.int64)
    running = np.round(np.cumsum(weights) / weights.sum() * total, 6)
    return np.diff(np.floor(running + 0.5), prepend=0).astype(np.int64)
