"""Write the pages of docs/ that say what the code says: schemas, errors, profiles, functions.

    python scripts/write_docs.py            write them
    python scripts/write_docs.py --check    say which are out of date, exit 1 if any is

A test compares the pages with what this program would write, so they are never edited by hand.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import gridmap
from gridmap import errors, rules, schema

DOCS = Path(__file__).resolve().parents[1] / "docs"

NOTICE = "<!-- Written by scripts/write_docs.py from the code: change the code, not this page. -->"

#: Rooms from the ground up, with what they are for.
ROOMS = {
    "errors": "Errors",
    "schema": "Schemas",
    "rules": "Rules",
    "ledger": "Account of every row",
    "sketch": "Drawn examples",
    "sources": "Read",
    "tiling": "Mend",
    "zoning": "Draw grids",
    "attach": "Fill",
    "nets": "Unite",
    "redraw": "Redraw",
    "coverage": "Judge",
    "maps": "Show",
    "workspace": "Keep",
    "pipeline": "The whole way",
}


def main() -> int:
    """Write all pages, or with --check compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    check = parser.parse_args().check
    stale = [name for name, page in PAGES.items() if not is_current(name, page())]
    for name in stale:
        print(f"docs/{name} is out of date" if check else f"docs/{name} written")
        if not check:
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
    return 1 if check and stale else 0


def is_current(name: str, text: str) -> bool:
    """Return whether a page holds what would be written."""
    page = DOCS / name
    return page.is_file() and page.read_text(encoding="utf-8") == text


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return the lines of a table in Markdown."""
    heads = list(heads)
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join('---' for _ in heads)}|"]
    return lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
                    for row in rows]


def page(title: str, intro: str, lines: Iterable[str]) -> str:
    """Return a whole page."""
    return "\n".join([NOTICE, "", f"# {title}", "", intro.strip(), "", *lines]).rstrip() + "\n"


def code(names: Iterable[str]) -> str:
    """Return names in code type, joined by commas."""
    return ", ".join(f"`{name}`" for name in names)


# -- schemas ---------------------------------------------------------------------------------

SCHEMAS_INTRO = """
Everything that walks through gridmap is a plain table or GeoDataFrame that follows one of these
schemas. The index is the identity of a row: text, unique, called by the singular noun. A column
that points to another frame bears that frame's index name: `elements["grid"]` holds codes of
`grids`. A missing value is missing, never -1, 0 or an empty text. Further columns are welcome
and stay untouched, but only columns that a publication profile allows leave the house.

Kinds: `text`; `count`, a number that is not negative; `number`; `flag`, true or false; `time`.
`check_frame` tells all faults of a frame together.
"""


def schemas_page() -> str:
    """Return docs/schemas.md."""
    lines = table(["schema", "index", "geometry", "what it is"], (
        [f"[{kind.name}](#{kind.name.lower()})", f"`{kind.index}`", geometry(kind), kind.meaning]
        for kind in schema.ALL))
    for kind in schema.ALL:
        lines += ["", f"## {kind.name}", "", sentence(kind.meaning), "",
                  f"Index `{kind.index}`, {index_kind(kind)}. {geometry(kind).capitalize()}.", ""]
        lines += table(["column", "kind", "unit", "needed", "may be missing", "meaning"],
                       (column_row(column) for column in kind.columns))
    return page("Schemas", SCHEMAS_INTRO, lines)


def geometry(kind: schema.Schema) -> str:
    """Say what geometry a frame has."""
    words = {schema.POLYGONS: "polygons", schema.LINES: "lines", schema.POINTS: "points",
             schema.POINTS + schema.POLYGONS: "points or polygons"}
    return words.get(kind.geometry, "no geometry")


def index_kind(kind: schema.Schema) -> str:
    """Say what the index of a frame is."""
    return "unique text" if kind.index_kind == "text" else "numbers from 0"


def column_row(column: schema.Column) -> list[str]:
    """Return the cells of one column."""
    return [f"`{column.name}`", column.kind, column.unit, "yes" if column.required else "no",
            "yes" if column.missing else "no", column.meaning]


def sentence(text: str) -> str:
    """Return a phrase as a sentence."""
    return text[0].upper() + text[1:].rstrip(".") + "."


# -- errors ----------------------------------------------------------------------------------

ERRORS_INTRO = """
All errors of gridmap derive from `GridmapError`, so one `except gridmap.GridmapError` catches
them, and nothing else; each by its own name is in `gridmap.errors`. A message says what is wrong,
where (three codes, then a count), what was expected and what to do next; it names codes and
counts, never persons. The codes of all faulty rows are in `error.rows`.

