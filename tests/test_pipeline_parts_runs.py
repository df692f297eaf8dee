"""Steps of runs after edits of a small town: each gives what it gives in a whole run."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.pipeline import attach_again, measure_again, shelf
from gridmap.pipeline.graph import Job
from gridmap.pipeline.load import silent
from gridmap.pipeline.steps import Steps
from gridmap.workspace import load_config, read_inputs


@pytest.fixture
def folder(tmp_path):
    """Return a folder with 24 blocks, 80 elements and some assets, events and visits."""
    chance = random.Random(1)
    rows = [(f"U{x}{y}", "T" if x < 3 else "V", 60, 90,
             shapely.box(x * 100, y * 100, x * 100 + 100, y * 100 + 100).wkt)
            for x in range(6) for y in range(4)]
    units = pd.DataFrame(rows, columns=["unit", "territory", "households", "people", "wkt"])
    spots = [(chance.uniform(0, 600), chance.uniform(0, 400)) for _ in range(80)]
    homes = pd.DataFrame({
        "element": [f"e{n:03}" for n in range(80)],
        "kind": ["building" if n % 5 == 0 else "address" for n in range(80)],
        "count": 1, "households": [chance.choice([0, 0.1, 0.7, 2]) for _ in range(80)],
        "people": [chance.randint(0, 5) for _ in range(80)],
        "wkt": [shapely.box(x, y, x + 12, y + 9).wkt if n % 5 == 0 else f"POINT ({x} {y})"
                for n, (x, y) in enumerate(spots)]})
    things = pd.DataFrame({
        "code": [f"a{n}" for n in range(12)], "kind": ["board", "lamp", "clinic"] * 4,
        "radius_m": [90, None, 150] * 4, "capacity": [None, None, 7] * 4, "count": 2,
        "x": [chance.uniform(0, 600) for _ in range(12)],
        "y": [chance.uniform(0, 400) for _ in range(12)],
        "period": "2026-03", "matter": "noise",
        "opened": "2026-03-01", "closed": ["2026-03-02", ""] * 6, "level": ["grid", ""] * 6})
    for name, frame in (("units", units), ("homes", homes), ("things", things)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "profile.toml").write_text(
        'title = "Town"\n[size]\nminimum = 100\ntarget = 180\nmaximum = 240\n')
    told = {"elements": ("homes", "element", "kind, count, households, people, wkt"),
            "assets": ("things", "asset", "kind, radius_m, capacity, x, y"),
            "events": ("things", "event", "matter, opened, closed, level, x, y"),
            "visits": ("things", "visit", "period, count, x, y")}
    text = '[run]\nname = "Town"\nprofile = "profile.toml"\n' + _say(
        "[units]", "units", "unit, territory, households, people, wkt") + "territories = true\n"
    for table, (file, code, names) in told.items():
        key = "element" if file == "homes" else "code"
        text += _say(f"[[{table}]]", file, names, **{code: key})
    (tmp_path / "gridmap.toml").write_text(text)
    return tmp_path


def _say(table, file, names, **columns_):
    pairs = {**columns_, **{name: name for name in names.split(", ")}}
    told = ", ".join(f'{name} = "{column}"' for name, column in pairs.items())
    return f'{table}\npath = "{file}.csv"\ncolumns = {{ {told} }}\ncrs = "EPSG:32651"\n'


def alter(folder, what, chance):
    """Edit one file of the input."""
    name = {"border": "units", "asset": "things", "level": "things"}.get(what, "homes")
    frame = pd.read_csv(folder / f"{name}.csv", dtype={"kind": "str"})
    row = chance.randrange(len(frame))
    x, y = chance.uniform(0, 600), chance.uniform(0, 400)
    if what == "border":  # a corner of four blocks
        frame["wkt"] = frame["wkt"].str.replace("300 200", "320 190", regex=False)
    elif what == "asset":
        frame.loc[row, ["x", "y"]] = x, y
    elif what == "level":
        frame.loc[row, ["opened", "level"]] = "2026-02-27", "town"
    elif what == "count":
        frame.loc[row, "households"] = 0.3
    elif what == "add":
        frame = pd.concat([frame, frame.iloc[[row]].assign(element=f"d{x:.0f}")])
    elif what == "drop":
        frame = frame.drop(index=row)
    else:
        place = {"move": (x, y), "out": (900, 900), "across": (298, 198)}[what]
        frame.loc[row, "wkt"] = (f"POINT ({place[0]} {place[1]})" if what != "across"
                                 else shapely.box(*place, place[0] + 9, place[1] + 7).wkt)
    frame.to_csv(folder / f"{name}.csv", index=False)


def do(config, store, version):
    """Do the steps up to the figures, and return what each gave and what became of it."""
    steps = Steps(shelf.open_shelf(store))
    job = Job(config, steps, read_inputs(config), silent)
    assert job.proven["proven"]
    assert job.measured
    shelf.note_run(store, steps.keys, version, [version])
    records = {step: shelf.find_record(store, key) for step, key in steps.keys.items()}
    made = {step: (record.outputs, record.told) for step, record in records.items()}
    return made, {one.step: one.did for one in steps.told}


@pytest.mark.parametrize(("edits", "shared"), [
    (("move", "count", "border"), True), (("add", "asset", "out"), True),
    (("drop", "across", "level", "move"), True), (("asset", "add", "border"), False)])
def test_every_step_gives_what_it_gives_in_a_whole_run(folder, monkeypatch, edits, shared):
    for module in (attach_again, measure_again):
        monkeypatch.setattr(module, "MOST", 0.9)
    if not shared:
        things = pd.read_csv(folder / "things.csv")
        things.assign(capacity=np.nan).to_csv(folder / "things.csv", index=False)
    chance = random.Random(len(edits))
    config = load_config(folder)
    do(config, folder / "steps", "1")
    seen = set()
    for number, what in enumerate(edits):
        alter(folder, what, chance)
        made, did = do(config, folder / "steps", str(number + 2))
        assert made == do(config, folder / f"whole {number}", "1")[0]
        seen |= {step for step, how in did.items() if how == "ran in part"}
    assert {"attach: elements", "demand", "reach"} <= seen
    assert shared == ("measure" not in seen)  # what places share is added up as a whole
