"""Distances along roads, checked against every pair one by one."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from gridmap import (
    build_isochrones,
    build_network,
    measure_area_reach,
    measure_coverage,
    measure_distances,
    measure_pairs,
    sketch_grids,
    sketch_points,
)
from gridmap.coverage.network import find_spots
from gridmap.errors import CRSError, SchemaError
from gridmap.sketch import CRS


def roads(*lines):
    index = pd.Index([f"r{n}" for n in range(len(lines))], name="barrier", dtype="str")
    return geopandas.GeoDataFrame({"kind": pd.Series("road", index, dtype="str")},
                                  geometry=[shapely.LineString(line) for line in lines],
                                  index=index, crs=CRS)


def at(*places):
    return np.array(places, dtype=float)


def test_roads_meet_where_they_share_a_point_and_nowhere_else():
    meeting = build_network(roads([(0, 0), (2, 0), (4, 0)], [(2, 0), (2, 3)]))
    assert measure_distances(meeting, at((0, 0)), at((2, 3))).tolist() == [5]
    bridge = build_network(roads([(0, 0), (4, 0)], [(2, -1), (2, 3)]))
    assert np.isnan(measure_distances(bridge, at((0, 0)), at((2, 3)))).all()


def test_two_on_the_same_piece_need_not_go_round_by_its_ends():
    network = build_network(roads([(0, 0), (100, 0)]))
    assert measure_distances(network, at((40, 1)), at((50, 2), (0, 0))).tolist() == [13]


def test_a_source_on_a_node_or_twice_in_one_place_counts_once():
    network = build_network(roads([(0, 0), (10, 0)], [(10, 0), (10, 10)]))
    sources = at((10, 0), (10, 0), (10, 0))
    assert measure_distances(network, at((0, 0), (10, 10), (10, 0)), sources).tolist() == [
        10, 10, 0]


def test_nothing_in_nothing_out():
    network = build_network(roads([(0, 0), (1, 0)]))
    assert len(measure_distances(network, np.empty((0, 2)), at((0, 0)))) == 0
    assert np.isnan(measure_distances(network, at((0, 0)), np.empty((0, 2)))).all()


def test_wrong_lines_are_named():
    with pytest.raises(SchemaError, match="lines: there are none, and a network needs some"):
        build_network(roads())
    with pytest.raises(CRSError, match="lines is in EPSG:4326, which is in degrees"):
        build_network(roads([(0, 0), (1, 0)]).to_crs(4326))


def each_pair(network, places, sources):
    """Return the distances the slow way: all nodes to all nodes, then every pair."""
    size = len(network.nodes)
    matrix = np.full((size, size), np.inf)
    matrix[network.tail, network.head] = network.length
    steps = csgraph.floyd_warshall(np.where(np.isinf(matrix), 0, matrix), directed=False)

    def snapped(xy):
        point = shapely.Point(xy)
        distance = shapely.distance(network.pieces, point)
        piece = int(distance.argmin())
        return piece, network.pieces[piece].project(point), distance[piece]

    told = []
    for place in places:
        p, a, leg = snapped(place)
        best = np.inf
        for source in sources:
            q, b, other = snapped(source)
            ends = [(network.tail, 0.0), (network.head, None)]
            for one, from_one in ends:
                for two, from_two in ends:
                    walk = abs(a - (network.length[p] if from_one is None else 0))
                    walk += abs(b - (network.length[q] if from_two is None else 0))
                    best = min(best, leg + other + walk + steps[one[p], two[q]])
            if p == q:
                best = min(best, leg + other + abs(a - b))
        told.append(best if np.isfinite(best) else np.nan)
    return np.array(told)


coordinate = st.integers(0, 6)
place = st.tuples(st.floats(-1, 7), st.floats(-1, 7))


@given(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate).filter(
    lambda c: c[:2] != c[2:]), min_size=1, max_size=12),
    st.lists(place, min_size=1, max_size=6), st.lists(place, min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_every_distance_agrees_with_every_pair(lines, places, sources):
    network = build_network(roads(*[[(a, b), (c, d)] for a, b, c, d in lines]))
    fast = measure_distances(network, at(*places), at(*sources))
    assert fast == pytest.approx(each_pair(network, places, sources), nan_ok=True, abs=1e-9)


@given(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate).filter(
    lambda c: c[:2] != c[2:]), min_size=1, max_size=9),
    st.lists(place, min_size=1, max_size=5), st.lists(place, min_size=1, max_size=4),
    st.floats(0.5, 9))
@settings(max_examples=50, deadline=None)
def test_pairs_are_those_within_the_limit_each_with_its_distance(lines, places, sources, within):
    network = build_network(roads(*[[(a, b), (c, d)] for a, b, c, d in lines]))
    pairs = measure_pairs(network, at(*places), at(*sources), within=within)
    found = dict(zip(zip(pairs.place.tolist(), pairs.source.tolist(), strict=True),
                     pairs.distance.tolist(), strict=True))
    for k, source in enumerate(sources):
        alone = measure_distances(network, at(*places), at(source))
        for n, distance in enumerate(alone):
            if distance < within - 1e-9:
                assert found[n, k] == pytest.approx(distance, abs=1e-9)
            elif not distance <= within + 1e-9:
                assert (n, k) not in found


def test_speeds_turn_metres_into_minutes_and_the_faster_way_wins():
    ways = roads([(0, 0), (6000, 0)], [(0, 0), (0, 100), (6000, 100), (6000, 0)])
    ways["kind"] = ["path", "motorway"]
    drive = build_network(ways, speeds_kmh={"path": 6, "motorway": 120}, aside_kmh=6)
    minutes = measure_distances(drive, at((0, -100)), at((6000, 0)))
    assert minutes == pytest.approx([1 + 6.2 / 2])  # 100 m on foot, then 6.2 km at 2 km/min
    walk = build_network(ways, speeds_kmh=6)
    assert measure_distances(walk, at((0, 0)), at((6000, 0))) == pytest.approx([60])
    assert (build_network(ways).unit, walk.unit) == ("m", "min")


def test_of_two_lines_on_the_same_piece_the_faster_counts():
    ways = roads([(0, 0), (1000, 0)], [(1000, 0), (0, 0)])
    ways["kind"] = ["street", "motorway"]
    network = build_network(ways, speeds_kmh={"street": 30, "motorway": 60})
    assert measure_distances(network, at((0, 0)), at((1000, 0))) == pytest.approx([1])


def test_a_kind_of_line_without_a_speed_is_named():
    ways = roads([(0, 0), (1, 0)])
    with pytest.raises(SchemaError, match="speeds_kmh: road have no speed above 0"):
        build_network(ways, speeds_kmh={"street": 30})


def test_minutes_reach_farther_on_faster_roads():
    ways = roads([(0, 0), (3000, 0)], [(0, 0), (0, 3000)])
    ways["kind"] = ["street", "motorway"]
    network = build_network(ways, speeds_kmh={"street": 30, "motorway": 60})
    reached = build_isochrones(network, sketch_points((0, 0)), within_min=2, aside_m=1)
    assert reached["length_m"].tolist() == pytest.approx([1000 + 2000])
    with pytest.raises(SchemaError, match="within_min and aside_m: limits above 0 are needed"):
        build_isochrones(network, sketch_points((0, 0)), within_m=500)


def test_coverage_along_roads_reaches_less_than_in_a_straight_line():
    grids = sketch_grids("AAAA", "AAAA", side_m=10.0)
    homes = sketch_points((5, 15), (35, 5)).assign(households=[3, 1])
    boards = sketch_points((5, 5), kind="board").assign(radius_m=12.0).rename_axis("asset")
    network = build_network(roads([(5, 5), (15, 5), (15, 15), (5, 15)]))
    straight = measure_coverage(grids, elements=homes, assets=boards)
    walked = measure_coverage(grids, elements=homes, assets=boards, network=network, place_m=5)
    assert straight.totals["households_in_reach_share"] == 0.75
    assert walked.totals["households_in_reach_share"] == 0
    assert walked.uncovered["nearest_m"].tolist() == [30, 30]


def test_a_household_without_a_way_is_unserved_and_has_no_distance():
    grids = sketch_grids("AAAA", "AAAA", side_m=10.0)
    homes = sketch_points((5, 15), (35, 5)).assign(households=[3, 1])
    boards = sketch_points((5, 5), kind="board").assign(radius_m=90.0).rename_axis("asset")
    network = build_network(roads([(5, 5), (5, 15)], [(35, 5), (35, 9)]))
    walked = measure_coverage(grids, elements=homes, assets=boards, network=network)
    assert walked.by_grid["households_in_reach_share"].tolist() == [0.75]
    assert walked.by_grid["nearest_m_board"].tolist() == [10]
    assert walked.uncovered["nearest_m"].isna().tolist() == [True]


def test_many_places_find_the_same_spots_as_one_by_one():
    rng = np.random.default_rng(6)
    ends = rng.uniform(0, 1000, (60, 2))
    lines = [(ends[a], ends[b]) for a, b in rng.integers(0, 60, (90, 2)) if a != b]
    network = build_network(roads(*lines))
    places = np.concatenate([rng.uniform(-300, 1300, (5000, 2)), ends])
    spots = find_spots(network, places)
    distance = shapely.distance(shapely.points(places)[:, None], network.pieces)
    assert spots.away == pytest.approx(distance.min(axis=1), abs=1e-9)
    assert distance[np.arange(len(places)), spots.piece] == pytest.approx(spots.away, abs=1e-9)


def test_sources_on_nodes_of_crooked_roads_are_where_they_are():
    # Rounding puts some of them a hair beyond the end of a piece: no way is shorter than 0.
    ends = np.random.default_rng(2).uniform(0, 9e6, (300, 2))
    network = build_network(roads(*[(ends[n], ends[n + 1]) for n in range(299)]))
    assert measure_distances(network, network.nodes, network.nodes).max() < 1e-6
    pairs = measure_pairs(network, network.nodes, network.nodes, within=1.0)
    assert pairs.distance.min() >= 0 and len(pairs.place) == 300


def test_an_isochrone_is_the_land_along_the_roads_in_reach():
    network = build_network(roads([(0, 0), (50, 0), (100, 0)], [(50, 0), (50, 80)],
                                  [(0, 500), (9, 500)]))
    sources = sketch_points((50, 10), (0, 900))
    reached = build_isochrones(network, sources, within_m=30, aside_m=1)
    # 30 up, 10 down, and 20 to either side of the crossing
    assert reached["length_m"].tolist() == pytest.approx([80, 0])
    assert reached.geometry.iloc[0].contains(shapely.Point(50, 39))
    assert not reached.geometry.iloc[0].contains(shapely.Point(50, 43))
    assert reached.geometry.iloc[1].is_empty
    with pytest.raises(SchemaError, match=r"within_m and aside_m: limits above 0 .* in m$"):
        build_isochrones(network, sources, within_m=0)


def test_area_in_reach_counts_overlapping_circles_once():
    boards = sketch_points((10, 10), (10, 10), (100, 10), kind="board").rename_axis("asset")
    boards = boards.assign(radius_m=[5.0, 5.0, np.nan])
    shares = measure_area_reach(sketch_grids("AB", side_m=20), boards)
    assert shares["area_in_reach_share_board"].tolist() == pytest.approx(
        [np.pi * 25 / 400, 0], rel=0.01)