Data that is odd but usable raises nothing: the row is kept and the oddity written to `changes`;
a row that cannot go on is in `rejects` with the reason.

On the command line an error is one message and exit code 1, without a traceback; exit code 2 is
a wrong command.
"""


def error_tree() -> list[type[errors.GridmapError]]:
    """Return all errors, parents first, in the order of the module."""
    kinds = [kind for kind in vars(errors).values()
             if inspect.isclass(kind) and issubclass(kind, errors.GridmapError)]
    return sorted(kinds, key=lambda kind: len(kind.__mro__))


def errors_page() -> str:
    """Return docs/errors.md."""
    kinds = error_tree()
    lines = ["```text", *branch(errors.GridmapError, kinds, ""), "```", ""]
    lines += table(["error", "when", "raised by"], (
        [f"`{kind.__name__}`", first_line(kind), code(raisers(kind.__name__)) or "all of these"]
        for kind in kinds))
    return page("Errors", ERRORS_INTRO, lines)


def branch(kind: type, kinds: list[type[errors.GridmapError]], indent: str) -> list[str]:
    """Return the lines of the tree below an error."""
    lines = [f"{indent}{kind.__name__}"]
    for child in kinds:
        if child.__bases__ == (kind,):
            lines += branch(child, kinds, indent + "    ")
    return lines


def raisers(name: str) -> list[str]:
    """Return the public functions whose docstring says that they raise an error."""
    found = []
    for public in public_names():
        raises = re.search(r"\n *Raises\n *-+\n(.*?)(\n *\n *\w[^\n]*\n *-+\n|$)",
                           inspect.getdoc(getattr(gridmap, public)) or "", re.DOTALL)
        if raises and re.search(rf"\b{name}\b", raises.group(1)) and name != "GridmapError":
            found.append(public)
    return found


def first_line(thing: object) -> str:
    """Return the first line of a docstring, without its full stop."""
    return (inspect.getdoc(thing) or "").splitlines()[0].replace("``", "`")


# -- profiles --------------------------------------------------------------------------------

PROFILES_INTRO = """
A rule is never a constant in the code. It is a profile: a TOML file that ships with the package
and that you may copy, change and name by its path. `[run] profile` in `gridmap.toml` and
`load_profile` take the name of a shipped profile or a path that ends in `.toml`. An entry that
is not known is an error, so that a slip of the pen is never ignored.
"""

CODES_INTRO = ("Codes are text, always. A sequence runs west to east, then north to south inside "
               "the community.")

PUBLICATION_INTRO = ("What an output may show. Counts of people and households below the smallest "
                     "are withheld, and so are others that would give them away.")


def profiles_page() -> str:
    """Return docs/profiles.md."""
    lines = ["## Sizes", "", *sizes_table(), ""]
    for name in rules.list_profiles():
        lines += size_lines(name)
    lines += ["## Codes", "", CODES_INTRO, "", *codes_table(), ""]
    lines += ["## Publication", "", PUBLICATION_INTRO, "", *publications_table()]
    return page("Profiles", PROFILES_INTRO, lines)


def sizes_table() -> list[str]:
    """Return one row for each shipped size profile."""
    profiles = [rules.load_profile(name) for name in rules.list_profiles()]
    return table(["profile", "for", "measure", "from", "target", "to", "codes"], (
        [f"[`{p.name}`](#{p.name})", p.title, f"`{p.size.measure}`", f"{p.size.minimum:,g}",
         f"{p.size.target:,g}", f"{p.size.maximum:,g}", f"`{p.code.name}`"] for p in profiles))


def size_lines(name: str) -> list[str]:
    """Return what else there is to say of a size profile."""
    profile = rules.load_profile(name)
    weights = ", ".join(f"{kind} {weight:g}" for kind, weight in profile.barriers.weights.items())
    said = [f"- Source of the size: {profile.source}.",
            f"- Grids follow (0 to 1): {weights or 'no lines'}."]
    said += [f"- Also: {limit_text(limit)}." for limit in profile.size.limits]
    if profile.dedicated:
        said.append(f"- Sites with a grid of their own: {', '.join(profile.dedicated)}.")
    return [f"### {name}", "", *said, ""]


def limit_text(limit: rules.Limit) -> str:
    """Say a further limit in words."""
    least = f"at least {limit.minimum:,g} " if limit.minimum else ""
    most = f"at most {limit.maximum:,g} " if limit.maximum != float("inf") else ""
    return f"{least}{'and ' if least and most else ''}{most}{limit.measure}"


def codes_table() -> list[str]:
    """Return one row for each shipped code rule."""
    codes = [rules.load_code_rule(name) for name in rules.list_code_rules()]
    return table(["rule", "parts", "digits", "first", "codes in one territory", "note"], (
        [f"`{c.name}`", " + ".join(map(str, c.parts)), c.length, c.first, f"{c.capacity:,}",
         c.note] for c in codes))


def publications_table() -> list[str]:
    """Return one row for each shipped publication profile."""
    profiles = [rules.load_publication(name) for name in rules.list_publications()]
    return table(["profile", "smallest count", "single elements", "figures per grid"], (
        [f"`{p.name}`", p.smallest or "all shown", "yes" if p.elements else "no", code(p.columns)]
        for p in profiles))


# -- functions -------------------------------------------------------------------------------

FUNCTIONS_INTRO = """
Every public name, by the room it lives in, from the ground up. `help(gridmap.NAME)` tells the
rest: schemas, units and defaults of every argument, what happens at the border, on an empty frame
and on a tie, and an example that is run as a test.

