"""Print: every grid on a page of its own, no letter lost, codes that can be read back."""

from __future__ import annotations

import dataclasses
import functools
import re

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame

from gridmap import errors
from gridmap.maps.paper import atlas, fonts, ink, labels, overview, pdf, template
from gridmap.rules import Publication, load_publication
from gridmap.sketch import sketch_grids, sketch_points

INTERNAL = load_publication("internal")
pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")


@pytest.fixture(scope="module", autouse=True)
def chinese_font():
    """Skip where no font with Chinese characters is installed."""
    try:
        return fonts.find_font()
    except errors.SourceError as error:
        pytest.skip(str(error))


def city():
    grids = sketch_grids("AAB", "CDD", "EEE", side_m=200)
    codes = pd.Index([f"3710{n:011d}" for n in range(len(grids))], name="grid", dtype="str")
    return grids.set_axis(codes).assign(territory=["N", "N", "N", "S", "S"])


def towns(grids):
    frame = grids.dissolve("territory")[["geometry"]].assign(
        name=["海滨街道", "龙䶮村"], level="town", parent=pd.Series([None, None], dtype="str"))
    return frame.set_index(pd.Index(["N", "S"], name="territory", dtype="str"))


def draw(grids, **options):
    return list(atlas.draw_atlas(grids, **{"publication": INTERNAL, **options}))


def read(part):
    return pdfium.PdfDocument(part.content)


def text_of(part):
    return [page.get_textpage().get_text_range() for page in read(part)]


def test_every_grid_has_a_page_in_the_part_of_its_territory():
    grids = city()
    parts = draw(grids, territories=towns(grids))
    assert [(part.name, part.pages) for part in parts] == [("overview", 2), ("N", 3), ("S", 2)]
    pages = text_of(parts[1]) + text_of(parts[2])
    assert [page.split()[1] for page in pages] == list(grids.index)  # below the place
    assert "海滨街道" in pages[0] and "龙䶮村" in pages[3]  # as text that can be searched


def test_the_index_names_the_page_of_every_grid():
    grids = city()
    index = text_of(draw(grids, territories=towns(grids))[0])[1].split()
    for code, page in zip(grids.index, "12312", strict=True):
        assert index[index.index(code) + 1] == page


def test_a_qr_code_can_be_read_back():
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    grids = city()
    for name, scale in (("atlas", 2), ("board", 1), ("card", 3)):
        part = draw(grids, template=template.load_template(name), territories=towns(grids),
                    texts={"heading": "联系卡"})[1]
        image = read(part)[0].render(scale=scale).to_pil()
        found = {code.text for code in zxing.read_barcodes(image)}
        assert grids.index[0] in found


def test_cards_share_sheets():
    grids = sketch_grids("ABCDEFGHIJKL", side_m=100)
    parts = draw(grids, template=template.load_template("card"))
    assert [(part.name, part.pages) for part in parts[1:]] == [("001", 2)]
    page = read(parts[1])[0]
    assert [round(side / 72 * 25.4) for side in page.get_size()] == [210, 297]


def test_a_board_can_be_enlarged():
    board = dataclasses.replace(template.load_template("board"), scale=2**0.5)
    page = read(draw(city(), template=board)[1])[0]
    assert [round(side / 72 * 25.4) for side in page.get_size()] == [594, 840]


def test_the_map_shows_neighbours_buildings_and_assets():
    grids = city()
    house = sketch_grids("H", side_m=30).set_axis(pd.Index(["h"], name="element"))
    lamps = sketch_points((100, 500), kind="lamp").rename_axis("asset")
    bare, full = (read(draw(grids, **layers)[1])[0].render(scale=1).to_pil()
                  for layers in ({}, {"buildings": house, "assets": lamps}))
    assert bare.tobytes() != full.tobytes()


def test_contacts_are_printed_and_unknown_grids_refused():
    grids = city()
    contacts = DataFrame({"contact": ["网格员 0631-5200000"]}, index=grids.index[:1])
    first, second = text_of(draw(grids, contacts=contacts)[1])[:2]
    assert "网格员 0631-5200000" in first and "0631" not in second
    with pytest.raises(errors.SchemaError, match="contacts: X are no grids"):
        draw(grids, contacts=contacts.set_axis(["X"]))


