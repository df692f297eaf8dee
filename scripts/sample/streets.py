"""Street blocks: the faces between the main lines, split again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry, LineString, STRtree

from .land import Land
from .plan import Floats, Plan, smooth_noise
from .routes import CLASSES

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Network:
    """Blocks and the lines between them, on shared vertices rounded to a centimetre."""

    blocks: Shapes
    quarter: NDArray[np.int64]  # the piece of a community that the block was split from
    density: Floats  # urban households per hectare in the middle
    wet: NDArray[np.bool_]  # on an island
    lines: Shapes
    classes: NDArray[np.str_]


def density_at(land: Land, plan: Plan, x: Floats, y: Floats) -> Floats:
    """Return urban households per hectare: towns fade out with ragged edges."""
    rng = plan.random("density")
    ragged = 1.0 + 0.24 * smooth_noise(x, y, rng, wavelength=1500.0, octaves=3)
    total = np.zeros_like(x)
    order = np.argsort(x, kind="stable")
    sorted_x = x[order]
    for cx, cy, radius, peak in land.centres:
        near = order[slice(*np.searchsorted(sorted_x, [cx - 3.5 * radius, cx + 3.5 * radius]))]
        gap = np.hypot(x[near] - cx, y[near] - cy) * ragged[near] / radius
        total[near] = np.maximum(total[near], peak * np.exp(-(gap**2.4)))
    return np.round(total, 6)


def build_network(plan: Plan, land: Land, routes: list[tuple[str, LineString]]) -> Network:
    """Cut the land by the main lines, then into quarters, then into blocks."""
    outlines = [land.mainland, *land.islands]
    faces = _faces(outlines, [line for _, line in routes])
    crowd = gather_crowd(plan, land)
    quarters, cuts = _split_quarters(plan, crowd, faces)
    return _weave(plan, land, outlines, routes,
                  cuts + _split_blocks(plan, land, crowd, quarters), quarters)


def _faces(outlines: list[Geometry], lines: list[LineString]) -> Shapes:
    rings = [shapely.boundary(o) for o in outlines]
    woven = shapely.union_all([*rings, *lines], grid_size=0.01)
    return _ordered(shapely.get_parts(shapely.polygonize([woven])), outlines)


def _ordered(faces: Shapes, outlines: list[Geometry]) -> Shapes:
    land = shapely.union_all(outlines)
    shapely.prepare(land)
    faces = faces[shapely.contains(land, shapely.point_on_surface(faces))]
    middle = np.round(shapely.get_coordinates(shapely.centroid(faces)), 2)
    return faces[np.lexsort((middle[:, 1], middle[:, 0]))]


def _split_quarters(plan: Plan, crowd: Crowd, faces: Shapes
                    ) -> tuple[Shapes, list[tuple[str, Shapes]]]:
    """Split faces until a quarter has about half a community's households."""
    rng = plan.random("quarters")
    limit = 270.0 * max(1.0, plan.growth) ** 0.16
    done, cuts = [], []
    while len(faces):
        homes, peak = crowd.within(faces)
        hectares = shapely.area(faces) / 1e4
        small = (homes + hectares <= limit) & (hectares <= 330.0)
        done.append(faces[small])
        faces, peak = faces[~small], peak[~small]
        hectares = hectares[~small]
        town = np.select([hectares > 700, hectares > 42], ["primary", "secondary"], "tertiary")
        country = np.where(rng.random(len(faces)) < 0.55, "tertiary", "edge")
        kinds = np.where(peak > 9, town, country)
        faces, cut = _halve(faces, kinds, rng)
        cuts += cut
    return np.concatenate(done), cuts


def _split_blocks(plan: Plan, land: Land, crowd: Crowd, quarters: Shapes
                  ) -> list[tuple[str, Shapes]]:
    """Split quarters into blocks: small in the middle of town, not at all in the country."""
    rng = plan.random("blocks")
    shapes, cuts = quarters, []
    while len(shapes):
        density = np.maximum(_peak(plan, land, crowd, shapes), 1e-3)
        goal = np.clip(1.5 + 40.0 / density, 2.0, 60.0) * rng.uniform(0.7, 1.75, len(shapes))
        hectares = shapely.area(shapes) / 1e4
        large = (hectares > goal) & (density >= 1.4)
        kinds = np.where(hectares > 5.0 * goal, "tertiary", "residential")
        shapes, cut = _halve(shapes[large], kinds[large], rng)
        cuts += cut
    return cuts


