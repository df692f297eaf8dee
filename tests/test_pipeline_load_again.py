"""Loading after an edit gives what a whole reading gives, whatever was edited."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import GridmapError
from gridmap.pipeline import load, load_again, run_again, shelf
from gridmap.pipeline.graph import Job
from gridmap.pipeline.steps import Steps
from gridmap.sketch import save_sketch
from gridmap.sources import blocks
from gridmap.workspace import load_config, read_inputs

HEADER = "code,town,people,households,who,x,y"
#: More of them were tried once: GRIDMAP_EXAMPLES=500.
EXAMPLES = int(os.environ.get("GRIDMAP_EXAMPLES", "8"))

TINY = load_again.Sizes(least_bytes=0, least_rows=0, block_bytes=40)

CONFIG = """
[[elements]]
path = "more.csv"
crs = "EPSG:32651"
columns = { element = "code", x = "x", y = "y" }
constants = { kind = "address", count = 1 }

[[elements]]
path = "people.csv"
crs = "EPSG:4326"
prefix = "P"
offset = "GCJ-02"
columns = { element = "code", territory = "town", people = "people", households = "households", \
address = "who", x = "x", y = "y" }
constants = { kind = "population", count = 1 }
"""


def make_line(number, *, code=None, town="T1", people="2", households="1", who="", x=None):
    """Return a line of the file of people."""
    code = f"R{number:04d}" if code is None else code
    x = f"{122 + number / 1e4:.6f}" if x is None else x
    return f"{code},{town},{people},{households},{who},{x},37.{number:05d}"


def make_plain():
    """Return lines among which some are rejected or mended."""
    lines = [make_line(number) for number in range(60)]
    lines[8] = make_line(8, town="")
    lines[30] = make_line(30, code="R0012")  # came before with other values
    lines[31] = lines[13]
    lines[45] = make_line(45, x="")
    lines[47] = make_line(47, code="")
    lines[50] = make_line(50, town="371002.0")
    return lines


PLAIN = make_plain()


def make_town(folder):
    """Return the configuration of a town with two files of elements."""
    town = save_sketch(folder / "town")
    said = (town / "gridmap.toml").read_text(encoding="utf-8")
    said = said[:said.index("[[elements]]")].replace("[run]", '[run]\ncrs = "EPSG:32651"')
    (town / "gridmap.toml").write_text(said + CONFIG, encoding="utf-8")
    more = "\n".join(f"M{number},{122 * number},{number}" for number in range(40))
    (town / "more.csv").write_text(f"code,x,y\n{more}\n")
    return town


def load_elements(town, store, *, fresh=False):
    """Return what loading elements gives, and what became of the step."""
    config = load_config(town)
    steps = Steps(shelf.open_shelf(store), fresh=fresh)
    job = Job(config, steps, read_inputs(config), load.silent)
    job.sizes = TINY
    try:
        outputs = job._load("elements")
    except GridmapError as error:
        return str(error), ""
    shelf.note_run(steps.folder, steps.keys, "1", ["1"])
    did = {told.step: told.did for told in steps.told}
    return (outputs.record.outputs, outputs.record.told), did["load: elements"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return a folder with a town whose people are the plain lines, and the store of it."""
    place = tmp_path_factory.mktemp("plain")
    (make_town(place) / "people.csv").write_text(make_text(PLAIN))
    assert load_elements(place / "town", place / "store")[1] == "ran"
    return place


def hold_against_whole(plain, states, *, encode=str.encode):
    """Load each state after the one before, and hold it against a whole reading."""
    with tempfile.TemporaryDirectory() as folder:
        place, did = Path(folder, "plain"), []
        shutil.copytree(plain, place)
        for number, text in enumerate(states):
            (place / "town" / "people.csv").write_bytes(encode(text))
            again, how = load_elements(place / "town", place / "store")
            whole, _ = load_elements(place / "town", place / f"whole{number}")
            assert again == whole
            did.append(how)
        return did


def make_text(lines, end="\n"):
    """Return a file of people with a header."""
    return end.join([HEADER, *lines]) + end


def edit(number, *lines):
    """Return the plain lines, one of them replaced by others."""
    return [*PLAIN[:number], *lines, *PLAIN[number + 1:]]


@pytest.mark.parametrize("lines", [
    edit(20, make_line(20, people="7")),
    edit(20),
    edit(20, PLAIN[20], make_line(900)),
    [make_line(901), *PLAIN],
    [*PLAIN, make_line(902)],
    PLAIN[:-1],
    edit(38, make_line(38, town="")),
    edit(38, make_line(38, town="371002.0")),
    edit(40, make_line(40, x="")),
    edit(40, make_line(40, people="3户")),
    edit(40, make_line(40, who='"a, b"')),
    [PLAIN[0], make_line(950), *PLAIN[1:38], make_line(38, people="4"), *PLAIN[39:]],
])
def test_blocks_are_taken_over_where_rows_come_go_or_change(plain, lines):
    assert hold_against_whole(plain, [make_text(lines)]) == ["ran in part"]


