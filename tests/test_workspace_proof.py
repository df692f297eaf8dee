"""gridmap verify: bytes, the ledger, the tiling, and the grid of every element."""

from __future__ import annotations

import json
import random

import geopandas
import pandas as pd
import pytest

from gridmap import cli, errors
from gridmap.sketch import save_sketch
from gridmap.workspace import load_manifest, manifest, save_workspace, store, verify_version
from gridmap.workspace.save import Contents


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Return a drawn town with a workspace, made once."""
    home = save_sketch(tmp_path_factory.mktemp("proof") / "town")
    assert cli.main(["run", str(home), "--quiet"]) == 0
    return home


@pytest.fixture
def version(town, tmp_path):
    """Return a version of it that may be spoilt: all is copied, nothing linked."""
    place = tmp_path / "out"
    save_workspace(place, Contents({}, {}, {}, {}, {}))
    folder = place.resolve()
    for name in [*load_manifest(town / "out")["outputs"], "manifest.json"]:
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            target.chmod(0o644)
        target.write_bytes((town / "out" / name).read_bytes())
    return place


def faults(place):
    """Return what a proof found, as (what, name)."""
    return [tuple(pair) for pair in verify_version(place).faults[["what", "name"]].values.tolist()]


def seal_again(place):
    """Write a manifest that agrees with the files, so that only their sense is proven."""
    folder = place.resolve()
    said = load_manifest(folder)
    hashes = {name: manifest.hash_file(folder / name) for name in manifest.list_files(folder)
              if name != manifest.MANIFEST}
    facts = {k: v for k, v in said.items() if k not in ("outputs", manifest.SEAL)}
    manifest.save_manifest(folder, facts, hashes)


def test_a_version_as_it_was_made_holds(version):
    proof = verify_version(version)
    assert proof.faults.empty
    files = len(load_manifest(version)["outputs"])
    assert proof.proven[0] == f"{files} files as they were written"
    assert proof.proven[1].endswith("lines of the ledger close")
    assert proof.proven[2:] == ["2 grids tile", "4 elements in one grid each"]


def test_one_flipped_bit_is_found_in_whatever_file(version):
    dice = random.Random(1)
    for name in sorted([*load_manifest(version)["outputs"], "manifest.json"]):
        file = version / name
        before = file.read_bytes()
        flipped = bytearray(before)
        flipped[dice.randrange(len(before))] ^= 1 << dice.randrange(8)
        file.write_bytes(flipped)
        assert ("altered", name) in faults(version), name
        file.write_bytes(before)
    assert faults(version) == []


def test_no_bit_of_a_manifest_can_flip_unseen(version):
    file = version / "manifest.json"
    before = file.read_bytes()
    for at in range(0, len(before), 7):
        flipped = bytearray(before)
        flipped[at] ^= 1 << at % 8
        file.write_bytes(flipped)
        assert manifest.tell_seal(version) is not None, at


def test_missing_and_extra_files_are_found(version):
    (version / "map.html").unlink()
    (version / "note.txt").write_text("mine")
    assert faults(version) == [("missing", "map.html"), ("extra", "note.txt")]


def test_a_ledger_that_does_not_close_is_found(version):
    file = version / "ledger.csv"
    table = pd.read_csv(file, encoding="utf-8-sig")
    table.loc[0, "went_on"] -= 1
    table.to_csv(file, index=False, encoding="utf-8-sig")
    seal_again(version)
    found = verify_version(version).faults
    assert found[["what", "name"]].values.tolist() == [["ledger", "ledger.csv"]]
    table.loc[0, "left_over"] += 1
    table.to_csv(file, index=False, encoding="utf-8-sig")
    seal_again(version)
    note = verify_version(version).faults["note"].tolist()
    assert note == ["ledger.csv says something else than the manifest"]


def test_grids_that_do_not_tile_are_found(version):
    file = version / "frames" / "grids.parquet"
    grids = geopandas.read_parquet(file)
    grids.geometry = grids.buffer(5.0)
    grids.to_parquet(file)
    seal_again(version)
    found = verify_version(version).faults
    assert "tiling" in found["what"].tolist()
    assert "grids overlap in 1 place" in found["note"].iloc[0]


def test_an_element_in_another_grid_than_the_frame_says_is_found(version):
    file = version / "frames" / "elements.parquet"
    elements = geopandas.read_parquet(file)
    elements.loc[elements.index[0], "grid"] = None
    elements.to_parquet(file)
    seal_again(version)
    found = verify_version(version).faults
    assert found["note"].tolist() == ["1 elements lie in another grid than the frame says"]


def test_a_frame_that_cannot_be_read_is_a_fault_and_no_crash(version):
    (version / "frames" / "elements.parquet").write_bytes(b"PAR1 and nothing more")
    assert faults(version) == [("altered", "frames/elements.parquet"),
                               ("unreadable", "frames/elements.parquet")]


def test_what_is_no_version_is_told(tmp_path):
    with pytest.raises(errors.WorkspaceError, match=r"there is no .*nowhere: name a workspace or "
                                                    r"one of its versions"):
        verify_version(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(errors.WorkspaceError, match=r"empty has no manifest\.json, so it is no "
                                                    r"workspace\. Make one with: gridmap run"):
        verify_version(tmp_path / "empty")


def test_a_manifest_that_is_no_json_is_a_fault_of_its_version(version, capsys):
    (version / "manifest.json").write_text("{")
    assert cli.main(["verify", str(version)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "out@0001: altered: manifest.json: it cannot be read: Expecting property name enclosed "
        "in double quotes: line 1 column 2 (char 1)",
        "out@0001: 1 faults; nothing proven"]


def test_the_command_proves_one_version_or_all(town, capsys):
    assert cli.main(["verify", str(town)]) == 0
    assert capsys.readouterr().out.startswith("out@0001: holds; ")
    assert cli.main(["verify", str(town), "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions"][0]["version"] == "out@0001"
    assert cli.main(["verify", str(town / "out"), "all", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["verify", str(town), "5"]) == 1
    assert capsys.readouterr().err == (
        "WorkspaceError: out has no version 5, but 0001. See them with: gridmap log out\n")


def test_the_command_lists_faults_and_ends_with_code_1(version, capsys):
    (version / "map.html").write_text("scribbled")
    assert cli.main(["verify", str(version), "--quiet"]) == 1
    assert capsys.readouterr().out == (
        "out@0001: altered: map.html: its bytes are not those that were written\n")
    assert cli.main(["verify", str(version), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["versions"][0]
    assert told["faults"] == [{"what": "altered", "name": "map.html",
                               "note": "its bytes are not those that were written"}]
    assert store.list_numbers(version) == ["0001"]
