"""QGIS itself opens the style and shows what the page shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from gridmap import maps
from gridmap.maps import figures, legend
from gridmap.maps.layers import short_codes
from gridmap.sketch import sketch_grids

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
