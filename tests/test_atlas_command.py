"""``gridmap atlas``: a workspace becomes one PDF, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

from gridmap import cli, errors
from gridmap.maps.paper import fonts, template
from gridmap.pipeline import printing
from gridmap.sketch import sketch_grids
from gridmap.sources.posts import load_posts

pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")


@pytest.fixture(scope="module", autouse=True)
def chinese_font():
    """Skip where no font with Chinese characters is installed."""
    try:
        return fonts.find_font()
    except errors.SourceError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Return a workspace of 60 grids in two communities."""
    folder = tmp_path_factory.mktemp("city") / "out"
    (folder / "frames").mkdir(parents=True)
    letters = "".join(chr(0x4E00 + n) for n in range(60))
    grids = sketch_grids(*(letters[row:row + 10] for row in range(0, 60, 10)), side_m=200)
    codes = pd.Index([f"37100100100{1 + n // 30}{n % 30 + 1:03d}" for n in range(60)],
                     name="grid", dtype="str")
    grids = grids.set_axis(codes)
    grids = grids.assign(territory=grids.index.str[:12], households=320, people=900)
    grids.iloc[0, grids.columns.get_loc("households")] = 4
    towns = grids.dissolve("territory")[["geometry"]].assign(
        name=["海滨社区", "龙山社区"], level="community",
        parent=pd.Series([None, None], dtype="str"))
    grids.to_parquet(folder / "frames/grids.parquet")
    towns.to_parquet(folder / "frames/territories.parquet")
    pd.DataFrame(grids.drop(columns="geometry")).to_parquet(folder / "frames/by_grid.parquet")
    facts = {"name": "样例城市", "publication": "shared", "outputs": {}}
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def atlas(workspace, out, *words):
    assert cli.main(["atlas", str(workspace), "--out", str(out), "--quiet",
                     *map(str, words)]) == 0
    return pdfium.PdfDocument(out)


def text_of(page):
    return page.get_textpage().get_text_range()


def test_every_grid_has_a_page_that_the_index_names(workspace, tmp_path):
    document = atlas(workspace, tmp_path / "atlas.pdf")
    assert len(document) == 2 + 60
    index = text_of(document[1]).split()
    for number in (0, 31, 59):
        code = text_of(document[2 + number]).split()[1]
        assert index[index.index(code) + 1] == str(3 + number)
    assert "海滨社区" in text_of(document[2])


def test_small_counts_are_withheld_and_said_to_be(workspace, tmp_path):
    page = text_of(atlas(workspace, tmp_path / "a.pdf", "--grids", "371001001001001")[2])
    assert "不公开" in page and "样例城市" in page


def test_grids_are_chosen_by_code_and_by_place(workspace, tmp_path, capsys):
    assert len(atlas(workspace, tmp_path / "a.pdf", "--territory", "龙山社区")) == 2 + 30
    (tmp_path / "codes.txt").write_text("371001001001001\n371001001001002\n")
    assert len(atlas(workspace, tmp_path / "b.pdf", "--grids", tmp_path / "codes.txt")) == 2 + 2
    assert cli.main(["atlas", str(workspace), "--territory", "X"]) == 1
    assert "X hold no grids of this workspace" in capsys.readouterr().err


def test_the_qr_code_of_an_address_is_read_back(workspace, tmp_path):
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    for kind, scale, at in (("atlas", 2, 2), ("board", 1, 2), ("cards", 3, 2)):
        document = atlas(workspace, tmp_path / f"{kind}.pdf", "--kind", kind,
                         "--qr", "https://example.org/g/{grid}", "--territory", "海滨社区")
        found = {one.text for one in zxing.read_barcodes(
            document[at].render(scale=scale).to_pil())}
        assert "https://example.org/g/371001001001001" in found


def test_an_unknown_field_of_a_qr_code_is_named(workspace, capsys):
    assert cli.main(["atlas", str(workspace), "--qr", "{phone}"]) == 1
    assert "the QR text names phone, which no grid has" in capsys.readouterr().err


def test_a_killed_run_is_gone_on_with_to_the_same_bytes(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(printing, "CHUNK", 10)
    target = tmp_path / "killed.pdf"
    script = (
        "import os, signal, sys\n"
        "from gridmap.pipeline import printing\n"
        "printing.CHUNK = 10\n"
        "def tell(step, done, total):\n"
        "    if done == 30: os.kill(os.getpid(), signal.SIGKILL)\n"
        "prints = printing.load_prints(sys.argv[1])\n"
        "printing.save_atlas(printing.make_plan(prints), sys.argv[2], grids=prints.grids,\n"
        "                    territories=prints.territories, progress=tell)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(workspace), str(target)],
                           check=False, env=os.environ.copy())
    assert ended.returncode == -signal.SIGKILL and not target.exists()
    prints = printing.load_prints(workspace)
    made = printing.make_plan(prints)

    def save(file, **options):
        return printing.save_atlas(made, file, grids=prints.grids,
                                   territories=prints.territories, **options)

    assert save(target).kept == 3
    undisturbed = save(tmp_path / "whole.pdf")
    assert undisturbed.kept == 0
    assert target.read_bytes() == undisturbed.file.read_bytes()
    assert save(tmp_path / "two.pdf", workers=2).file.read_bytes() == target.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "killed.pdf", "two.pdf", "whole.pdf"]


