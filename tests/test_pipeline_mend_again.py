"""Mending again after a small edit: the outcome is that of the whole, byte for byte."""

from __future__ import annotations

import random
from dataclasses import replace

import geopandas
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from kept import Kept

import gridmap as gm
from gridmap import tiling
from gridmap.pipeline import arrow, load, mend, mend_again, run_again
from gridmap.sketch import save_sketch
from gridmap.tiling import again
from gridmap.workspace import load_config
from gridmap.workspace.manifest import load_manifest

FRAMES = ("territories", "units", "grids", "schemes", "changes", "ledger", "took")


@pytest.fixture(scope="module")
def city(root):
    """Return the configuration of the sample city, and what there is to mend in it.

    Units and grids are the communities, some of them out of place.
    """
    config = load_config(root / "data" / "sample")
    given = gm.load_inputs(config)
    land = given.territories[given.territories["level"] == "community"]
    parts = push(land, land.index[3], 4.0)
    units = geopandas.GeoDataFrame(
        {"territory": parts.index.astype("str")}, geometry=parts.geometry.to_numpy(),
        index=pd.Index("U" + parts.index, name="unit"), crs=parts.crs)
    grids = units.rename(index=lambda code: code.replace("U", "G")).rename_axis("grid")
    crs = arrow.tell_crs(given.territories.crs)
    config = replace(config, settings=replace(config.settings, crs=crs))
    return config, {"territories": given.territories, "units": units, "grids": grids,
                    "schemes": given.schemes}


def push(frame, code, by):
    """Return a frame, the place of one row moved to the east."""
    return frame.set_geometry(frame.geometry.where(frame.index != code, frame.translate(by, 0)))


def bend(frame, chance):
    """Return a frame, one corner of one row moved."""
    code = chance.choice(list(frame.index))
    shape = max(shapely.get_parts(frame.geometry[code]), key=shapely.area)
    corners = shapely.get_coordinates(shape.exterior)[:-1]
    corners[chance.randrange(len(corners))] += (chance.uniform(-15, 15), chance.uniform(-15, 15))
    bent = frame.geometry.copy()
    bent[code] = shapely.Polygon(corners)
    return frame.set_geometry(bent)


def bend_level(level):
    """Return an edit of the territories of a level."""
    def edit(frames, chance):
        land = frames["territories"]
        some = bend(land[land["level"] == level], chance)
        shapes = land.geometry.copy()
        shapes[some.index] = some.geometry
        return {**frames, "territories": land.set_geometry(shapes)}
    return edit


def bend_row(name):
    """Return an edit of another frame."""
    return lambda frames, chance: {**frames, name: bend(frames[name], chance)}


def rename(frames, chance):
    """Give a territory another name."""
    land = frames["territories"]
    code = chance.choice(list(land.index))
    return {**frames, "territories": land.assign(
        name=land["name"].where(land.index != code, "elsewhere"))}


def drop(frames, chance):
    """Take a community away."""
    land = frames["territories"]
    code = chance.choice(list(land.index[land["level"] == "community"]))
    return {**frames, "territories": land.drop(index=code)}


def give(frames, chance):
    """Give a community to another town."""
    land = frames["territories"]
    towns = list(land.index[land["level"] == "town"])
    code = chance.choice(list(land.index[land["level"] == "community"]))
    return {**frames, "territories": land.assign(
        parent=land["parent"].where(land.index != code, chance.choice(towns)))}


def swap(frames, chance):
    """Put the rows in another order, and bend one."""
    land = frames["territories"]
    return bend_level("community")({**frames, "territories": land.iloc[::-1]}, chance)


def lose(name):
    """Return an edit that takes a frame away."""
    return lambda frames, _: {**frames, name: None}


EDITS = {
    "community": bend_level("community"), "town": bend_level("town"),
    "county": bend_level("county"), "scheme": bend_row("schemes"), "unit": bend_row("units"),
    "grid": bend_row("grids"), "name": rename, "drop": drop, "give": give, "order": swap,
    "no units": lose("units"), "no grids": lose("grids"), "no schemes": lose("schemes"),
}


def make(frames, config):
    """Mend the whole."""
    return mend_again.make(*mend.mend_layers(load.gather(**frames), config))


