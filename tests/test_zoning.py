"""Drawing grids: what holds whatever the units are."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame

from gridmap import SizeRule, schema
from gridmap.errors import CodeError, PartitionError, ProfileError, SchemaError, TilingError
from gridmap.rules import CodeRule, Limit, load_code_rule
from gridmap.sketch import sketch_units
from gridmap.zoning import DrawingWeights, issue_codes, measure_partition, partition

FOUR = SizeRule(minimum=4, target=4, maximum=4)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def square_units(side: int, *, territory: str = "T", at: tuple[float, float] = (0, 0)):
    """Return side × side squares of 100 m with one household and two people each."""
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    x, y = 100.0 * x.ravel() + at[0], 100.0 * y.ravel() + at[1]
    names = pd.Index([f"{territory}{i:04d}" for i in range(side * side)], name="unit")
    return GeoDataFrame(
        {"territory": territory, "kind": "block", "households": 1, "people": 2},
        geometry=shapely.box(x, y, x + 100, y + 100), index=names, crs="EPSG:32651",
    ).astype({"territory": "str", "kind": "str"})


def whats(drawn) -> list[str]:
    return sorted(set(drawn.changes["what"]))


def test_every_unit_goes_to_one_contiguous_grid_in_range():
    units = square_units(12)
    size = SizeRule(minimum=8, target=9, maximum=10)
    drawn = partition(units, size)
    schema.check_frame(drawn.grids, schema.GRIDS, argument="grids")
    measured = measure_partition(units, drawn.assignment, size)
    assert len(drawn.grids) == 16
    assert measured.totals["contiguous_share"] == 1
    assert measured.totals["in_range_share"] == 1
    assert drawn.grids["households"].sum() == 144
    assert drawn.changes.empty


def test_the_order_of_rows_and_the_number_of_workers_do_not_matter():
    units = pd.concat([square_units(8), square_units(8, territory="U", at=(800, 0))])
    size = SizeRule(minimum=5, target=6, maximum=8)
    one = partition(units, size)
    other = partition(units.sample(frac=1, random_state=1), size, workers=2)
    assert one.assignment.equals(other.assignment)
    assert one.grids.to_wkb().equals(other.grids.to_wkb())


def test_a_territory_does_not_depend_on_the_others():
    both = pd.concat([square_units(8), square_units(8, territory="U", at=(800, 0))])
    size = SizeRule(minimum=5, target=6, maximum=8)
    alone = partition(square_units(8), size).assignment
    assert partition(both, size).assignment[alone.index].equals(alone)


def test_no_grid_crosses_a_territory():
    both = pd.concat([square_units(5), square_units(5, territory="U", at=(500, 0))])
    size = SizeRule(minimum=4, target=5, maximum=6)
    drawn = partition(both, size)
    crossing = both["territory"].groupby(drawn.assignment).nunique()
    assert (crossing == 1).all()


def test_a_dedicated_unit_has_a_grid_of_its_own():
    units = sketch_units("ABCD", "EFGH")
    units.loc["B", "kind"] = "school"
    drawn = partition(units, SizeRule(minimum=3, target=4, maximum=4), dedicated=["school"])
    own = drawn.grids[drawn.grids["kind"] == "dedicated"]
    assert drawn.assignment[drawn.assignment == own.index[0]].index.tolist() == ["B"]
    assert whats(drawn) == ["dedicated grid"]


def test_a_unit_larger_than_the_maximum_is_named():
    units = sketch_units("ABCD", "EFGH")
    units.loc["A", "households"] = 40
    drawn = partition(units, SizeRule(minimum=3, target=4, maximum=7))
    row = drawn.changes.set_index("id").loc[drawn.assignment["A"]]
    assert row["what"] == "out of range: unit larger than the maximum"
    assert row["note"].startswith("unit A: ")
    assert (row["before"], row["after"]) == ("3 to 7 households", "40 households")


def test_units_cut_off_by_a_large_unit_join_its_grid():
    units = sketch_units("ABBB", "BBCC", "BBCC")
    units.loc["A", "households"] = 0
    units.loc["B", "households"] = 40
    drawn = partition(units, SizeRule(minimum=3, target=4, maximum=7))
    assert drawn.assignment["A"] == drawn.assignment["B"]
    assert "pocket joined" in whats(drawn)


def test_a_small_island_is_joined_by_a_bridge_and_named():
    units = sketch_units("ABCD.I", "EFGH..")
    drawn = partition(units, SizeRule(minimum=4, target=5, maximum=5))
    row = drawn.changes.set_index("what").loc["island joined"]
    assert row["id"] == drawn.assignment["I"]
    assert row["after"] == "I linked to D across 1 m"
    parts = measure_partition(units, drawn.assignment, FOUR).by_grid["parts"]
    assert parts[drawn.assignment["I"]] == 2


def test_an_island_that_is_large_enough_has_grids_of_its_own():
    drawn = partition(sketch_units("AB.CD", "EF.GH"), FOUR)
    assert drawn.grids.geom_type.tolist() == ["Polygon", "Polygon"]
    assert drawn.changes.empty


def test_a_territory_that_is_too_small_is_one_grid_with_a_reason():
    drawn = partition(sketch_units("AB"), FOUR)
    assert len(drawn.grids) == 1
    assert whats(drawn) == ["out of range: territory too small"]


def test_a_total_between_two_numbers_of_grids_stays_below_the_maximum():
    drawn = partition(sketch_units("ABCDEF"), SizeRule(minimum=4, target=4, maximum=5))
    assert sorted(drawn.grids["households"]) == [3, 3]
    assert whats(drawn) == ["out of range: total fits no whole number of grids"]


def test_a_limit_on_people_makes_more_grids():
    size = SizeRule(minimum=2, target=8, maximum=8, limits=(Limit(measure="people", maximum=8),))
    drawn = partition(sketch_units("ABCD", "EFGH"), size)
    assert drawn.grids["people"].max() <= 8


def test_a_limit_that_binds_in_one_quarter_makes_more_grids_there():
    units = square_units(12)
    units["people"] = np.where(np.arange(144) < 72, 20, 1)  # 94 people to a grid on average
    limit = Limit(measure="people", maximum=110)
    size = SizeRule(minimum=4, target=9, maximum=10, limits=(limit,))
    drawn = partition(units, size)
    assert measure_partition(units, drawn.assignment, size).totals["in_range_share"] == 1
    assert drawn.changes.empty


def test_people_and_area_and_a_weighted_workload_bound_grids_at_once():
    units = square_units(14).assign(cases=np.arange(196) % 7)
    units.loc[units.geometry.centroid.x < 500, "people"] = 9
    size = SizeRule(minimum=12, target=20, maximum=28, limits=(
        Limit(measure="households", maximum=9), Limit(measure="people", maximum=48),
        Limit(measure="area_m2", minimum=2e4, maximum=8.5e4)))
    workload = {"cases": 1.0, "households": 0.5}
    drawn = partition(units, size, workload=workload)
    measured = measure_partition(units, drawn.assignment, size, workload=workload)
    assert measured.totals["in_range_share"] == 1
    assert drawn.grids["people"].max() <= 48
    assert drawn.grids["area_m2"].max() <= 8.5e4
    load = (units["cases"] + 0.5 * units["households"]).groupby(drawn.assignment).sum()
    assert load.between(12, 28).all()


def test_grids_are_rather_too_small_than_too_large_and_the_reason_is_named():
    units = square_units(12).assign(households=6)
    drawn = partition(units, SizeRule(minimum=8, target=9, maximum=10))
    assert drawn.grids["households"].max() <= 10
    assert whats(drawn) == ["out of range: units too coarse"]
    assert drawn.changes["note"].str.startswith("6 to a unit: whole units do not add up").all()


def test_a_limit_that_stands_against_the_size_is_named():
    units = square_units(12)
    units["people"] = np.where(np.arange(144) < 72, 20, 1)
    limit = Limit(measure="people", maximum=110)
    drawn = partition(units, SizeRule(minimum=8, target=9, maximum=10, limits=(limit,)))
    assert drawn.grids["people"].max() <= 110
    assert whats(drawn) == ["out of range: limit"]
    assert drawn.changes["note"].str.startswith("people: the limit on another").all()


def test_a_territory_that_is_too_small_is_named_with_its_neighbour():
    units = sketch_units("ABCDE").assign(territory=["T", "T", "T", "T", "U"])
    drawn = partition(units, FOUR)
    row = drawn.changes.set_index("id").loc[drawn.assignment["E"]]
    assert row["note"].startswith("territory U, beside T: the whole territory holds less")


def test_grids_in_pieces_that_nothing_may_join_are_named():
    units = square_units(8)
    far = shapely.MultiPolygon([units.geometry["T0005"], shapely.box(5000, 5000, 5100, 5100)])
    torn = units.assign(geometry=units.geometry.where(units.index != "T0005", far))
    size = SizeRule(minimum=6, target=8, maximum=10)
    drawn = partition(torn, size)
    row = drawn.changes.set_index("what").loc["grid in pieces"]
    assert row["id"] == drawn.assignment["T0005"]
    assert row["note"].startswith("unit T0005 lies in 2 pieces: what was given is never cut")
    locked = partition(units, size, locked=pd.Series("L", index=["T0000", "T0063"]))
    assert whats(locked) == ["grid in pieces", "out of range: locked"]


def test_an_invalid_polygon_is_an_error_that_names_it():
    units = sketch_units("AB")
    units.loc["B", "geometry"] = shapely.Polygon([(1, 0), (2, 1), (2, 0), (1, 1)])
    for what in (lambda: partition(units, FOUR),
                 lambda: measure_partition(units, pd.Series("G", index=["A", "B"]), FOUR)):
        with pytest.raises(TilingError, match=r"the polygon of B is not valid\. Mend it with"):
            what()


def test_units_without_anybody_are_drawn_too():
    units = square_units(6)
    units["households"] = 0
    units["people"] = 0
    drawn = partition(units, FOUR)
    assert len(drawn.grids) == 1
    assert drawn.assignment.notna().all()


def test_no_units_make_no_grids():
    drawn = partition(square_units(2).iloc[:0], FOUR)
    assert drawn.grids.empty
    assert drawn.assignment.empty
    assert drawn.changes.empty


def test_borders_that_do_not_match_vertex_by_vertex_are_found():
    wide = shapely.box(0, 100, 200, 200)  # no vertex where the two below meet
    units = square_units(2).iloc[:3]
    units = units.set_geometry(
        geopandas.GeoSeries([*units.geometry[:2], wide], index=units.index, crs=units.crs)
    )
    drawn = partition(units, SizeRule(minimum=3, target=3, maximum=3))
    assert measure_partition(units, drawn.assignment, FOUR).by_grid["parts"].tolist() == [1]


def test_grids_follow_a_road():
    units = square_units(6)
    road = GeoDataFrame(
        {"kind": ["primary"]}, geometry=[shapely.LineString([(200, 0), (200, 600)])],
        index=pd.Index(["r"], name="barrier"), crs=units.crs,
    )
    size = SizeRule(minimum=10, target=12, maximum=14)
    drawn = partition(units, size, barriers=road)
    measured = measure_partition(units, drawn.assignment, size, barriers=road)
    assert measured.totals["barrier_followed_share"] == 1


def test_codes_are_numbered_like_the_words_of_a_page():
    units = sketch_units("ABC", "DEF", territory="371002001001")
    units.index.name = "grid"
    codes = issue_codes(units, load_code_rule("cn15"))
    assert codes.str[-3:].tolist() == ["001", "002", "003", "004", "005", "006"]


def test_a_code_once_taken_is_not_issued_again():
    units = sketch_units("AB").rename_axis("grid")
    codes = issue_codes(units, load_code_rule("plain"), taken=["T-0001"])
    assert codes.tolist() == ["T-0002", "T-0003"]


def test_a_territory_that_is_not_divided_keeps_the_sequence_zero():
    rule = load_code_rule("cn20")
    whole = sketch_units("A", territory="1" * 18).rename_axis("grid")
    halves = sketch_units("AB", territory="1" * 18).rename_axis("grid")
    assert issue_codes(whole, rule).str[-2:].tolist() == ["00"]
    assert issue_codes(halves, rule).str[-2:].tolist() == ["01", "02"]


def test_more_grids_than_numbers_is_an_error_that_names_the_territory():
    rule = CodeRule(name="short", parts=(1, 1))
    units = sketch_units(LETTERS[:26]).rename_axis("grid")
    with pytest.raises(CodeError, match="territory T has 26 grids, but code rule 'short' has 9"):
        issue_codes(units, rule)


def test_a_code_rule_that_does_not_fit_is_replaced_and_named():
    drawn = partition(sketch_units("ABCD"), FOUR, code=load_code_rule("cn15"))
    assert drawn.grids.index.tolist() == ["T-0001"]
    row = drawn.changes.iloc[0]
    assert (row["what"], row["id"]) == ("code rule not applicable", "T")
    assert (row["before"], row["after"]) == ("cn15: 12 characters", "1 characters")


def test_more_grids_than_a_rule_has_numbers_are_numbered_plainly_and_named():
    units = sketch_units(LETTERS[:26])
    short = CodeRule(name="short", parts=(1, 1))
    size = SizeRule(minimum=1, target=1, maximum=1)
    drawn = partition(units, size, code=short)
    assert drawn.grids.index.tolist() == [f"T-{number:04}" for number in range(1, 27)]
    row = drawn.changes.iloc[0]
    assert (row["what"], row["id"], row["before"]) == (
        "code rule too short", "T", "short: 9 numbers")


def test_sequences_of_the_plain_layout_grow_with_need():
    units = square_units(101)
    drawn = partition(units, SizeRule(minimum=1, target=1, maximum=1), effort="draft")
    assert (drawn.grids.index[0], drawn.grids.index[-1]) == ("T-00001", "T-10201")
    assert drawn.changes.empty


def test_a_rule_that_issues_no_codes_is_an_error_before_anything_is_drawn():
    with pytest.raises(CodeError, match="code rule 'eu' issues no codes"):
        partition(sketch_units("AB"), FOUR, code=load_code_rule("eu"))


def test_an_unknown_effort_is_an_error():
    with pytest.raises(PartitionError, match="effort is 'huge': expected best, draft, normal"):
        partition(sketch_units("AB"), FOUR, effort="huge")


def test_units_without_the_territory_column_are_an_error():
    with pytest.raises(SchemaError, match="column town, which grids must stay within, is absent"):
        partition(sketch_units("AB"), FOUR, within="town")


def test_an_assignment_that_is_not_total_is_an_error():
    units = sketch_units("AB")
    with pytest.raises(PartitionError, match="assignment leaves out B and names unknown units C"):
        measure_partition(units, pd.Series({"A": "G", "C": "G"}), FOUR)


def test_locked_grids_stay_with_their_code():
    units = square_units(8)
    size = SizeRule(minimum=6, target=8, maximum=10)
    first = partition(units, size)
    kept = first.assignment[first.assignment == "T-0003"]
    again = partition(units, size, locked=kept, seed=5)
    assert again.assignment[again.assignment == "T-0003"].equals(kept)
    assert again.grids.loc[["T-0003"]].to_wkb().equals(first.grids.loc[["T-0003"]].to_wkb())


def test_a_locked_grid_out_of_range_is_named():
    units = square_units(4)
    locked = pd.Series("old", index=units.index[:2])
    drawn = partition(units, SizeRule(minimum=3, target=4, maximum=5), locked=locked)
    assert drawn.changes.set_index("id").loc["old", "what"] == "out of range: locked"


def test_locked_units_that_are_unknown_are_an_error():
    with pytest.raises(PartitionError, match="locked names unknown units Z"):
        partition(sketch_units("AB"), FOUR, locked=pd.Series({"Z": "old"}))


def test_a_locked_grid_across_territories_is_an_error():
    units = sketch_units("AB")
    units.loc["B", "territory"] = "U"
    with pytest.raises(PartitionError, match="locked grids old lie in more than one territory"):
        partition(units, FOUR, locked=pd.Series({"A": "old", "B": "old"}))


def test_a_declared_link_makes_units_neighbours():
    units = sketch_units("AB.CD")
    ferry = pd.DataFrame({"unit": ["B"], "linked": ["C"]})
    drawn = partition(units, FOUR, links=ferry)
    assert len(drawn.grids) == 1
    assert drawn.changes.empty
    measured = measure_partition(units, drawn.assignment, FOUR, links=ferry)
    assert measured.by_grid["parts"].tolist() == [1]


def test_a_link_to_an_unknown_unit_is_an_error():
    with pytest.raises(PartitionError, match="links: Z are no units"):
        partition(sketch_units("AB"), FOUR, links=pd.DataFrame({"unit": ["A"], "linked": ["Z"]}))


def test_the_number_of_grids_can_be_asked_for():
    size = SizeRule(minimum=6, target=8, maximum=30)
    assert len(partition(square_units(8), size, counts={"T": 3}).grids) == 3


def test_a_number_of_grids_that_cannot_be_is_named():
    drawn = partition(sketch_units("AB.CD"), FOUR, counts={"T": 1})
    assert len(drawn.grids) == 1  # two parts below the minimum, joined by a bridge
    large = partition(square_units(2), FOUR, counts={"T": 9})
    row = large.changes.set_index("what").loc["number of grids not reached"]
    assert (row["id"], row["before"], row["after"]) == ("T", "9", "4")


def test_a_column_picks_the_size_rule_of_a_territory():
    town, country = square_units(6), square_units(6, territory="U", at=(600, 0))
    units = pd.concat([town, country]).assign(
        place=["town"] * 36 + ["country"] * 36
    ).astype({"place": "str"})
    sizes = {"town": SizeRule(minimum=3, target=4, maximum=5),
             "country": SizeRule(minimum=10, target=12, maximum=14)}
    drawn = partition(units, sizes, size_by="place")
    assert drawn.grids["territory"].value_counts().to_dict() == {"T": 9, "U": 3}
    measured = measure_partition(units, drawn.assignment, sizes, size_by="place")
    assert measured.totals["in_range_share"] == 1


def test_a_value_without_a_rule_is_an_error():
    units = sketch_units("AB").assign(place="moon")
    with pytest.raises(PartitionError, match="place is moon in places, but size has rules for ci"):
        partition(units, {"city": FOUR}, size_by="place")


def test_a_workload_of_several_columns_sizes_grids():
    units = square_units(6)
    units["shops"] = np.where(units.geometry.centroid.x < 300, 2, 0)
    size = SizeRule(minimum=6, target=8, maximum=10)
    drawn = partition(units, size, workload={"households": 1, "shops": 1})
    load = (units["households"] + units["shops"]).groupby(drawn.assignment).sum()
    assert load.between(6, 10).all()
    assert not units["households"].groupby(drawn.assignment).sum().between(6, 10).all()


def test_grids_lie_around_the_homes_of_workers():
    units = square_units(8)
    places = [(250, 250), (550, 250), (250, 550), (550, 550)]
    homes = GeoDataFrame(
        geometry=geopandas.points_from_xy(*zip(*places, strict=True)), crs=units.crs,
        index=pd.Index(list("abcd"), name="worker"),
    )
    size = SizeRule(minimum=12, target=16, maximum=20)
    far, near = (
        units.geometry.centroid.groupby(
            partition(units, size, homes=given, weights=DrawingWeights(travel=20)).assignment
        ) for given in (None, homes)
    )
    middles = geopandas.GeoSeries({g: p.union_all().centroid for g, p in near}, crs=units.crs)
    assert homes.geometry.map(lambda home: middles.distance(home).min()).max() < 120
    assert len(far) == 4


def test_a_home_outside_every_unit_is_named():
    units = square_units(4)
    home = GeoDataFrame(geometry=[shapely.Point(9999, 0)], crs=units.crs, index=["w"])
    drawn = partition(units, SizeRule(minimum=3, target=4, maximum=5), homes=home)
    assert whats(drawn) == ["home outside"]


def test_grids_are_alike_in_a_column():
    units = square_units(8)
    rows = (units.geometry.centroid.y // 100).astype(int)
    units["floors"] = (rows % 4).to_numpy()
    size = SizeRule(minimum=14, target=16, maximum=18)
    plain = partition(units, size).assignment
    alike = partition(units, size, weights=DrawingWeights(likeness={"floors": 5})).assignment
    spread = [units["floors"].groupby(by).var().mean() for by in (plain, alike)]
    assert spread[1] < 0.8 * spread[0]


def test_weights_below_zero_are_an_error():
    with pytest.raises(ProfileError, match="drawing weights of travel are below 0"):
        DrawingWeights(travel=-1)


def test_a_time_limit_still_gives_a_whole_drawing_and_says_so():
    units = square_units(12)
    size = SizeRule(minimum=8, target=9, maximum=10)
    drawn = partition(units, size, time_limit_s=0)
    assert drawn.assignment.notna().all()
    assert "search cut short" in whats(drawn)
    assert measure_partition(units, drawn.assignment, size).totals["contiguous_share"] == 1


def test_progress_runs_up_to_all_units():
    told = []
    partition(square_units(8), SizeRule(minimum=6, target=8, maximum=10),
              progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (64, 64)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_another_seed_may_draw_otherwise_but_the_same_never():
    units = square_units(12)
    size = SizeRule(minimum=8, target=9, maximum=10)
    assert partition(units, size, seed=3).assignment.equals(
        partition(units, size, seed=3).assignment
    )
