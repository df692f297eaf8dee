"""Pages as PDF: operators in, bytes out, nothing of the clock in it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from .fonts import Font

MM = 72 / 25.4


class Sheet(NamedTuple):
    """One page: its size in points, its operators, and its line in the outline."""

    width: float
    height: float
    content: str
    title: str = ""


def write_pdf(sheets: Iterable[Sheet], font: Font, *, title: str = "") -> bytes:
    """Return a PDF of sheets that set their text in one embedded font.

    Parameters
    ----------
    sheets : iterable of Sheet
        Their operators name the font ``/F``.
    font : Font
        As `build_font` cut it; text stays searchable.
    title : str, default ""
        Title of the document.

    Returns
    -------
    bytes
        The same sheets give the same bytes.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> write_pdf([Sheet(100, 100, "")], build_font([]))[:8]
    b'%PDF-1.7'
    """
    objects: list[bytes] = [b""] * 8  # 1 catalog, 2 pages, 3 to 7 font, 8 title
    titles: list[tuple[str, int]] = []
    pages: list[int] = []
    for sheet in sheets:
        objects.append(_stream(b"", sheet.content.encode("ascii")))
        box = f"[0 0 {sheet.width:.2f} {sheet.height:.2f}]"
        objects.append((f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Resources<</Font<</F 3 0 R>>>>"
                        f"/Contents {len(objects)} 0 R>>").encode())
        pages.append(len(objects))
        if sheet.title:
            titles.append((sheet.title, len(objects)))
    outline = _outline(objects, titles)
    objects[0] = f"<</Type/Catalog/Pages 2 0 R{outline}>>".encode()
    kids = " ".join(f"{page} 0 R" for page in pages)
    objects[1] = f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode()
    objects[2:7] = _font_objects(font)
    objects[7] = f"<</Title {_text(title)}/Producer(gridmap)>>".encode()
    return _assemble(objects)


def _assemble(objects: Sequence[bytes]) -> bytes:
    parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    places, at = [], len(parts[0])
    for number, content in enumerate(objects, start=1):
        part = b"%d 0 obj\n%s\nendobj\n" % (number, content)
        places.append(at)
        parts.append(part)
        at += len(part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    digest = hashlib.sha256(b"".join(parts)).hexdigest()[:32].encode()
    parts.append(
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R/Info 8 0 R"
        b"/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, digest, digest, at)
    )
    return b"".join(parts)


@lru_cache(maxsize=8)
def _packed(content: bytes) -> bytes:
    """Compress what every part of an atlas holds again: its font."""
    return zlib.compress(content, 9)


def _stream(entries: bytes, content: bytes, *, repeated: bool = False) -> bytes:
    # Level 3: drawings are numbers; a higher level takes three times as long for a tenth less.
    packed = _packed(content) if repeated else zlib.compress(content, 3)
    return b"<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (
        entries, len(packed), packed)


def _text(text: str) -> str:
    return f"<feff{text.encode('utf-16-be').hex()}>"


def _outline(objects: list[bytes], titles: Sequence[tuple[str, int]]) -> str:
    """Add the entries of the outline; return what the catalog says about it."""
    if not titles:
        return ""
    root = len(objects) + 1
    first, last = root + 1, root + len(titles)
    objects.append(f"<</First {first} 0 R/Last {last} 0 R/Count {len(titles)}>>".encode())
    for number, (title, page) in enumerate(titles, start=first):
        near = (f"/Prev {number - 1} 0 R" if number > first else "") + (
            f"/Next {number + 1} 0 R" if number < last else "")
        objects.append((f"<</Title {_text(title)}/Parent {root} 0 R{near}"
                        f"/Dest[{page} 0 R/Fit]>>").encode())
    return f"/Outlines {root} 0 R/PageMode/UseOutlines"


def _font_objects(font: Font) -> list[bytes]:
    """Return the five objects of a composite font, numbered from 3."""
    by_code = sorted((code, letter) for letter, code in font.codes.items())
    widths = "".join(f"{code}[{font.widths[letter]:.0f}]" for code, letter in by_code)
    kind = "0" if font.cubic else "2"
    # Six letters before the name say that it is a part of a font.
    digest = hashlib.sha256(font.program).digest()
    name = "".join(chr(65 + byte % 26) for byte in digest[:6]) + "+" + font.name
    file = "/FontFile3 6 0 R" if font.cubic else "/FontFile2 6 0 R"
    box = " ".join(f"{side:.0f}" for side in font.box)
    straight = "" if font.cubic else "/CIDToGIDMap/Identity"
    return [
        (f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
         "/DescendantFonts[4 0 R]/ToUnicode 7 0 R>>").encode(),
        (f"<</Type/Font/Subtype/CIDFontType{kind}/BaseFont/{name}/CIDSystemInfo"
         f"<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 5 0 R"
         f"/DW 1000/W[{widths}]{straight}>>").encode(),
        (f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{box}]/ItalicAngle 0"
         f"/Ascent {font.ascent:.0f}/Descent {font.descent:.0f}/CapHeight 700/StemV 80{file}>>"
         ).encode(),
        _stream(b"/Subtype/CIDFontType0C" if font.cubic else
                b"/Length1 %d" % len(font.program), font.program, repeated=True),
        _stream(b"", _to_unicode(by_code).encode("ascii"), repeated=True),
    ]


def _to_unicode(by_code: Sequence[tuple[int, str]]) -> str:
    blocks = []
    for start in range(0, len(by_code), 100):
        some = by_code[start:start + 100]
        lines = "".join(f"<{code:04x}><{letter.encode('utf-16-be').hex()}>\n"
                        for code, letter in some)
        blocks.append(f"{len(some)} beginbfchar\n{lines}endbfchar\n")
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000><ffff>\nendcodespacerange\n"
        f"{''.join(blocks)}endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    )
