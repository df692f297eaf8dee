"""Everything that grids are drawn by can be said in gridmap.toml and on the command line."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import gridmap as gm
from gridmap import cli
from gridmap.errors import ConfigError
from gridmap.sketch import save_sketch

ROWS = ["".join(chr(0x4E00 + 8 * row + at) for at in range(8)) for row in range(8)]
CODES = [code for row in ROWS for code in row]


@pytest.fixture
def town(tmp_path):
    """Return a function that writes a drawn town of 64 units with more configuration."""
    def write(text: str = "", /, run: str = "", units: str = "", **tables: pd.DataFrame):
        folder = save_sketch(tmp_path / "town", *ROWS)
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        file = folder / "gridmap.toml"
        said = file.read_text(encoding="utf-8").replace("[run]", f"[run]\n{run}")
        file.write_text(f"{said}\n{text}", encoding="utf-8")
        return folder

    return write


def join(name: str, columns: str) -> str:
    return (f'[[tables]]\npath = "{name}.csv"\njoins = "units"\nkey = "unit"\n'
            f"columns = {{ {columns} }}\n")


def test_a_workload_of_columns_sizes_grids_and_their_state(town):
    cases = pd.DataFrame({"unit": CODES, "cases": [4 * (at % 8 < 4) for at in range(64)]})
    folder = town("[drawing]\nworkload = { cases = 1, households = 1 }\n"
                  + join("cases", 'cases = "cases"'), cases=cases)
    (folder / "profile.toml").write_text(
        'title = "By cases"\n[size]\nminimum = 8\ntarget = 10\nmaximum = 12\n',
        encoding="utf-8")
    done = gm.run(gm.load_config(folder))
    load = (done.units["households"] + done.units["cases"]).groupby(done.assignment).sum()
    assert load.between(8, 12).all()
    assert (done.by_grid["size_state"] == "in range").all()
    assert not done.grids["households"].between(8, 12).all()
    assert done.summary["share in size range"] == 1


def test_a_profile_can_hold_in_some_territories_only(town):
    where = pd.DataFrame({"unit": CODES, "place": ["old"] * 32 + ["new"] * 32})
    two = '[[profiles]]\nprofile = "wide.toml"\nwhere = { place = "old" }\n'
    folder = town(two + join("where", 'place = "place"'), where=where)
    (folder / "wide.toml").write_text(
        'title = "Wide"\n[size]\nminimum = 12\ntarget = 16\nmaximum = 20\n', encoding="utf-8")
    units = pd.read_csv(folder / "units.csv")
    units["territory"] = ["O"] * 32 + ["N"] * 32
    units.to_csv(folder / "units.csv", index=False)
    done = gm.run(gm.load_config(folder))
    assert done.grids["territory"].value_counts().to_dict() == {"N": 8, "O": 2}
    assert (done.by_grid["size_state"] == "in range").all()


def test_density_can_choose_the_profile(town):
    folder = town('[[profiles]]\nprofile = "wide.toml"\nbelow_people_per_km2 = 9999\n')
    (folder / "wide.toml").write_text(
        'title = "Wide"\n[size]\nminimum = 12\ntarget = 16\nmaximum = 20\n', encoding="utf-8")
    assert len(gm.run(gm.load_config(folder)).grids) == 4


def test_locked_grids_links_and_counts_come_from_tables(town):
    kept = pd.DataFrame({"unit": CODES[:4], "grid": "0042"})
    ferry = pd.DataFrame({"unit": CODES[63:], "far": CODES[:1]})
    folder = town(
        '[drawing]\nlocked = "locked"\nlinked = "linked"\ncounts = { T = 12 }\n'
        + join("kept", 'locked = "grid"') + join("ferry", 'linked = "far"'),
        kept=kept, ferry=ferry)
    done = gm.run(gm.load_config(folder))
    assert sorted(done.assignment.index[done.assignment == "0042"]) == sorted(CODES[:4])
    assert len(done.grids) == 12


def test_weights_and_homes_of_workers_are_said_in_the_configuration(town):
    posts = pd.DataFrame({"asset": ["p", "q"], "x": [150.0, 650.0], "y": [150.0, 650.0]})
    assets = ('[[assets]]\npath = "posts.csv"\ncolumns = { asset = "asset", x = "x", y = "y" }\n'
              'constants = { kind = "post", radius_m = 10 }\ncrs = "EPSG:32651"\n')
    text = ('[drawing]\nhomes = "post"\ntravel = 20\nbalance = 1\ncompactness = 0.5\n'
            "barriers = 2\nlikeness = { people = 0.1 }\n")
    done = gm.run(gm.load_config(town(text + assets, posts=posts)))
    near = done.assets.geometry.map(lambda at: done.grids.centroid.distance(at).min())
    assert near.max() < 110


def test_units_of_lower_territories_are_drawn_inside_those_of_within(town):
    folder = town(run='within = "town"')
    file = folder / "gridmap.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("territories = true", "")
                    + '[[territories]]\npath = "areas.csv"\ncolumns = { territory = "territory", '
                    'parent = "parent", level = "level", wkt = "wkt" }\ncrs = "EPSG:32651"\n',
                    encoding="utf-8")
    units = pd.read_csv(folder / "units.csv")
    units["territory"] = [f"C{at // 8}" for at in range(64)]  # a row of units each
    units.to_csv(folder / "units.csv", index=False)
    shapes = gm.sketch_units(*ROWS, side_m=100.0)
    areas = [("W", "", "town", shapes.geometry.union_all().wkt)]
    areas += [(f"C{row}", "W", "community",
               shapes.geometry.loc[list(ROWS[row])].union_all().wkt) for row in range(8)]
    pd.DataFrame(areas, columns=["territory", "parent", "level", "wkt"]).to_csv(
        folder / "areas.csv", index=False)
    done = gm.run(gm.load_config(folder))
    assert set(done.grids["territory"]) == {"W"}
    assert done.by_grid["compactness"].min() > 0.5  # not strips one unit high


def test_the_command_line_overrules_how_grids_are_looked_for(town, capsys):
    folder = town()
    said = []
    for more in (["--effort", "draft", "--workers", "2"], ["--time-limit", "0"], ["--seed", "7"]):
        assert cli.main(["run", str(folder), "--json", *more]) == 0
        said.append(json.loads(capsys.readouterr().out)["summary"])
    assert [one["contiguous share"] for one in said] == [1, 1, 1]
    changes = pd.read_csv(next(folder.rglob("manifest.json")).parent / "changes.csv")
    assert "search cut short" not in set(changes["what"])


@pytest.mark.parametrize(
    ("run", "text", "message"),
    [
        ('effort = "huge"', "", r"\[run\] effort is 'huge': expected draft, normal, best"),
        ("workers = 0", "", r"\[run\] needs workers of 1 or more"),
        ("", "[drawing]\nbalance = -1", r"\[drawing\] balance are no numbers from 0 up"),
        ("", "[drawing]\nlikeness = 3", r"\[drawing\] likeness is 3: expected a table"),
        ("", "[drawing]\nroundness = 3", r"\[drawing\] has unknown entries roundness"),
        ("", "[[profiles]]\nprofile = 'rural'", r"\[\[profiles\]\] rural holds where\? Give"),
        ("", "[drawing]\nhomes = 'post'", r"homes is 'post', but no asset is of that kind"),
        ("", "[drawing]\nlocked = 'old'", r"\[drawing\] names old, but units have no such col"),
        ("", "[[profiles]]\nprofile = 'rural'\nwhere = {m = 1}", "looks at 'm', which neither"),
    ],
)
def test_what_cannot_be_is_an_error_that_says_so(town, run, text, message):
    with pytest.raises(ConfigError, match=message):
        gm.run(gm.load_config(town(text, run=run)))
