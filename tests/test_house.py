"""The house is in order: names, floors, docstrings, pages, and nothing of this machine in it."""

from __future__ import annotations

import ast
import configparser
import doctest
import importlib
import importlib.util
import inspect
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import gridmap
from gridmap import errors, schema
from gridmap.sketch import save_sketch
from gridmap.workspace import config

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = sorted((ROOT / "gridmap").rglob("*.py"))
PUBLIC = [name for name in gridmap.__all__ if not name.startswith("_")]
DOCS = ROOT / "docs"


def load_writer():
    """Return scripts/write_docs.py as a module."""
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "scripts/write_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tracked():
    """Return the text files that belong to the project, as git lists them."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("without git nothing says which files belong to the project")
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT,
                            capture_output=True, text=True, check=True)
    endings = (".py", ".md", ".toml", ".cfg", ".sh", ".ipynb", ".html", ".svg", ".yml", ".txt")
    names = [name for name in listed.stdout.split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file() and
            (name.endswith(endings) or "." not in Path(name).name)]


def module_name(file):
    """Return the dotted name of a module from its path."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def functions(file):
    """Return the functions and methods of a module as syntax trees."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


# -- names ------------------------------------------------------------------------------------


def test_public_names_are_sorted_and_stand_once():
    source = (ROOT / "gridmap/__init__.py").read_text(encoding="utf-8")
    written = re.findall(r'^    "(\w+)": "[\w.]+",$', source, re.MULTILINE)
    assert written == sorted(set(written))
    assert sorted(PUBLIC) == written


def test_every_public_name_can_be_loaded_and_is_in_dir():
    for name in PUBLIC:
        assert getattr(gridmap, name) is not None
    assert set(PUBLIC) <= set(dir(gridmap))


def test_unknown_name_is_told():
    with pytest.raises(AttributeError, match="module 'gridmap' has no attribute 'paint'"):
        gridmap.paint  # noqa: B018


def test_importing_gridmap_loads_nothing_heavy():
    code = ("import sys; before = set(sys.modules); import gridmap; "
            "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))")
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True,
                           text=True, check=True)
    loaded = set(shown.stdout.split()) - set(sys.stdlib_module_names)
    assert loaded == {"gridmap"}


def test_importing_every_room_draws_and_compiles_nothing():
    rooms = ["gridmap.workspace", "gridmap.pipeline", "gridmap.coverage"]
    code = (f"import sys, {', '.join(rooms)}; "
            "print([m for m in ('matplotlib', 'momepy', 'numba', 'dask') if m in sys.modules])")
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                           check=True)
    assert shown.stdout.strip() == "[]"


ON_DEMAND = [file.parent.name for file in PACKAGE
             if file.name == "__init__.py" and "give_names(__name__)" in file.read_text("utf-8")]


@pytest.mark.parametrize("room", ON_DEMAND)
def test_rooms_give_the_names_that_they_list_on_demand(room):
    module = importlib.import_module(f"gridmap.{room}")
    listed = [alias.name for node in ast.walk(ast.parse(inspect.getsource(module)))
              if isinstance(node, ast.If) for line in node.body for alias in line.names]
    assert sorted(listed) == sorted(module.__all__)
    assert all(getattr(module, name) is not None for name in module.__all__)
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match=f"module 'gridmap.{room}' has no attribute 'paint'"):
        module.paint  # noqa: B018


@pytest.mark.parametrize("room", ON_DEMAND)
def test_no_name_given_on_demand_is_that_of_a_module_of_the_room(room):
    modules = {entry.stem for entry in (ROOT / "gridmap" / room).iterdir()}
    names = set(importlib.import_module(f"gridmap.{room}").__all__)
    assert not names & modules  # loading the module would put it in the place of the name


def test_a_run_that_has_nothing_to_do_loads_little(tmp_path):
    code = ("import sys; from gridmap import cli; from gridmap.sketch import save_sketch; "
            f"code = cli.main(['run', {str(tmp_path)!r}, '--json']); "
            "print(*sys.modules, sep='\\n')")
    save_sketch(tmp_path)
    first, second = (subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                    check=True).stdout.splitlines() for _ in range(2))
    heavy = {"folium", "matplotlib", "numba", "scipy.linalg", "scipy.sparse"}
    assert heavy <= set(first)
    assert not heavy & set(second)
    assert "fiona" not in {*first, *second}  # for damaged files alone


def test_names_in_the_code_say_what_they_name():
    empty = {"gdf", "df", "data", "info", "result", "results", "res", "tmp", "obj", "foo"}
    for file in PACKAGE:
        assert file.stem not in {"utils", "helpers", "misc", "common", "tools"}
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                assert node.id not in empty, f"{file.relative_to(ROOT)}:{node.lineno} {node.id}"
            if isinstance(node, ast.FunctionDef):
                names = {argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]}
                assert not names & empty, f"{file.relative_to(ROOT)}:{node.lineno}"
                assert not node.name.startswith(("process_", "handle_")), node.name


# -- floors and habits ------------------------------------------------------------------------


def test_imports_point_down_the_floors():
    ended = subprocess.run([Path(sys.executable).parent / "lint-imports", "--no-logo",
                            "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_every_room_stands_on_a_floor():
    floors = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for entry in (ROOT / "gridmap").iterdir():
        room = entry.stem
        if room.startswith("_") or room in ("version", "profiles", "py"):
            continue
        assert re.search(rf'gridmap\.{room}[" |]', floors), f"{room} is on no floor"


def test_package_has_no_assert_no_bare_except_and_no_star_import():
    for file in PACKAGE:
        where = file.relative_to(ROOT)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Assert), f"{where}:{node.lineno} asserts"
            if isinstance(node, ast.ExceptHandler):
                caught = getattr(node.type, "id", None)
                assert caught not in (None, "Exception", "BaseException") or isinstance(
                    node.type, (ast.Tuple, ast.Attribute)), f"{where}:{node.lineno} catches all"
            if isinstance(node, ast.ImportFrom):
                assert all(alias.name != "*" for alias in node.names), f"{where}:{node.lineno}"


def test_package_uses_no_random_state_of_the_process():
    draws = re.compile(r"np\.random\.(?!default_rng|Generator|SeedSequence|PCG64)\w+\(|"
                       r"\brandom\.(seed|random|shuffle|choice|randint)\(")
    for file in PACKAGE:
        source = file.read_text(encoding="utf-8")
        compiled = "njit" in source  # numba has a random state of its own, seeded inside kernels
        assert compiled or not draws.search(source), file.relative_to(ROOT)


# -- docstrings -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_has_a_docstring_with_an_example(name):
    thing = getattr(gridmap, name)
    text = inspect.getdoc(thing) or ""
    first = text.splitlines()[0] if text else ""
    assert first.endswith((".", "?")), first
    assert len(first) < 90
    if inspect.isfunction(thing):
        assert doctest.DocTestParser().get_examples(text), f"{name} has no example"


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_of_a_public_function_names_its_arguments(name):
    thing = getattr(gridmap, name)
    text = inspect.getdoc(thing) or ""
    arguments = inspect.signature(thing).parameters if inspect.isfunction(thing) else ()
    if len(arguments) > 1 and "; see `" not in text.splitlines()[0]:
        assert "Parameters\n----------" in text
        named = r"^([\w*, ]+, )?\**{}(, [\w*, ]+)?( :.*)?$"
        absent = [a for a in arguments if not re.search(named.format(a), text, re.M)]
        assert not absent, f"{name} does not explain {absent}"


@pytest.mark.parametrize("file", PACKAGE, ids=module_name)
def test_every_module_and_every_function_without_underscore_has_a_docstring(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body, file
    for node in functions(file):
        if not node.name.startswith("_") and node in tree.body:
            assert ast.get_docstring(node), f"{node.name} at line {node.lineno}"
            assert node.returns is not None, f"{node.name} does not say what it returns"


# -- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["schemas.md", "errors.md", "profiles.md", "functions.md"])
def test_page_says_what_the_code_says(name):
    writer = load_writer()
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == writer.PAGES[name](), "run: python scripts/write_docs.py"


def test_errors_page_lists_the_whole_tree():
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    kinds = [name for name, kind in vars(errors).items()
             if inspect.isclass(kind) and issubclass(kind, Exception)]
    assert len(kinds) > 10
    assert all(f"`{name}`" in page for name in kinds)


def test_public_functions_raise_errors_of_the_package():
    allowed = {"KeyError", "AttributeError", "TypeError", "ImportError"}  # of the language
    for file in PACKAGE:
        for function in functions(file):
            if function.name.startswith("_"):
                continue  # what it raises is caught, or meant for its caller
            for node in ast.walk(function):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                    name = getattr(node.exc.func, "id", "")
                    known = hasattr(errors, name) or name in allowed or not name.endswith("Error")
                    assert known, f"{file.relative_to(ROOT)}:{node.lineno} raises {name}"


def test_glossary_has_the_words_of_the_schemas():
    page = (DOCS / "glossary.md").read_text(encoding="utf-8").lower()
    terms = set(re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE))
    for kind in schema.ALL:
        word = kind.index.replace("_", " ")
        assert word in terms or word == "number", f"{word} is not explained"


def test_glossary_has_every_term_in_both_languages():
    page = (DOCS / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][^|]*) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    terms = [term for term, _, _ in rows if term != "term"]
    assert len(terms) == len(set(terms)) > 60
    for term, chinese, meaning in rows:
        if term != "term":
            assert re.search(r"[一-鿿]", chinese), term
            assert meaning.endswith("."), term
    needed = ["territory", "unit", "grid", "dedicated grid", "comprehensive grid", "lattice",
              "scheme", "one net", "reconcile", "crosswalk", "element", "standard address",
              "actual population", "household", "asset", "worker", "lead", "notice board",
              "contact card", "collected onto the map", "closed in the grid",
              "localised fallback", "tiling", "sliver", "gap", "overlap",
              "dasymetric interpolation"]
    assert not set(needed) - set(terms)


def test_dependencies_page_gives_a_reason_and_a_licence_for_each():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    packages = {re.split(r"[ ;<>=\[]", line)[0] for text in lists
                for line in text.split("\n") if line.strip()} - {"gridmap"}
    page = (DOCS / "dependencies.md").read_text(encoding="utf-8")
    rows = {cells[0]: cells for cells in (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines() if line.startswith("| "))}
    assert not packages - set(rows)
    assert set(rows) - packages <= {"package", "part", "Leaflet", "jQuery"}
    for package in packages:
        reason, licence = rows[package][1], rows[package][-1]
        assert reason.endswith("."), package
        assert re.search(r"MIT|BSD|Apache|MPL|PSF|ISC", licence), package


def test_configuration_page_explains_every_entry():
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    kinds = (config.Settings, config.Source, config.TableSource, config.PopulationRule)
    for kind in kinds:
        for field in fields(kind):
            assert f"| `{field.name}` |" in page, f"{kind.__name__}.{field.name}"
    assert all(f"[[{name}]]" in page for name in config.MANY)


def test_decisions_are_numbered_and_listed():
    pages = sorted(page.name for page in (DOCS / "decisions").glob("[0-9]*.md"))
    listed = (DOCS / "decisions/README.md").read_text(encoding="utf-8")
    numbers = [name[:5] for name in pages]
    assert len(set(numbers)) == len(pages)  # gaps are where a question was left open
    assert [f"({name})" for name in pages if f"({name})" not in listed] == []


# -- nothing of this machine --------------------------------------------------------------------


def test_no_file_names_a_folder_of_a_machine():
    folders = ["work", "home", "root", "tmp", "Users"]
    pattern = re.compile(rf"(?<![\w.$}}:/-])/({'|'.join(folders)})/\w")
    for file in tracked():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            assert not pattern.search(line), f"{file.relative_to(ROOT)}:{number}: {line.strip()}"


def test_no_file_names_the_host_of_a_package_registry():
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org",
             "deb.debian" + ".org", "conda.anaconda" + ".org"]
    for file in tracked():
        text = file.read_text(encoding="utf-8")
        assert not [host for host in hosts if host in text], file.relative_to(ROOT)


def test_notebooks_folder_and_top_level_hold_what_they_should():
    for name in ("gridmap", "data", "docs", "notebooks", "scripts", "tests", "setup.cfg",
                 "pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
                 ".ci/run"):
        assert (ROOT / name).exists(), name
