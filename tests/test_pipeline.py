"""The main job on the sample city, held against the truth of its planted faults."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import geopandas
import pandas as pd
import pytest
import shapely

import gridmap as gm
from gridmap import errors, ledger
from gridmap.pipeline import load_inputs, mend_inputs
from gridmap.pipeline.places import find_fault_places
from gridmap.pipeline.totals import join_table

PERSONAL = ("姓名", "户主", "联系电话", "身份证号")


@pytest.fixture(scope="module")
def truth(root):
    return json.loads((root / "data" / "truth" / "defects.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def city(root):
    """Return the configuration of the sample city."""
    return gm.load_config(root / "data" / "sample")


@pytest.fixture(scope="module")
def done(city):
    """Return the main job on the sample city, done once for all tests."""
    return gm.run(city)


@pytest.fixture(scope="module")
def workspace(city, done, tmp_path_factory):
    """Return the folder that the sample city was saved to."""
    folder = tmp_path_factory.mktemp("city") / "out"
    settings = replace(city.settings, workspace=str(folder))
    gm.save_run(done, replace(city, settings=settings))
    return folder


def test_every_step_closes_its_ledger(done):
    assert len(ledger.find_unbalanced(done.ledger)) == 0
    assert set(done.ledger["step"]) == {"load", "mend", "join", "units", "partition", "attach"}


def test_nobody_is_lost_and_nobody_counted_twice(done, truth):
    lost = truth["population"]
    everybody = truth["totals"]["people"] - lost["without_place_people"]
    assert done.grids["people"].sum() == everybody - lost["outside_people"]
    assert done.summary["people left over"] == lost["outside_people"]
    households = truth["totals"]["households"] - lost["without_place_households"]
    assert done.grids["households"].sum() == households - lost["outside_households"]


def test_grids_tile_the_county_and_stay_inside_their_community(done, city):
    gm.check_tiling(done.grids, rule=city.profile.tiling)
    communities = done.territories[done.territories["level"] == "community"]
    by_community = done.grids.dissolve("territory").geometry
    assert set(by_community.index) == set(communities.index)
    gone = by_community.symmetric_difference(communities.geometry.reindex(by_community.index))
    assert gone.area.max() < 1e-3


def test_every_grid_is_in_range_or_has_a_named_reason(done):
    odd = done.by_grid[done.by_grid["size_state"].isin(["small", "large"])].index
    told = done.changes[(done.changes["step"] == "partition")
                        & done.changes["what"].str.startswith("out of range: ")]
    assert set(odd) == set(told["id"])
    assert told["note"].notna().all()


def test_every_grid_is_of_one_piece_or_holds_an_island(done):
    islands = done.changes.loc[done.changes["what"] == "island joined", "id"]
    assert set(done.by_grid.index[done.by_grid["parts"] > 1]) <= set(islands)


def test_compounds_and_dedicated_sites_are_not_cut(done):
    owner = done.sites.geometry.representative_point()
    held = geopandas.sjoin(owner.to_frame("geometry").set_geometry("geometry"), done.grids)
    home = done.grids.geometry.reindex(held["grid"] if "grid" in held else held["index_right"])
    sites = done.sites.geometry.reindex(held.index)
    inside = shapely.area(shapely.intersection(sites.to_numpy(), home.to_numpy()))
    whole = inside / sites.area.to_numpy()
    crossing = done.sites.index[whole < 0.99]
    borders = done.territories[done.territories["level"] == "community"].boundary.union_all()
    cut_by_community = done.sites.geometry.reindex(crossing).buffer(-1).intersects(borders)
    assert cut_by_community.all(), crossing.tolist()


def test_planted_rejects_are_named_one_by_one(done, truth):
    named = set(done.rejects["id"])
    addresses, population = truth["addresses"], truth["population"]
    planted = [*addresses["code_hopeless"], *addresses["in_the_sea"], *addresses["without_place"],
               *addresses["same_row_twice"], *addresses["same_id_two_places"],
               *population["in_the_sea"], *population["without_place"],
               *population["same_id_twice"], *truth["assets"]["in_the_sea"],
               *truth["workers"]["code_hopeless"]]
    assert set(planted) <= named
    strangers = named - set(planted) - set(truth["assets"]["same_row_twice"])
    assert {s for s in strangers if not s.startswith("row ")} == set()


def test_planted_codes_are_mended_as_the_truth_has_them(done, truth):
    mended = done.changes[done.changes["what"] == "territory mended"]
    expected = {**truth["addresses"]["code_mendable"], **truth["workers"]["code_mendable"]}
    assert dict(zip(mended["id"], mended["after"], strict=True)) == expected


def test_planted_places_on_borders_go_to_the_first_code(done, truth):
    held = done.elements.loc[truth["population"]["on_border"]]
    assert held["grid"].notna().all()
    touching = geopandas.sjoin(held[["geometry"]], done.grids[["geometry"]].reset_index(),
                               predicate="intersects")
    first = touching.groupby(level=0)["grid"].min().reindex(held.index)
    inside = held["how"].isin(["inside", "border"])
    assert (held["grid"][inside] == first[inside]).all()


def test_planted_border_faults_are_mended_where_they_are(done, truth):
    changes = done.changes[done.changes["step"] == "mend"]
    for fault in truth["borders"]:
        what = "gap filled" if "gap" in fault["what"] else ("overlap decided", "cut at the parent")
        near = changes[changes["what"].isin([what] if isinstance(what, str) else what)]
        assert (near["area_m2"].fillna(0) > 0.9 * fault["area_m2"]).any(), fault


def test_the_rare_name_is_whole(done, truth):
    rare = truth["rare_name"]
    assert done.territories.loc[rare["community"], "name"] == rare["name"]


def test_gcj02_addresses_end_up_in_their_community(done):
    addresses = done.elements[done.elements["kind"] == "address"]
    named = addresses[addresses["territory"].notna() & addresses["grid"].notna()]
    there = named["grid"].map(done.grids["territory"])
    assert (there == named["territory"]).mean() > 0.95


def test_the_order_of_rows_does_not_matter(city, done):
    inputs = mend_inputs(load_inputs(city), city)
    mixed = inputs._replace(**{
        name: getattr(inputs, name).sample(frac=1, random_state=3)
        for name in ("elements", "barriers", "sites", "assets")
    })
    units = gm.make_units(gm.join_totals(mixed, city), city)
    again = gm.draw_base_grids(units, city)
    assert again.assignment.sort_index().equals(done.assignment.sort_index())
    assert again.grids["households"].equals(done.grids["households"].astype("float64"))


def test_the_same_input_makes_the_same_bytes(city, workspace, tmp_path):
    again = tmp_path / "out"
    settings = replace(city.settings, workspace=str(again), workers=2)
    same = replace(city, settings=settings)
    gm.save_run(gm.run(same), same)
    for file in sorted(p for p in workspace.rglob("*") if p.is_file()):
        assert (again / file.relative_to(workspace)).read_bytes() == file.read_bytes(), file


def test_the_workspace_holds_what_it_promises(workspace):
    there = {str(p.relative_to(workspace)) for p in workspace.rglob("*") if p.is_file()}
    assert there >= {"map.html", "report.html", "grids.gpkg", "grids.csv", "changes.csv",
                     "rejects.csv", "ledger.csv", "manifest.json", "frames/grids.parquet",
                     "frames/units.parquet", "frames/elements.parquet"}
    grids = geopandas.read_parquet(workspace / "frames" / "grids.parquet")
    assert grids.index.name == "grid"
    assert grids.crs.to_epsg() == 4550


def test_no_output_holds_a_personal_value(root, workspace):
    folder = root / "data" / "sample"
    private = set()
    for file in ("elements/addresses.csv", "workers/workers.csv"):
        table = pd.read_csv(folder / file, encoding="gb18030", dtype="str")
        for column in [c for c in table.columns if c in PERSONAL]:
            private |= {value for value in table[column].dropna() if len(value) >= 3}
    assert len(private) > 1000
    for file in (p for p in workspace.rglob("*") if p.is_file()):
        text = file.read_bytes().decode("utf-8", errors="ignore")
        found = private & set(re.findall(r"\d{11}|\d{17}[\dX]|[\u4e00-\u9fff]{3}", text))
        assert not found, file


def test_small_counts_are_withheld_from_what_is_shared(workspace):
    shown = pd.read_csv(workspace / "grids.csv", dtype={"grid": "str", "territory": "str"})
    for figure in ("households", "people"):
        counts = shown[figure].dropna()
        assert not counts.between(1, 9).any()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('within = "community"', 'within = "ward"', "but the levels of the territories are"),
        ('territory = "CODE"', 'territory = "KODE"', "has no column KODE. Its columns are"),
        ('joins = "territories"', 'joins = "grids"', r"joins grids, but no grids were given"),
    ],
)
def test_a_wrong_configuration_is_told_when_it_meets_the_data(city, tmp_path, old, new, message):
    folder = tmp_path / "sample"
    shutil.copytree(city.path.parent, folder, ignore=shutil.ignore_patterns("out"))
    file = folder / "gridmap.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(errors.GridmapError, match=message):
        gm.run(gm.load_config(file))


def test_a_table_names_strangers_and_the_silent():
    grids = gm.sketch_grids("ABC")
    table = pd.DataFrame({"people": [5.0, 7.0]}, index=pd.Index(["A", "Z"], name="code"))
    nothing = dict.fromkeys(gm.Inputs._fields)
    account = {"changes": ledger.join_changes(), "rejects": ledger.join_changes(),
               "ledger": ledger.join_ledger()}
    inputs = gm.Inputs(**{**nothing, **account, "grids": grids, "tables": (table,)})
    joined = join_table(inputs, table, joins="grids", name="people.csv")
    assert joined.grids["people"].isna().tolist() == [False, True, True]
    assert joined.rejects["id"].tolist() == ["Z"]
    assert joined.changes["id"].tolist() == ["B", "C"]
    ledger.check_balance(joined.ledger)
    assert joined.ledger["left_over"].tolist() == [1.0, 7.0]


def test_the_scaffold_runs_to_the_first_absent_file(tmp_path):
    file = gm.save_scaffold(tmp_path / "new")
    with pytest.raises(errors.SourceError, match=r"there is no file .*towns.gpkg"):
        gm.run(gm.load_config(Path(file)))


def test_every_community_has_the_people_that_the_truth_gives_it(done, root):
    truth = pd.read_csv(root / "data" / "truth" / "communities.csv", dtype={"code": "str"})
    expected = truth.set_index("code")["people"]
    counted = done.grids.groupby("territory")["people"].sum()
    assert counted.to_dict() == expected.to_dict()


def test_every_planted_fault_of_a_border_has_its_place_on_the_map(city, truth):
    places = find_fault_places(load_inputs(city), city)
    assert places.index.is_unique
    for fault in truth["borders"]:
        kind = "gap" if "gap" in fault["what"] else "overlap"
        same = places[places["what"].str.startswith(kind)]
        near = same.distance(shapely.Point(fault["x"], fault["y"])) < 1
        assert near.any(), fault
    strays = places[places["what"] == "outside every territory"]
    planted = {*truth["addresses"]["in_the_sea"], *truth["population"]["in_the_sea"],
               *truth["assets"]["in_the_sea"]}
    assert set(strays["id"]) == planted


def test_units_and_grids_are_seamless_to_the_last_bit(done):
    # Borders of communities that differ in the last digit once left units of 1e-11 m².
    assert shapely.coverage_is_valid(done.units.geometry.to_numpy())
    assert shapely.coverage_is_valid(done.grids.geometry.to_numpy())
    assert done.units.area.min() > 1_000
