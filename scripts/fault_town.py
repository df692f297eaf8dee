"""Towns to try faults on, runs in processes of their own, and what became of the workspace."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from gridmap import cli, console
from gridmap.attach import points as attaching
from gridmap.pipeline import again
from gridmap.sketch import save_sketch
from gridmap.workspace import manifest, store
from gridmap.zoning import batches

#: Runs change between these, so that each run has something to write.
SEEDS = (1, 2)

#: What a process tells the system of files before it does it, as Python names it.
STEPS = ("open", "os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir",
         "os.chmod", "shutil.copyfile", "shutil.rmtree")

State = dict[str, str]
Harm = Callable[[], None]


class Town(NamedTuple):
    """A folder to run on, and what undisturbed runs on it end in."""

    name: str
    home: Path
    place: Path  # the workspace
    ends: dict[int, State]  # by seed
    seconds: float  # of an undisturbed run


class Ended(NamedTuple):
    """How a process ended."""

    code: int  # below 0: killed by that signal
    said: str


class Process(NamedTuple):
    """A run in a process of its own, of which what it says is kept in a file."""

    pid: int
    heard: Path

    def wait(self) -> Ended:
        """Wait for its end."""
        _, status = os.waitpid(self.pid, 0)
        return Ended(os.waitstatus_to_exitcode(status),
                     self.heard.read_text(encoding="utf-8", errors="replace").strip())

    def kill(self) -> Ended:
        """Kill it; it may have ended before."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()


def make_town(folder: Path, name: str, root: Path) -> Town:
    """Make a town, and note what undisturbed runs on it end in."""
    if name == "sample city":
        shutil.copytree(root / "data" / "sample", folder, ignore=shutil.ignore_patterns("out*"))
    else:
        rows = ["".join(chr(0x100 + 16 * row + at) for at in range(16)) for row in range(16)]
        save_sketch(folder, *rows)
    ends, took = {}, 0.0
    _load_all(folder)
    for seed in SEEDS:
        calm = folder / f"calm-{seed}"
        began = time.monotonic()
        run(folder, calm, seed).wait()
        took = time.monotonic() - began
        ends[seed] = read_state(calm)
    if not all(ends.values()) or ends[SEEDS[0]] == ends[SEEDS[1]]:
        raise SystemExit(f"runs on the {name} do not end as they should")
    return Town(name, folder, folder / "out", ends, took)


def _load_all(folder: Path) -> None:
    """Run once here, so that processes made of this one have all modules and kernels loaded."""
    with open(os.devnull, "w", encoding="utf-8") as nobody, contextlib.redirect_stdout(nobody):
        cli.main(("run", str(folder), "--workspace", str(folder / "first"), "--quiet"))
    gc.freeze()


def run(home: Path, place: Path, seed: int, *words: str, first: Harm | None = None) -> Process:
    """Start ``gridmap run``.

    Parameters
    ----------
    home, place : Path
        The folder of the configuration, and the workspace.
    seed : int
    *words : str
        Of the command.
    first : callable, optional
        What the process does before anything else.
    """
    words = ("run", str(home), "--workspace", str(place), "--seed", str(seed), *words)
    return start(words, home / f"heard-{time.monotonic_ns()}.txt", first=first)


def start(words: tuple[str, ...], heard: Path, *, first: Harm | None = None) -> Process:
    """Start a command of gridmap in a process that has loaded it already."""
    sys.stdout.flush()
    sys.stderr.flush()
    heard.touch()  # a kill may come before the process does
    pid = os.fork()
    if pid:
        return Process(pid, heard)
    code = 70
    try:
        told = os.open(heard, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(told, 1)
        os.dup2(told, 2)
        if first is not None:
            first()
        code = cli.main(words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def read_state(folder: Path) -> State:
    """Return the hash of every file of a workspace, its manifest included."""
    if not folder.is_dir():
        return {}
    folder = folder.resolve()  # one version, whatever happens meanwhile
    return {name: manifest.hash_file(folder / name) for name in manifest.list_files(folder)
            if name != store.MARK}


def is_whole(town: Town, place: Path | None = None) -> bool:
    """Say whether a workspace is one version that an undisturbed run makes, and all hold."""
    place = place or town.place
    now = read_state(place)
    return now in (*town.ends.values(), *([{}] if not os.path.lexists(place) else [])) and all(
        not manifest.find_altered(version, manifest.load_manifest(version)["outputs"])
        and manifest.tell_seal(version) is None
        for version in (store.store_of(place) / number for number in store.list_numbers(place))
    )


def end_same(town: Town, seed: int, place: Path | None = None, *words: str) -> bool:
    """Run to the end, and say whether that is the end of an undisturbed run."""
    place = place or town.place
    ended = run(town.home, place, seed, "--quiet", *words).wait()
    return ended.code == 0 and read_state(place) == town.ends[seed] and is_whole(town, place)


def wait_until(so: Callable[[], bool], process: Process, *, limit_s: float = 120.0) -> bool:
    """Wait until something is so; False where the process ended before."""
    until = time.monotonic() + limit_s
    while not so():
        with contextlib.suppress(ChildProcessError):
            # without taking its end away from the one who waits for it
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return False
        if time.monotonic() > until:
            raise TimeoutError("a run does not get on")
        time.sleep(0.002)
    return True


def builds(place: Path) -> bool:
    """Say whether a run is writing a version."""
    return any(store.store_of(place).glob(".building-*"))


# -- what a process does to itself -------------------------------------------------------------


def kill_at(step: int, place: Path) -> None:
    """Let this process be killed before a step of the system of files below a workspace.

    Steps count from the moment when the version is begun.
    """
    _watch(place, lambda count: os.kill(os.getpid(), signal.SIGKILL) if count == step else None)


def hand_out_little() -> None:
    """Let this process give its workers small parts: of a town there is one part else."""
    batches.BATCH = 1
    attaching.SLICE = 1_000


def count_steps(place: Path, file: Path) -> None:
    """Let this process write how many such steps it takes."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o666)
    _watch(place, lambda count: os.pwrite(handle, str(count).encode(), 0))


def _watch(place: Path, note: Callable[[int], Any]) -> None:
    counted = [-1]  # not yet begun
    names = (str(place), str(place.with_name(f".{place.name}.")))

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in STEPS or not isinstance(arguments[0], str | os.PathLike):
            return
        paths = [os.fspath(a) for a in arguments[:2] if isinstance(a, str | os.PathLike)]
        if counted[0] < 0 and not (event == "os.mkdir" and ".building-" in paths[0]):
            return
        if any(path.startswith(names) for path in paths):
            counted[0] += 1
            note(counted[0])

    sys.addaudithook(hear)


def harm_when_reading(harm: Harm) -> None:
    """Let this process do harm when the input was looked at and is about to be read."""
    real = console.watch

    @contextlib.contextmanager
    def watch(**options: Any) -> Iterator[Callable[..., None]]:
        with real(**options) as progress:
            harm()
            yield progress

    console.watch = watch


def harm_when_saving(harm: Harm) -> None:
    """Let this process do harm when all is computed and is about to be written."""
    again.save_workspace = partial(_harmed, harm, again.save_workspace)


def _harmed(harm: Harm, save: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    harm()
    return save(*arguments, **options)
