"""The whole job on real territories: the figures that the README states."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import geopandas
import pandas as pd
import pytest

import gridmap as gm
from gridmap import cli, ledger

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def real(root, real_data, tmp_path_factory):
    """Return a function that runs a territory once and saves its workspace."""
    done: dict[str, tuple[gm.Run, object]] = {}

    def territory(name):
        if name not in done:
            config = gm.load_config(root / "tests" / "real" / f"{name}.toml",
                                    environ={"GRIDMAP_REAL_DATA": str(real_data)})
            folder = tmp_path_factory.mktemp(name) / "out"
            config = replace(config, settings=replace(config.settings, workspace=str(folder)))
            run = gm.run(config)
            gm.save_run(run, config)
            done[name] = (run, folder)
        return done[name]

    return territory


@pytest.mark.parametrize(
    ("name", "grids", "households", "people", "in_range"),
    [
        ("liechtenstein", 135, 16_848, 38_749, 0.97),
        ("chiayi", 246, 98_557, 267_852, 0.98),
        ("ayrshire", 128, 51_286, 112_799, 0.98),
        ("taichung", 2_358, 951_017, 2_775_618, 0.97),
    ],
)
def test_grids_are_drawn_nested_and_sized(real, name, grids, households, people, in_range):
    run, _ = real(name)
    assert len(run.grids) == pytest.approx(grids, rel=0.03)
    assert run.grids["households"].sum() == households
    assert run.grids["people"].sum() == people
    assert run.summary["share in size range"] >= in_range
    assert len(ledger.find_unbalanced(run.ledger)) == 0
    pairs = run.units["territory"].groupby(run.assignment.reindex(run.units.index))
    assert (pairs.min() == pairs.max()).all()
    split = run.by_grid.index[run.by_grid["parts"] > 1]
    named = ["island joined", "pocket joined", "grid in pieces"]
    told = run.changes.loc[run.changes["what"].isin(named), "id"]
    assert set(split) <= set(told)
    large = run.by_grid.index[run.by_grid["size_state"] == "large"]
    assert run.assignment[run.assignment.isin(large)].is_unique  # one unit, larger than a grid
    odd = run.by_grid.index[run.by_grid["size_state"].isin(["small", "large"])]
    reasons = run.changes[run.changes["what"].str.startswith("out of range: ")]
    assert set(odd) == set(reasons["id"])


def test_people_of_liechtenstein_stay_in_their_municipality(real, root):
    run, _ = real("liechtenstein")
    published = pd.read_csv(root / "tests" / "real" / "liechtenstein_people_2019.csv",
                            dtype={"osm_id": "str"}).set_index("osm_id")["people"]
    drawn = run.grids.groupby("territory")["people"].sum()
    assert drawn.to_dict() == published.to_dict()


def test_villages_of_taiwan_are_reconciled_with_their_table(real):
    run, _ = real("taiwan_villages")
    assert len(run.grids) == 7_701
    assert run.grids["people"].sum() == 23_439_143
    strangers = run.rejects[run.rejects["what"] == "code not found"]
    silent = run.changes[run.changes["what"] == "no figure given"]
    assert (len(strangers), len(silent)) == (71, 11)
    assert strangers["id"].notna().all()
    assert set(silent["id"]) == set(run.grids.index[run.grids["people"].isna()])
    assert run.summary["people left over"] == 86_480
    gm.check_tiling(run.grids)


def test_only_faulty_villages_were_touched(real, real_data):
    run, _ = real("taiwan_villages")
    before = geopandas.read_file(real_data / "tw_villages" / "taiwan_admin_2021.gpkg",
                                 layer="villages").set_index("VILLCODE")
    moved = before.geometry.to_crs(run.grids.crs).reindex(run.grids.index)
    touched = run.grids.index[~(moved.to_wkb() == run.grids.geometry.to_wkb())]
    told = run.changes.loc[run.changes["step"].isin(["load", "mend"]), "id"]
    assert set(touched) <= set(told)
    assert len(touched) < 20


@pytest.mark.parametrize("name", ["liechtenstein", "chiayi", "ayrshire", "taichung",
                                  "taiwan_villages"])
def test_the_page_names_no_other_machine(real, name):
    _, folder = real(name)
    for page in ("map.html", "report.html"):
        text = (folder / page).read_text(encoding="utf-8")
        text = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        assert not re.findall(r"(?:src|href)=[\"']?https?://", text)


def test_the_command_line_says_the_same(root, real_data, real, tmp_path, capsys, monkeypatch):
    run, _ = real("chiayi")
    monkeypatch.setenv("GRIDMAP_REAL_DATA", str(real_data))
    config = str(root / "tests" / "real" / "chiayi.toml")
    assert cli.main(["run", config, "--workspace", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["summary"]
    said = {name: None if pd.isna(value) else value for name, value in run.summary.items()}
    assert told == pytest.approx(said, nan_ok=True)
