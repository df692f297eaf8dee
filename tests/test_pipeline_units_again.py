"""Units built and grids drawn again after small edits: the outcome is that of the whole."""

from __future__ import annotations

from dataclasses import replace

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import Kept

from gridmap import zoning
from gridmap.pipeline import (
    arrow,
    between,
    changed,
    draw,
    grids_again,
    load,
    nearby,
    units,
    units_again,
)
from gridmap.rules import Limit, SizeRule
from gridmap.sketch import save_sketch, sketch_points
from gridmap.tiling import areas, mesh
from gridmap.workspace import load_config

CRS = "EPSG:32651"
SIDE_M = 200.0
COLUMNS, ROWS = 5, 4
FRAMES = ("territories", "barriers", "sites", "elements")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Return a configuration in which blocks of more than ten households are divided."""
    found = load_config(save_sketch(tmp_path_factory.mktemp("town")))
    return replace(found, profile=replace(
        found.profile, size=SizeRule(minimum=20, target=40, maximum=60)))


def layer(thing, shapes, **columns):
    """Return a frame with codes for each thing."""
    index = pd.Index([f"{thing[0]}{number:03}" for number in range(len(shapes))], dtype="str",
                     name=thing)
    texts = {name: pd.Series(value, index=index, dtype="str") for name, value in columns.items()}
    return geopandas.GeoDataFrame(texts, index=index, geometry=list(shapes), crs=CRS)


def make_town(seed):
    """Return territories, streets, sites and elements of a town, by chance."""
    chance = np.random.default_rng(seed)
    wide, high = COLUMNS * SIDE_M, ROWS * SIDE_M
    squares = [shapely.box(x * SIDE_M, y * SIDE_M, (x + 1) * SIDE_M, (y + 1) * SIDE_M)
               for y in range(ROWS) for x in range(COLUMNS)]
    ends = chance.uniform((-50, -50), (wide + 50, high + 50), (14, 2, 2)).round(2)
    corners = chance.uniform((0, 0), (wide - 80, high - 80), (10, 2)).round(2)
    spots = chance.uniform((0, 0), (wide, high), (300, 2)).round(2)
    homes = sketch_points(*map(tuple, spots)).set_crs(CRS, allow_override=True)
    built = np.arange(len(homes)) % 6 == 0
    shapes = np.where(built, shapely.box(*spots.T, *(spots + 12).T), homes.geometry.to_numpy())
    homes = homes.assign(
        kind=pd.Series(np.where(built, "building", "address"), homes.index, dtype="str"),
        households=np.where(built, np.nan, chance.integers(0, 4, len(homes))),
        people=np.where(built, np.nan, chance.integers(0, 9, len(homes))))
    return {
        "territories": layer("territory", squares, level="community", parent=None),
        "barriers": layer("barrier", shapely.linestrings(ends), kind="primary"),
        "sites": layer("site", shapely.box(*corners.T, *(corners + 70).T), kind="compound"),
        "elements": homes.set_geometry(list(shapes), crs=CRS),
    }


def edit(town, what, row, x, y):
    """Return a town after an edit."""
    name = {"street": "barriers", "site": "sites", "border": "territories"}.get(what, "elements")
    frame = town[name].copy()
    at = frame.index[row % len(frame)]
    if what in ("people", "households"):
        frame.loc[frame["kind"] == "address", what] = frame[what].where(
            frame.index != at, frame[what] + row % 7)
    elif what == "drop":
        frame = frame.drop(index=at)
    elif what == "move":
        centre = shapely.centroid(frame.geometry[at])
        frame.loc[[at], "geometry"] = frame.geometry[[at]].translate(x - centre.x, y - centre.y)
    elif what == "street":
        frame.loc[[at], "geometry"] = [shapely.LineString([(x, y), (y, x)])]
    elif what == "site":
        frame.loc[[at], "geometry"] = [shapely.box(x, y, x + 60, y + 40)]
    else:  # a corner of two squares at the edge of the town
        corner = np.array([SIDE_M * (1 + row % (COLUMNS - 1)), 0.0])
        frame["geometry"] = shapely.transform(frame.geometry.to_numpy(), lambda xy: np.where(
            (xy == corner).all(axis=1, keepdims=True), corner + np.array([0.0, x / 50]), xy))
    return {**town, name: frame}


EDITS = st.lists(st.tuples(
    st.sampled_from(["people", "households", "drop", "move", "street", "site", "border"]),
    st.integers(0, 999), st.floats(0, 990).map(lambda value: round(value, 2)),
    st.floats(0, 790).map(lambda value: round(value, 2))), min_size=1, max_size=2)


def build_both(town, edits, config):
    """Return what building gives again after edits, and what it gives as a whole."""
    after = town
    for one in edits:
        after = edit(after, *one)
    before = units.build(load.gather(**town), config)
    old = {name: arrow.to_table(town[name]) for name in FRAMES}
    new = {name: old[name] if after[name] is town[name] else arrow.to_table(after[name])
           for name in FRAMES}
    rows = None if new["elements"] is old["elements"] else changed.compare_tables(
        old["elements"], new["elements"])
    again = units_again.build_again(units_again.Ground(**old), units_again.Ground(**new), rows,
                                    Kept(before), config)
    return again, units.build(load.gather(**after), config)


def assert_same(again, whole):
    """Assert that every frame is, to the last bit, that of the whole."""
    assert again.keys() == whole.keys()
    for name, value in whole.items():
        if not isinstance(value, pd.DataFrame):
            assert again[name] == value
            continue
        frame = arrow.to_frame(Kept(again).table(name))
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(value), check_exact=True)
        if isinstance(value, geopandas.GeoDataFrame):
            assert (frame.to_wkb()["geometry"] == value.to_wkb()["geometry"]).all()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 5), edits=EDITS)
def test_units_built_again_are_those_of_the_whole(config, seed, edits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(units_again, "MOST", 1.1)
        patch.setattr(units_again, "REACH_M", 30.0)  # the territories are small
        again, whole = build_both(make_town(seed), edits, config)
    assert_same(again[0], whole)


def built_again(again):
    """Return how many territories were built."""
    return int(again[1].split(" of ")[0])


def test_only_where_elements_weigh_otherwise_land_is_divided(config, monkeypatch):
    monkeypatch.setattr(units_again, "MOST", 1.1)
    town = make_town(1)
    row = int(np.flatnonzero(town["elements"]["kind"] == "address")[40])
    for what, least, most in (("people", 0, 0), ("households", 1, 6)):
        again, whole = build_both(town, [(what, row + 3 - row % 7, 0, 0)], config)
        assert_same(again[0], whole)
        assert least <= built_again(again) <= most


@pytest.mark.parametrize("spoil", [
    lambda homes: homes.assign(people=homes["people"] + 0.5),
    lambda homes: homes.assign(households=np.nan),
    lambda homes: homes.assign(people=0.0, households=0.0),
    lambda homes: homes.drop(columns="people"),
    lambda homes: homes.iloc[:100],
])
def test_where_a_part_tells_too_little_all_is_built(config, spoil):
    town = make_town(2)
    old = units_again.Ground(**{name: arrow.to_table(town[name]) for name in FRAMES})
    new = old._replace(elements=arrow.to_table(spoil(town["elements"])))
    before = Kept(units.build(load.gather(**town), config))
    rows = changed.compare_tables(old.elements, new.elements)
    assert units_again.build_again(old, new, rows, before, config) is None


def test_where_lines_cannot_be_noded_exactly_the_step_says_so(config, monkeypatch):
    def refuse(linework):
        raise mesh.NotNodedError(f"{len(linework)} lines")

    town = make_town(1)
    exact = units.build(load.gather(**town), config)
    ground = units_again.Ground(**{name: arrow.to_table(town[name]) for name in FRAMES})
    other = arrow.to_table(edit(town, "street", 3, 210.0, 610.0)["barriers"])
    monkeypatch.setattr(units_again, "MOST", 1.1)
    with monkeypatch.context() as patch:
        patch.setattr(mesh, "_node", refuse)
        snapped = units.build(load.gather(**town), config)
        assert units_again.build_again(
            ground, ground._replace(barriers=other), None, Kept(exact), config) is None
    assert (exact["exact"], snapped["exact"]) == (True, False)
    assert snapped["units"].area.sum() == pytest.approx(exact["units"].area.sum())
    assert units_again.build_again(ground, ground, None, Kept(snapped), config) is None
    assert units_again.build_again(ground, ground, None, Kept(exact), config) is not None


# --- grids ------------------------------------------------------------------------------------

SIZE = SizeRule(minimum=20, target=30, maximum=42, limits=(Limit(measure="people", maximum=90),))


def make_units(seed):
    """Return units in six territories of twenty units each."""
    chance = np.random.default_rng(seed)
    places = [(x, y) for y in range(10) for x in range(12)]
    made = layer("unit", [shapely.box(x * 50, y * 50, x * 50 + 50, y * 50 + 50)
                          for x, y in places],
                 territory=[f"T{x // 4}{y // 5}" for x, y in places],
                 kind=["block" if chance.random() < 0.97 else "school" for _ in places])
    return made.assign(households=chance.integers(0, 9, len(made)).astype("float64"),
                       people=chance.integers(0, 20, len(made)).astype("float64"),
                       noise=chance.integers(0, 9, len(made)).astype("float64"))


def alter(made, what, row):
    """Return units after an edit."""
    made = made.copy()
    at = made.index[row % len(made)]
    if what == "kind":
        made.loc[at, "kind"] = "school"
    elif what == "gone":
        return made.drop(index=at)
    elif what == "code":
        return made.rename(index={at: f"n{row}"}).sort_index()
    elif what == "home":
        made.loc[at, "territory"] = made["territory"].iloc[row // 7 % len(made)]
    elif what == "corner":
        corner = shapely.get_coordinates(made.geometry[at])[0]
        made["geometry"] = shapely.transform(made.geometry.to_numpy(), lambda xy: np.where(
            (xy == corner).all(axis=1, keepdims=True), corner + np.array([3.0, 2.0]), xy))
    else:
        made.loc[at, what] += 1 + row % 5
    return made


def partition(some, **options):
    """Draw units as a run does."""
    drawn = zoning.partition(some, SIZE, dedicated=("school",), effort="draft", **options)
    return {"grids": drawn.grids, "assignment": drawn.assignment.to_frame(),
            "changes": grids_again.sort_changes(drawn.changes)}


def draw_both(old, new, columns):
    """Return what drawing gives again, and what it gives as a whole."""
    tables = [arrow.to_table(frame) for frame in (old, new)]

    def draw_some(some, beside):
        made = zoning.partition(new[some], SIZE, dedicated=("school",), effort="draft",
                                counts=dict.fromkeys(beside, 1))
        return made

    again = grids_again.draw_again(
        *(grids_again.Units(table, between.texts_of(table["territory"])) for table in tables),
        changed.compare_tables(*tables), Kept(partition(old)),
        grids_again.Asked(columns, np.empty(0, dtype=object), draw_some))
    return again, partition(new)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 3), st.lists(st.tuples(
    st.sampled_from(["households", "people", "kind", "home", "corner", "noise", "gone",
                     "code"]),
    st.integers(0, 999)), min_size=1, max_size=2), st.booleans())
def test_grids_drawn_again_are_those_of_the_whole(seed, edits, nothing):
    old = new = make_units(seed)
    for one in [] if nothing else edits:
        new = alter(new, *one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids_again, "MOST", 1.1)
        again, whole = draw_both(old, new, ["kind", "households", "people"])
    assert_same(again[0]._asdict(), whole)


def test_numbers_that_no_drawing_goes_by_are_added_up(monkeypatch):
    monkeypatch.setattr(grids_again, "MOST", 1.1)
    free = SizeRule(minimum=20, target=30, maximum=42)
    monkeypatch.setitem(globals(), "SIZE", free)
    old = make_units(1)
    for what, drawn in (("people", 0), ("noise", 0), ("households", 1), ("kind", 1)):
        again, whole = draw_both(old, alter(old, what, 17), ["kind", "households"])
        assert_same(again[0]._asdict(), whole)
        assert built_again(again) == drawn


def test_a_drawing_goes_by_what_it_measures(config):
    assert draw.list_columns(config) == ["kind", "households"]
    limited = replace(config, profile=replace(config.profile, size=SIZE))
    assert draw.list_columns(limited) == ["kind", "households", "people"]
    assert not draw.looks_at_all(limited)
    sized = replace(config, profile=replace(config.profile, size=SizeRule(
        measure="area_m2", minimum=2e4, target=3e4, maximum=4e4)))
    assert draw.looks_at_all(sized)


# --- what they stand on -----------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.data())
def test_rows_are_put_where_their_text_belongs(kept, data):
    codes = data.draw(st.lists(st.text("abc", min_size=1, max_size=3), min_size=len(kept),
                               max_size=40, unique=True))
    old, more = sorted(codes[:len(kept)]), codes[len(kept):]
    frame = pd.DataFrame({"n": range(len(codes))},
                         index=pd.Index([*old, *more], dtype="str", name="code"))
    table = arrow.to_table(frame.iloc[:len(old)])
    made = between.put_between(table, np.array(kept), frame.iloc[len(old):], by="code")
    stays = [*np.flatnonzero(kept), *range(len(old), len(codes))]
    pd.testing.assert_frame_equal(arrow.to_frame(made), frame.iloc[stays].sort_index())


def test_rows_of_another_kind_are_put_nowhere():
    table = arrow.to_table(pd.DataFrame({"n": [1]}, index=pd.Index(["a"], name="code")))
    other = pd.DataFrame({"n": [0.5]}, index=pd.Index(["b"], name="code"))
    with pytest.raises(arrow.Unfit, match="columns n, code"):
        between.put_between(table, np.array([True]), other, by="code")
    with pytest.raises(arrow.Unfit):
        between.put_numbers(table, "n", np.array([0.5]))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 9), st.lists(st.tuples(*[st.floats(0, 900)] * 2), min_size=1, max_size=6))
def test_what_is_near_is_found_however_often_it_is_asked_for(seed, corners):
    homes = make_town(seed)["elements"]
    near = nearby.Nearby(arrow.to_table(homes))
    for west, south in corners:
        box = np.array([[west, south, west + 90, south + 60]])
        inside = homes.index[homes.intersects(shapely.box(*box[0]))]
        assert set(inside) <= set(near.take(box).index)


def test_areas_of_some_are_measured_as_those_of_all():
    grids = make_units(0)[["geometry"]]
    every = areas.measure_area(grids)
    some = areas.measure_some(grids.iloc[5:9], grids.total_bounds)
    assert some.tolist() == every.iloc[5:9].tolist()


def test_lines_are_noded_alike_whatever_lies_elsewhere():
    near = shapely.linestrings([[(0, 0), (10, 10)], [(0, 10), (10, 0)], [(0, 0), (10, 0)],
                                [(0, 0), (0, 10)], [(10, 0), (10, 10)], [(0, 10), (10, 10)]])
    bent = shapely.LineString([(1000, 0), (1003, 1 + 1e-13), (1009, 3)])
    far = np.array([bent, shapely.LineString([(1000, 0), (1009, 3)])])
    alone = mesh.build_faces(near, exact=True)
    among = mesh.build_faces(np.concatenate([near, far]), exact=True)
    assert [face.wkt for face in alone] == [face.wkt for face in among if face.bounds[2] < 20]
    assert len(alone) == 4
