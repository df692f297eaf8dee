"""Many nets into one: crosswalks, tables carried over, and the reconciling itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame

from gridmap import check_balance, check_frame, check_tiling, schema
from gridmap.errors import CRSError, ProfileError, SchemaError
from gridmap.nets import (
    NetRule,
    build_crosswalk,
    chain_crosswalks,
    convert,
    measure_conflicts,
    reconcile,
)
from gridmap.rules import SizeRule, load_code_rule
from gridmap.sketch import sketch_grids, sketch_points

SIDE_M = 60.0
WIDTH, HEIGHT = 5, 4


def work_grids(*rows: str, scheme: str, prefix: str = "") -> GeoDataFrame:
    """Draw the work grids of one scheme; codes are the letters after a prefix."""
    drawn = sketch_grids(*rows, side_m=SIDE_M).rename_axis("work_grid")[["geometry"]]
    drawn.index = (prefix + drawn.index).astype("str").rename("work_grid")
    return drawn.assign(scheme=pd.Series(scheme, index=drawn.index, dtype="str"))


def communities(*rows: str) -> GeoDataFrame:
    land = sketch_grids(*rows, side_m=SIDE_M).rename_axis("territory")[["geometry"]]
    none = pd.Series(None, index=land.index, dtype="str")
    return land.assign(level=pd.Series("community", index=land.index, dtype="str"), parent=none)


def homes_on(*places: tuple[float, float]) -> GeoDataFrame:
    homes = sketch_points(*places, kind="building")
    numbers = np.arange(len(homes)) % 3 + 1
    return homes.assign(households=numbers, people=numbers * 2)


LAND = communities("STTTT", "SSTTT", "SSSTT", "SSSST")
letters = st.sampled_from("ABC.")
drawings = st.lists(st.text(letters, min_size=WIDTH, max_size=WIDTH), min_size=HEIGHT,
                    max_size=HEIGHT).filter(lambda rows: set("".join(rows)) != {"."})
spots = st.lists(st.tuples(st.floats(-20, WIDTH * SIDE_M + 20), st.floats(-20, 260)),
                 min_size=1, max_size=12)


@st.composite
def nets(draw: st.DrawFn, most: int = 3) -> GeoDataFrame:
    """Draw schemes whose corners are up to a few decimetres off, as those of offices are."""
    parts = []
    for number in range(draw(st.integers(1, most))):
        rows = draw(drawings)
        shift = draw(st.tuples(st.floats(-1, 1), st.floats(-1, 1)))
        part = work_grids(*rows, scheme=f"s{number}", prefix=f"{number}")
        parts.append(part.set_geometry(part.translate(*shift)))
    return pd.concat(parts)


def same_frames(one: GeoDataFrame, two: GeoDataFrame) -> bool:
    flat = [DataFrame(f.drop(columns="geometry")) for f in (one, two)]
    return flat[0].equals(flat[1]) and bool(
        (shapely.to_wkb(one.geometry.values) == shapely.to_wkb(two.geometry.values)).all())


# -------------------------------------------------------------------------- crosswalks


@given(drawings, drawings, st.sampled_from(["area", "households", "people", "buildings"]), spots)
@settings(max_examples=20, deadline=None)
def test_weights_of_every_source_add_up_to_exactly_one(old, new, basis, places):
    source = sketch_grids(*old, side_m=SIDE_M)
    target = sketch_grids(*new, side_m=SIDE_M)
    ways = build_crosswalk(source, target, basis=basis, elements=homes_on(*places))
    check_frame(ways, schema.CROSSWALK, argument="ways")
    total = ways.groupby("source")["weight"].sum()
    assert total.index.tolist() == source.index.tolist()
    assert (total == 1.0).all()
    assert (ways["weight"] > 0).all()


@given(drawings, drawings, st.randoms())
@settings(max_examples=15, deadline=None)
def test_a_crosswalk_does_not_depend_on_the_order_of_rows(old, new, random):
    source, target = sketch_grids(*old), sketch_grids(*new)
    order = [random.sample(range(len(f)), len(f)) for f in (source, target)]
    mixed = build_crosswalk(source.iloc[order[0]], target.iloc[order[1]])
    assert mixed.equals(build_crosswalk(source, target))


def test_a_source_without_households_is_spread_by_area_and_says_so():
    old, new = sketch_grids("AABB"), sketch_grids("PPPQ")
    homes = sketch_points((0.5, 0.5)).assign(households=[3])
    ways = build_crosswalk(old, new, basis="households", elements=homes)
    assert ways[["source", "target", "weight", "measured"]].values.tolist() == [
        ["A", "P", 1.0, "households"], ["B", "P", 0.5, "area"], ["B", "Q", 0.5, "area"]]


def test_people_on_a_common_border_count_once():
    old, new = sketch_grids("AB"), sketch_grids("PP")
    homes = sketch_points((1.0, 0.5), (1.5, 0.5)).assign(households=[1, 1])
    ways = build_crosswalk(new, old, basis="households", elements=homes)
    assert ways[["target", "weight"]].values.tolist() == [["A", 0.5], ["B", 0.5]]


def test_a_chain_of_crosswalks_keeps_what_is_lost_on_the_way():
    one, two, three = sketch_grids("AAAA"), sketch_grids("PPQ."), sketch_grids("XYYY")
    ways = chain_crosswalks(build_crosswalk(one, two), build_crosswalk(two, three))
    assert ways["target"].fillna("-").tolist() == ["X", "Y", "-"]
    assert ways["weight"].tolist() == [0.25, 0.5, 0.25]


def test_a_chain_in_the_wrong_order_is_refused():
    one, two = sketch_grids("A"), sketch_grids("P")
    with pytest.raises(SchemaError, match="crosswalk 2 knows nothing of P"):
        chain_crosswalks(build_crosswalk(one, two), build_crosswalk(one, two))


def test_crosswalks_that_need_people_say_so():
    grids = sketch_grids("AB")
    with pytest.raises(SchemaError, match="a crosswalk by households needs elements"):
        build_crosswalk(grids, grids, basis="households")
    with pytest.raises(SchemaError, match="column households is absent"):
        build_crosswalk(grids, grids, basis="households", elements=sketch_points((0, 0)))
    with pytest.raises(SchemaError, match="basis is 'floors'"):
        build_crosswalk(grids, grids, basis="floors")


# ----------------------------------------------------------------------------- convert


@given(drawings, drawings, st.booleans(), st.data())
@settings(max_examples=20, deadline=None)
def test_no_count_is_lost_or_doubled_on_the_way(old, new, whole, data):
    source, target = sketch_grids(*old), sketch_grids(*new)
    values = data.draw(st.lists(st.integers(0, 10**6), min_size=len(source),
                                max_size=len(source)))
    table = DataFrame({"visits": values}, index=source.index)
    carried = convert(table, build_crosswalk(source, target), whole=whole)
    check_balance(carried.ledger)
    total = carried.table["visits"].sum() + carried.left_over["value"].sum()
    assert total == pytest.approx(sum(values), rel=1e-9)
    if whole:
        assert total == sum(values)
        assert (carried.left_over["value"] % 1 == 0).all()


def test_a_rate_is_averaged_by_its_count():
    ways = build_crosswalk(sketch_grids("ABB"), sketch_grids("PPQ"))
    table = DataFrame({"events": [10.0, 20.0], "closed": [0.5, 1.0]}, index=["A", "B"])
    carried = convert(table, ways, rates={"closed": "events"}).table
    assert carried.loc["P"].tolist() == [20.0, 0.75]
    assert carried.loc["Q"].tolist() == [10.0, 1.0]


def test_an_unknown_source_makes_its_targets_unknown_and_the_account_still_closes():
    ways = build_crosswalk(sketch_grids("ABB"), sketch_grids("PPQ"))
    carried = convert(DataFrame({"events": [10.0, np.nan]}, index=["A", "B"]), ways)
    assert carried.table["events"].isna().all()
    assert carried.left_over[["source", "value", "reason"]].values.tolist() == [
        ["A", 10.0, "its target is unknown, since another source is"]]


def test_convert_refuses_what_it_cannot_carry():
    ways = build_crosswalk(sketch_grids("AB"), sketch_grids("PP"))
    with pytest.raises(SchemaError, match="the crosswalk knows nothing of X"):
        convert(DataFrame({"events": [1]}, index=["X"]), ways)
    with pytest.raises(SchemaError, match="column events has counts that are not whole"):
        convert(DataFrame({"events": [1.5]}, index=["A"]), ways, whole=True)
    with pytest.raises(SchemaError, match="rates: events is no count of the table"):
        convert(DataFrame({"closed": [0.5]}, index=["A"]), ways, rates={"closed": "events"})
    both = pd.concat([ways, ways.assign(basis="households")], ignore_index=True)
    both.index.name = "number"
    with pytest.raises(SchemaError, match="it goes by area, households at once"):
        convert(DataFrame({"events": [1]}, index=["A"]), both)


# --------------------------------------------------------------------------- reconcile


@given(nets(), spots, st.sampled_from(["seniority", "cost"]), st.booleans())
@settings(max_examples=10, deadline=None)
def test_one_net_tiles_the_territories_and_holds_everybody(schemes, places, decide, sized):
    homes = homes_on(*places)
    size = SizeRule(minimum=3, target=5, maximum=8) if sized else None
    net = reconcile(schemes, LAND, elements=homes, size=size, rule=NetRule(decide=decide))
    for frame, known in ((net.grids, schema.GRIDS), (net.atoms, schema.ATOMS),
                         (net.conflicts, schema.CONFLICTS), (net.borders, schema.NET_BORDERS),
                         (net.crosswalks, schema.CROSSWALK), (net.changes, schema.CHANGES)):
        check_frame(frame, known, argument=known.name)
    assert shapely.coverage_is_valid(net.atoms.geometry.values)
    assert shapely.coverage_is_valid(net.grids.geometry.values)
    check_tiling(net.grids, LAND)
    assert (net.grids.geom_type == "Polygon").all()
    check_balance(net.ledger)
    assert net.atoms["households"].sum() == net.grids["households"].sum()
    total = net.crosswalks.groupby(["source_layer", "target_layer", "basis", "source"])["weight"]
    assert (total.sum() == 1.0).all()
    assert set(net.crosswalks["source"]) == {*schemes.index, *net.grids.index}


@given(nets(), spots, st.randoms())
@settings(max_examples=5, deadline=None)
def test_the_order_of_rows_and_frames_does_not_matter(schemes, places, random):
    homes = homes_on(*places)
    net = reconcile(schemes, LAND, elements=homes)
    mixed = schemes.iloc[random.sample(range(len(schemes)), len(schemes))]
    parts = [part for _, part in mixed.groupby("scheme")]
    random.shuffle(parts)
    again = reconcile(parts, LAND.iloc[::-1], elements=homes.iloc[::-1])
    assert same_frames(net.grids, again.grids)
    assert same_frames(net.atoms, again.atoms)
    assert same_frames(net.conflicts, again.conflicts)
    assert net.crosswalks.equals(again.crosswalks)
    assert net.changes.equals(again.changes)


@given(nets(), spots)
@settings(max_examples=8, deadline=None)
def test_reconciling_twice_is_the_same_as_once(schemes, places):
    homes = homes_on(*places)
    once = reconcile(schemes, LAND, elements=homes).grids
    again = once.rename_axis("work_grid")[["geometry"]].assign(scheme="net")
    twice = reconcile(again, LAND, elements=homes)
    assert twice.grids.index.tolist() == once.index.tolist()
    assert (twice.grids["kept_from"] == "net").all()
    off = twice.grids.symmetric_difference(once).area
    assert (off < 1e-6).all()
    assert (twice.atoms["decided"] == "agreed").all()


@given(drawings, st.lists(st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)), min_size=1,
                          max_size=3))
@settings(max_examples=8, deadline=None)
def test_the_same_scheme_drawn_again_a_little_off_changes_nothing(rows, shifts):
    first = work_grids(*rows, scheme="s0", prefix="0")
    others = [work_grids(*rows, scheme=f"s{i}", prefix=f"{i}") for i in range(1, len(shifts) + 1)]
    moved = [part.set_geometry(part.translate(*shift))
             for part, shift in zip(others, shifts, strict=True)]
    alone = reconcile(first, LAND)
    net = reconcile([first, *moved], LAND)
    assert net.grids.index.tolist() == alone.grids.index.tolist()
    assert (net.grids.symmetric_difference(alone.grids).area < 1e-6).all()
    assert not len(net.conflicts)
    drawn = net.borders["drawn"] == net.borders["asked"]
    assert drawn.all()


def test_identical_schemes_are_kept_as_they_are():
    rows = ("AAABB", "AACBB", "CCCBB", "CCCBB")
    land = communities(*("TTTTT",) * 4)
    schemes = [work_grids(*rows, scheme=f"s{i}", prefix=f"{i}") for i in range(3)]
    net = reconcile(schemes, land, size=None)
    assert net.grids.index.tolist() == ["0A", "0B", "0C"]
    assert net.grids["kept_from"].tolist() == ["s0, s1, s2"] * 3
    assert (shapely.normalize(net.grids.geometry.values)
            == shapely.normalize(schemes[0].geometry.values)).all()
    assert net.changes["what"].tolist() == ["order of schemes"]


def test_the_senior_scheme_decides_and_the_cost_is_counted_otherwise():
    land = communities("TTTTTT")
    schemes = [work_grids("AABBBB", scheme="fire", prefix="f"),
               work_grids("PPPPQQ", scheme="police", prefix="p"),
               work_grids("XXXXYY", scheme="water", prefix="w")]
    homes = homes_on(*[(30 + 60 * k, 30) for k in range(6)])
    senior = reconcile(schemes, land, elements=homes, rule=NetRule(seniority=("fire",)))
    assert senior.grids["kept_from"].to_dict() == {"fA": "fire", "fB": "fire"}
    cheap = reconcile(schemes, land, elements=homes, rule=NetRule(decide="cost"))
    assert sorted(cheap.grids["kept_from"]) == ["police, water"] * 2
    against = measure_conflicts(senior.conflicts)
    assert against[["first", "second", "households"]].values.tolist() == [
        ["fire", "police", 3.0], ["fire", "water", 3.0]]
    told = senior.changes[senior.changes["what"] == "decided by seniority"]
    assert told[["before", "after"]].values.tolist() == [["fire: fA; police: pP; water: wX", "fA"]]


def test_a_finer_division_of_the_same_ground_is_no_conflict():
    coarse = work_grids("AAAABB", scheme="coarse", prefix="c")
    fine = work_grids("PPQQRR", scheme="fine", prefix="f")
    net = reconcile([coarse, fine], communities("TTTTTT"))
    assert not len(net.conflicts)
    assert (net.atoms["agreement"] == 1).all()


def test_size_divides_and_unites_only_where_schemes_disagree():
    coarse = work_grids("AAAABC", scheme="coarse", prefix="c")
    fine = work_grids("PPQQRR", scheme="fine", prefix="f")
    homes = homes_on(*[(30 + 60 * k, 30) for k in range(6) for _ in range(3)])
    size = SizeRule(minimum=10, target=12, maximum=14)
    net = reconcile([coarse, fine], communities("TTTTTT"), elements=homes, size=size,
                    rule=NetRule(seniority=("coarse", "fine")))
    assert net.grids["households"].tolist() == [12.0, 12.0, 12.0]
    assert set(net.changes["what"]) >= {"too large, divided", "too small, joined"}
    tight = SizeRule(minimum=1, target=2, maximum=3)
    alone = reconcile(coarse, communities("TTTTTT"), elements=homes, size=tight)
    assert alone.grids.index.tolist() == ["cA", "cB", "cC"]
    odd = alone.changes[alone.changes["what"] == "too large"]
    assert odd["note"].tolist()[0] == "24 households: no scheme divides it"


def test_land_that_nobody_claims_falls_to_its_community():
    net = reconcile(work_grids("AA...", scheme="fire"), communities("SSSTT"))
    assert net.grids[["territory", "kind"]].reset_index().values.tolist() == [
        ["A", "S", "comprehensive"], ["T.0", "T", "fallback"]]
    lived = reconcile(work_grids("AA...", scheme="fire"), communities("SSSTT"),
                      elements=homes_on((150, 30)))
    assert lived.grids["kind"].to_dict()["S.0"] == "fallback"
    small = reconcile(work_grids("AA.TT", scheme="fire"), communities("SSSTT"))
    assert (small.grids["kind"] == "comprehensive").all()
    assert small.changes["what"].tolist() == ["unclaimed land joined"]


def test_grids_are_cut_at_the_border_of_communities():
    net = reconcile(work_grids("AAAAB", scheme="fire"), communities("SSTTT"))
    assert sorted(net.grids.groupby("territory").size()) == [1, 2]
    assert set(net.grids.index) == {"A", "A.2", "B"}


def test_codes_are_issued_by_a_rule():
    land = communities("TT")
    land.index = pd.Index(["371002001001"], dtype="str", name="territory")
    net = reconcile(work_grids("AB", scheme="fire"), land, code=load_code_rule("cn15"))
    assert net.grids.index.tolist() == ["371002001001001", "371002001001002"]
    assert set(net.atoms["grid"]) == set(net.grids.index)
    assert set(net.crosswalks["source"]) == {"A", "B", *net.grids.index}


def test_overlaps_inside_a_scheme_and_land_outside_are_told():
    wide = work_grids("AAB.", "AAB.", scheme="fire")
    grown = wide.set_geometry(wide.geometry.where(
        wide.index != "B", wide.geometry.buffer(30, join_style="mitre")))
    net = reconcile(grown, communities("TTTT", "TTTT"))
    assert (net.conflicts["what"] == "claimed twice").any()
    assert {"scheme overlaps itself", "outside the territories"} <= set(net.changes["what"])
    ways = net.crosswalks[net.crosswalks["source_layer"] == "fire"]
    assert ways["target"].isna().any()


def test_a_scheme_in_another_crs_is_moved_with_a_line():
    there = work_grids("AB", scheme="fire").to_crs("EPSG:4326")
    net = reconcile(there, communities("TT"))
    told = net.changes[net.changes["what"] == "CRS changed"]
    assert told["before"].tolist() == ["EPSG:4326"]
    assert net.grids.index.tolist() == ["A", "B"]


def test_reconcile_says_what_it_cannot_do():
    land, fire = communities("TT"), work_grids("AB", scheme="fire")
    with pytest.raises(SchemaError, match="there are none to reconcile"):
        reconcile([], land)
    with pytest.raises(SchemaError, match="seniority names police, but they are fire"):
        reconcile(fire, land, rule=NetRule(seniority=("police",)))
    with pytest.raises(SchemaError, match="the index repeats A, B"):
        reconcile([fire, fire.assign(scheme="police")], land)
    with pytest.raises(SchemaError, match="grid is the name of a column of atoms"):
        reconcile(fire.assign(scheme="grid"), land)
    with pytest.raises(SchemaError, match="the size rule goes by households"):
        reconcile(fire, land, size=SizeRule(minimum=1, target=2, maximum=3))
    with pytest.raises(CRSError, match="schemes has no CRS"):
        reconcile(fire.set_crs(None, allow_override=True), land)
    with pytest.raises(ProfileError, match="decide is 'luck'"):
        NetRule(decide="luck")


def test_a_work_grid_too_thin_to_stay_leads_to_where_it_was():
    fire = work_grids("AAAA", scheme="fire")
    thin = fire.set_geometry([shapely.box(30, 10, 33, 50)], crs=fire.crs)
    thin.index = pd.Index(["B"], dtype="str", name="work_grid")
    net = reconcile(pd.concat([fire, thin.assign(scheme="water")]), communities("TTTT"))
    ways = net.crosswalks[net.crosswalks["source"] == "B"]
    assert ways[["target", "weight", "measured"]].values.tolist() == [["A", 1.0, "area"]]
    assert net.changes.loc[net.changes["what"] == "swallowed", "id"].tolist() == ["B"]
