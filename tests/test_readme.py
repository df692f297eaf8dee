"""What the README tells a reader to type works."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gridmap import cli

ROOT = Path(__file__).resolve().parents[1]
NOT_MADE = shutil.ignore_patterns("out*", ".out*")  # what runs have left there
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    """Return the code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands():
    """Return the commands of the README, without their comments."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


@pytest.fixture
def copy(tmp_path):
    """Return a folder with the data of the project and nothing made from it."""
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=NOT_MADE)
    return tmp_path


def test_scripts_that_the_readme_names_can_be_run():
    scripts = [words[0] for words in commands() if words[0].startswith("./")]
    assert scripts[:2] == ["./scripts/demo", "./scripts/test"]
    for script in scripts:
        assert (ROOT / script).stat().st_mode & 0o111, script
        subprocess.run(["bash", "-n", ROOT / script], check=True)


def serve(command, folder):
    """Start what serves until it is stopped, and stop it."""
    with subprocess.Popen([sys.executable, "-m", *command], cwd=folder, stdout=subprocess.PIPE,
                          text=True) as started:
        told = started.stdout.readline()
        started.kill()
    assert "http://127.0.0.1:" in told


@pytest.mark.slow
def test_commands_of_the_readme_work_in_their_order(copy):
    words = [words for words in commands() if words[0] == "gridmap"]
    assert {command[1] for command in words} >= {"new", "check", "run"}
    for command in words:
        if command[1] == "serve":
            serve(command, copy)
            continue
        ended = subprocess.run([sys.executable, "-m", *command], cwd=copy, capture_output=True,
                               text=True, check=False)
        assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_python_lines_of_the_readme_work_and_say_the_same_as_the_command_line(copy, capsys):
    lines = "\n".join([*blocks("python"), "print(run.summary.to_json())"])
    assert lines.startswith("import gridmap as gm\n")
    ended = subprocess.run([sys.executable, "-"], input=lines, cwd=copy, capture_output=True,
                           text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert cli.main(["run", str(copy / "data" / "sample"), "--json"]) == 0
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told == pytest.approx(json.loads(capsys.readouterr().out)["summary"], nan_ok=True)


def test_every_command_is_in_the_readme():
    told = {words[1] for words in commands() if words[0] == "gridmap"}
    choices = next(action.choices for action in cli._parser()._actions if action.choices)
    assert set(choices) <= told


def test_links_of_the_readme_and_the_docs_lead_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md",
             *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").glob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"
