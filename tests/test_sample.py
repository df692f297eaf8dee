"""The sample city is what its README says, planted faults included."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pandas import DataFrame

from gridmap import to_gcj02

RARE = "䶮"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def script(root):
    sys.path.insert(0, str(root / "scripts"))
    import make_sample

    yield make_sample
    sys.path.remove(str(root / "scripts"))


@pytest.fixture(scope="module")
def sample(root) -> Path:
    return root / "data" / "sample"


@pytest.fixture(scope="module")
def truth(root) -> dict:
    return json.loads((root / "data" / "truth" / "defects.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def true_communities(root) -> DataFrame:
    rows = read_text(root / "data" / "truth" / "communities.csv", encoding="utf-8")
    counts = ["addresses", "buildings", "households", "people"]
    rows[counts] = rows[counts].astype(int)
    return rows.assign(geometry=shapely.from_wkt(rows["wkt"].to_numpy()))


@pytest.fixture(scope="module")
def communities(sample) -> DataFrame:
    return read_shapes(sample / "boundaries" / "communities.shp", encoding="GBK")


@pytest.fixture(scope="module")
def addresses(sample) -> DataFrame:
    return read_text(sample / "elements" / "addresses.csv")


@pytest.fixture(scope="module")
def population(sample) -> DataFrame:
    rows = read_text(sample / "elements" / "population.csv", encoding="utf-8")
    numbers = ["people", "households", "x", "y"]
    rows[numbers] = rows[numbers].replace("", np.nan).astype(float)
    return rows


def read_text(path: Path, *, encoding: str = "gb18030") -> DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding)


def read_shapes(path: Path, *, encoding: str | None = None) -> geopandas.GeoDataFrame:
    return pyogrio.read_dataframe(path, encoding=encoding)


def files_of(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes()
            for f in sorted(folder.rglob("*")) if f.is_file()}


# --- making it ---------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_city(script, tmp_path):
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        script.make(script.Plan(households=3000, seed=seed), tmp_path / name)
    one, two, other = (files_of(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    assert one["sample/elements/population.csv"] != other["sample/elements/population.csv"]


def test_the_bundled_files_are_those_that_the_script_makes(script, root, capsys):
    noted = json.loads((root / "data" / script.MADE_WITH).read_text(encoding="utf-8"))
    if noted != script.list_makers():
        pytest.skip(f"made with {noted}; other versions may round the last digit otherwise")
    assert script.main(["--check"]) == 0, capsys.readouterr().out


def test_a_city_at_scale_has_the_size_asked_for_and_its_own_configuration(script, tmp_path):
    script.make(script.plan_for_elements(20_000, seed=2), tmp_path)
    sample = tmp_path / "sample"
    records = pd.read_csv(sample / "elements" / "population.csv")
    addresses = read_text(sample / "elements" / "addresses.csv")
    buildings = geopandas.read_parquet(sample / "elements" / "buildings.parquet")
    assert 0.8 < (len(records) + len(addresses) + len(buildings)) / 20_000 < 1.25
    assert (records["people"] == 1).all()
    config = tomllib.loads((sample / "gridmap.toml").read_text(encoding="utf-8"))
    assert config["elements"][1]["path"] == "elements/buildings.parquet"


def test_scale_without_a_folder_is_refused(script, capsys):
    with pytest.raises(SystemExit, match="2"):
        script.main(["--scale", "100000"])
    assert "--scale needs --out" in capsys.readouterr().err


def test_the_bundled_files_stay_below_five_megabytes(root):
    sizes = [f.stat().st_size for f in (root / "data").rglob("*")
             if f.is_file() and "out" not in f.relative_to(root / "data").parts]
    assert sum(sizes) < 5 * MEGABYTE


def test_every_file_and_column_of_the_configuration_exists(sample):
    config = tomllib.loads((sample / "gridmap.toml").read_text(encoding="utf-8"))
    tables = [source for part in config.values() if isinstance(part, list) for source in part]
    assert len(tables) == 17
    for source in tables:
        path = sample / source["path"]
        if path.suffix == ".csv":
            known = set(read_text(path, encoding=source.get("encoding", "utf-8")).columns)
        else:
            known = set(pyogrio.read_info(path)["fields"])
        assert set(source["columns"].values()) <= known, source["path"]


# --- the city ----------------------------------------------------------------------------


def test_the_true_communities_tile_their_towns_and_the_county(sample, true_communities):
    shapes = true_communities["geometry"].to_numpy()
    assert shapely.coverage_is_valid(shapes)
    county = read_shapes(sample / "boundaries" / "county.shp")
    assert shapely.coverage_union_all(shapes).equals(county.geometry.iloc[0])
    towns = read_shapes(sample / "boundaries" / "towns.shp").set_index("CODE")
    for code, rows in true_communities.groupby("parent"):
        assert shapely.coverage_union_all(rows["geometry"].to_numpy()).equals(
            towns.geometry[code])


def test_codes_nest_and_sizes_are_those_of_a_small_county(true_communities):
    assert true_communities["code"].str.fullmatch(r"3799\d{8}").all()
    assert (true_communities["code"].str[:9] == true_communities["parent"]).all()
    assert true_communities["parent"].nunique() in (3, 4)
    assert 20 <= len(true_communities) <= 30


def test_every_true_community_is_one_piece_but_for_islands(true_communities, sample):
    county = read_shapes(sample / "boundaries" / "county.shp").geometry.iloc[0]
    mainland = max(county.geoms, key=lambda part: part.area)
    assert len(county.geoms) == 8
    for shape in true_communities["geometry"]:
        ashore = shapely.intersects(shapely.get_parts(shape), mainland).sum()
        assert ashore == 1 or len(shapely.get_parts(shape)) == 1


def test_some_people_live_on_an_island(true_communities, sample):
    mainland = max(read_shapes(sample / "boundaries" / "county.shp").geometry.iloc[0].geoms,
                   key=lambda part: part.area)
    afloat = ~shapely.intersects(true_communities["geometry"].to_numpy(), mainland)
    assert true_communities["people"][afloat].sum() > 100


def test_no_compound_and_no_building_is_cut_by_a_true_border(sample, true_communities):
    tree = shapely.STRtree(true_communities["geometry"].to_numpy())
    sites = read_shapes(sample / "sites" / "sites.geojson").to_crs("EPSG:4550")
    buildings = read_shapes(sample / "elements" / "buildings.shp")
    for shapes in (sites.geometry.to_numpy(), buildings.geometry.to_numpy()):
        assert len(tree.query(shapes, predicate="intersects")[0]) == len(shapes)


def test_no_building_stands_on_another_or_in_the_river(sample):
    buildings = read_shapes(sample / "elements" / "buildings.shp").geometry.to_numpy()
    one, other = shapely.STRtree(buildings).query(buildings, predicate="intersects")
    assert (one == other).all()
    lines = read_shapes(sample / "lines" / "barriers.shp")
    river = shapely.union_all(lines.geometry[lines["KIND"] == "river"].to_numpy())
    assert river.distance(shapely.multipolygons(buildings)) > 15


def test_people_live_where_the_truth_says(population, true_communities, truth):
    rows = population.drop_duplicates("resident").dropna(subset=["x"])
    points = shapely.points(rows["x"], rows["y"])
    row, held = shapely.STRtree(true_communities["geometry"].to_numpy()).query(
        points, predicate="intersects")
    first = pd.Series(held).groupby(row).min()
    for measure in ("households", "people"):
        values = rows[measure].to_numpy()[first.index]
        counted = np.bincount(first, values, minlength=len(true_communities))
        assert counted.tolist() == true_communities[measure].tolist()
        whole = (true_communities[measure].sum() + truth["population"][f"outside_{measure}"]
                 + truth["population"][f"without_place_{measure}"])
        assert whole == truth["totals"][measure]


def test_published_totals_are_those_of_the_city(sample, truth, true_communities):
    table = read_text(sample / "tables" / "community_population.csv")
    assert len(table) == truth["table"]["rows"] == len(true_communities) + 1
    whole = table[table["社区名称"] == truth["table"]["total_row"]]
    assert whole["社区代码"].tolist() == [""]
    assert whole["户数"].astype(int).tolist() == [truth["totals"]["households"]]
    assert table["户数"].astype(int).sum() == 2 * truth["totals"]["households"]
    assert table["人口"].astype(int).sum() == 2 * truth["totals"]["people"]
    damaged = table["社区代码"][table["社区代码"].str.endswith(".0")].str.removesuffix(".0")
    assert damaged.tolist() == truth["table"]["code_mendable"]


def test_about_97_in_100_events_are_closed_in_the_grid(sample):
    events = pd.read_csv(sample / "events" / "events.csv", parse_dates=["opened", "closed"])
    assert 0.96 < (events["level"] == "grid").mean() < 0.98
    assert (events["closed"].isna() == events["level"].isna()).all()
    assert (events["closed"].dropna() > events["opened"][events["closed"].notna()]).all()


def test_the_schemes_of_the_departments_disagree(sample):
    for name in ("police_beats", "civil_affairs"):
        shapes = read_shapes(sample / "schemes" / f"{name}.geojson").to_crs("EPSG:4550")
        one, _ = shapes.sindex.query(shapes.geometry, predicate="overlaps")
        assert len(one), f"{name} has no overlap"
    police, civil = (
        shapely.union_all(read_shapes(sample / "schemes" / f"{n}.geojson").boundary.to_numpy())
        for n in ("police_beats", "civil_affairs"))
    assert not police.equals_exact(civil)
    towns = read_shapes(sample / "boundaries" / "towns.shp").to_crs("EPSG:4326").union_all()
    management = read_shapes(sample / "schemes" / "city_management.geojson").union_all()
    assert management.area < 0.5 * towns.area


# --- planted faults ----------------------------------------------------------------------


def test_addresses_are_shifted_by_gcj02_and_by_nothing_else(addresses, population):
    first = addresses.drop_duplicates("地址编码").set_index("地址编码")
    rows = population.drop_duplicates("address").dropna(subset=["x"]).set_index("address")
    homes = geopandas.GeoSeries.from_xy(rows["x"], rows["y"], index=rows.index,
                                        crs="EPSG:4550").to_crs("EPSG:4490")
    lon, lat = to_gcj02(homes.x, homes.y)
    written = first.loc[rows.index, ["经度", "纬度"]].replace("", np.nan).astype(float)
    same = (np.abs(written["经度"] - lon) < 2e-6) & (np.abs(written["纬度"] - lat) < 2e-6)
    assert same.mean() > 0.98  # the rest are the planted ones
    assert np.abs(written["经度"] - homes.x).median() > 0.003


def test_the_shapefile_is_gbk_and_nothing_says_so(sample, communities, true_communities, truth):
    assert not (sample / "boundaries" / "communities.cpg").exists()
    content = (sample / "boundaries" / "communities.dbf").read_bytes()
    assert content[29] == 0
    with pytest.raises(UnicodeDecodeError, match="utf-8"):
        content[content[8]:].decode("utf-8")
    names = communities.set_index("CODE")["NAME"]
    rare = truth["rare_name"]
    assert names[rare["community"]] == rare["in_shapefile"] == rare["name"].replace(RARE, "")
    others = true_communities.set_index("code")["name"].drop(rare["community"])
    assert names.drop(rare["community"]).tolist() == others.tolist()


def test_the_rare_name_stands_in_the_gb18030_files(sample, addresses, truth):
    rare = truth["rare_name"]
    assert RARE in rare["name"]
    table = read_text(sample / "tables" / "community_population.csv")
    assert rare["name"] in table["社区名称"].tolist()
    first = addresses.drop_duplicates("地址编码")
    genuine = ~first["地址编码"].isin(truth["addresses"]["same_place_two_ids"])
    assert first[genuine]["标准地址"].str.contains(rare["name"]).sum() == rare["addresses"]


def test_each_torn_border_is_torn_as_noted(communities, true_communities, truth):
    now = communities.set_index("CODE").geometry
    then = true_communities.set_index("code")["geometry"]
    kinds = [(t["what"], t["open"]) for t in truth["borders"]]
    assert kinds.count(("gap", False)) == 2
    assert kinds.count(("gap", True)) == 1
    assert kinds.count(("overlap", False)) == 3
    assert {"sliver gap", "sliver overlap"} <= {what for what, _ in kinds}
    changed: dict[str, float] = {}
    for torn in truth["borders"]:
        lost = torn["what"].endswith("gap")
        code = torn["owner"] if lost else torn["neighbour"]
        place = shapely.Point(torn["x"], torn["y"]).buffer(100)
        before, after = then[code].intersection(place), now[code].intersection(place)
        assert abs(abs(before.area - after.area) - torn["area_m2"]) < 0.01, torn
        changed[code] = changed.get(code, 0.0) + (-1 if lost else 1) * torn["area_m2"]
    difference = now.area - shapely.area(then)
    for code, area in difference.items():
        assert abs(area - changed.get(code, 0.0)) < 0.05, code


def test_only_the_open_gap_touches_the_outside(communities, sample, truth):
    county = read_shapes(sample / "boundaries" / "county.shp").geometry.iloc[0]
    gaps = shapely.get_parts(county.difference(communities.geometry.union_all()))
    gaps = gaps[shapely.area(gaps) > 0.1]
    noted = [t for t in truth["borders"] if t["what"].endswith("gap")]
    assert len(gaps) == len(noted)
    is_open = shapely.length(shapely.intersection(gaps, county.boundary)) > 1
    assert is_open.sum() == 1


def test_damaged_codes_of_addresses_are_as_noted(addresses, truth):
    noted = truth["addresses"]
    assert len(addresses) == noted["rows"]
    codes = addresses.drop_duplicates("地址编码").set_index("地址编码")["社区代码"]
    twins = set(noted["same_place_two_ids"])
    genuine = codes.drop(list(twins))
    assert sorted(genuine.index[genuine == ""]) == noted["code_blank"]
    mendable = genuine[genuine.str.endswith(".0")].str.removesuffix(".0")
    assert dict(sorted(mendable.items())) == noted["code_mendable"]
    assert sorted(genuine.index[genuine == "3.79901E+11"]) == noted["code_hopeless"]
    whole = genuine[genuine.str.fullmatch(r"\d{12}")]
    assert len(whole) + len(mendable) + len(noted["code_blank"]) + len(
        noted["code_hopeless"]) == truth["totals"]["addresses"]


def test_rows_that_come_twice_are_as_noted(addresses, population, sample, truth):
    noted = truth["addresses"]
    again = addresses[addresses["地址编码"].duplicated(keep=False)]
    places = again.groupby("地址编码")["经度"].nunique()
    assert sorted(places.index[places == 1]) == noted["same_row_twice"]
    assert sorted(places.index[places == 2]) == noted["same_id_two_places"]
    first = addresses.drop_duplicates("地址编码").set_index("地址编码")
    for twin, original in noted["same_place_two_ids"].items():
        for column in ("标准地址", "经度", "纬度"):
            assert first[column][twin] == first[column][original]
    twice = population["resident"][population["resident"].duplicated()]
    assert sorted(twice) == sorted(truth["population"]["same_id_twice"])
    assets = read_text(sample / "assets" / "assets.csv", encoding="utf-8")
    assert len(assets) == truth["assets"]["rows"]
    assert sorted(assets["asset"][assets.duplicated()]) == truth["assets"]["same_row_twice"]


def test_points_on_shared_borders_touch_two_communities_exactly(
    sample, population, communities, truth
):
    tree = shapely.STRtree(communities.geometry.to_numpy())
    assets = read_text(sample / "assets" / "assets.csv", encoding="utf-8")
    assets[["x", "y"]] = assets[["x", "y"]].astype(float)
    for rows, ids in ((population, "resident"), (assets, "asset")):
        noted = truth["population" if ids == "resident" else "assets"]["on_border"]
        chosen = rows.drop_duplicates(ids).set_index(ids).loc[noted]
        row, _ = tree.query(shapely.points(chosen["x"], chosen["y"]), predicate="intersects")
        assert (np.bincount(row, minlength=len(chosen)) >= 2).all()


def test_points_in_the_sea_and_without_a_place_are_as_noted(
    sample, addresses, population, truth
):
    county = read_shapes(sample / "boundaries" / "county.shp").geometry.iloc[0]
    shapely.prepare(county)
    rows = population.drop_duplicates("resident").set_index("resident")
    assert sorted(rows.index[rows["x"].isna()]) == sorted(truth["population"]["without_place"])
    placed = rows.dropna(subset=["x"])
    wet = placed.index[~shapely.intersects_xy(county, placed["x"], placed["y"])]
    assert sorted(wet) == sorted(truth["population"]["in_the_sea"])
    assets = read_text(sample / "assets" / "assets.csv", encoding="utf-8").drop_duplicates()
    x, y = assets["x"].astype(float), assets["y"].astype(float)
    far = shapely.distance(county, shapely.points(x, y)) > 100
    assert sorted(assets["asset"][far]) == truth["assets"]["in_the_sea"]
    first = addresses.drop_duplicates("地址编码").set_index("地址编码")
    genuine = first.drop(list(truth["addresses"]["same_place_two_ids"]))
    assert sorted(genuine.index[genuine["经度"] == ""]) == truth["addresses"]["without_place"]
    for code in truth["addresses"]["in_the_sea"]:
        assert genuine["经度"][code]


def test_damaged_codes_of_workers_are_as_noted(sample, truth, true_communities):
    workers = read_text(sample / "workers" / "workers.csv").set_index("岗位编号")
    noted = truth["workers"]
    codes = workers["社区代码"]
    assert len(workers) == noted["rows"]
    assert codes.index[codes == "3.79901E+11"].tolist() == noted["code_hopeless"]
    mended = codes[codes.str.endswith(".0")].str.removesuffix(".0")
    assert mended.to_dict() == noted["code_mendable"]
    whole = codes.drop(noted["code_hopeless"]).str.removesuffix(".0")
    assert set(whole) <= set(true_communities["code"])


def test_personal_columns_look_real_and_belong_to_nobody(sample, addresses, truth):
    workers = read_text(sample / "workers" / "workers.csv")
    assert set(truth["workers"]["personal_columns"]) <= set(workers.columns)
    weights, checks = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"
    for number in workers["身份证号"]:
        total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
        assert number[17] == checks[total % 11]
    assert workers["身份证号"].str.startswith("379999190").all()
    for phones in (workers["联系电话"], addresses["联系电话"][addresses["联系电话"] != ""]):
        assert phones.str.fullmatch(r"140\d{8}").all()
