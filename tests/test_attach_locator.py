"""The locator: the same answer as GEOS for every point, whatever the polygons."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import build_locator, locate_points, sketch_grids
from gridmap.errors import SchemaError
from gridmap.sketch import CRS

ENGINES = ("compiled", "numpy", "geos")


def frame(polygons):
    codes = pd.Index([f"{n:03}" for n in range(len(polygons))], name="grid", dtype="str")
    return geopandas.GeoDataFrame(geometry=list(polygons), index=codes, crs=CRS)


def ask_every_pair(polygons, xy):
    """Return the first polygon that covers each point and whether it is a border, the slow way."""
    points = shapely.points(xy)[:, None]
    covers = shapely.intersects(points, polygons)
    on_border = shapely.intersects(points, shapely.boundary(polygons)) & covers
    first = np.where(covers.any(axis=1), covers.argmax(axis=1), -1)
    return first, on_border.any(axis=1)


def adversaries(polygons, rng, size=60):
    """Return points on vertices, on edges, one step of a float beside them, and anywhere."""
    rings = shapely.get_rings(shapely.get_parts(polygons))
    lines = shapely.get_parts(shapely.extract_unique_points(rings))
    corners = shapely.get_coordinates(lines)
    corners = corners[rng.integers(0, len(corners), size)]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(
        rng.choice(rings, size), rng.random(size), normalized=True))
    beside = corners.copy()
    beside[:, 0] = np.nextafter(beside[:, 0], np.where(rng.random(size) < 0.5, -np.inf, np.inf))
    left, below, right, above = shapely.total_bounds(polygons)
    margin = 0.2 * max(right - left, above - below)
    anywhere = rng.uniform((left - margin, below - margin), (right + margin, above + margin),
                           (2 * size, 2))
    middle = np.round(anywhere)
    return np.vstack([corners, xy, beside, anywhere, middle])


def check_all_engines(polygons, xy, side_m=None):
    position, border = ask_every_pair(polygons, xy)
    for engine in ENGINES:
        locator = build_locator(frame(polygons), engine=engine, side_m=side_m)
        held = locate_points(locator, xy[:, 0], xy[:, 1])
        assert np.array_equal(held.position, position), engine
        assert np.array_equal(held.border, border), engine


def voronoi(rng, size, shift=0.0):
    seeds = shapely.MultiPoint(rng.uniform(0, 100, (size, 2)) + shift)
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds))
    return cells[shapely.is_valid(cells)]


seeds = st.integers(0, 2**32 - 1)
sides = st.sampled_from([None, None, 0.7, 5.0, 40.0, 400.0])


@given(seeds, sides, st.sampled_from([0.0, 4_100_000.0]))
@settings(max_examples=40, deadline=None)
def test_random_tilings_agree_with_geos(seed, side_m, shift):
    rng = np.random.default_rng(seed)
    polygons = voronoi(rng, int(rng.integers(4, 40)), shift)
    check_all_engines(polygons, adversaries(polygons, rng), side_m)


@given(seeds, sides)
@settings(max_examples=40, deadline=None)
def test_overlaps_gaps_holes_and_parts_agree_with_geos(seed, side_m):
    rng = np.random.default_rng(seed)
    cells = voronoi(rng, int(rng.integers(6, 30)))
    cells = shapely.buffer(cells, rng.choice([-3.0, 0.0, 2.0, 6.0], len(cells)))
    holes = shapely.buffer(shapely.point_on_surface(cells), rng.uniform(0.5, 4, len(cells)))
    polygons = shapely.difference(cells, np.where(rng.random(len(cells)) < 0.4, holes, None))
    polygons = np.where(shapely.is_missing(polygons), cells, polygons)
    polygons[0] = shapely.union(polygons[0], polygons[-1])
    polygons = polygons[~shapely.is_empty(polygons) & shapely.is_valid(polygons)]
    check_all_engines(polygons, adversaries(polygons, rng), side_m)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 5),
                          st.integers(1, 5)), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_boxes_on_whole_numbers_agree_with_geos(boxes):
    polygons = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes])
    x, y = np.meshgrid(np.arange(-1, 14.5, 0.5), np.arange(-1, 14.5, 0.5))
    check_all_engines(polygons, np.column_stack([x.ravel(), y.ravel()]))


@pytest.mark.parametrize("side_m", [None, 0.3, 3.0, 300.0])
def test_many_edges_in_one_square_and_squares_without_a_free_side(side_m):
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    radius = np.where(np.arange(400) % 2, 30.0, 3.0)
    star = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None])
    frame_of = shapely.difference(shapely.box(-40, -40, 40, 40), star)
    polygons = np.array([star, frame_of])
    check_all_engines(polygons, adversaries(polygons, np.random.default_rng(1), 400), side_m)


def test_upright_and_almost_upright_edges():
    upright = shapely.box(0, 0, 1, 1)
    leaning = shapely.Polygon([(1, 0), (2, 0), (2, 1), (1 + 2**-52, 1)])
    x = np.array([1.0, 1 + 2**-52, 1 - 2**-53, 1.0, 1.0, 2.0, 1.5])
    y = np.array([0.5, 0.5, 0.5, 0.0, 1.0, 1.0, 0.0])
    check_all_engines(np.array([upright, leaning]), np.column_stack([x, y]))


def test_degrees_serve_as_well_as_metres():
    rng = np.random.default_rng(5)
    polygons = shapely.transform(voronoi(rng, 30), lambda xy: xy * 1e-3 + [121.5, 37.2])
    check_all_engines(polygons, adversaries(polygons, rng))


def test_coordinates_that_are_not_finite_are_nowhere():
    x = np.array([np.nan, np.inf, -np.inf, 0.5, 1e300])
    for engine in ENGINES:
        held = locate_points(build_locator(sketch_grids("A"), engine=engine), x, np.full(5, 0.5))
        assert held.position.tolist() == [-1, -1, -1, 0, -1]


def test_position_counts_in_the_order_given():
    grids = sketch_grids("AB").iloc[::-1]
    for engine in ENGINES:
        held = locate_points(build_locator(grids, engine=engine), np.array([0.5, 1.0]),
                             np.array([0.5, 0.5]))
        assert grids.index[held.position].tolist() == ["A", "A"]


def test_nothing_in_nothing_out():
    for engine in ENGINES:
        nobody = build_locator(sketch_grids("A").iloc[:0], engine=engine)
        assert locate_points(nobody, np.array([0.5]), np.array([0.5])).position.tolist() == [-1]
        somebody = build_locator(sketch_grids("A"), engine=engine)
        assert len(locate_points(somebody, np.array([]), np.array([])).position) == 0


def test_unknown_engine_is_refused():
    with pytest.raises(SchemaError, match="engine is 'magic': compiled, numpy, geos is needed"):
        build_locator(sketch_grids("A"), engine="magic")


def test_squares_far_too_small_are_refused():
    with pytest.raises(SchemaError, match="side_m is 1e-06: that makes 1,000,00"):
        build_locator(sketch_grids("A"), engine="numpy", side_m=1e-6)
