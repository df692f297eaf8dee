"""A version killed before every single step of its writing: nothing is lost, ever."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest

from gridmap import errors
from gridmap.sketch import sketch_grids
from gridmap.workspace import (
    Contents,
    Layer,
    load_history,
    manifest,
    prune_versions,
    restore_version,
    save_workspace,
    store,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

#: What Python tells of before it is done, with a path as its first argument.
STEPS = ("open", "os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir",
         "os.chmod", "os.truncate", "shutil.rmtree")


def contents(page, row="AABB"):
    grids = sketch_grids(row, side_m=100)
    return Contents({"grids": grids}, {"grids": {"grids": Layer(grids)}}, {}, {"map": page},
                    {"name": "Test"})


def read(folder):
    return {name: (folder / name).read_bytes() for name in manifest.list_files(folder)}


def count_and_kill(place, work, at):
    """Do a piece of work in a process that is killed before a step; return how it ended."""
    pid = os.fork()
    if pid == 0:
        counted = [0]

        def hear(event, arguments):
            if event in STEPS and isinstance(arguments[0], str | os.PathLike) and str(
                    place) in os.fspath(arguments[0]) + os.fspath(
                    arguments[1] if event in ("os.rename", "os.link") else ""):
                counted[0] += 1
                if counted[0] == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hear)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_at_every_step(tmp_path, prepare, work, ends):
    """Kill a piece of work before each of its steps; look at what is there after each kill.

    ``ends`` are the states that the workspace may be in: before and after.
    """
    for step in range(1, 1000):
        place = tmp_path / f"{step}" / "out"
        place.parent.mkdir()
        prepare(place)
        code = count_and_kill(place, lambda place=place: work(place), step)
        assert code in (0, -signal.SIGKILL)
        assert read(place) in ends, f"step {step}"
        for number in store.list_numbers(place):
            folder = store.store_of(place) / number
            assert not manifest.find_altered(folder, manifest.load_manifest(folder)["outputs"])
        work(place)
        assert read(place) == ends[-1], f"step {step}"
        left = sorted(p.name for p in [*place.parent.iterdir(), *store.store_of(place).iterdir()])
        assert not [name for name in left if name.startswith(".")], f"step {step}"
        assert set(load_history(place)["version"].dropna()) >= set(store.list_numbers(place))
        shutil.rmtree(place.parent)
        if code == 0:
            return step
    raise AssertionError("the work never ends")


@pytest.fixture
def ends(tmp_path):
    """Return undisturbed versions: before, and after."""
    for name in ("one", "two"):
        save_workspace(tmp_path / name, contents(name))
    return [read(tmp_path / "one"), read(tmp_path / "two")]


def test_a_run_killed_before_any_step_leaves_one_version_or_the_other(tmp_path, ends):
    steps = kill_at_every_step(tmp_path, lambda place: save_workspace(place, contents("one")),
                               lambda place: save_workspace(place, contents("two")), ends)
    assert steps > 30


def test_a_first_run_killed_before_any_step_leaves_nothing_or_all(tmp_path, ends):
    def nothing(place):
        place.mkdir()  # as somebody makes it who prepares the folder

    kill_at_every_step(tmp_path, nothing, lambda place: save_workspace(place, contents("two")),
                       [{}, ends[1]])


@pytest.mark.slow
def test_a_folder_of_an_older_gridmap_is_taken_over_whole_or_not_at_all(tmp_path, ends):
    kill_at_every_step(tmp_path, lambda place: shutil.copytree(tmp_path / "one", place),
                       lambda place: save_workspace(place, contents("two")), ends)


def test_restoring_killed_before_any_step_leaves_one_version_or_the_other(tmp_path, ends):
    def two_then_one(place):
        save_workspace(place, contents("two"))
        save_workspace(place, contents("one"))

    kill_at_every_step(tmp_path, two_then_one, lambda place: restore_version(place, "1"), ends)


def test_pruning_killed_before_any_step_removes_versions_whole(tmp_path, ends):
    def two_versions(place):
        save_workspace(place, contents("one"))
        save_workspace(place, contents("two"))

    kill_at_every_step(tmp_path, two_versions, lambda place: prune_versions(place, keep=1),
                       [ends[1]])


# -- disks and rights --------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [300, 2000, 20_000, 60_000])
def test_a_file_that_the_system_refuses_leaves_the_version_before(tmp_path, limit):
    import resource

    place = tmp_path / "out"
    save_workspace(place, contents("one"))
    before = read(place)
    heard = tmp_path / "heard.txt"
    pid = os.fork()
    if pid == 0:
        handle = os.open(heard, os.O_WRONLY | os.O_CREAT)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            save_workspace(place, contents("two"))
            told = "written"
        except errors.WorkspaceError as error:
            told = str(error)
        os.write(handle, told.encode()[:limit])
        os._exit(0)
    os.waitpid(pid, 0)
    assert f"the workspace {place} cannot be written: " in heard.read_text()
    assert read(place) == before
    assert store.list_numbers(place) == ["0001"]
    save_workspace(place, contents("two"))
    assert (place / "map.html").read_text() == "two"


def test_on_a_full_disk_old_versions_can_be_removed(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True,
        check=False).returncode == 0
    if not mounted:
        pytest.skip("no small disk can be mounted here: that needs root")
    try:
        place = disk / "out"
        for page in ("one" * 40_000, "two" * 40_000, "three"):
            save_workspace(place, contents(page))
        (disk / "ballast").write_bytes(bytes(shutil.disk_usage(disk).free))
        with pytest.raises(errors.WorkspaceError, match=(
                r"out cannot be written: No space left on device\. What was there before is "
                r"still there; make room or choose another folder in \[run\] workspace")):
            save_workspace(place, contents("four" * 40_000))
        assert (place / "map.html").read_text() == "three"
        assert prune_versions(place, keep=1).index.tolist() == ["0001", "0002"]
        save_workspace(place, contents("four" * 20_000))
        assert (place / "map.html").read_text() == "four" * 20_000
    finally:
        subprocess.run(["umount", str(disk)], check=True)
