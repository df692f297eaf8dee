"""What a user lays under a page: pictures are put into it, tiles open it for one machine."""

from __future__ import annotations

import io
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from pages import INTERNAL, Opened, city
from PIL import Image

from gridmap import errors, maps
from gridmap.maps import basemap

EXPECTED = (r"Expected a GeoTIFF, or an address such as http://10\.0\.0\.5:8080/\{z\}/\{x\}/"
            r"\{y\}\.png or http://10\.0\.0\.5/wms\?layers=photo")


def policy_of(page):
    return re.search(r'Content-Security-Policy" content="([^"]*)"', page.get_root().render())[1]


def pictures_of(page):
    return re.search("img-src ([^;]*)", policy_of(page))[1]


def save_tiff(path, *, bands=3, crs="EPSG:4326", dtype="uint8", nodata=None, at=(122.0, 37.0),
              side=0.02, pixels=60):
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    place = rasterio.Affine(side / pixels, 0, at[0], 0, -side / pixels, at[1] + side)
    values = np.zeros((bands, pixels, pixels), dtype=dtype)
    values[0] = np.linspace(1, 200, pixels).astype(dtype)
    if nodata is not None:
        values[:, :, : pixels // 2] = nodata
    with rasterio.open(path, "w", driver="GTiff", width=pixels, height=pixels, count=bands,
                       dtype=dtype, crs=crs, transform=place, nodata=nodata) as target:
        target.write(values)
    return path


def picture_of(base):
    import base64

    read = Image.open(io.BytesIO(base64.b64decode(base.address.partition(",")[2])))
    return read.convert("RGBA")


def test_there_is_no_base_map_unless_one_is_named():
    assert pictures_of(maps.Map()) == "data: blob:"
    assert "base" not in maps.Map().content()


@pytest.mark.parametrize(("address", "machine"), [
    ("http://10.0.0.5:8080/{z}/{x}/{y}.png", "http://10.0.0.5:8080"),
    ("https://tiles.city.test/a/{z}/{x}/{-y}?key=1", "https://tiles.city.test"),
    ("http://localhost/wms?LAYERS=photo&map=a.map", "http://localhost"),
])
def test_the_page_is_opened_for_exactly_the_machine_that_was_named(address, machine):
    page = maps.Map(base=address)
    assert pictures_of(page) == f"data: blob: {machine}"
    assert policy_of(page).count(machine) == 1 and "connect-src" not in policy_of(page)


def test_a_wms_gets_its_parameters_and_keeps_those_of_its_own():
    base = basemap.read_base("http://h/wms?SERVICE=WMS&map=a.map&layers=a,b&format=image/jpeg")
    assert base.kind == "wms" and base.address == "http://h/wms?map=a.map"
    assert base.more["parameters"] == {"layers": "a,b", "styles": "", "format": "image/jpeg",
                                       "transparent": "true", "version": "1.1.1"}


def test_rows_counted_from_the_south_are_told():
    assert basemap.read_base("http://h/{z}/{x}/{-y}").more == {"south": True}
    assert basemap.read_base("http://h/{z}/{x}/{y}").more == {"south": False}


@pytest.mark.parametrize(("address", "message"), [
    ("http://{s}.tiles.test/{z}/{x}/{y}.png",
     r"\{s\} names more than one machine\. Name the one that is meant"),
    ("ftp://h/{z}/{x}/{y}", rf"does not begin with http:// or https://\. {EXPECTED}"),
    ("//h/{z}/{x}/{y}", "does not begin with http:// or https://"),
    ("file:///a/{z}/{x}/{y}", "does not begin with http:// or https://"),
    ("http://h/tiles.png", rf"has no \{{z\}}, \{{x\}} and \{{y\}}, nor layers=\. {EXPECTED}"),
    ("http://h/{z}/{x}/{y}/{-y}", r"has no \{z\}, \{x\} and \{y\}, nor layers="),
    ("http://h/{z}/{x}/{y}{r}", r"\{r\} is not known\. \{z\}, \{x\}, \{y\} and \{-y\} are"),
    ("http://h:port/{z}/{x}/{y}", "is no address: Port could not be cast"),
    ("http://a;b/{z}/{x}/{y}", "'a;b' is not the name of one machine"),
    ("http://*.test/{z}/{x}/{y}", r"'\*\.test' is not the name of one machine"),
    ("http://[::1]/{z}/{x}/{y}", "'::1' is not the name of one machine"),
    ("http:///{z}/{x}/{y}", "'' is not the name of one machine"),
    ("http://h/{z}/{x}/{y}' onerror='x", "quotes and letters beyond ASCII must be written as"),
    ("http://h/底图/{z}/{x}/{y}", "quotes and letters beyond ASCII must be written as"),
])
def test_an_address_that_is_none_is_refused_with_what_was_expected(address, message):
    with pytest.raises(errors.SourceError, match=message):
        maps.Map(base=address)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(errors.SourceError, match="on h holds a user or password") as refused:
        maps.Map(base="http://planner:secret@h/{z}/{x}/{y}")
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_picture_is_refused(tmp_path):
    with pytest.raises(errors.SourceError, match=rf"no\.tif.: there is no such file\. {EXPECTED}"):
        maps.Map(base="no.tif")
    with pytest.raises(errors.SourceError, match=r"a page cannot read \.pmtiles by itself"):
        maps.Map(base="city.pmtiles")
    pytest.importorskip("rasterio", reason="rasterio is not installed")
    (tmp_path / "text.tif").write_text("no picture")
    with pytest.raises(errors.SourceError, match=r"text\.tif is no GeoTIFF, PNG or JPEG"):
        maps.Map(base=tmp_path / "text.tif")
    with pytest.raises(errors.SourceError, match="does not say its CRS, so that it has no place"):
        maps.Map(base=save_tiff(tmp_path / "nowhere.tif", crs=None))


def test_a_picture_is_put_into_the_page_at_its_place(tmp_path):
    base = basemap.read_base(save_tiff(tmp_path / "photo.tif"))
    assert base.machine == "" and base.address.startswith("data:image/webp;base64,")
    assert np.abs(np.array(base.more["bounds"]) - [[37.0, 122.0], [37.02, 122.02]]).max() < 1e-3
    assert pictures_of(maps.Map(base=tmp_path / "photo.tif")) == "data: blob:"
    assert picture_of(base).getextrema()[3] == (255, 255)  # nothing of it is missing


def test_a_picture_in_metres_and_without_data_in_places_is_seen_through_there(tmp_path):
    path = save_tiff(tmp_path / "grey.tif", bands=1, dtype="uint16", crs="EPSG:32651", nodata=0,
                     at=(412_000, 4_090_000), side=2_000)
    picture = picture_of(basemap.read_base(path))
    alpha = np.asarray(picture)[:, :, 3]
    height, width = alpha.shape
    assert alpha[height // 2, width // 4] == 0 and alpha[height // 2, 3 * width // 4] == 255


def test_a_large_picture_is_read_coarser(tmp_path):
    from gridmap.sources.picture import load_picture

    path = save_tiff(tmp_path / "large.tif", pixels=900)
    assert max(load_picture(path, longest=100).pixels.shape[:2]) == 100


@pytest.fixture(scope="module")
def tiles():
    """Serve one red tile for every address, and remember what was asked for."""
    written = io.BytesIO()
    Image.new("RGB", (256, 256), (200, 30, 30)).save(written, format="PNG")
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(written.getvalue())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], asked
    server.shutdown()


@pytest.mark.browser
def test_tiles_are_asked_of_one_machine_only_and_can_be_switched_off(browser, tiles, tmp_path):
    port, asked = tiles
    grids, towns = city()
    page = maps.draw_page(grids, publication=INTERNAL, territories=towns,
                          base=f"http://127.0.0.1:{port}/{{z}}/{{x}}/{{y}}.png")
    page.save(tmp_path / "based.html")
    opened = Opened(browser, tmp_path / "based.html")
    opened.until("() => document.querySelectorAll('img.leaflet-tile-loaded').length > 0")
    assert opened.complaints == [] and asked
    assert {url.split("/")[2] for url in opened.remote()} == {f"127.0.0.1:{port}"}
    outcome = """port => new Promise(done => { const picture = new Image();
        picture.onload = () => done("went"); picture.onerror = () => done("stopped");
        picture.src = `http://localhost:${port}/1/1/1.png`; })"""
    assert opened.page.evaluate(outcome, port) == "stopped"
    opened.page.click(".gm-tools button >> nth=0")
    assert f"from http://127.0.0.1:{port}" in opened.text(".gm-layers")
    opened.page.uncheck("#gm-show-base")
    opened.until("() => !document.querySelector('img.leaflet-tile')")
    opened.page.context.close()


@pytest.mark.browser
def test_a_machine_that_does_not_answer_is_told(browser, tmp_path):
    page = maps.Map((37.0, 122.0), zoom_start=12, base="http://127.0.0.1:9/{z}/{x}/{y}.png")
    page.save(tmp_path / "gone.html")
    opened = Opened(browser, tmp_path / "gone.html")
    opened.page.click(".gm-tools button >> nth=0")
    opened.until("() => document.querySelector('.gm-layers').innerText.includes('not answer')")
    opened.page.click(".gm-language")
    assert "http://127.0.0.1:9 无响应" in opened.text(".gm-layers")
    opened.page.context.close()


@pytest.mark.browser
def test_a_picture_lies_under_the_grids_and_asks_nobody(browser, tmp_path):
    page = maps.Map(base=save_tiff(tmp_path / "photo.tif"), title="Photo")
    page.save(tmp_path / "photo.html")
    opened = Opened(browser, tmp_path / "photo.html")
    opened.until("() => { const one = document.querySelector('img.leaflet-image-layer');"
                 " return one && one.naturalWidth > 0; }")
    box = opened.page.query_selector("img.leaflet-image-layer").bounding_box()
    assert box["width"] > 200 and 0 < box["x"] + box["width"] / 2 < 1280
    assert opened.remote() == [] and opened.complaints == []
    opened.page.context.close()
