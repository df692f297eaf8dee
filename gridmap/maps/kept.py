"""Layers of a page as a frame, so that what nothing touched need not be drawn again."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pandas import DataFrame

from .binarylayer import BinaryLayer
from .encode import Encoded


def write_layers(layers: Iterable[BinaryLayer]) -> DataFrame:
    """Return layers as a frame of text, one row each.

    Parameters
    ----------
    layers : iterable of BinaryLayer
        None of which draws the shapes of another one.

    Examples
    --------
    >>> from gridmap.maps import draw_territories
    >>> from gridmap.sketch import sketch_grids
    >>> towns = draw_territories(sketch_grids("AB").rename_axis("territory"))
    >>> [layer.about == towns.about for layer in read_layers(write_layers([towns]))]
    [True]
    """
    said = [json.dumps({
        "meta": layer.encoded.meta, "blocks": dict(layer.encoded.blocks), "style": layer.style,
        "about": layer.about, "role": layer.role, "labels": layer.labels, "heavy": layer.heavy,
        "side": layer.side, "show": layer.show, "told": layer.told,
    }, ensure_ascii=False) for layer in layers]
    return DataFrame({"layer": said}, dtype="str")


def read_layers(frame: DataFrame) -> list[BinaryLayer]:
    """Return the layers that a frame of `write_layers` holds."""
    layers = []
    for said in map(json.loads, frame["layer"]):
        told = said.pop("told")
        encoded = Encoded(said.pop("meta"), said.pop("blocks"))
        layer = BinaryLayer(encoded, said.pop("style"), said.pop("about"), **said)
        layer.told = told
        layers.append(layer)
    return layers
