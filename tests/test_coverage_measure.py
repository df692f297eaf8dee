"""Coverage: figures of grids and of the whole, and what is left uncovered."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from gridmap import (
    SizeRule,
    build_network,
    measure_access,
    measure_coverage,
    sketch_grids,
    sketch_points,
)
from gridmap.errors import CRSError, SchemaError
from gridmap.rules import Limit
from gridmap.schema import BY_GRID, check_frame
from gridmap.sketch import CRS


def boards(*places, radius=0.5, kind="board"):
    return sketch_points(*places, kind=kind).assign(radius_m=radius).rename_axis("asset")


def homes(*places, households):
    return sketch_points(*places).assign(households=households)


def table(name, **columns):
    size = len(next(iter(columns.values())))
    index = pd.Index([f"r{n}" for n in range(size)], name=name, dtype="str")
    return pd.DataFrame({k: pd.array(v) for k, v in columns.items()}, index=index)


def events(*levels, grid="A"):
    opened = pd.to_datetime(["2026-03-01"] * len(levels))
    days = pd.to_timedelta(np.arange(1, len(levels) + 1), unit="D")
    closed = (opened + days).where([level is not None for level in levels])
    return table("event", opened=opened, closed=closed, level=list(levels),
                 grid=[grid] * len(levels)).astype({"level": "str", "grid": "str"})


def test_grids_alone_give_shape_and_nothing_that_was_not_asked():
    covered = measure_coverage(sketch_grids("AAB"))
    check_frame(covered.by_grid, BY_GRID, argument="by_grid")
    assert covered.by_grid["parts"].tolist() == [1, 1]
    assert covered.by_grid["compactness"].iloc[1] == pytest.approx(np.pi / 4)
    assert not {"events", "visits", "workers", "size_state"} & set(covered.by_grid)
    assert covered.totals[["events", "assets", "elements_collected_share"]].isna().all()
    assert covered.totals["households"] == 3 and len(covered.uncovered) == 0


def test_size_states_follow_the_rule_and_its_limits():
    rule = SizeRule(minimum=2, target=2, maximum=3, limits=(Limit(measure="people", maximum=5),))
    grids = sketch_grids("ABBCCCDDE").assign(kind=["comprehensive"] * 4 + ["dedicated"])
    grids["households"] = grids["households"].astype(float).where(grids.index != "D")
    covered = measure_coverage(grids, size=rule)
    assert covered.by_grid["size_state"].tolist() == [
        "small", "in range", "large", "unknown", "dedicated"]
    assert covered.totals["in_size_range_share"] == pytest.approx(1 / 3)


def test_reach_weighs_households_and_counts_the_edge_in():
    covered = measure_coverage(
        sketch_grids("AB"), assets=boards((0.0, 0.5)),
        elements=homes((0.5, 0.5), (0.9, 0.5), (1.5, 0.5), households=[3, 1, 4]))
    assert covered.by_grid["households_in_reach_share"].tolist() == [0.75, 0.0]
    assert covered.by_grid["nearest_m_board"].tolist() == pytest.approx([0.6, 1.5])
    assert covered.totals["households_in_reach_share_board"] == 3 / 8


def test_a_grid_without_households_has_no_share():
    covered = measure_coverage(sketch_grids("AB"), assets=boards((0.5, 0.5)),
                               elements=homes((0.5, 0.5), households=[3]))
    assert covered.by_grid["households_in_reach_share"].isna().tolist() == [False, True]


def test_assets_of_mixed_radius_reach_as_far_as_each_does():
    mixed = pd.concat([boards((0, 0), radius=1.0), boards((9, 0), radius=3.0).rename({"e0": "x"}),
                       boards((5, 0), radius=np.nan).rename({"e0": "y"})])
    covered = measure_coverage(
        sketch_grids("AAAAAAAAAA"), assets=mixed,
        elements=homes((2, 0), (6, 0), (1, 0), (5, 0), households=[1, 1, 1, 1]))
    assert covered.by_grid["households_in_reach_share"].tolist() == [0.5]
    assert covered.uncovered["households"].sum() == 2


def test_a_kind_without_radius_reaches_nobody_but_can_be_near():
    covered = measure_coverage(
        sketch_grids("A"), assets=boards((0.5, 0.5), radius=np.nan, kind="camera"),
        elements=homes((0.5, 0.2), households=[3]))
    assert "households_in_reach_share" not in covered.by_grid
    assert covered.by_grid["nearest_m_camera"].tolist() == pytest.approx([0.3])
    assert np.isnan(covered.totals["households_in_reach_share"])


def test_uncovered_places_are_ranked_by_households():
    covered = measure_coverage(
        sketch_grids("AAABBB"), assets=boards((0.2, 0.5)), place_m=1.0,
        elements=homes((2.2, 0.2), (2.8, 0.2), (4.5, 0.5), (0.3, 0.5), households=[1, 3, 9, 7]))
    places = covered.uncovered
    assert places[["kind", "grid", "households", "elements"]].values.tolist() == [
        ["board", "B", 9, 1], ["board", "A", 4, 2]]
    assert places.index.tolist() == ["1", "2"] and places.crs == sketch_grids("A").crs
    assert places.geometry.iloc[1].equals_exact(shapely.Point(2.65, 0.2), 1e-9)
    assert covered.totals["uncovered_places"] == 2


def test_people_rank_before_households_where_they_are_known():
    elements = homes((2.5, 0.5), (4.5, 0.5), households=[3, 2]).assign(people=[4, 9])
    places = measure_coverage(sketch_grids("AAABBB"), assets=boards((0.2, 0.5)), place_m=1.0,
                              elements=elements).uncovered
    assert places["people"].tolist() == [9, 4]


def test_assets_are_counted_by_kind():
    assets = pd.concat([boards((0.5, 0.5)), boards((1.5, 0.5), kind="lamp").rename({"e0": "x"})])
    covered = measure_coverage(sketch_grids("ABC"), assets=assets)
    assert covered.by_grid[["assets_board", "assets_lamp"]].values.tolist() == [
        [1, 0], [0, 1], [0, 0]]
    assert covered.totals["assets_per_grid"] == pytest.approx(2 / 3)


def test_elements_outside_lower_the_collected_share():
    covered = measure_coverage(sketch_grids("A"),
                               elements=homes((0.5, 0.5), (9, 9), households=[1, 1]))
    assert covered.totals["elements_collected_share"] == 0.5


def test_events_tell_who_closed_them_and_how_fast():
    covered = measure_coverage(sketch_grids("AB"), events=events("grid", "town", None, "grid"))
    assert covered.by_grid["events"].tolist() == [4, 0]
    assert covered.by_grid["events_closed_in_grid"].tolist() == [2, 0]
    totals = covered.totals
    assert totals["events_closed_share"] == 0.75
    assert totals["events_closed_in_grid_share"] == pytest.approx(2 / 3)
    assert totals["median_days_to_close"] == 2.0


def test_visits_and_workers_are_counted_where_they_have_a_grid():
    visits = table("visit", period=["2026-03"] * 2, count=[3, 4], grid=["A", None])
    workers = table("worker", territory=["T"] * 3, grid=["A", "B", "B"])
    covered = measure_coverage(sketch_grids("AB"), visits=visits, workers=workers)
    assert covered.by_grid["visits"].tolist() == [3, 0]
    assert covered.by_grid["workers"].tolist() == [1, 2]
    assert covered.totals[["visits", "visits_per_household", "workers_per_grid"]].tolist() == [
        7, 3.5, 1.5]


def test_wrong_arguments_are_named():
    grids = sketch_grids("A")
    with pytest.raises(SchemaError, match="place_m is 0: a side above 0 in metres"):
        measure_coverage(grids, place_m=0)
    with pytest.raises(CRSError, match="grids is in EPSG:4326, which is in degrees"):
        measure_coverage(grids.to_crs(4326))
    with pytest.raises(SchemaError, match="assets: column radius_m is absent"):
        measure_coverage(grids, assets=boards((0, 0)).drop(columns="radius_m"))


def test_arguments_stay_as_they_were():
    grids, elements = sketch_grids("AB"), homes((0.5, 0.5), households=[1])
    before = grids.copy(), elements.copy()
    measure_coverage(grids, elements=elements, assets=boards((0, 0)))
    assert grids.equals(before[0]) and elements.equals(before[1])


def test_totals_stand_in_their_order_each_kind_after_the_whole():
    covered = measure_coverage(sketch_grids("A"), assets=boards((0.5, 0.5)),
                               elements=homes((0.5, 0.5), households=[1]))
    names = covered.totals.index.tolist()
    assert names[:2] == ["grids", "territories"] and names[-1] == "providers_board"
    place = names.index("households_in_reach_share")
    assert names[place + 1] == "households_in_reach_share_board"


def test_providers_tell_where_reaches_overlap():
    covered = measure_coverage(
        sketch_grids("AB"), assets=boards((0.4, 0.5), (0.6, 0.5), (0.5, 0.5)),
        elements=homes((0.0, 0.5), (0.5, 0.5), households=[1, 3]))
    assert covered.by_grid["providers_board"].iloc[0] == pytest.approx((1 * 2 + 3 * 3) / 4)
    assert np.isnan(covered.by_grid["providers_board"].iloc[1])


def test_buildings_in_reach_are_counted_apart_from_households():
    elements = homes((0.5, 0.5), (0.6, 0.5), (1.5, 0.5), households=[9, 1, 0]).assign(
        kind=["address", "building", "building"])
    covered = measure_coverage(sketch_grids("AB"), elements=elements,
                               assets=boards((0.5, 0.5), radius=0.2))
    assert covered.by_grid["buildings_in_reach_share_board"].tolist() == [1, 0]
    assert covered.totals["buildings_in_reach_share_board"] == 0.5
    assert covered.totals["households_in_reach_share_board"] == 1
    assert not len(covered.uncovered)  # a building without households is nobody unserved


def test_a_service_area_serves_what_lies_in_it_and_its_border():
    grids = sketch_grids("ABC")
    area = boards((0, 0)).assign(radius_m=np.nan).set_geometry([grids.geometry["A"]], crs=CRS)
    elements = homes((0.5, 0.5), (1.0, 0.5), (2.5, 0.5), households=[1, 2, 4])
    covered = measure_coverage(grids, elements=elements, assets=area, areas=True)
    assert covered.totals["households_in_reach_share_board"] == pytest.approx(3 / 7)
    assert covered.by_grid["area_in_reach_share_board"].tolist() == [1, 0, 0]


def test_capacity_is_shared_among_all_whom_an_asset_reaches():
    elements = homes((0.5, 0.5), (1.5, 0.5), (1.6, 0.5), households=[10, 5, 5])
    clinics = boards((0.5, 0.5), (1.0, 0.5), radius=0.7).assign(capacity=[15, 5])
    covered = measure_coverage(sketch_grids("AB"), elements=elements, assets=clinics)
    # The first is shared by 10, the second by all 20.
    assert covered.by_grid["capacity_each_board"].tolist() == [1.75, 0.25]
    each = measure_access(elements, clinics)
    assert (each * elements["households"]).sum() == pytest.approx(20)  # nothing is lost


def test_kinds_go_along_roads_or_straight_as_asked():
    elements = homes((0.5, 0.5), households=[1])
    assets = boards((0.5, 0.9), (0.5, 0.9), radius=0.5).assign(kind=["board", "centre"])
    way = geopandas.GeoDataFrame(
        {"kind": ["road"]},
        geometry=[LineString([(0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.5, 0.9)])],
        index=pd.Index(["r"], name="barrier", dtype="str"), crs=CRS)
    covered = measure_coverage(sketch_grids("A"), elements=elements, assets=assets,
                               network=build_network(way), by_road=["centre"])
    assert covered.totals[["nearest_m_board", "nearest_m_centre"]].tolist() == pytest.approx(
        [0.4, 1.2])
    timed = build_network(way, speeds_kmh=0.06)  # a metre a minute
    with pytest.raises(SchemaError, match="assets: column reach_min is absent"):
        measure_coverage(sketch_grids("A"), elements=elements, assets=assets, network=timed)
    walked = measure_coverage(sketch_grids("A"), elements=elements, network=timed,
                              assets=assets.assign(reach_min=[1.3, 1.1]))
    assert walked.totals[["households_in_reach_share_board",
                          "households_in_reach_share_centre"]].tolist() == [1, 0]
    assert walked.uncovered["nearest_min"].tolist() == pytest.approx([1.2])


whole = st.integers(0, 9)


@given(st.lists(st.tuples(whole, whole, st.integers(1, 9)), min_size=1, max_size=12),
       st.lists(st.tuples(whole, whole, st.integers(0, 30)), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_no_capacity_is_lost_or_given_twice(people, places):
    elements = homes(*[p[:2] for p in people], households=[p[2] for p in people])
    clinics = boards(*[p[:2] for p in places], radius=3.0).assign(
        capacity=[p[2] for p in places])
    each = measure_access(elements, clinics)
    near = [min(np.hypot(x - a, y - b) for a, b, _ in people) <= 3 for x, y, _ in places]
    given = sum(c for (*_, c), reached in zip(places, near, strict=True) if reached)
    assert (each * elements["households"]).sum() == pytest.approx(given)
