"""The land: coastline, islands, hills and the places where people gather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from contourpy import contour_generator
from scipy.ndimage import distance_transform_edt
from shapely import Polygon

from .plan import Floats, Plan, smooth_noise

#: Cells of the terrain raster from north to south.
ROWS, COLUMNS = 420, 560

#: The bundled city's own islands: u, v of the middle and radius, all in map heights.
ISLANDS = (
    (0.705, 0.895, 0.050),
    (0.930, 0.955, 0.022),
    (0.445, 0.905, 0.018),
    (1.245, 0.500, 0.024),
)


@dataclass(frozen=True)
class Land:
    """Terrain on a raster, the land polygons, and the settlements."""

    x: Floats  # of the raster columns, in metres
    y: Floats  # of the raster rows
    sea: Floats  # metres to the sea
    inland: Floats  # metres to the neighbour county
    height: Floats  # hills, 0 to 1
    mainland: Polygon
    islands: list[Polygon]
    hills: list[Polygon]
    beyond: list[Polygon]  # land of the neighbour county, for drawing
    centres: Floats  # one row each: x, y, radius_m, households in the middle per hectare

    @property
    def cell(self) -> float:
        """Side of a raster cell in metres."""
        return float(self.x[1] - self.x[0])

    def is_inner_border(self, x: Floats, y: Floats) -> Floats:
        """Say which points of the outline lie inland, at the neighbour county's border."""
        return _at(self, self.sea, x, y) > 1.5 * self.cell

    def at(self, field: Floats, x: Floats, y: Floats) -> Floats:
        """Return a raster's values at points, from the nearest cell."""
        return _at(self, field, x, y)


def _at(land: Land, field: Floats, x: Floats, y: Floats) -> Floats:
    column = np.clip(np.rint((x - land.x[0]) / land.cell), 0, len(land.x) - 1).astype(int)
    row = np.clip(np.rint((y - land.y[0]) / land.cell), 0, len(land.y) - 1).astype(int)
    return field[row, column]


def build_land(plan: Plan) -> Land:
    """Lay out sea, islands, hills and settlements."""
    size = plan.height_m
    cell = size / ROWS
    x = (np.arange(COLUMNS) + 0.5) * cell
    y = (np.arange(ROWS) + 0.5) * cell
    u, v = np.meshgrid(x / size, y / size)
    octaves = 5 + int(np.clip(np.log2(plan.growth) / 2, 0, 4))
    sea = _coast(u, v, plan, octaves)
    inland = _inland(u, v, plan)
    outline = np.minimum(sea, inland)
    parts = [_smooth(p, cell) for p in _polygons(x, y, outline, smallest=size * size * 1.5e-4)]
    parts.sort(key=lambda p: -p.area)
    centres = _centres(plan, u, v, outline)
    height = _hills(plan, u, v, outline, centres / size)
    hills = [_smooth(p, cell) for p in _polygons(x, y, height - 0.42, smallest=size * size * 8e-4)]
    beyond = _beyond(plan, size, octaves, parts[0])
    return Land(x=x, y=y, sea=_distance(sea, cell), inland=_distance(inland, cell),
                height=height, mainland=parts[0], islands=parts[1:], hills=hills, beyond=beyond,
                centres=centres)


def _beyond(plan: Plan, size: float, octaves: int, mainland: Polygon) -> list[Polygon]:
    """Return the neighbour county's land around ours, for drawing."""
    far_u, far_v = np.arange(-0.3, 1.45, 0.006), np.arange(-0.3, 1.1, 0.006)
    sea = _coast(*np.meshgrid(far_u, far_v), plan, octaves)
    around = _polygons(far_u * size, far_v * size, sea, smallest=size * size * 0.05)
    parts = [p for a in around for p in shapely.get_parts(a.difference(mainland.buffer(1.0)))]
    return [shapely.simplify(p, 0.002 * size) for p in parts if p.area > 0.01 * size * size]


def _distance(field: Floats, cell: float) -> Floats:
    """Return the distance to where a field falls below 0, in metres."""
    return np.round(distance_transform_edt(field > 0) * cell, 3)


def _coast(u: Floats, v: Floats, plan: Plan, octaves: int) -> Floats:
    """North and east coast with a harbour bay and headlands; above 0 on land."""
    rng = plan.random("coast")
    bend = 0.047 * smooth_noise(u, v, rng, wavelength=0.55, octaves=octaves, roughness=0.6)
    bay = 0.15 * np.exp(-(((u - 0.60) / 0.115) ** 2)) + 0.035 * np.exp(
        -(((u - 0.655) / 0.03) ** 2))
    cove = 0.05 * np.exp(-(((u - 0.27) / 0.05) ** 2))
    cape = 0.085 * np.exp(-(((u - 0.79) / 0.075) ** 2)) + 0.05 * np.exp(
        -(((u - 0.43) / 0.06) ** 2))
    north = 0.77 + 0.05 * np.sin(2.2 * u) - bay - cove + cape - v + bend
    east_bay = 0.09 * np.exp(-(((v - 0.40) / 0.09) ** 2))
    point = 0.07 * np.exp(-(((v - 0.22) / 0.08) ** 2)) + 0.06 * np.exp(
        -(((v - 0.585) / 0.035) ** 2))
    east = 1.12 - east_bay + point - u + 1.25 * bend
    coast = _soft_minimum(north, east, 0.05)
    ragged = 0.3 * smooth_noise(u, v, rng, wavelength=0.08, octaves=4, roughness=0.6)
    for at_u, at_v, radius in ISLANDS:
        stretched = np.hypot((u - at_u) * 0.8, (v - at_v) * 1.15)
        coast = np.maximum(coast, radius * (1 + ragged) - stretched)
    return np.round(coast, 9)


