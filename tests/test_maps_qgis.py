"""QGIS itself opens the style and shows what the page shows.

The package is opened as somebody opens it who double-clicks it: no style is named.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pandas as pd
import pytest
from pages import Opened

from gridmap import maps
from gridmap.maps import figures, legend
from gridmap.maps.tilings import short_codes
from gridmap.rules import load_publication
from gridmap.sketch import sketch_grids
from gridmap.workspace import Contents, Layer, exports, save_workspace

LOOK = """
import json, os, sys
from qgis.core import (QgsApplication, QgsExpression, QgsExpressionContext,
                       QgsExpressionContextUtils, QgsVectorLayer)
app = QgsApplication([], False)
app.initQgis()
layer = QgsVectorLayer(sys.argv[1] + "|layername=grids", "grids", "ogr")
told, fine = layer.loadNamedStyle(sys.argv[2])
settings = layer.labeling().settings()
expression, context = QgsExpression(settings.fieldName), QgsExpressionContext()
context.appendScopes(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
labels = {}
for feature in layer.getFeatures():
    context.setFeature(feature)
    labels[feature["grid"]] = expression.evaluate(context)
rules = [[rule.label(), rule.symbol().color().name(),
          sum(1 for _ in layer.getFeatures(rule.filterExpression()))]
         for rule in layer.renderer().rootRule().children()]
print("LOOKED" + json.dumps([fine, rules, labels, settings.minimumScale]), flush=True)
os._exit(0)  # QGIS may fall over its own objects while it closes
"""


#: Opens a package, tells its rules with the grids of each, and paints it without labels.
PAINT = """
import json, os, sys
from qgis.core import (QgsApplication, QgsMapRendererSequentialJob, QgsMapSettings,
                       QgsVectorLayer)
from qgis.PyQt.QtCore import QSize
app = QgsApplication([], False)
app.initQgis()
layer = QgsVectorLayer(sys.argv[1] + "|layername=grids", "grids", "ogr")
has_labels = layer.labelsEnabled()
layer.setLabelsEnabled(False)
settings = QgsMapSettings()
settings.setLayers([layer])
settings.setDestinationCrs(layer.crs())
settings.setExtent(layer.extent())
settings.setOutputSize(QSize(1000, 500))
job = QgsMapRendererSequentialJob(settings)
job.start()
job.waitForFinished()
picture, turn = job.renderedImage(), settings.mapToPixel()
seen = {}
for feature in layer.getFeatures():
    place = turn.transform(feature.geometry().pointOnSurface().asPoint())
    seen[feature["grid"]] = picture.pixelColor(int(place.x()), int(place.y())).name()
rules = [[rule.label(), rule.symbol().color().name(), rule.symbol().opacity(),
          sorted(feature["grid"] for feature in layer.getFeatures(rule.filterExpression()))]
         for rule in layer.renderer().rootRule().children()]
print("LOOKED" + json.dumps([has_labels, rules, seen]), flush=True)
os._exit(0)  # QGIS may fall over its own objects while it closes
"""


@pytest.fixture(scope="module")
def qgis_python():
    """Return a Python that has QGIS, or skip."""
    for python in filter(None, [shutil.which("python3"), "/usr/bin/python3"]):
        tried = subprocess.run([python, "-c", "import qgis.core"], capture_output=True,
                               check=False)
        if tried.returncode == 0:
            return python
    pytest.skip("no Python with QGIS is installed (Debian: python3-qgis)")


@pytest.mark.parametrize("figure", ["households", "size_state"])
def test_qgis_shows_classes_colours_counts_and_labels_of_the_page(qgis_python, tmp_path, figure):
    grids = sketch_grids("AABBCC", "DDEEFF", "GGHHIJ", side_m=100)
    grids = grids.set_axis([f"37001{n:03d}" for n in range(len(grids))]).rename_axis("grid")
    grids = grids.assign(territory="37001", households=[3, 8, None, 20, 31, 40, 55, 80, 90, 120],
                         size_state=["small", "in range"] * 5)
    grids.to_file(tmp_path / "grids.gpkg", layer="grids")
    (tmp_path / "style.qml").write_text(maps.draw_qgis_style(grids, figure), encoding="utf-8")
    shown = subprocess.run(
        [qgis_python, "-c", LOOK, tmp_path / "grids.gpkg", tmp_path / "style.qml"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}).stdout
    fine, rules, labels, scale = json.loads(shown.partition("LOOKED")[2])
    assert fine and scale == 50_000
    classes = maps.measure_classes(figures.shown_values(grids[figure]))
    names = [name.en for name in legend.name_classes(classes, figure)]
    title = {"households": "Households", "size_state": "Size state"}[figure]
    assert [rule[0] for rule in rules] == [f"{title}: {name}" for name in names]
    assert [rule[2] for rule in rules] == classes["count"].tolist()
    known = classes["value"].notna() | classes["upper"].notna()
    assert [rule[1] for rule, is_known in zip(rules, known, strict=True) if is_known] == (
        classes["colour"][known].tolist())
    assert list(labels.values()) == short_codes(grids)


def look(python, script, *words):
    """Run a script in the Python of QGIS and return what it tells."""
    shown = subprocess.run([python, "-c", script, *words], capture_output=True, text=True,
                           check=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}).stdout
    return json.loads(shown.partition("LOOKED")[2])


def as_rgb(colour):
    """Return a colour as a browser tells it."""
    return f"rgb({', '.join(str(int(colour[at:at + 2], 16)) for at in (1, 3, 5))})"


def on_white(colour, opacity):
    """Return a colour as it is seen through to white paper."""
    return [255 - opacity * (255 - int(colour[at:at + 2], 16)) for at in (1, 3, 5)]


@pytest.mark.browser
def test_an_exported_package_opens_in_qgis_as_the_page_shows_it(qgis_python, browser, tmp_path):
    grids = sketch_grids("AABBCC", "DDEEFF", "GGHHIJ", side_m=100)
    grids = grids.set_axis([f"37001{n:03d}" for n in range(len(grids))]).rename_axis("grid")
    grids = grids.drop(columns="people").assign(
        territory="37001",
        households=[30, 80, None, 20, 31, 40, 55, None, 90, 120])
    codes = grids.index[grids["households"].isna()]
    suppressed = pd.DataFrame({"level": "grid", "id": codes[:1], "column": "households",
                               "reason": "small"}).rename_axis("number")
    qml = maps.draw_qgis_style(grids, suppressed=suppressed)
    save_workspace(tmp_path / "out", Contents(
        {}, {"grids": {"grids": Layer(grids, qml)}}, {"suppressed": suppressed}, {},
        {"name": "City", "publication": "shared"}))
    exports.save_export(tmp_path / "out", tmp_path / "city.gpkg")
    has_labels, rules, seen = look(qgis_python, PAINT, tmp_path / "city.gpkg")
    maps.draw_page(grids, suppressed=suppressed,
                   publication=load_publication("shared")).save(tmp_path / "map.html")
    opened = Opened(browser, tmp_path / "map.html")
    page = opened.page.eval_on_selector_all(".gm-legend li", """rows => rows.map(row => [
        row.querySelector(".gm-class").innerText, Number(row.querySelector(".gm-count").innerText),
        getComputedStyle(row.querySelector(".gm-swatch")).backgroundColor])""")
    opened.page.context.close()
    assert has_labels
    assert [[label.removeprefix("Households: "), len(inside), as_rgb(colour)]
            for label, colour, _, inside in rules] == page
    assert page[-2:] == [["withheld (small count)", 1, "rgb(195, 199, 206)"],
                         ["unknown", 1, "rgb(215, 217, 221)"]]
    for label, colour, opacity, inside in rules:
        for code in inside if "unknown" not in label else []:  # which is striped
            assert [int(seen[code][at:at + 2], 16) for at in (1, 3, 5)] == pytest.approx(
                on_white(colour, opacity), abs=2), (label, code)