@dataclass(frozen=True)
class Crowd:
    """Sample points of the towns: where people are to live, and how densely."""

    tree: STRtree
    households: Floats
    density: Floats

    def within(self, shapes: Shapes) -> tuple[Floats, Floats]:
        """Return the households inside each shape and the highest density there."""
        at, point = self.tree.query(shapes, predicate="intersects")
        homes = np.bincount(at, self.households[point], minlength=len(shapes))
        peak = np.zeros(len(shapes))
        np.maximum.at(peak, at, self.density[point])
        return np.round(homes, 6), peak


def gather_crowd(plan: Plan, land: Land) -> Crowd:
    """Strew sample points over the towns, a lattice around each centre."""
    points, homes, density = [], [], []
    for i, (cx, cy, radius, _) in enumerate(land.centres):
        step = min(radius / 8, 100.0)
        line = np.arange(-1.7 * radius, 1.7 * radius, step)
        x, y = (a.ravel() for a in np.meshgrid(cx + line + step / 3, cy + line + step / 3))
        others = np.delete(land.centres, i, axis=0)
        own = np.hypot(x - cx, y - cy) / radius
        near = np.ones(len(x), dtype=bool)
        for ox, oy, other, _ in others[np.hypot(others[:, 0] - cx, others[:, 1] - cy)
                                       < 2 * (others[:, 2] + radius)]:
            near &= own <= np.hypot(x - ox, y - oy) / other
        value = density_at(land, plan, x, y)
        near &= value > 0.3
        points.append(np.column_stack([x, y])[near])
        homes.append((0.75 * value * step * step / 1e4)[near])
        density.append(value[near])
    return Crowd(STRtree(shapely.points(np.concatenate(points))), np.concatenate(homes),
                 np.concatenate(density))


def _peak(plan: Plan, land: Land, crowd: Crowd, shapes: Shapes) -> Floats:
    """Return the highest density over each shape, also where no sample point falls in."""
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    value = density_at(land, plan, middle[:, 0], middle[:, 1])
    return np.maximum(value, crowd.within(shapes)[1])


def _halve(shapes: Shapes, kinds: NDArray[np.str_], rng: np.random.Generator
           ) -> tuple[Shapes, list[tuple[str, Shapes]]]:
    """Cut every shape across its longer side; return the parts and the cuts by class."""
    if not len(shapes):
        return shapes, []
    corner = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(-1, 5, 2)
    side_a, side_b = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 1]
    long_a = (np.hypot(*side_a.T) >= np.hypot(*side_b.T))[:, None]
    along, across = np.where(long_a, side_a, side_b), np.where(long_a, side_b, side_a)
    at = rng.uniform(0.42, 0.58, len(shapes))[:, None]
    tilt = rng.normal(0.0, 0.035, len(shapes))[:, None]
    middle = corner[:, 0] + at * along + 0.5 * across
    reach = 0.75 * across + tilt * along
    ends = np.stack([middle - reach, middle + reach], 1)
    parts = []
    for side in (1.2, -1.2):
        half = shapely.polygons(np.concatenate([ends, ends[:, ::-1] + side * along[:, None]], 1))
        pieces = shapely.get_parts(shapely.intersection(shapes, half))
        parts.append(pieces[(shapely.get_type_id(pieces) == 3) & (shapely.area(pieces) > 1.0)])
    cut = shapely.intersection(shapely.linestrings(ends), shapes)
    return np.concatenate(parts), [
        (kind, shapely.get_parts(cut[kinds == kind])) for kind in np.unique(kinds)]