def _soft_minimum(a: Floats, b: Floats, width: float) -> Floats:
    h = np.clip(0.5 + 0.5 * (b - a) / width, 0, 1)
    return b * (1 - h) + a * h - width * h * (1 - h)


def _inland(u: Floats, v: Floats, plan: Plan) -> Floats:
    """The border with the neighbour county, west and south; above 0 on our side."""
    rng = plan.random("inland")
    bend = smooth_noise(u, v, rng, wavelength=0.35, octaves=5, roughness=0.6)
    west = u - 0.10 - 0.05 * np.sin(5.0 * v) - 0.022 * bend
    south = v - 0.085 - 0.035 * np.sin(4.1 * u + 1.0) - 0.022 * bend
    return np.round(_soft_minimum(west, south, 0.12), 9)


def _polygons(x: Floats, y: Floats, field: Floats, *, smallest: float) -> list[Polygon]:
    """Return the areas above 0 without holes, the small ones left out."""
    padded = np.pad(field, 1, constant_values=-1.0)
    step = x[1] - x[0]
    px = np.concatenate([[x[0] - step], x, [x[-1] + step]])
    py = np.concatenate([[y[0] - step], y, [y[-1] + step]])
    rings = [r for r in contour_generator(px, py, padded).lines(0.0) if len(r) > 8]
    areas = [Polygon(r).buffer(0) for r in rings]
    kept = [a for a in areas if a.geom_type == "Polygon" and a.area > smallest]
    inside = [a for a in kept
              if not any(b is not a and b.contains(a.representative_point()) for b in kept)]
    return [Polygon(a.exterior) for a in inside]


def _smooth(polygon: Polygon, cell: float) -> Polygon:
    """Thin a raster outline out and round its corners (Chaikin, twice)."""
    ring = np.asarray(polygon.simplify(0.6 * cell).exterior.coords)[:-1]
    for _ in range(2):
        after = np.roll(ring, -1, axis=0)
        ring = np.stack([0.75 * ring + 0.25 * after, 0.25 * ring + 0.75 * after], 1).reshape(-1, 2)
    return shapely.simplify(Polygon(np.round(ring, 2)), 0.06 * cell)


def _centres(plan: Plan, u: Floats, v: Floats, outline: Floats) -> Floats:
    """The city at the bay, then towns of falling size wherever there is room.

    A row is x, y, radius and households per hectare in the middle.
    """
    rng = plan.random("centres")
    size = plan.height_m
    count = max(3, round(3 * plan.growth ** 0.62))
    shares = (np.arange(1, count + 1) ** -0.95) if count > 3 else np.array([1.0, 0.13, 0.07])
    homes = (1 - plan.rural_share) * plan.households * shares / shares.sum()
    peak = np.where(np.arange(count) == 0, 52.0, np.where(homes > 1500, 44.0, 24.0))
    radius = np.sqrt(homes / (0.82 * np.pi * peak)) * 100.0
    wanted = [(0.585, 0.575), (0.98, 0.30), (0.29, 0.35)]
    places: list[tuple[float, float]] = []
    dry = np.argwhere(outline > 0.03)
    for i in range(count):
        if i < len(wanted):
            places.append(wanted[i])
            continue
        tries = dry[rng.integers(0, len(dry), 60)]
        spots = np.column_stack([u[0, tries[:, 1]], v[tries[:, 0], 0]])
        gaps = np.hypot(*(spots[:, None] - np.array(places)[None]).transpose(2, 0, 1)) * size
        room = (gaps / (radius[:i] + radius[i])).min(axis=1)
        places.append(tuple(spots[int(np.argmax(np.round(room, 6)))]))
    return np.column_stack([np.array(places) * size, radius, peak])


def _hills(plan: Plan, u: Floats, v: Floats, outline: Floats, centres: Floats) -> Floats:
    """Ridges away from the settlements and a little back from the shore, 0 to 1."""
    rng = plan.random("hills")
    wave = 0.42 / plan.growth ** 0.25
    rough = 0.5 + 0.55 * smooth_noise(u, v, rng, wavelength=wave, octaves=4)
    away = np.ones_like(u)
    for cu, cv, radius, _ in centres:
        near = np.hypot(u - cu, v - cv) / (radius * 1.75)
        away *= np.clip(near**2 - 0.55, 0, 1)
    back = np.clip(outline / 0.05, 0, 1)
    return np.round(np.clip(rough, 0, 1) * away * back, 9)