def test_a_character_that_the_font_lacks_is_an_error_by_name():
    grids = city()
    contacts = DataFrame({"contact": ["\U0001f3e0 家"]}, index=grids.index[:1])
    told = r"lacks 🏠 \(U\+1F3E0\) in contact of 371000000000000\. Name one that has"
    with pytest.raises(errors.SourceError, match=told):
        draw(grids, contacts=contacts)


def test_what_is_done_is_not_drawn_again():
    grids = city()
    assert [part.name for part in draw(grids, done=["overview", "N"])] == ["S"]
    again = {part.name: part.content for part in draw(grids)}
    assert draw(grids, done=["overview", "N"])[0].content == again["S"]


def test_progress_is_told():
    told = []
    draw(city(), progress=lambda done, total: told.append((done, total)))
    assert told == [(3, 5), (5, 5)]


def test_only_allowed_figures_are_printed():
    public = Publication(name="mine", columns=("territory", "households"))
    grids = city().assign(households=320, people=97531)
    pages = text_of(draw(grids, publication=public)[1])
    assert "320" in pages[0] and not any("97,531" in page for page in pages)


def test_a_field_that_there_is_not_is_named():
    item = template.Item(kind="text", place=(0, 0), text="{phone}")
    odd = template.Template(page=(100, 100), items=(item,))
    with pytest.raises(errors.ProfileError, match="the template names phone, which no grid has"):
        draw(city(), template=odd)


@pytest.mark.parametrize(("text", "message"), [
    ("page = [1, 1]\n[[items]]\nkind = 'song'\nplace = [0, 0]", "there is no item 'song'"),
    ("page = [1, 1]\n[[items]]\nkind = 'qr'\nplace = [0, 0]", "a qr needs box"),
    ("page = [1, 1]\ncolour = 'red'", "unknown entries colour for Template"),
    ("page = [1", "is not valid TOML"),
])
def test_a_template_that_cannot_be_drawn_is_refused(tmp_path, text, message):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(errors.ProfileError, match=message):
        template.load_template(tmp_path / "mine.toml")


def test_text_that_is_too_wide_is_set_smaller_and_then_cut():
    from gridmap.maps.paper import ink

    font = fonts.build_font(["社区居民委员会" * 6])
    assert ink.set_text(font, "社区", (0, 0), size=10, width=100).count("/F 10.00") == 1
    assert "/F 6.00" in ink.set_text(font, "社区居民委员会" * 6, (0, 0), size=10, width=100)


def test_a_contact_line_that_would_be_cut_is_refused():
    grids = city()
    contacts = DataFrame({"contact": ["海滨街道网格服务站" * 4, "0631-5200000"]},
                         index=grids.index[:2])
    with pytest.raises(errors.ProfileError) as told:
        draw(grids, contacts=contacts, template=template.load_template("card"))
    assert str(told.value) == (
        "contact of 371000000000000: too long for the 54 mm that the template has for "
        "'{contact}'. Shorten it, or give the item more width or lines, or a smaller size.")
    assert list(told.value.rows) == ["371000000000000"]


def test_print_without_its_packages_says_what_to_install(monkeypatch):
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    with pytest.raises(errors.SourceError, match=r'pip install "gridmap\[print\]"'):
        draw(city())


def test_neighbours_of_another_territory_bear_its_name():
    grids = city()
    page = text_of(draw(grids, territories=towns(grids))[1])[2]
    around = page.split("\n", 2)[2]
    assert "龙䶮村" in around and "海滨街道" not in around


def test_a_footprint_on_another_is_filled_as_well():
    grids = city()
    house = sketch_grids("H", side_m=60).set_axis(pd.Index(["h"], name="element"))
    twice = pd.concat([house, house.set_axis(["i"])])
    one, two = (read(draw(grids, buildings=layer)[1])[0].render(scale=1).to_numpy()
                for layer in (house, twice))
    assert (one == two).mean() > 0.999  # edges are blended once more