The first word of a function is a promise: `load_` and `save_` touch files and nothing else does;
`check_` returns nothing or raises; `find_` returns the rows at fault and changes nothing;
`repair_` returns the frame and its changes; `build_` and `partition` make new geometry;
`attach_` keeps rows and their order and adds columns; `measure_` returns numbers; `draw_` returns
a layer or a page and never writes it.
"""


def public_names() -> list[str]:
    """Return the public names of gridmap, without its version."""
    return [name for name in gridmap.__all__ if not name.startswith("_")]


def room_of(name: str) -> str:
    """Return the room that a public name lives in."""
    return str(getattr(gridmap, name).__module__).split(".")[1]


def functions_page() -> str:
    """Return docs/functions.md."""
    lines: list[str] = []
    homes = {name: room_of(name) for name in public_names()}
    for room, purpose in ROOMS.items():
        names = [name for name, home in homes.items() if home == room]
        if names:
            rows = ([f"`{call(name)}`", first_line(getattr(gridmap, name))] for name in names)
            lines += [f"## {purpose} (`gridmap.{room}`)", "", *table(["name", "what it is"], rows),
                      ""]
    return page("Functions", FUNCTIONS_INTRO, lines)


def call(name: str) -> str:
    """Return a function with its arguments, a class by its name alone."""
    thing = getattr(gridmap, name)
    if not inspect.isfunction(thing):
        return name
    bare = [parameter.replace(annotation=inspect.Parameter.empty, default=plain(parameter.default))
            for parameter in inspect.signature(thing).parameters.values()]
    return name + str(inspect.Signature(bare))


def plain(default: object) -> object:
    """Return a default as it is written: a function by its name, not by its place in memory."""
    return Written(default.__name__) if inspect.isfunction(default) else default


class Written(str):
    """Text that represents itself without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


PAGES: dict[str, Callable[[], str]] = {
    "schemas.md": schemas_page,
    "errors.md": errors_page,
    "profiles.md": profiles_page,
    "functions.md": functions_page,
}

if __name__ == "__main__":
    sys.exit(main())
