"""Fonts for print: the few characters that are used, and no blank for one that is absent."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import SourceError, listed
from ..pictures import FONTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Font:
    """A font cut down to the characters of a document.

    ``codes`` and ``widths`` (thousandths of the size) are those of its characters; ``program``
    is the cut font, whose outlines are quadratic (TrueType) or cubic (CFF).
    """

    name: str
    program: bytes
    cubic: bool
    codes: dict[str, int]
    widths: dict[str, float]
    ascent: float
    descent: float
    box: tuple[float, float, float, float]

    def width(self, text: str, size: float) -> float:
        """Return how wide a text is in points.

        Raises
        ------
        SourceError
            If the font lacks a character of it.
        """
        try:
            return sum([self.widths[letter] for letter in text]) * size / 1000
        except KeyError:
            raise _lacking(self.name, set(text) - self.widths.keys()) from None

    def encode(self, text: str) -> str:
        """Return a text as the hexadecimal string of a PDF.

        Raises
        ------
        SourceError
            If the font lacks a character of it.
        """
        try:
            return "".join([f"{self.codes[letter]:04x}" for letter in text])
        except KeyError:
            raise _lacking(self.name, set(text) - self.codes.keys()) from None


def find_font() -> Path:
    """Return the file of a font with Chinese characters on this machine.

    Raises
    ------
    SourceError
        If there is none.

    Examples
    --------
    >>> find_font().suffix in (".ttc", ".ttf", ".otf")
    True
    """
    from matplotlib import font_manager

    files = {font.name: font.fname for font in font_manager.fontManager.ttflist
             if font.style == "normal" and font.weight in (400, "normal", "regular")}
    for name in FONTS[:-1]:
        if name in files:
            return Path(files[name])
    others = [name for name in files if name.startswith("Noto Sans CJK")]
    if others:
        return Path(files[sorted(others)[0]])
    raise SourceError(
        "no font with Chinese characters is installed. Install one (Debian: "
        "apt install fonts-noto-cjk), or name a file by font=… or --font FILE"
    )


def build_font(
    letters: Iterable[str], *, path: Path | None = None,
    where: Callable[[str], str] = lambda letter: "",
) -> Font:
    """Cut a font down to the characters of a document.

    Parameters
    ----------
    letters : iterable of str
        All text that will be set; printable ASCII is always there.
    path : Path, optional
        A TTF, OTF or TTC file; by default the one of `find_font`. Of a collection the
        simplified Chinese face is taken, or the first.
    where : callable, optional
        Says where an absent letter stands: " in contact of G1".

    Returns
    -------
    Font

    Raises
    ------
    SourceError
        If the file cannot be read as a font, or lacks characters: they are named; or if a
        package is not installed.

    Examples
    --------
    >>> font = build_font(["网格"])
    >>> font.width("网", 10.0), font.encode("网") != font.encode("格")
    (10.0, True)
    """
    for name in ("fontTools", "segno"):
        if find_spec(name) is None:
            raise SourceError(f'print needs {name}: pip install "gridmap[print]"')
    from fontTools import subset

    path = path or find_font()
    wanted = {ord(letter) for text in letters for letter in text} | set(range(32, 127))
    wanted -= set(range(32))
    font = _open_face(path)
    known = font.getBestCmap()
    absent = sorted(chr(code) for code in wanted if code not in known)
    if absent:
        raise _lacking(path.name, absent, where)
    options = subset.Options()
    options.layout_features = []
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(font)
    return _describe(font)


def _lacking(
    name: str, letters: Iterable[str], where: Callable[[str], str] = lambda letter: ""
) -> SourceError:
    told = [f"{letter} (U+{ord(letter):04X}){where(letter)}" for letter in sorted(letters)]
    return SourceError(
        f"the font {name} lacks {listed(told, show=8)}. Name one that has them by font=… or "
        "--font FILE; nothing is left blank.",
        rows=told,
    )


def _open_face(path: Path) -> Any:
    from fontTools.ttLib import TTCollection, TTFont, TTLibError

    try:
        if path.suffix.lower() != ".ttc":
            return TTFont(path, lazy=True)
        faces = TTCollection(path, lazy=True).fonts
    except (OSError, TTLibError) as error:
        raise SourceError(f"{path.name} cannot be read as a font: {error}") from error
    named = [face for face in faces if str(face["name"].getDebugName(1)).endswith(" SC")]
    return (named or faces)[0]


def _describe(font: Any) -> Font:
    scale = 1000 / font["head"].unitsPerEm
    order = {name: number for number, name in enumerate(font.getGlyphOrder())}
    cubic = "CFF " in font
    by_cid = cubic and hasattr(font["CFF "].cff.topDictIndex[0], "ROS")
    letters = {chr(code): name for code, name in font.getBestCmap().items()}
    # The code of a character is its CID where the font has CIDs, and else its position.
    codes = {letter: int(name[3:]) if by_cid and name.startswith("cid") else order[name]
             for letter, name in letters.items()}
    widths = {letter: font["hmtx"][name][0] * scale for letter, name in letters.items()}
    head, across = font["head"], font["hhea"]
    written = io.BytesIO()
    if cubic:
        written.write(font.getTableData("CFF "))
    else:
        font.save(written)
    return Font(
        name=str(font["name"].getDebugName(6) or "font").replace(" ", ""),
        program=written.getvalue(), cubic=cubic, codes=codes, widths=widths,
        ascent=across.ascent * scale, descent=across.descent * scale,
        box=(head.xMin * scale, head.yMin * scale, head.xMax * scale, head.yMax * scale),
    )