def test_posts_give_contact_lines(workspace, tmp_path):
    posts = tmp_path / "posts.csv"
    posts.write_text("社区代码,岗位,值班电话,姓名\n371001001001,网格服务站,0631-5200000,某某某\n",
                     encoding="utf-8")
    columns = [word for pair in ("territory=社区代码", "post=岗位", "phone=值班电话")
               for word in ("--column", pair)]
    document = atlas(workspace, tmp_path / "a.pdf", "--kind", "board", "--posts", posts, *columns)
    assert "网格服务站 0631-5200000" in text_of(document[2])
    assert not any("0631" in text_of(document[n]) or "某" in text_of(document[n])
                   for n in (0, 1, 40))


@pytest.mark.parametrize(("rows", "columns", "message"), [
    ("c,姓名\nG1,x", {"grid": "c", "contact": "姓名"}, "姓名 would print persons"),
    ("c,户主电话\nG1,x", {"grid": "c", "contact": "户主电话"}, "户主电话 would print persons"),
    ("c,手机\nG1,x", {"grid": "c", "contact": "手机"}, "手机 would print persons"),
    ("c,电话\nG1,13800138000", {"grid": "c", "contact": "电话"}, "contact hold mobile or ID"),
    ("c,p\nG1,x\nG1,y", {"grid": "c", "contact": "p"}, "G1 have several rows"),
    ("c,p\nG1,x", {"contact": "p"}, "say which column holds the code of the grid"),
])
def test_what_is_of_a_person_is_refused(tmp_path, rows, columns, message):
    (tmp_path / "posts.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(errors.SourceError, match=message):
        load_posts(tmp_path / "posts.csv", columns=columns)


def test_a_glyph_that_a_font_lacks_names_the_grid(workspace, tmp_path, capsys):
    (tmp_path / "posts.csv").write_text("g,p\n371001001001005,站🏠\n", encoding="utf-8")
    assert cli.main(["atlas", str(workspace), "--posts", str(tmp_path / "posts.csv"),
                     "--column", "grid=g", "--column", "contact=p"]) == 1
    assert "lacks 🏠 (U+1F3E0) in contact of 371001001001005." in capsys.readouterr().err


def test_a_template_is_copied_out_and_changed(workspace, tmp_path, capsys):
    assert cli.main(["atlas", "--show-template", "board"]) == 0
    mine = tmp_path / "mine.toml"
    mine.write_text(capsys.readouterr().out.replace("网格公示牌", "我的网格"), encoding="utf-8")
    page = atlas(workspace, tmp_path / "a.pdf", "--template", mine, "--paper", "A3")[2]
    assert "我的网格" in text_of(page)
    assert [round(side / 72 * 25.4) for side in page.get_size()] == [297, 420]


def test_more_cards_share_a_larger_sheet(workspace, tmp_path):
    assert len(atlas(workspace, tmp_path / "a.pdf", "--kind", "cards")) == 2 + 6
    assert len(atlas(workspace, tmp_path / "b.pdf", "--kind", "cards", "--paper", "A3")) == 2 + 3


def test_english_pages_speak_english(workspace, tmp_path):
    page = text_of(atlas(workspace, tmp_path / "a.pdf", "--kind", "board", "--language", "en")[2])
    assert "This is your grid" in page and "withheld" in page and "户数" not in page


@pytest.mark.parametrize(("entry", "message"), [
    ("size = 'big'", "size is 'big': expected a number"),
    ("bold = 1", "bold is 1: expected true or false"),
    ("colour = 'red'", "a colour is 'red'"),
    ("lines = 0", "lines is 0: expected a whole number above 0"),
    ("columns = 'people'", "columns is 'people': expected names of figures"),
])
def test_a_wrong_entry_of_a_template_is_told_by_name(tmp_path, entry, message):
    (tmp_path / "t.toml").write_text(
        f"page = [9, 9]\n[[items]]\nkind = 'text'\nplace = [0, 0]\n{entry}\n", encoding="utf-8")
    with pytest.raises(errors.ProfileError, match=message):
        template.load_template(tmp_path / "t.toml")


def test_an_item_beyond_the_page_is_refused(tmp_path):
    (tmp_path / "t.toml").write_text(
        "page = [9, 9]\n[[items]]\nkind = 'map'\nplace = [5, 0]\nbox = [5, 5]\n")
    with pytest.raises(errors.ProfileError, match="reaches beyond the page of 9 by 9 mm"):
        template.load_template(tmp_path / "t.toml")
