"""Every fault planted in the files of the sample city is found, by a line that names it."""

from __future__ import annotations

import json

import pytest

from gridmap.sources import (
    load_assets,
    load_elements,
    load_events,
    load_schemes,
    load_sites,
    load_table,
    load_territories,
    load_visits,
    load_workers,
)

SECRET = ("户主", "联系电话", "姓名", "身份证号")


@pytest.fixture(scope="module")
def sample(root):
    return root / "data" / "sample"


@pytest.fixture(scope="module")
def truth(root):
    return json.loads((root / "data" / "truth" / "defects.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def addresses(sample):
    return load_elements(
        sample / "elements" / "addresses.csv", crs="EPSG:4326", offset="GCJ-02",
        columns={"element": "地址编码", "territory": "社区代码", "x": "经度", "y": "纬度"},
        constants={"kind": "address"},
    )


def named(account, what):
    return sorted(account.loc[account["what"] == what, "id"])


def test_the_address_book_is_read_as_gb18030_without_being_told(addresses):
    told = addresses.changes.loc[addresses.changes["what"] == "encoding", "note"].tolist()
    assert len(told) == 1
    assert told[0].startswith("addresses.csv: GB18030: valid GB18030")


def test_planted_faults_of_addresses_are_named_one_by_one(addresses, truth):
    planted = truth["addresses"]
    assert addresses.rows_in == planted["rows"]
    assert addresses.rows_in == len(addresses.frame) + len(addresses.rejects)
    assert named(addresses.rejects, "territory unreadable") == planted["code_hopeless"]
    assert named(addresses.rejects, "no place") == planted["without_place"]
    assert named(addresses.rejects, "row repeated") == planted["same_row_twice"]
    assert named(addresses.rejects, "code repeated") == planted["same_id_two_places"]
    assert named(addresses.changes, "territory blank") == planted["code_blank"]
    mended = addresses.changes[addresses.changes["what"] == "territory mended"]
    assert dict(zip(mended["id"], mended["after"], strict=True)) == planted["code_mendable"]
    assert set(planted["same_place_two_ids"]) <= set(addresses.frame.index)


def test_personal_columns_are_told_by_name_and_no_value_enters(addresses, sample, truth):
    workers = load_workers(sample / "workers" / "workers.csv", columns={
        "worker": "岗位编号", "territory": "社区代码", "role": "岗位"})
    planted = truth["workers"]
    assert named(workers.rejects, "territory unreadable") == planted["code_hopeless"]
    mended = workers.changes[workers.changes["what"] == "territory mended"]
    assert dict(zip(mended["id"], mended["after"], strict=True)) == planted["code_mendable"]
    for loaded in (addresses, workers):
        told = loaded.changes[loaded.changes["what"] == "personal column left out"]
        assert len(told) == 1
        assert set(told["before"].iloc[0].split(", ")) <= set(SECRET)
        assert not set(loaded.frame.columns) & set(SECRET)


def test_planted_faults_of_residents_and_assets_are_named(sample, truth):
    residents = load_elements(
        sample / "elements" / "population.csv", crs="EPSG:4550", constants={"kind": "population"},
        columns={"element": "resident", "people": "people", "households": "households",
                 "x": "x", "y": "y"},
    )
    planted = truth["population"]
    assert residents.rows_in == planted["rows"]
    assert named(residents.rejects, "no place") == planted["without_place"]
    again = named(residents.rejects, "row repeated") + named(residents.rejects, "code repeated")
    assert sorted(again) == planted["same_id_twice"]
    assets = load_assets(sample / "assets" / "assets.csv", crs="EPSG:4550", columns={
        "asset": "asset", "kind": "kind", "radius_m": "radius_m", "x": "x", "y": "y"})
    assert assets.rows_in == truth["assets"]["rows"]
    assert named(assets.rejects, "row repeated") == truth["assets"]["same_row_twice"]


def test_communities_in_gbk_without_a_cpg_are_read(sample, truth):
    loaded = load_territories(
        sample / "boundaries" / "communities.shp", constants={"level": "community"},
        columns={"territory": "CODE", "name": "NAME", "parent": "PARENT"},
    )
    rare = truth["rare_name"]
    assert loaded.frame.loc[rare["community"], "name"] == rare["in_shapefile"]
    assert loaded.frame["name"].str.fullmatch(r"[\u4e00-\u9fff]+").all()
    assert (len(loaded.rejects), loaded.frame.crs.to_epsg()) == (0, 4550)


def test_the_table_of_totals_loses_its_total_row_only(sample, truth):
    loaded = load_table(sample / "tables" / "community_population.csv", key="社区代码", columns={
        "name": "社区名称", "households": "户数", "people": "人口"})
    planted = truth["table"]
    assert loaded.rows_in == planted["rows"]
    assert loaded.rejects["what"].tolist() == ["code missing"]
    mended = loaded.changes[loaded.changes["what"] == "code mended"]
    assert sorted(mended["after"]) == planted["code_mendable"]
    assert truth["rare_name"]["name"] in set(loaded.frame["name"])


def test_all_other_sources_come_through_whole(sample):
    beats = [load_schemes(file, columns={"work_grid": "code"}, constants={"scheme": file.stem})
             for file in sorted((sample / "schemes").glob("*.geojson"))]
    sites = load_sites(sample / "sites" / "sites.geojson",
                       columns={"site": "site", "kind": "kind"})
    events = load_events(sample / "events" / "events.csv", crs="EPSG:4326", columns={
        "event": "event", "matter": "matter", "opened": "opened", "closed": "closed",
        "level": "level", "x": "lon", "y": "lat"})
    visits = load_visits(sample / "visits" / "visits.csv", crs="EPSG:4326", columns={
        "visit": "visit", "period": "period", "count": "count", "x": "lon", "y": "lat"})
    for loaded in (*beats, sites, events, visits):
        assert loaded.rows_in == len(loaded.frame) > 0
        assert loaded.rejects.empty
    assert events.frame["opened"].notna().all()
