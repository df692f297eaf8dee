"""A page whose grids are put in later: all else of it stays, and folium is not asked again."""

from __future__ import annotations

import json
import re
from typing import Any

from . import encode, inline, tilings, words

#: What stands in a page for what it says of grids; text of a user cannot be mistaken for it,
#: as quotation marks in it are escaped.
_META, _ABOUT, _BLOCKS = {"hollow": "meta"}, {"hollow": "about"}, {"hollow": "blocks"}

#: The layer in whose place grids are put.
HOLLOW = tilings.Laid(
    encode.Encoded(_META, _BLOCKS), tilings.LOOK,
    {"name": words.as_word(words.LAYERS["grids"])._asdict(), **_ABOUT}, "grids", tilings.LABELS,
    "", True)

_BLOCK = re.compile(r'<script type="application/gridmap" id="([^":]+):hollow">blocks</script>\n')
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">\n')


def fill_page(page: str, grids: tilings.Laid) -> str:
    """Return a page of `draw_hollow` with its grids.

    Parameters
    ----------
    page : str
    grids : Laid
        Of `lay_out_grids`, with the name, side and show that it gives by itself.

    Examples
    --------
    >>> from gridmap.maps import draw_hollow
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> internal = load_publication("internal")
    >>> laid = tilings.lay_out_grids(sketch_grids("AB"), publication=internal)
    >>> "hollow" in fill_page(draw_hollow({}, publication=internal), laid)
    False
    """
    page = _BLOCK.sub(
        lambda found: inline.block_tags(found[1], grids.encoded.blocks), page, count=1)
    page = page.replace(_write_content(HOLLOW.about), _write_content(grids.about), 1)
    page = page.replace(_write_value(_META), _write_value(grids.encoded.meta), 1)
    return _POLICY.sub(lambda _: inline.policy(page), page, count=1)


def _write_content(content: Any) -> str:
    """Write what the page says of a layer, as `content_tag` does."""
    return inline.escape_json(inline.write_json(content))


def _write_value(value: Any) -> str:
    """Write a value of few numbers and names as templates of folium do."""
    return json.dumps(value, sort_keys=True)