@pytest.mark.parametrize("lines", [
    edit(12, make_line(12, code="R0912")),  # for which another row was rejected
    edit(13, make_line(13, people="3")),
    edit(20, make_line(20, code="R0012")),
    edit(45, make_line(45)),
    edit(20, make_line(20, people="")),  # no column of whole numbers any more
    edit(20, make_line(20, people="2.5")),
    edit(20, make_line(20, code="R0050")),  # a code that comes later
    edit(20, make_line(20, code="R0001")),
    edit(20, make_line(20, who="13800138000")),
    edit(20, make_line(20, who='"a\nb"')),  # a line in a cell
    edit(20, make_line(20, who='"never closed')),
    edit(20, ""),
    edit(20, make_line(20) + ",one cell more"),
    edit(20, make_line(20, who="\x0b")),
    edit(20, make_line(20, people="many")),
    edit(20, make_line(20, x="13800138000")),
    [line.replace("R", "S") for line in PLAIN],
    [],
])
def test_what_concerns_the_whole_file_is_read_whole_or_told_the_same(plain, lines):
    hold_against_whole(plain, [make_text(lines)])


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_concluded_from_the_whole_file(plain, encoding):
    word = "é" if encoding == "latin-1" else "村委会"
    lines = [make_line(number, who=word) for number in range(60)]
    other = [*lines[:20], make_line(20, who=word * 2), *lines[21:]]
    hold_against_whole(plain, [make_text(lines), make_text(other)],
                       encode=lambda text: text.encode(encoding))


def test_another_file_of_the_kind_is_taken_over_and_its_codes_are_minded(plain, tmp_path):
    shutil.copytree(plain, tmp_path / "plain")
    town, store = tmp_path / "plain" / "town", tmp_path / "plain" / "store"
    more = (town / "more.csv").read_text()
    for code, how in (("M900", "ran in part"), ("PR0007", "ran")):
        (town / "more.csv").write_text(more.replace("M7,", f"{code},"))
        told, did = load_elements(town, store)
        assert (told, did) == (load_elements(town, tmp_path / code)[0], how)


odd_cells = st.sampled_from(["", "2", "2.0", "1.5", "12户", "x", "13800138000", "3.7E+11", " 4",
                             '"q"', '"a\nb"', '"', "a\"b", "村", "é", "\x0b", "row 7", "T1",
                             "371002001001.0", "ＮＵＬＬ", "NULL", "0"])
odd_codes = st.sampled_from(["R0003", "R0012", "R0050", "", "row 9"])
some_lines = st.builds(
    make_line, st.integers(0, 80), code=st.none() | odd_codes,
    town=st.just("T1") | odd_cells, people=st.just("2") | odd_cells,
    households=st.just("1") | odd_cells, who=st.just("") | odd_cells,
    x=st.none() | st.sampled_from(["", "122.5", "x"]))
edits = st.lists(
    st.tuples(st.integers(0, 59), st.integers(0, 3), st.lists(some_lines, max_size=2)), max_size=3)


@given(st.lists(edits, min_size=1, max_size=2), st.sampled_from(["\n", "\r\n"]), st.booleans(),
       st.sampled_from(["utf-8", "gb18030"]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_loading_after_any_edits_gives_what_a_whole_reading_gives(
        plain, turns, end, closed, encoding):
    states, lines = [], list(PLAIN)
    for turn in turns:
        for at, count, fresh in turn:
            lines[at:at + count] = fresh
        text = make_text(lines, end)
        states.append(text if closed else text.removesuffix(end))
    hold_against_whole(plain, states, encode=lambda text: text.encode(encoding, errors="replace"))


lines_of_text = st.lists(st.text("ab1,", min_size=1, max_size=30), min_size=1, max_size=80)


@given(lines_of_text, lines_of_text, st.integers(0, 80))
@settings(deadline=None)
def test_blocks_make_up_the_text_and_come_again_where_it_does(lines, more, at):
    with tempfile.TemporaryDirectory() as place:
        cuts = []
        for name, some in (("old", lines), ("new", [*lines[:at], *more, *lines[at:]])):
            file = Path(place, name)
            file.write_text("\n".join(["header", *some]) + "\n")
            cut = blocks.cut_text(file, block_bytes=40)
            assert sum(block.lines for block in cut.blocks) == len(some)
            assert cut.starts[0] == len("header\n")
            assert cut.starts[-1] == file.stat().st_size
            cuts.append(cut)
        told = blocks.match_blocks(cuts[0].blocks, cuts[1].blocks)
        assert [one.new for one in told] == [0, *(one.new + one.size for one in told)][:-1]
        for one in told:
            if one.old is not None:
                assert (cuts[0].blocks[one.old:one.old + one.size]
                        == cuts[1].blocks[one.new:one.new + one.size])


def test_a_run_after_an_edit_writes_what_a_whole_run_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(Job, "sizes", load_again.Sizes(0, 0, 40))
    config = load_config(save_sketch(tmp_path / "town"))
    run_again(config)
    file = config.path.parent / "homes.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-1]) + "\n")
    done = run_again(config)
    assert "ran" in set(done.steps["did"])
    files = {path.name: path.read_bytes() for path in done.files if path.suffix == ".csv"}
    again = run_again(config, fresh=True)
    assert files == {path.name: path.read_bytes() for path in again.files
                     if path.suffix == ".csv"}
