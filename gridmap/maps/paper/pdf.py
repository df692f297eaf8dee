"""Pages as PDF: operators in, bytes out, nothing of the clock in it."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import BinaryIO, NamedTuple

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
    stream = io.BytesIO()
    write_document(stream, (pack_sheet(sheet) for sheet in sheets), font, title=title)
    return stream.getvalue()


class Packed(NamedTuple):
    """A page whose operators are compressed."""

    width: float
    height: float
    content: bytes
    title: str


def pack_sheet(sheet: Sheet) -> Packed:
    """Compress a page.

    Examples
    --------
    >>> pack_sheet(Sheet(10, 20, "q Q\\n")).height
    20
    """
    # Level 3: drawings are numbers; a higher level takes three times as long for a tenth less.
    content = zlib.compress(sheet.content.encode("ascii"), 3)
    return Packed(sheet.width, sheet.height, content, sheet.title)


def write_chunk(sheets: Iterable[Packed]) -> bytes:
    """Return pages as bytes to be kept until all are drawn; `read_chunk` reads them.

    Examples
    --------
    >>> page = pack_sheet(Sheet(10, 20, "q Q", "A"))
    >>> read_chunk(write_chunk([page])) == [page]
    True
    """
    kept = list(sheets)
    head = json.dumps([[one.width, one.height, len(one.content), one.title] for one in kept])
    body = b"".join([head.encode(), b"\n", *(one.content for one in kept)])
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def read_chunk(chunk: bytes) -> list[Packed]:
    """Return the pages of a chunk; none if it is not whole.

    Examples
    --------
    >>> read_chunk(b"half")
    []
    """
    digest, _, body = chunk.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return []
    head, _, contents = body.partition(b"\n")
    sheets, at = [], 0
    for width, height, length, title in json.loads(head):
        sheets.append(Packed(width, height, contents[at:at + length], title))
        at += length
    return sheets


def write_document(
    stream: BinaryIO, sheets: Iterable[Packed], font: Font, *, title: str = ""
) -> int:
    """Write a PDF page by page, so that thousands need little memory; return their number.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> write_document(io.BytesIO(), [pack_sheet(Sheet(9, 9, ""))], build_font([]))
    1
    """
    out = _Writer(stream)
    for number, content in enumerate(_font_objects(font), start=3):
        out.add(number, content)
    out.add(8, f"<</Title {_text(title)}/Producer(gridmap)>>".encode())
    pages, titles = 0, []
    for sheet in sheets:
        at = 9 + 2 * pages
        out.add(at, b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (
            len(sheet.content), sheet.content))
        box = f"[0 0 {sheet.width:.2f} {sheet.height:.2f}]"
        out.add(at + 1, (f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Resources<</Font<</F 3 0 R>>>>"
                         f"/Contents {at} 0 R>>").encode())
        if sheet.title:
            titles.append((sheet.title, at + 1))
        pages += 1
    entries, outline = _outline(9 + 2 * pages, titles)
    for number, content in enumerate(entries, start=9 + 2 * pages):
        out.add(number, content)
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(pages))
    out.add(2, f"<</Type/Pages/Count {pages}/Kids[{kids}]>>".encode())
    out.add(1, f"<</Type/Catalog/Pages 2 0 R{outline}>>".encode())
    out.finish()
    return pages


class _Writer:
    """Objects of a PDF in any order, and where they are."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._at = stream, 0
        self._places: dict[int, int] = {}
        self._digest = hashlib.sha256()
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def _write(self, content: bytes) -> None:
        self._stream.write(content)
        self._digest.update(content)
        self._at += len(content)

    def add(self, number: int, content: bytes) -> None:
        self._places[number] = self._at
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, content))

    def finish(self) -> None:
        at, size = self._at, len(self._places) + 1
        digest = self._digest.hexdigest()[:32].encode()
        table = b"".join(b"%010d 00000 n \n" % self._places[n] for n in range(1, size))
        self._write(
            b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R/Info 8 0 R"
            b"/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n"
            % (size, table, size, digest, digest, at))


@lru_cache(maxsize=8)
def _packed(content: bytes) -> bytes:
    """Compress what every part of an atlas holds again: its font."""
    return zlib.compress(content, 9)


def _stream(entries: bytes, content: bytes) -> bytes:
    packed = _packed(content)
    return b"<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (
        entries, len(packed), packed)


def _text(text: str) -> str:
    return f"<feff{text.encode('utf-16-be').hex()}>"


def _outline(root: int, titles: Sequence[tuple[str, int]]) -> tuple[list[bytes], str]:
    """Return the objects of the outline, from number ``root``, and what the catalog says."""
    if not titles:
        return [], ""
    first, last = root + 1, root + len(titles)
    objects = [f"<</First {first} 0 R/Last {last} 0 R/Count {len(titles)}>>".encode()]
    for number, (title, page) in enumerate(titles, start=first):
        near = (f"/Prev {number - 1} 0 R" if number > first else "") + (
            f"/Next {number + 1} 0 R" if number < last else "")
        objects.append((f"<</Title {_text(title)}/Parent {root} 0 R{near}"
                        f"/Dest[{page} 0 R/Fit]>>").encode())
    return objects, f"/Outlines {root} 0 R/PageMode/UseOutlines"


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
                b"/Length1 %d" % len(font.program), font.program),
        _stream(b"", _to_unicode(by_code).encode("ascii")),
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