def to_ground(frames, old=None, ground=None):
    """Return frames as tables: the same ones for frames that are the same."""
    return mend_again.Ground(**{
        name: getattr(ground, name) if old is not None and frames[name] is old[name]
        else None if frames[name] is None else arrow.to_table(frames[name]) for name in frames})


def pack(frame):
    """Return the bytes that are kept of a frame, or of the table of one."""
    return arrow.pack(frame if isinstance(frame, pa.Table) else arrow.take_frame(frame))


def check_same(made, whole):
    """Raise unless two outcomes give the same bytes."""
    for name in FRAMES:
        assert (made[name] is None) == (whole[name] is None)
        assert made[name] is None or pack(made[name]).equals(pack(whole[name])), name
    assert made["layers"] == whole["layers"]


@pytest.mark.parametrize("what", EDITS)
def test_after_an_edit_the_outcome_is_that_of_the_whole(city, monkeypatch, what):
    monkeypatch.setattr(again, "MOST", 1.0)  # the sample city is small
    config, frames = city
    chance = random.Random(what)
    old = {**frames}
    before = make(old, config)
    for _ in range(2):
        now = EDITS[what](old, chance)
        ground = to_ground(old)
        made = mend_again.mend_again(ground, to_ground(now, old, ground), Kept(before), config)
        assert made is not None
        check_same(made[0], make(now, config))
        old, before = now, made[0]
        if what.startswith("no "):
            break


@pytest.mark.parametrize(("what", "asked"), [
    ("name", set()), ("scheme", {"scheme"}), ("grid", {"grids"}), ("unit", {"units"}),
])
def test_layers_that_did_not_change_are_not_looked_at(city, monkeypatch, what, asked):
    config, frames = city
    ground = to_ground(frames)
    before = Kept(make(frames, config))
    now = EDITS[what](frames, random.Random(0))
    seen = set()
    mend_layer, note_scheme = mend.mend_layer, mend.note_scheme

    def watch_layer(polygons, parent, rule, name, layers):
        seen.add(name)
        return mend_layer(polygons, parent, rule, name, layers)

    def watch_scheme(*given):
        seen.add("scheme")
        return note_scheme(*given)

    monkeypatch.setattr(mend, "mend_layer", watch_layer)
    monkeypatch.setattr(mend, "note_scheme", watch_scheme)
    monkeypatch.setattr(mend_again.tiling, "repair_again", None)  # nobody asks for it
    mend_again.mend_again(ground, to_ground(now, frames, ground), before, config)
    assert seen == asked


@pytest.mark.parametrize("kind", ["seniority", "levels", "crs", "from units"])
def test_what_no_part_tells_is_left_to_the_whole(city, kind):
    config, frames = city
    before, now = Kept(make(frames, config)), frames
    if kind == "seniority":
        rule = replace(config.profile.tiling, overlaps="seniority", seniority=["a"])
        config = replace(config, profile=replace(config.profile, tiling=rule))
    elif kind == "levels":
        land = frames["territories"]
        now = {**frames, "territories": land[land["level"] != "town"].assign(parent=None)}
    elif kind == "crs":
        config = replace(config, settings=replace(config.settings, crs="EPSG:32651"))
    else:
        config = replace(config, territories_from_units=True)
    assert mend_again.mend_again(to_ground(frames), to_ground(now), before, config) is None


def test_a_run_tells_how_many_polygons_took_part(tmp_path):
    town = save_sketch(tmp_path / "town")
    file = town / "gridmap.toml"
    file.write_text(file.read_text("utf-8").replace("territories = true\n", "") + """
[[territories]]
path = "land.geojson"
columns = { territory = "territory", name = "name" }
constants = { level = "community" }
""", encoding="utf-8")
    units = gm.load_inputs(load_config(save_sketch(tmp_path / "other"))).units
    land = tiling.build_territories(units).reset_index()[["territory", "geometry"]]
    land.assign(name="Old").to_file(town / "land.geojson")
    config = load_config(town)
    run_again(config)
    land.assign(name="New").to_file(town / "land.geojson")
    told = run_again(config).steps.set_index("step").loc["mend"]
    assert told["did"] == "ran in part"
    assert told["why"] == f"changed: territories: 0 of {len(units) + len(land)} polygons"
    left = load_manifest(config.workspace)["outputs"]
    run_again(config, fresh=True)
    assert load_manifest(config.workspace)["outputs"] == left
