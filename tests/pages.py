"""A page opened in Chromium, for the tests that use one."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest

from gridmap import maps
from gridmap.rules import load_publication
from gridmap.sketch import sketch_grids, sketch_points

INTERNAL = load_publication("internal")
NASTY = ["</script><script>window.hit = 1</script>", "{{ 7 * 6 }}",
         "\"'><img src=x onerror=hit()>", "䶮家村", "Upper & Lower"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser():
    """Start Chromium: the system's, or the one that playwright brought."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("GRIDMAP_CHROMIUM") or shutil.which("chromium")
    with api.sync_playwright() as play:
        try:
            started = play.chromium.launch(executable_path=found, headless=True, args=FLAGS)
        except api.Error as error:
            pytest.skip(f"no Chromium starts here: {str(error).splitlines()[0]}")
        yield started
        started.close()


class Opened:
    """A page, with everything that it asked for and complained about."""

    def __init__(self, browser, path: Path, *, language="en-GB", size=(1280, 800), before=""):
        context = browser.new_context(viewport=dict(zip(("width", "height"), size, strict=True)),
                                      locale=language)
        self.page = context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self.complaints.append(line.text)
                     if line.type in ("error", "warning") else None)
        if before:
            self.page.add_init_script(before)
        self.page.goto(path.as_uri())
        self.until("() => Boolean(window.gridmap && gridmap.ready)")

    def until(self, condition, argument=None):
        """Wait without ``eval``, which the page's policy forbids."""
        end = time.monotonic() + 20
        while not self.page.evaluate(condition, argument):
            assert time.monotonic() < end, f"never true: {condition}; {self.complaints}"
            self.page.wait_for_timeout(40)

    def settle(self):
        """Wait until everything is drawn."""
        self.until("() => gridmap.awaited() === 0")
        self.page.wait_for_timeout(350)  # tiles fade in

    def text(self, selector):
        return self.page.inner_text(selector)

    def remote(self):
        """Return what was asked for beside the file itself."""
        return [url for url in self.requests if not url.startswith(("file:", "blob:", "data:"))]


def city():
    """Draw twenty grids in five territories with nasty names, one figure unknown."""
    rows = ["AABBCCDDEE", "FFGGHHIIJJ", "KKLLMMNNOO", "PPQQRRSSTT"]
    grids = sketch_grids(*rows, side_m=400)
    count = range(len(grids))
    codes = pd.Index([f"37{n % 5}00{n:03d}" for n in count], name="grid", dtype="str")
    grids = grids.set_axis(codes).assign(
        territory=[f"37{n % 5}00" for n in count],
        households=[300.0 + 10 * n if n else None for n in count], people=[900 + n for n in count],
        size_state=["small", "in range", "in range", "large"] * 5)
    towns = grids.dissolve("territory")[["geometry"]].assign(
        name=NASTY, level="town", parent=pd.Series([None] * 5, dtype="str").to_numpy())
    towns.index = towns.index.astype("str")
    return grids, towns


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    grids, towns = city()
    lamps = sketch_points((300, 300), (900, 500), kind="lamp").assign(radius_m=150.0)
    lamps.index.name = "asset"
    homes = sketch_points(*[(40.0 * n % 4000, 37.0 * n % 1600) for n in range(400)])
    page = maps.draw_page(
        grids, publication=INTERNAL, figure="households", territories=towns, assets=lamps,
        elements=homes, title=("A city <b>", "一座城"), credits="source & notice")
    path = tmp_path_factory.mktemp("pages") / "map.html"
    page.save(path)
    return path


@pytest.fixture
def opened(browser, page_file):
    page = Opened(browser, page_file)
    yield page
    page.page.context.close()


def painted(opened, role):
    """Count the pixels that a layer put on the screen."""
    return opened.page.evaluate("""role => {
        let sum = 0;
        for (const tile of document.querySelectorAll(`.leaflet-gridmap-${role}-pane canvas`)) {
            const copy = Object.assign(document.createElement("canvas"),
                { width: tile.width, height: tile.height }).getContext("2d");
            copy.drawImage(tile, 0, 0);  // most tiles only show what a worker drew
            const pixels = copy.getImageData(0, 0, tile.width, tile.height).data;
            for (let at = 3; at < pixels.length; at += 4) if (pixels[at]) sum++;
        }
        return sum; }""", role)
