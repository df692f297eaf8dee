"""Versions on disk: gridmap diff and gridmap trace, and what they read and write."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from pandas import Series

from gridmap import cli
from gridmap.errors import SchemaError, SourceError, WorkspaceError
from gridmap.maps import binary
from gridmap.redraw import build_lineage, describe_lineage
from gridmap.schema import GRIDS, check_frame
from gridmap.sketch import sketch_grids, sketch_units
from gridmap.workspace import compare_versions, load_lineages, load_version, save_table


def save_net(folder, *rows, units=None):
    """Write a workspace with the grids of a drawing, and return its folder."""
    frames = folder / "frames"
    frames.mkdir(parents=True)
    sketch_grids(*rows, side_m=100).to_parquet(frames / "grids.parquet")
    if units is not None:
        sketch_units(units, side_m=100).to_parquet(frames / "units.parquet")
    return folder


@pytest.fixture
def years(tmp_path):
    """Return the workspaces of three years."""
    return [str(save_net(tmp_path / name, row, units="abcdef"))
            for name, row in (("2024", "AAABBC"), ("2025", "ADDBBC"), ("2026", "ADDBBB"))]


def figures_of(page):
    """Return the figures of the first layer of a page."""
    block = re.search(r'id="\w+:figures">([^<]*)</script>', page.read_text(encoding="utf-8"))
    return json.loads(binary.unpack(block[1]))


def cells(printed):
    """Return what a printed table says, without its lines."""
    text = "".join(c if c not in "│┃|" else " " for c in printed)
    return " ".join(text.split())


# -- reading ----------------------------------------------------------------------------------


def test_a_workspace_is_a_version(years):
    version = load_version(years[0])
    assert (version.name, len(version.units), version.territories) == ("2024", 6, None)
    check_frame(version.grids, GRIDS, argument="grids")


def test_a_file_with_other_names_is_a_version(tmp_path):
    grids = sketch_grids("AB", side_m=100).to_crs(4326).reset_index()
    grids = grids.rename(columns={"grid": "CODE"})[["CODE", "geometry"]]
    grids.to_file(tmp_path / "net.geojson")
    version = load_version(tmp_path / "net.geojson", columns={"grid": "CODE"})
    assert version.grids.crs.is_projected
    assert version.grids["territory"].tolist() == ["all", "all"]
    assert version.grids["households"].isna().all()
    with pytest.raises(SourceError, match=r"net.geojson has no column grid, but CODE\. Say which"):
        load_version(tmp_path / "net.geojson")


def test_what_is_no_version_is_told(tmp_path):
    with pytest.raises(WorkspaceError, match=r"nowhere: a workspace folder or a file of grids"):
        load_version(tmp_path / "nowhere")
    with pytest.raises(WorkspaceError, match=r"holds no frames/grids\.parquet, so it is no works"):
        load_version(tmp_path)
    (tmp_path / "net.gpkg").write_text("nothing")
    with pytest.raises(SourceError, match=r"net\.gpkg ends in \.gpkg, but is no GPKG"):
        load_version(tmp_path / "net.gpkg")
    grids = sketch_grids("AB").reset_index()
    pd.concat([grids, grids]).to_file(tmp_path / "twice.gpkg")
    with pytest.raises(SourceError, match=r"twice\.gpkg: 2 of 4 rows are no grids: "):
        load_version(tmp_path / "twice.gpkg")


def test_households_count_where_the_old_units_lie(tmp_path):
    old = load_version(save_net(tmp_path / "old", "AAAA", units="aaab"))
    new = load_version(save_net(tmp_path / "new", "AAAC"))
    old.units["households"] = [0, 5]
    lineage = compare_versions(old, new)
    assert lineage[["new", "households"]].values.tolist() == [["A", 0], ["C", 5]]


def test_lineages_come_from_tables_folders_and_versions(years, tmp_path):
    built = load_lineages(years)
    assert [step["new_version"].iloc[0] for step in built] == ["2025", "2026"]
    for step in built:
        save_table(tmp_path / f"lineage_{step['new_version'].iloc[0]}.csv", step)
    for places in ([tmp_path], sorted(tmp_path.glob("lineage*"), reverse=True)):
        for read, step in zip(load_lineages(places), built, strict=True):
            pd.testing.assert_frame_equal(read, step, check_index_type=False)
    with pytest.raises(WorkspaceError, match="2024 is one version without a table of lineage"):
        load_lineages(years[:1])
    with pytest.raises(WorkspaceError, match=r"there is no .*nowhere"):
        load_lineages([tmp_path / "nowhere"])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SchemaError, match=r"other\.csv: .*column old is absent"):
        load_lineages([tmp_path / "other.csv"])


def test_codes_that_look_like_formulas_and_numbers_come_back(tmp_path):
    old = sketch_grids("AB").rename({"A": "-7", "B": "007"})
    lineage = build_lineage(old, old, versions=("2025", "2026"))
    save_table(tmp_path / "lineage.csv", lineage)
    assert load_lineages([tmp_path])[0]["old"].tolist() == ["-7", "007"]


def test_versions_of_the_same_name_are_told_apart_by_their_folder(tmp_path):
    folders = [save_net(tmp_path / year / "out", "AB") for year in ("2025", "2026")]
    lineage = load_lineages(folders)[0]
    assert lineage["old_version"].iloc[0] == "2025/out"


# -- in words ---------------------------------------------------------------------------------


def test_every_grid_that_changed_has_a_line():
    lineage = build_lineage(sketch_grids("AAABBCDE."), sketch_grids("AFFBBBGHI"))
    told = describe_lineage(lineage)
    assert told["told"].to_dict() == {
        "A": "33 % stays; 67 % to F", "C": "to B",
        "B": "all stays, more came", "D": "to G", "E": "to H", "F": "from A",
        "I": "from ground of no grid"}
    assert told["fate"].tolist() == [
        "split", "merged", "changed", "recoded", "recoded", "new", "new"]
    assert describe_lineage(build_lineage(sketch_grids("A"), sketch_grids("A"))).empty


def test_a_small_share_is_not_taken_for_nothing():
    rows = ["A" * 40] * 10
    lineage = build_lineage(sketch_grids(*rows), sketch_grids(*rows[1:], "A" * 39 + "B"))
    assert describe_lineage(lineage)["told"]["A"] == "over 99 % stays; under 1 % to B"


def test_ground_without_households_is_told_apart_from_a_small_share():
    units = sketch_units("abc").assign(households=[5, 5, 0])
    old, new = Series(dict.fromkeys("abc", "A")), Series({"a": "A", "b": "A", "c": "B"})
    told = describe_lineage(build_lineage(old, new, units=units))["told"]
    assert told["A"] == "100 % stays; no household to B"


# -- gridmap diff -----------------------------------------------------------------------------


def test_diff_prints_what_became_of_grids(years, capsys):
    assert cli.main(["diff", *years[:2]]) == 0
    printed = cells(capsys.readouterr().out)
    assert "2024 → 2025" in printed
    assert "grids before 3" in printed and "households moved 2" in printed
    assert "share moved 33.3%" in printed
    assert "A split 33 % stays; 67 % to D" in printed
    assert "D new from A" in printed
    assert cli.main(["diff", years[0], years[0]]) == 0
    assert "Nothing changed: every grid is what it was." in capsys.readouterr().out


def test_diff_writes_a_table_and_talks_to_scripts(years, tmp_path, capsys):
    table = tmp_path / "lineage.csv"
    assert cli.main(["diff", *years[:2], "--table", str(table), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"]["split"] == 1
    assert len(told["lineage"]) == len(load_lineages([table])[0]) == 4
    assert cli.main(["diff", *years[:2], "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_diff_draws_a_page_without_counts_that_could_be_subtracted(years, tmp_path, capsys):
    page = tmp_path / "diff.html"
    assert cli.main(["diff", *years[:2], "--map", str(page), "--quiet"]) == 0
    shared = figures_of(page)
    assert [column["name"] for column in shared["columns"]] == ["change", "kind", "area_m2"]
    assert {"en": "split", "zh": "拆分"} in shared["columns"][0]["texts"]
    assert cli.main(["diff", *years[:2], "--map", str(page), "--publication", "internal"]) == 0
    assert "households" in [column["name"] for column in figures_of(page)["columns"]]


def test_diff_tells_what_is_wrong(years, tmp_path, capsys):
    assert cli.main(["diff", years[0], str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err.startswith("WorkspaceError: there is no ")
    assert cli.main(["diff", *years[:2], "--map", str(tmp_path / "none" / "page.html")]) == 1
    assert "page.html cannot be written: No such file or directory" in capsys.readouterr().err
    assert cli.main(["diff", *years[:2], "--column", "CODE"]) == 1
    assert "--column CODE: NAME=COLUMN is needed, such as grid=CODE" in capsys.readouterr().err
    assert cli.main(["diff", *years[:2], "--publication", "secret"]) == 1
    assert "there is no publication profile 'secret'" in capsys.readouterr().err


# -- gridmap trace ----------------------------------------------------------------------------


def test_trace_prints_the_way_of_a_code(years, capsys):
    assert cli.main(["trace", "D", *years]) == 0
    printed = cells(capsys.readouterr().out)
    assert "back 2024 → 2025 A D split 2 100.0%" in printed
    assert "back 2025 → 2026 D D kept 2 100.0%" in printed
    assert cli.main(["trace", "C", *years, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(way["direction"], way["old"], way["new"], way["kind"]) for way in told["ways"]] == [
        ("back", "C", "C", "kept"), ("forth", "C", "B", "merged")]


def test_trace_takes_a_folder_of_lineages_and_a_version_to_start_from(years, tmp_path, capsys):
    for old, new in ((0, 1), (1, 2)):
        table = str(tmp_path / f"lineage_{new}.csv")
        assert cli.main(["diff", years[old], years[new], "--table", table, "--quiet"]) == 0
    assert cli.main(["trace", "A", str(tmp_path), "--at", "2024", "--least", "0.5",
                     "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [way["new"] for way in told["ways"]] == ["D", "D"]


def test_trace_tells_of_a_code_that_is_nowhere(years, capsys):
    assert cli.main(["trace", "A", *years, "--least", "3"]) == 1
    assert "--least is 3: a share from 0 to 1 is needed" in capsys.readouterr().err
    assert cli.main(["trace", "Z", *years]) == 1
    assert "CodeError: code Z is in none of the versions 2024, 2025, 2026. Codes are text" in (
        capsys.readouterr().err)
