"""A folium layer whose shapes stand in the page as binary blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from folium.map import Layer
from folium.template import Template

from .encode import Encoded


class BinaryLayer(Layer):
    """A layer that the page's engine draws on canvas.

    Made by the ``draw_`` functions; add it to a `Map` as any folium layer.

    Parameters
    ----------
    encoded : Encoded
        The shapes. A layer with ``shares`` set to another layer draws that layer's shapes.
    style : mapping
        How the engine draws them: colours, widths, classes. Never any text of a user:
        folium reads what it writes as a template once more.
    about : mapping
        What the page says about the layer, user's text included; it reaches the page as
        JSON that folium never sees.
    role : str
        Which pane it is drawn in: land, sites, grids, footprints, lines, borders, reach,
        points.
    labels : mapping, optional
        How the texts of its block ``labels`` are set.
    heavy : bool
        Whether its blocks stand behind the start of the page and in a worker of their own.
    side : str
        before or after, where the page compares two layers.
    """

    _template = Template(
        """{% macro script(this, kwargs) %}
        var {{ this.get_name() }} = new gridmap.Layer({{ this.get_name()|tojson }},
            {{ this.meta()|tojson }}, {{ this.style|tojson }}, {{ this.own_options()|tojson }});
        {% if not this.heavy %}{{ this.get_name() }}.arrive();{% endif %}
        {% endmacro %}"""
    )

    def __init__(
        self,
        encoded: Encoded,
        style: Mapping[str, Any],
        about: Mapping[str, Any],
        *,
        role: str,
        labels: Mapping[str, Any] | None = None,
        shares: BinaryLayer | None = None,
        heavy: bool = False,
        side: str = "",
        show: bool = True,
    ) -> None:
        super().__init__(name=str(about["name"]["en"]), overlay=True, show=show)
        self._name = "layer"
        self.encoded = encoded
        self.blocks = encoded.blocks if shares is None else {}
        self.style = dict(style)
        self.about = dict(about)
        self.role = role
        self.labels = labels
        self.shares = shares
        self.heavy = heavy
        self.side = side
        self.told = ""  # a block of its own: what is told of single things

    def meta(self) -> dict[str, Any]:
        """Return what the engine must know before it reads the blocks."""
        if self.shares is None:
            return self.encoded.meta
        return {**self.encoded.meta, "of": self.shares.get_name()}

    def own_options(self) -> dict[str, Any]:
        """Return the options of the Leaflet layer."""
        lane = _LANES.get(self.role, "ground")
        return {"role": self.role, "lane": lane, "labels": self.labels, "heavy": self.heavy,
                "side": self.side,
                "opacity": _OPACITIES.get(self.role, 1)}


#: Grids are drawn opaque and seen through as a whole, so that nothing shows twice.
_OPACITIES = {"grids": 0.82}

#: Workers of the page: a layer is drawn in that of its role, so that none waits for long.
_LANES = {"grids": "grids", "points": "points", "footprints": "footprints"}
