"""Shapes in binary: what is written can be read back, and borders stay shared."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.maps import binary, encode
from gridmap.sketch import sketch_points, sketch_polygons


def read_numbers(block):
    values, value, unit = [], 0, 1
    for byte in binary.unpack(block):
        value += (byte & 127) * unit
        unit *= 128
        if byte < 128:
            values.append(value)
            value, unit = 0, 1
    return np.array(values, dtype="int64")


def read_steps(block):
    zigzag = read_numbers(block)
    return np.cumsum((zigzag >> 1) ^ -(zigzag & 1))


def read_arcs(blocks, name, sizes):
    """Return one coordinate of all arcs, as the page reads it."""
    ends, values = read_steps(blocks[f"{name}Ends"]), []
    zigzag = read_numbers(blocks[name])
    missed = iter(((zigzag >> 1) ^ -(zigzag & 1)).tolist())
    for first, last, size in zip(ends[::2].tolist(), ends[1::2].tolist(), sizes.tolist(),
                                 strict=True):
        arc, step = [first], None
        for left in range(size - 1, 1, -1):
            share = (last - arc[-1]) // left
            step = (share if step is None else (share + step) >> 1) + next(missed)
            arc.append(arc[-1] + step)
        values += [*arc, last]
    return np.array(values, dtype="int64")


def read_tiling(encoded):
    """Return the rings of every polygon, each a list of (x, y)."""
    blocks = encoded.blocks
    sizes = read_numbers(blocks["sizes"])
    places = np.column_stack([read_arcs(blocks, name, sizes) for name in "xy"])
    arcs = np.split(places, np.cumsum(sizes)[:-1])
    references = iter(read_steps(blocks["references"]))
    lengths = iter(read_numbers(blocks["lengths"]))
    polygons = []
    for count in read_numbers(blocks["rings"]):
        rings = []
        for _ in range(count):
            ring = []
            for _ in range(next(lengths)):
                reference = next(references)
                arc = arcs[reference >> 1]
                ring += [tuple(p) for p in (arc[::-1] if reference & 1 else arc)][bool(ring):]
            rings.append(ring)
        polygons.append(rings)
    return polygons


drawings = st.lists(st.text("ABCD.", min_size=4, max_size=4), min_size=1, max_size=4)


@settings(deadline=None)
@given(drawings)
def test_a_tiling_comes_back_as_it_was(rows):
    shapes = sketch_polygons(*rows, side_m=50)
    if not len(shapes):
        return
    read = read_tiling(encode.encode_tiling(shapes))
    assert len(read) == len(shapes)
    for shape, rings in zip(shapes, read, strict=True):
        pixels = shapely.transform(shape, lambda xy: np.rint(encode.to_pixels(xy, shapes.crs)))
        wanted = [shapely.get_coordinates(ring)[:-1].astype(int).tolist()
                  for part in shapely.get_parts(pixels) for ring in shapely.get_rings(part)]
        for ring in rings:
            assert ring[0] == ring[-1]
        assert sorted(sorted(map(list, ring[:-1])) for ring in rings) == sorted(
            sorted(ring) for ring in wanted)


def bent(shapes, step_m):
    """Put vertices along all borders and bend them, the same for both neighbours."""
    def move(xy):
        xy = np.rint(xy)  # the same from both sides
        return xy + np.column_stack([9 * np.sin(xy[:, 1] / 31), 7 * np.sin(xy[:, 0] / 23)])

    return geopandas.GeoSeries(shapely.transform(shapely.segmentize(shapes.to_numpy(), step_m),
                                                 move), crs=shapes.crs)


@settings(deadline=None)
@given(drawings, st.sampled_from([5, 10, 15, 30, 45]))
def test_bent_borders_are_a_valid_coverage_after_rounding(rows, step_m):
    shapes = sketch_polygons(*rows, side_m=90)
    if not len(shapes):
        return
    shapes = bent(shapes, step_m)
    assert shapely.coverage_is_valid(shapes.to_numpy())
    rounded = [shapely.MultiPolygon([shapely.Polygon(ring) for ring in rings])
               if len(rings) == 1 else shapely.build_area(shapely.MultiLineString(rings))
               for rings in read_tiling(encode.encode_tiling(shapes))]
    assert shapely.coverage_is_valid(rounded)
    grown = encode.to_pixels(shapely.get_coordinates(shapes.to_numpy()), shapes.crs)
    one_pixel_m2 = (np.ptp(shapely.get_coordinates(shapes.to_numpy())[:, 0])
                    / np.ptp(grown[:, 0])) ** 2
    areas = shapely.area(rounded) * one_pixel_m2
    assert areas == pytest.approx(shapes.area.to_numpy(), rel=0.02)


def test_neighbours_share_their_border():
    encoded = encode.encode_tiling(sketch_polygons("AB", side_m=100))
    assert encoded.meta["arcs"] == 3
    assert encoded.meta["vertices"] == 4 + 4 + 2


def test_an_enclave_and_its_hole_are_one_border():
    encoded = encode.encode_tiling(sketch_polygons("AAA", "ABA", "AAA", side_m=100))
    assert encoded.meta["arcs"] == 2
    assert encoded.meta["ringCount"] == 3


def test_a_polygon_too_small_for_a_pixel_keeps_its_place_in_the_order():
    shapes = sketch_polygons("AB", "CC", side_m=0.01)
    encoded = encode.encode_tiling(shapes)
    assert encoded.meta["count"] == 3
    assert read_numbers(encoded.blocks["rings"]).tolist() == [1, 1, 1]


def test_the_same_shapes_give_the_same_blocks():
    shapes = sketch_polygons("AABB", "ACCB", side_m=80)
    assert encode.encode_tiling(shapes) == encode.encode_tiling(shapes.copy())


def read_points(encoded):
    """Return the pixel of every class; here no two points have the same class."""
    blocks, origin = encoded.blocks, encoded.meta["origin"]
    bytes_of = {name: binary.unpack(blocks[name]) for name in ("x", "y", "classes")}
    read, at = {}, 0
    cells = np.cumsum(read_numbers(blocks["cells"])).tolist()
    for cell, count in zip(cells, read_numbers(blocks["counts"]), strict=True):
        west, north = (sum(((cell >> (2 * bit + shift)) & 1) << bit for bit in range(20))
                       for shift in (0, 1))
        across = 0
        for _ in range(count):
            across = (across + bytes_of["x"][at]) & 255
            read[bytes_of["classes"][at]] = [(west + origin[0]) * 256 + across,
                                             (north + origin[1]) * 256 + bytes_of["y"][at]]
            at += 1
    return read


def test_points_keep_their_place_within_a_pixel():
    points = sketch_points((0, 0), (300, 20), (299, 21), (5, 900))
    read = read_points(encode.encode_points(points.geometry, np.arange(4)))
    pixels = np.floor(encode.to_pixels(shapely.get_coordinates(points.geometry), points.crs))
    assert [read[number] for number in range(4)] == pixels.astype(int).tolist()


def test_holes_and_parts_of_buildings_are_kept():
    shapes = sketch_polygons("AAA.B", "A.A..", "AAA.B", side_m=100)
    encoded = encode.encode_shapes(shapes, np.array([0, 1]))
    assert encoded.meta["count"] == 3  # B is in two parts
    assert encoded.meta["runs"] == 4  # A has a hole
    assert sorted(binary.unpack(encoded.blocks["classes"])) == [0, 1, 1]


def test_empty_layers_can_be_written():
    nothing = geopandas.GeoSeries([], crs=32651)
    assert encode.encode_tiling(nothing).meta["count"] == 0
    assert encode.encode_points(nothing, np.zeros(0, int)).meta["count"] == 0
    assert encode.encode_shapes(nothing, np.zeros(0, int)).meta["count"] == 0


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**42 - 1), max_size=50))
def test_numbers_come_back_from_varints(values):
    block = binary.pack(binary.varints(np.array(values, dtype="uint64")))
    assert read_numbers(block).tolist() == values