def _weave(plan: Plan, land: Land, outlines: list[Geometry], routes: list[tuple[str, LineString]],
           cuts: list[tuple[str, Shapes]], quarters: Shapes) -> Network:
    """Node all lines together, bend them a little, and make the blocks between them."""
    rings = np.array([shapely.boundary(o) for o in outlines])
    loose = [("coast", rings), *[(k, np.array([line])) for k, line in routes], *cuts]
    lines = np.concatenate([shapes for _, shapes in loose])
    rank = np.concatenate([np.full(len(s), CLASSES.index(k)) for k, s in loose])
    keep = shapely.get_type_id(lines) == 1
    lines, rank = lines[keep], rank[keep]
    woven = shapely.get_parts(shapely.line_merge(shapely.union_all(lines, grid_size=0.01)))
    woven = _on_land(woven, outlines)
    kinds = _name_lines(woven, lines, rank)
    kept = ~_blind(woven) | (kinds <= CLASSES.index("primary"))
    woven, kinds = woven[kept], kinds[kept]
    inner = _inner(land, woven)
    kinds = np.where((kinds == 0) & inner, CLASSES.index("border"), kinds)
    kinds = _keep_off_hills(land, woven, kinds, [line for _, line in routes])
    bent, kinds = _node_again(bend(plan, land, shapely.segmentize(woven, 60.0)), kinds)
    blocks = shapely.get_parts(shapely.polygonize(list(bent)))
    middle = shapely.points(unbend(plan, land, shapely.get_coordinates(
        shapely.point_on_surface(blocks))))
    xy = shapely.get_coordinates(middle)
    held, quarter = STRtree(quarters).query_nearest(middle, max_distance=30.0, all_matches=False)
    west_first = np.lexsort((np.round(xy[held, 1], 2), np.round(xy[held, 0], 2)))
    order, quarter = held[west_first], quarter[west_first]
    return Network(
        blocks=blocks[order], quarter=quarter, density=density_at(land, plan, *xy[order].T),
        wet=~shapely.contains_properly(land.mainland, middle[order]), lines=bent,
        classes=np.array(CLASSES)[kinds])


def _node_again(lines: Shapes, kinds: NDArray[np.int64]) -> tuple[Shapes, NDArray[np.int64]]:
    """Node the bent lines: where two run a foot apart, bending may cross them."""
    woven = shapely.get_parts(shapely.line_merge(shapely.union_all(lines, grid_size=0.01)))
    return woven, _name_lines(woven, lines, kinds)


def _on_land(lines: Shapes, outlines: list[Geometry]) -> Shapes:
    """Leave out what stands in the sea or abroad."""
    land = shapely.union_all(outlines).buffer(1.0)
    shapely.prepare(land)
    return lines[shapely.contains(land, lines)]


def _blind(lines: Shapes) -> NDArray[np.bool_]:
    """Say which lines end blind inside a block."""
    dangles = shapely.polygonize_full(list(lines))[2]
    blind = set(shapely.to_wkb(shapely.normalize(shapely.get_parts(dangles))))
    return np.array([key in blind for key in shapely.to_wkb(shapely.normalize(lines))])


def _name_lines(woven: Shapes, lines: Shapes, rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each woven line the strongest class that runs along it."""
    middle = shapely.line_interpolate_point(woven, 0.5, normalized=True)
    at, source = STRtree(lines).query(middle, predicate="dwithin", distance=0.3)
    best = np.full(len(woven), len(CLASSES) - 1)
    np.minimum.at(best, at, rank[source])
    return best


def _inner(land: Land, lines: Shapes) -> NDArray[np.bool_]:
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    return np.asarray(land.is_inner_border(middle[:, 0], middle[:, 1]))


def _keep_off_hills(land: Land, lines: Shapes, kinds: NDArray[np.int64],
                    routes: list[LineString]) -> NDArray[np.int64]:
    """Turn streets in the hills into mere edges; main roads cross them."""
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    hilly = STRtree(np.array(land.hills)).query(middle, predicate="intersects")[0]
    main = STRtree(np.array(routes)).query(middle[hilly], predicate="dwithin", distance=0.5)[0]
    street = np.setdiff1d(hilly, hilly[main])
    street = street[kinds[street] >= CLASSES.index("primary")]
    changed = kinds.copy()
    changed[street] = CLASSES.index("edge")
    return changed


def bend(plan: Plan, land: Land, shapes: Shapes) -> Shapes:
    """Shift every vertex by smooth noise: less in towns, more in the country."""
    return shapely.transform(shapes, lambda xy: np.round(xy + _shift(plan, land, xy), 2))


def unbend(plan: Plan, land: Land, xy: Floats) -> Floats:
    """Return where bent points came from, by fixed-point iteration."""
    found = xy.copy()
    for _ in range(8):
        found = xy - _shift(plan, land, found)
    return found


def _shift(plan: Plan, land: Land, xy: Floats) -> Floats:
    """Return the shift at points. Its slope stays below 1, so that nothing folds over."""
    x, y = xy[:, 0], xy[:, 1]
    calm = 1.0 / (1.0 + density_at(land, plan, x, y) / 6.0)
    moved = []
    for axis in "xy":
        rng = plan.random("bend" + axis)
        wide = smooth_noise(x, y, rng, wavelength=1700.0, octaves=1) * 52.0
        fine = smooth_noise(x, y, rng, wavelength=420.0, octaves=2) * 10.0 * calm
        moved.append(wide + fine)
    return np.column_stack(moved)
