"""Everything a page needs, put into it: vendored scripts and styles, our own, and the policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from ..errors import PublicationError, listed

#: Our own scripts, in the order in which they build on each other.
_ENGINE = ("inflate", "decode", "geometry", "paint", "labels", "engine", "shapes")
_PAGE = ("core", "layer", "figures", "things", "view", "time", "panel", "search", "detail",
         "tools", "base", "compare", "faults", "table", "measure", "share", "print", "start")

_SCRIPT_LINK = re.compile(r'<script src="([^"]+)"></script>\s*')
_STYLE_LINK = re.compile(r'<link rel="stylesheet" href="([^"]+)"\s*/?>\s*')
_META = re.compile(r'<meta (?:http-equiv="content-type"|name="viewport")[^>]*>\s*')
_TAGGED_LINK = re.compile(
    r"<(?:script|link|img|iframe|source|embed|object)\b[^>]*?"
    r"""\b(?:src|href|data)\s*=\s*["']((?:https?:)?//[^"']+)["']""")
#: Text in a script that is an address by itself (not a link inside some text).
_ADDRESS = re.compile(r"""(?<!href=)(?<!href=\\)["'`]((?:https?:)?//[^\s"'`<>\\]+)""")
_SCRIPT = re.compile(r"""<script(?: type=["']text/javascript["'])?>(.*?)</script>""", re.DOTALL)
_XML_NAMES = ("http://www.w3.org/",)  # names of XML languages: never fetched


def take_apart(document: str) -> tuple[str, str]:
    """Return the head and the body of folium's document, without links to files.

    Examples
    --------
    >>> take_apart("<head>a</head><body>b</body><script>c</script></html>")
    ('a', 'b<script>c</script>')
    """
    head = document.partition("<head>")[2].partition("</head>")[0]
    body = document.partition("</head>")[2].partition("<body>")[2]
    body = body.replace("</body>", "", 1).rpartition("</html>")[0]
    for link in (_SCRIPT_LINK, _STYLE_LINK, _META):
        head = link.sub(lambda found: "" if _known(found) else found[0], head)
    return head.strip(), body.strip()


def _known(found: re.Match[str]) -> bool:
    return found[0].startswith("<meta") or found[1] in vendored()


def check_remote(text: str) -> None:
    """Raise if a part of a page would fetch anything from another machine.

    Parameters
    ----------
    text : str
        Head and body as folium made them, without the links that are inlined.

    Raises
    ------
    PublicationError
        If a tag links to a file that is not vendored, or a script holds an address (tiles,
        a GeoJSON address, an icon). Links that a reader may follow are allowed.

    Examples
    --------
    >>> check_remote('<a href="https://example.org/">source</a>')
    >>> check_remote('<script src="https://example.org/a.js"></script>')
    Traceback (most recent call last):
    gridmap.errors.PublicationError: the page would fetch https://example.org/a.js. A page \
must not need another machine: leave out the tiles or plugin that names it.
    """
    scripts = "".join(_SCRIPT.findall(text))
    found = [*_TAGGED_LINK.findall(text), *_ADDRESS.findall(scripts)]
    remote = sorted({address for address in found if not address.startswith(_XML_NAMES)})
    if remote:
        raise PublicationError(
            f"the page would fetch {listed(remote)}. A page must not need another machine: "
            "leave out the tiles or plugin that names it.",
            rows=remote,
        )


@cache
def vendored() -> Mapping[str, Mapping[str, str]]:
    """Return the index of vendored files: address on the web to what stands in for it.

    Examples
    --------
    >>> {entry["licence"] for entry in vendored().values() if "file" in entry} >= {"MIT"}
    True
    """
    return json.loads(_read("vendor", "index.json"))


def inlined(document: str, *, used_in: str) -> Iterator[str]:
    """Yield licences, styles and scripts that stand in for the links of a document.

    Parameters
    ----------
    document : str
        Folium's document with its links.
    used_in : str
        Head and body: a file that none of it uses is left out.

    Raises
    ------
    PublicationError
        If the document uses something that no vendored file provides.

    Examples
    --------
    >>> list(inlined("<head></head>", used_in=""))
    []
    """
    links = [*_STYLE_LINK.findall(document), *_SCRIPT_LINK.findall(document)]
    entries = [(link, vendored()[link]) for link in links if link in vendored()]
    absent = [link for link, entry in entries
              if "needed_by" in entry and re.search(entry["needed_by"], used_in)]
    if absent:
        raise PublicationError(
            f"something on the map needs {listed(absent)}, which pages do not carry. Use "
            "draw_points, folium.CircleMarker or folium.DivIcon in place of folium.Icon.",
            rows=absent,
        )
    files = [entry for _, entry in entries
             if "file" in entry and re.search(entry["used_by"], used_in)]
    for package in dict.fromkeys(
        (entry["package"], entry["version"], entry["licence"], entry["licence_file"])
        for entry in files
    ):
        name, version, licence, file = package
        yield f"<!-- {name} {version}, {licence}\n{_read('vendor', file).strip()}\n-->\n"
    for entry in files:
        tag = "style" if entry["file"].endswith(".css") else "script"
        yield f"<{tag}>\n{_read('vendor', entry['file'])}</{tag}>\n"


def page_scripts() -> Iterator[str]:
    """Yield our own scripts: the engine as one function, then the parts of the page.

    Examples
    --------
    >>> next(page_scripts()).split(" =")[0]
    'window.gridmapEngine'
    """
    engine = "".join(page_part(f"engine/{name}.js") for name in _ENGINE)
    yield f'window.gridmapEngine = function (scope) {{\n"use strict";\n{engine}}};\n'
    yield from (page_part(f"{name}.js") for name in _PAGE)


@cache
def page_part(name: str) -> str:
    """Return one of our own files without its indentation and comment lines.

    Comments of these files stand on lines of their own or at the end of a line; no text in
    them runs over several lines. So nothing that matters is lost.

    Examples
    --------
    >>> "/*" in page_part("page.css")
    False
    """
    text = re.sub(r"(?m)^\s*/\*.*?\*/\s*$", "", _read("page", *name.split("/")), flags=re.DOTALL)
    text = re.sub(r"(?m)\s+// .*$", "", text)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def block_tags(name: str, blocks: Mapping[str, str]) -> str:
    """Return the blocks of a layer as elements that a browser does not run.

    Examples
    --------
    >>> block_tags("grids_1", {"x": "eJw="})
    '<script type="application/gridmap" id="grids_1:x">eJw=</script>\\n'
    """
    return "".join(f'<script type="application/gridmap" id="{name}:{key}">{block}</script>\n'
                   for key, block in blocks.items())


def content_tag(name: str, content: Any) -> str:
    """Return anything that JSON can hold as an element that a browser does not run.

    Examples
    --------
    >>> content_tag("page", {"title": "</script>"})
    '<script type="application/json" id="page">{"title":"\\\\u003c/script>"}</script>\\n'
    """
    text = escape_json(write_json(content))
    return f'<script type="application/json" id="{name}">{text}</script>\n'


def write_json(content: Any) -> str:
    """Write anything that JSON can hold, as a page has it.

    Examples
    --------
    >>> write_json({"title": ["网格", 1]})
    '{"title":["网格",1]}'
    """
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def escape_json(text: str) -> str:
    """Write JSON so that it can stand in a script element: no ``<`` is left in it.

    Examples
    --------
    >>> escape_json('"<!--"')
    '"\\\\u003c!--"'
    """
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def policy(page: str, machines: Iterable[str] = ()) -> str:
    """Return the content security policy of a page: its own scripts, and no connection.

    Scripts are allowed by their hashes, so that even text that slipped through as a script
    would not run. Pictures may come from the named machines, where a user laid their tiles
    under the page.

    Examples
    --------
    >>> "connect-src" in policy("") or "default-src 'none'" in policy("")
    True
    """
    hashes = sorted({_hash(script) for script in _SCRIPT.findall(page)})
    allowed = " ".join(hashes) or "'none'"
    pictures = " ".join(["data: blob:", *machines])
    rules = ("default-src 'none'", f"script-src {allowed}", "style-src 'unsafe-inline'",
             f"img-src {pictures}", "font-src data:", "worker-src blob:", "base-uri 'none'",
             "form-action 'none'")
    return f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">\n'


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _read(*path: str) -> str:
    return resources.files(__package__).joinpath(*path).read_text(encoding="utf-8")