boxes = st.tuples(*[st.floats(0, 90) for _ in range(2)])


@settings(deadline=None)  # the first cuts the font
@given(st.lists(st.tuples(boxes, st.sampled_from(["1", "003", "000128"]), st.booleans()),
                max_size=12))
def test_no_label_lies_on_another_or_beyond_the_map(wanted):
    font = small_font()
    some = [labels.Label(("A", text) if twin else (text,), place, 8, "#000000", (99, 99), (text,))
            for place, text, twin in wanted]
    drawn = labels.set_labels(some, font, (0, 0, 100, 100))
    ends = [(float(x), float(y), len(letters) // 4 * 8 * 0.4) for x, y, letters in re.findall(
        r"([-\d.]+) ([-\d.]+) Td <([0-9a-f]+)> Tj ET\n(?!Q)", drawn)]
    for number, (x, y, wide) in enumerate(ends):
        assert x >= 0 and 0 <= y <= 100
        assert not any(abs(y - v) < 6 and x < u + w and u < x + wide
                       for u, v, w in ends[:number])


@settings(deadline=None)  # the first cuts the font
@given(st.text("网格0Aé社", min_size=1))
def test_a_qr_code_of_any_text_is_read_back(text):
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    sheet = pdf.Sheet(120, 120, ink.draw_qr(text, (10, 110), 100))
    image = pdfium.PdfDocument(pdf.write_pdf([sheet], small_font()))[0].render(scale=2)
    assert [code.text for code in zxing.read_barcodes(image.to_pil())] == [text]


@functools.cache
def small_font():
    return fonts.build_font(["A"])


def test_a_label_stands_well_inside_what_it_names():
    wedge = shapely.Polygon([(0, 0), (100, 0), (100, 4), (40, 4), (40, 60), (0, 60)])
    torn = shapely.MultiPolygon([wedge, shapely.box(200, 0, 201, 1)])
    for shape in (wedge, torn, wedge.reverse()):
        place = shapely.points(labels.find_anchors(np.array([shape])))[0]
        assert shape.contains(place) and place.distance(shape.boundary) > 10


def test_many_communities_are_shown_town_by_town():
    grids = sketch_grids(*("".join(chr(65 + row * 8 + n) for n in range(8)) for row in range(5)),
                         side_m=100)
    homes = [f"{town}{n:02d}" for town in "NS" for n in range(20)]
    grids = grids.assign(territory=homes)
    codes = pd.Index(["N", "S", *homes], name="territory", dtype="str")
    frame = grids.dissolve("territory")[["geometry"]].reindex(codes)
    places = GeoDataFrame(frame.geometry.fillna(grids.union_all()), crs=grids.crs).set_axis(
        ["geometry"], axis=1).set_geometry("geometry", crs=grids.crs)
    places = places.assign(name=["北镇", "南镇", *(f"{home}村" for home in homes)],
                           level="village", parent=[None, None, *(home[0] for home in homes)])
    part = draw(grids, territories=places)[0]
    pages = text_of(part)
    assert part.pages == 1 + 2 + 1
    assert "北镇" in pages[0] and "南镇" in pages[0] and "N03村" not in pages[0]
    assert "N03村" in pages[1] and "S03村" not in pages[1] and "S03村" in pages[2]
    assert overview.count_overview({home: ["x"] for home in homes}, places) == part.pages


def test_codes_and_addresses_are_read_back():
    zxing = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")
    texts = [form.format(number ** 7) for form in ("https://example.org/g/{:015d}", "{:015d}")
             for number in range(12)]
    sheets = [pdf.Sheet(120, 120, ink.draw_qr(text, (10, 110), 100)) for text in texts]
    document = pdfium.PdfDocument(pdf.write_pdf(sheets, small_font()))
    read_back = [zxing.read_barcodes(page.render(scale=2).to_pil()) for page in document]
    assert [[code.text for code in codes] for codes in read_back] == [[text] for text in texts]


def test_an_empty_layer_prints_its_overview_only():
    assert [part.name for part in draw(city().iloc[:0])] == ["overview"]
