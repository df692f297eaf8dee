"""The check of an input: every fault with its severity, its place and what to do."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

import gridmap as gm
from gridmap import cli, pipeline
from gridmap.pipeline.evidence import find_evidence
from gridmap.pipeline.load import ReadFile, read_source
from gridmap.sketch import save_sketch


@pytest.fixture(scope="module")
def city(root):
    return gm.load_config(root / "data" / "sample")


@pytest.fixture(scope="module")
def truth(root):
    return json.loads((root / "data" / "truth" / "defects.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def diagnosis(city):
    return gm.diagnose_inputs(city)


def codes(diagnosis, what, layer=""):
    chosen = diagnosis.faults[(diagnosis.faults["what"] == what)
                              & diagnosis.faults["layer"].str.contains(layer)]
    return sorted(chosen["id"])


def test_faults_have_three_severities_and_nothing_blocks(diagnosis):
    assert set(diagnosis.findings["severity"]) == {"mended", "look at this"}
    assert diagnosis.findings["rows"].sum() == len(diagnosis.faults)
    assert diagnosis.faults["suggestion"].str.len().gt(0).all()
    assert diagnosis.faults.index.is_unique


def test_every_planted_defect_of_the_sample_city_has_its_line(diagnosis, truth):
    addresses, people, assets = truth["addresses"], truth["population"], truth["assets"]
    lines = {
        ("rejected: no place", "addresses"): addresses["without_place"],
        ("rejected: row repeated", "addresses"): addresses["same_row_twice"],
        ("rejected: code repeated", "addresses"): addresses["same_id_two_places"],
        ("rejected: territory unreadable", "addresses"): addresses["code_hopeless"],
        ("territory mended", "addresses"): list(addresses["code_mendable"]),
        ("territory blank", "addresses"): addresses["code_blank"],
        ("outside every territory", "address"): addresses["in_the_sea"],
        ("same place as another", "address"): list(addresses["same_place_two_ids"]),
        ("outside every territory", "population"): people["in_the_sea"],
        ("rejected: no place", "population"): people["without_place"],
        ("rejected: row repeated", "assets"): assets["same_row_twice"],
        ("territory mended", "workers"): list(truth["workers"]["code_mendable"]),
        ("rejected: territory unreadable", "workers"): truth["workers"]["code_hopeless"],
    }
    for (what, layer), planted in lines.items():
        assert codes(diagnosis, what, layer) == sorted(planted), (what, layer)
    assert set(assets["in_the_sea"]) <= set(codes(diagnosis, "outside every territory"))
    assert set(assets["on_border"]) <= set(codes(diagnosis, "on a border"))


def test_torn_borders_are_mended_and_placed(diagnosis, truth):
    torn = diagnosis.faults[diagnosis.faults["layer"] == "territories: community"]
    assert set(torn["severity"]) == {"mended"}
    assert torn.geometry.notna().all()
    kinds = torn["what"].value_counts()
    gaps = [fault for fault in truth["borders"] if "gap" in fault["what"]]
    assert kinds["gap"] + kinds["gap open to the outside"] == len(gaps)
    assert kinds["overlap"] == len(truth["borders"]) - len(gaps)


def test_single_elements_are_rounded_where_the_profile_shows_none(diagnosis, city):
    assert diagnosis.coarse and not city.publication.elements
    strays = diagnosis.faults[diagnosis.faults["layer"] == "address"]
    metres = strays.to_crs(strays.estimate_utm_crs())
    assert ((metres.geometry.x % 100).sub(50).abs() < 0.1).all()
    assert ((metres.geometry.y % 100).sub(50).abs() < 0.1).all()


def test_check_writes_a_page_and_a_file_and_prints_the_same(
    city, diagnosis, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(pipeline, "diagnose_inputs", lambda config, progress: diagnosis)
    folder = tmp_path / "found"
    assert cli.main(["check", str(city.path.parent), "--to", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(file.name for file in folder.iterdir()) == ["check.html", "check.json"]
    saved = json.loads((folder / "check.json").read_text(encoding="utf-8"))
    assert saved["faults"] == told["faults"] and saved["findings"] == told["findings"]
    assert set(saved["faults"][0]) == {"fault", "severity", "step", "what", "id", "layer", "note",
                                       "suggestion", "area_m2", "place"}
    gap = next(fault for fault in saved["faults"] if fault["what"] == "gap")
    assert 121 < gap["place"][0] < 123 and 35 < gap["place"][1] < 38
    assert sum(saved["counts"].values()) == len(saved["faults"])
    written = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.iterdir()))
    for secret in secrets(city.path.parent):
        assert secret not in written


def secrets(sample):
    """Return all names, phones and ID numbers in the files of the city."""
    found = set()
    for path, columns in (("elements/addresses.csv", ["户主", "联系电话"]),
                          ("workers/workers.csv", ["姓名", "联系电话", "身份证号"])):
        table = pd.read_csv(sample / path, encoding="gb18030", dtype="str", usecols=columns)
        found |= {value for name in columns for value in table[name].dropna().unique()}
    assert len(found) > 1_000
    return [secret for secret in found if len(secret) > 2]


def test_check_writes_beside_the_workspace_or_nothing(tmp_path, capsys):
    town = save_sketch(tmp_path / "town")
    assert cli.main(["check", str(town), "--no-files", "--quiet"]) == 0
    assert not (town / "out-check").exists()
    assert cli.main(["check", str(town)]) == 0
    assert "check.html" in capsys.readouterr().out
    assert (town / "out-check" / "check.html").is_file() and not (town / "out").exists()


def test_a_file_that_cannot_be_read_blocks_and_hides_nothing(city, tmp_path, capsys):
    sample = tmp_path / "sample"
    shutil.copytree(city.path.parent, sample, ignore=shutil.ignore_patterns("out*"))
    (sample / "boundaries" / "towns.prj").unlink()
    text = (sample / "gridmap.toml").read_text(encoding="utf-8")
    few = text.split("# --- lines that")[0] + "[[sites]]\npath = 'nowhere.csv'\n"
    (sample / "gridmap.toml").write_text(few, encoding="utf-8")
    assert cli.main(["check", str(sample), "--json"]) == 1
    found = pd.DataFrame(json.loads(capsys.readouterr().out)["findings"])
    blocks = found[found["severity"] == "blocks the run"].set_index("layer")
    assert "there is no file" in blocks.loc["sites: nowhere.csv", "note"]
    assert blocks.loc["territories: towns.shp", "suggestion"] == \
        'set crs = "EPSG:4550" for towns.shp in gridmap.toml'
    assert "encoding" in set(found["what"])


def test_a_layer_that_lies_elsewhere_blocks_and_the_others_are_looked_at(city, tmp_path):
    sample = tmp_path / "sample"
    shutil.copytree(city.path.parent, sample, ignore=shutil.ignore_patterns("out*"))
    text = (sample / "gridmap.toml").read_text(encoding="utf-8").split("# --- lines that")[0]
    path = 'path = "boundaries/communities.shp"\n'
    (sample / "gridmap.toml").write_text(text.replace(path, path + 'crs = "EPSG:4326"\n'),
                                         encoding="utf-8")
    config = gm.load_config(sample)
    diagnosis = gm.diagnose_inputs(config)
    blocks = diagnosis.findings[diagnosis.findings["severity"] == "blocks the run"]
    assert blocks[["what", "layer"]].to_numpy().tolist() == [
        ["metres in a CRS in degrees", "territories: communities.shp"]]
    assert "mended" not in set(diagnosis.findings["severity"])
    with pytest.raises(gm.GridmapError, match="their coordinates are not what their CRS says"):
        gm.load_inputs(config)


@pytest.fixture(scope="module")
def known(city):
    """Return communities and buildings, which lie where they say."""
    sources = [("territories", city.territories[2]), ("elements", city.elements[1])]
    return [ReadFile(name, source, read_source(name, source)) for name, source in sources]


def evidence_for(city, known, name, path, **said):
    source = next(one for one in getattr(city, name) if one.path.name == path)
    source = replace(source, **said)
    return find_evidence([*known, ReadFile(name, source, read_source(name, source))])


@pytest.mark.parametrize(
    ("path", "said", "what", "option"),
    [
        ("addresses.csv", {"crs": "EPSG:4326 yx", "offset": None}, "axes swapped",
         'crs = "EPSG:4326 yx"'),
        ("addresses.csv", {"offset": None}, "coordinates shifted", 'offset = "GCJ-02"'),
        ("addresses.csv", {"offset": "BD-09"}, "coordinates shifted", 'offset = "GCJ-02"'),
        ("population.csv", {"crs": "EPSG:4549"}, "another zone", 'crs = "EPSG:4550"'),
        ("population.csv", {"crs": "EPSG:4326"}, "metres in a CRS in degrees",
         'crs = "EPSG:4550"'),
        ("addresses.csv", {"crs": "EPSG:4550", "offset": None}, "degrees in a CRS in metres",
         'crs = "EPSG:4326"'),
    ],
)
def test_coordinates_elsewhere_are_found_and_the_option_is_named(
    city, known, path, said, what, option
):
    (found,) = evidence_for(city, known, "elements", path, **said)
    assert found.what == what
    assert found.suggestion == f"set {option} for {path} in gridmap.toml"


def test_web_mercator_that_is_called_degrees_is_found(city, known):
    (communities, _) = known
    frame = communities.loaded.frame
    lying = frame.to_crs(3857).set_crs(4326, allow_override=True)
    file = communities._replace(name="schemes", loaded=communities.loaded._replace(frame=lying))
    (found,) = find_evidence([*known, file])
    assert (found.severity, found.what) == ("blocks the run", "metres in a CRS in degrees")
    assert found.suggestion == 'set crs = "EPSG:3857" for communities.shp in gridmap.toml'


def test_coordinates_where_they_should_be_are_no_finding(city, known):
    assert evidence_for(city, known, "elements", "addresses.csv") == []
    assert evidence_for(city, known, "events", "events.csv") == []


def test_an_offset_that_was_declared_but_is_not_there_is_found(city, known):
    (found,) = evidence_for(city, known, "visits", "visits.csv", offset="GCJ-02")
    assert found.what == "offset not needed"
    assert found.suggestion == "set no offset for visits.csv in gridmap.toml"
    assert "confidence 9" in found.note or "confidence 100" in found.note


def test_cells_of_bytes_and_curves_are_told_and_never_end_in_a_traceback(tmp_path):
    file = tmp_path / "odd.csv"
    file.write_text('code,wkt\nA,"POINT (1 2)"\nB,"CIRCULARSTRING (0 0, 1 1, 2 0)"\n')
    found = gm.diagnose_files([file], reading=gm.FileReading(crs="EPSG:4326")).findings
    (line,) = found[found["what"] == "rejected: no place"].to_dict("records")
    assert line["note"] == "B; geometry as text that cannot be read"
    file = tmp_path / "bytes.parquet"
    pd.DataFrame({"code": ["A", "B"], "blob": [b"\xff\xfe", b"\x00"]}).to_parquet(file)
    assert set(gm.diagnose_files([file]).findings["severity"]) == {"look at this"}
