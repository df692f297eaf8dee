"""Schemes of a configuration to one net on disk, as a user meets it."""

from __future__ import annotations

import json

import geopandas
import pandas as pd
import pytest

from gridmap import cli, load_config, pipeline
from gridmap.errors import ConfigError
from gridmap.nets import NetRule
from gridmap.sketch import save_sketch, sketch_grids


@pytest.fixture
def town(tmp_path):
    """Write a drawn town with two schemes that cross."""
    folder = save_sketch(tmp_path, "AABB", "CCDD")
    parts = []
    for name, rows in (("police", ("PPPQ", "PPPQ")), ("fire", ("XXYY", "XXYY"))):
        drawn = sketch_grids(*rows, side_m=100.0)
        drawn.to_file(folder / f"{name}.gpkg")
        parts.append(f'[[schemes]]\npath = "{name}.gpkg"\ncolumns = {{ work_grid = "grid" }}\n'
                     f'constants = {{ scheme = "{name}" }}\n')
    file = folder / "gridmap.toml"
    text = file.read_text(encoding="utf-8").split("[[elements]]")[0]
    file.write_text(text + "\n".join(parts), encoding="utf-8")
    return folder


def test_the_command_writes_one_net_its_conflicts_and_crosswalks(town, capsys):
    assert cli.main(["reconcile", str(town), "--json", "--keep-sizes"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"]["grids"] == 2
    out = town / "out-net"
    assert {"net.gpkg", "conflicts.html", "crosswalks.csv", "against.csv", "manifest.json",
            "changes.csv", "ledger.csv", "grids.csv"} <= {f.name for f in out.iterdir()}
    grids = geopandas.read_parquet(out / "frames" / "grids.parquet")
    assert grids["kept_from"].tolist() == ["police", "police"]
    assert grids["households"].sum() == pytest.approx(8)
    ways = pd.read_parquet(out / "frames" / "crosswalks.parquet")
    parts = ways.groupby(["source_layer", "target_layer", "basis", "source"])["weight"].sum()
    assert (parts == 1).all()
    assert set(pd.read_csv(out / "crosswalks.csv")["basis"]) == {"area", "buildings"}


def test_small_counts_stay_in_the_house(town):
    done = pipeline.reconcile_schemes(load_config(town), sized=False)
    pipeline.save_net(done, load_config(town))
    against = pd.read_csv(town / "out-net" / "against.csv")
    assert len(against)
    assert against["households"].isna().all()  # fewer than ten


def test_the_net_table_decides_who_is_senior(town):
    file = town / "gridmap.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + '[net]\nseniority = ["fire"]\n', encoding="utf-8")
    config = load_config(town)
    assert config.net == NetRule(seniority=("fire",))
    done = pipeline.reconcile_schemes(config, sized=False)
    assert done.net.grids["kept_from"].tolist() == ["fire", "fire"]
    file.write_text(text + '[net]\ndecide = "luck"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="decide is 'luck'"):
        load_config(town)


def test_a_run_without_schemes_is_told(tmp_path):
    with pytest.raises(ConfigError, match="names no"):
        pipeline.reconcile_schemes(load_config(save_sketch(tmp_path)))


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(("name", "places", "people"), [("chiayi", 285, 267_852)])
def test_villages_and_base_units_of_a_city_become_one_net(
    root, real_data, name, places, people
):
    config = load_config(root / "tests" / "real" / f"{name}_nets.toml",
                         environ={"GRIDMAP_REAL_DATA": str(real_data)})
    done = pipeline.reconcile_schemes(config, sized=False)
    summary = pipeline.measure_net(done)
    assert summary["contested"] == pytest.approx(places, rel=0.05)
    assert done.net.grids["people"].sum() == pytest.approx(people, rel=1e-9)
    assert (done.net.grids.geom_type == "Polygon").all()
    total = done.net.crosswalks.groupby(["source_layer", "target_layer", "basis", "source"])
    assert (total["weight"].sum() == 1).all()
