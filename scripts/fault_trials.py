"""The faults of the table: each is done to a town, and told with what became of it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import fault_town as towns
from fault_town import SEEDS, Process, Town

from gridmap.workspace import find_prunable, store, verify_version

#: Capabilities of Linux that let root write where nobody may.
_OVERRIDES = (1, 2)


class Tried(NamedTuple):
    """What became of a fault."""

    fault: str
    tried: int
    whole: int
    same: int
    note: str


def _told(fault: str, seen: list[tuple[bool, bool]], note: str) -> Tried:
    return Tried(fault, len(seen), sum(w for w, _ in seen), sum(s for _, s in seen), note)


def _untried(fault: str, why: str) -> list[Tried]:
    return [Tried(fault, 0, 0, 0, why)]


# -- kills -------------------------------------------------------------------------------------


def kill_runs(town: Town, kills: int, dice: random.Random) -> Iterator[Tried]:
    """Kill runs: at any moment, while they write, and before a step of the system of files."""
    towns.end_same(town, SEEDS[1])
    writing = _measure_writing(town)
    steps = _count_steps(town)
    half, quarter = kills - kills // 2, kills // 4
    ways: list[tuple[str, int, Callable[[int], towns.Ended]]] = [
        ("kill -9 at any moment", half, lambda seed: _kill_any(town, seed, dice)),
        ("kill -9 while a version is written", quarter,
         lambda seed: _kill_writing(town, seed, dice.uniform(0, writing))),
        ("kill -9 before a step of the file system", kills - half - quarter,
         lambda seed: _kill_at(town, seed, dice.randint(0, steps))),
    ]
    for fault, count, kill in ways:
        seen, late = [], 0
        for number in range(count):
            late += kill(SEEDS[number % 2]).code >= 0
            whole = towns.is_whole(town)
            seen.append((whole, towns.end_same(town, SEEDS[number % 2])))
            if number % 5 == 4:
                _prune(town)
        yield _told(fault, seen, f"{late} had ended before the kill")


def _kill_any(town: Town, seed: int, dice: random.Random) -> towns.Ended:
    # Each second one does all steps again: what is kept makes a run so short else.
    words = ("--fresh",) if dice.random() < 0.5 else ()
    process = towns.run(town.home, town.place, seed, *words)
    time.sleep(dice.uniform(0, town.seconds * (1.0 if words else 0.4)))
    return process.kill()


def _kill_writing(town: Town, seed: int, after_s: float) -> towns.Ended:
    process = towns.run(town.home, town.place, seed, "--fresh")
    if not towns.wait_until(partial(towns.builds, town.place), process):
        return process.wait()
    time.sleep(after_s)
    return process.kill()


def _measure_writing(town: Town) -> float:
    process = towns.run(town.home, town.place, SEEDS[0], "--fresh")
    towns.wait_until(partial(towns.builds, town.place), process)
    began = time.monotonic()
    process.wait()
    return time.monotonic() - began


def _kill_at(town: Town, seed: int, step: int) -> towns.Ended:
    first = partial(towns.kill_at, step, town.place)
    return towns.run(town.home, town.place, seed, first=first).wait()


def _count_steps(town: Town) -> int:
    file = town.home / "steps.txt"
    towns.run(town.home, town.place, SEEDS[1], first=partial(towns.count_steps, town.place, file)
              ).wait()
    return int(file.read_text(encoding="ascii"))


def _prune(town: Town) -> None:
    towns.start(("prune", str(town.place), "--keep", "2", "--yes", "--quiet"),
                town.home / "heard-prune.txt").wait()


def kill_upkeep(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Kill ``gridmap restore`` and ``gridmap prune`` after a random while."""
    seen = []
    for number in range(min(kills, 20)):
        for seed in (*SEEDS, SEEDS[number % 2]):
            towns.end_same(town, seed)
        numbers = store.list_numbers(town.place)
        words = (("restore", str(town.place), numbers[-2]) if number % 2 else
                 ("prune", str(town.place), "--keep", "1", "--yes"))
        process = towns.start(words, town.home / "heard-upkeep.txt")
        time.sleep(dice.uniform(0, 0.1))
        process.kill()
        whole = towns.is_whole(town)
        seen.append((whole, towns.end_same(town, SEEDS[0])))
    return [_told("kill -9 of restore and prune", seen, "the link turns whole or not at all")]


def kill_workers(town: Town, kills: int, dice: random.Random) -> Iterator[Tried]:
    """Kill a worker of a run with two of them: of this machine, and of a cluster of Dask."""
    for executor, name in (("local", "a worker"), ("dask", "a worker of Dask")):
        seen, hit = [], 0
        for number in range(3):
            seed = SEEDS[number % 2]
            with _executor(town, executor):
                process = towns.run(town.home, town.place, seed, "--workers", "2", "--fresh",
                                    first=towns.hand_out_little)
                hit += _kill_one(process, dice)
                ended = process.wait()
            same = ended.code == 0 and towns.read_state(town.place) == town.ends[seed]
            seen.append((towns.is_whole(town), same))
        fault = f"kill -9 of {name}"
        yield _told(fault, seen, "the same run went on, and ended the same") if hit == 3 else \
            _untried(fault, f"{3 - hit} of 3 runs ended before a worker was there")[0]


@contextlib.contextmanager
def _executor(town: Town, name: str) -> Iterator[None]:
    """Let the configuration of a town name an executor for a while."""
    file = town.home / "gridmap.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[run]", f'[run]\nexecutor = "{name}"', 1), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def _kill_one(process: Process, dice: random.Random) -> bool:
    """Kill a worker of a run a while after it is there; False where there was none."""
    some: list[int] = []

    def find() -> bool:
        some[:] = _workers(process.pid)
        return bool(some)

    if not towns.wait_until(find, process):
        return False
    time.sleep(dice.uniform(0.0, 1.0))
    try:
        os.kill(some[0], 9)
    except ProcessLookupError:
        return False
    return True


def _workers(pid: int) -> list[int]:
    """Return the processes that a process has started to work for it."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                words = Path(f"/proc/{child}/cmdline").read_bytes()
                if b"gridmap.executors.worker" in words or b"spawn_main" in words:
                    found.append(int(child))
    return found


# -- disks and rights --------------------------------------------------------------------------


@contextlib.contextmanager
def _small_disk(megabytes: int) -> Iterator[Path | None]:
    """Mount a small disk in memory; None where that is not allowed."""
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="gridmap-disk-"))
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    mounted = shutil.which("mount") and subprocess.run(
        words, capture_output=True, check=False).returncode == 0
    try:
        yield place if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=False)
        place.rmdir()


def fill_disk(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Let a disk run full, sooner and later."""
    size = sum((town.home / f"calm-{SEEDS[0]}" / name).stat().st_size for name in town.ends[1])
    with _small_disk(64) as disk:
        if disk is None:
            return _untried("full disk", "no small disk can be mounted")
        place, seen, said = disk / "out", [], set()
        for number in range(12):
            ballast = disk / "ballast"
            towns.end_same(town, SEEDS[0], place)
            room = shutil.disk_usage(disk).free - int(size * number / 8)
            ballast.write_bytes(bytes(max(room, 0)))
            ended = towns.run(town.home, place, SEEDS[1], "--fresh").wait()
            told = ended.code == 0 or "No space left on device" in ended.said
            said.add("No space left on device" if ended.code else "went through")
            whole = told and towns.is_whole(town, place)
            _prune_full(place, town)
            ballast.unlink()
            seen.append((whole, towns.end_same(town, SEEDS[1], place)))
    return [_told("full disk", seen, "; ".join(sorted(said)))]


def _prune_full(place: Path, town: Town) -> None:
    """Remove old versions on the full disk: that is the way out of it."""
    ended = towns.start(("prune", str(place), "--keep", "1", "--yes", "--quiet"),
                        town.home / "heard-prune.txt").wait()
    if ended.code or len(find_prunable(place, keep=1)):
        raise SystemExit(f"old versions cannot be removed from a full disk: {ended.said}")


def limit_files(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Let the system refuse files above a size, as a quota does."""
    largest = max((town.home / f"calm-{SEEDS[0]}" / name).stat().st_size for name in town.ends[1])
    seen, said = [], set()
    for number in range(6):
        seed = SEEDS[number % 2]
        limit = max(int(largest * dice.uniform(0.01, 0.99)), 1000)
        first = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        ended = towns.run(town.home, town.place, seed, "--fresh", first=first).wait()
        said.add(_headline(ended.said))
        whole = ended.code == 1 and towns.is_whole(town)
        seen.append((whole, towns.end_same(town, seed)))
    return [_told("file size limit", seen, "; ".join(sorted(said)))]


def _headline(said: str) -> str:
    """Return what was told without what differs from place to place."""
    line = said.splitlines()[-1] if said else "nothing"
    return line.split(". ")[0].rpartition(" says ")[2].rpartition("cannot be written: ")[2]


def take_rights(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Take the right to write from the folder of versions, and from the one around it."""
    if not _may_lose_rights():
        return _untried("no right to write", "rights cannot be laid down here")
    towns.end_same(town, SEEDS[0])
    seen, said = [], set()
    for folder in (store.store_of(town.place), town.place.parent):
        before = folder.stat().st_mode
        folder.chmod(0o555)
        try:
            ended = towns.run(town.home, town.place, SEEDS[1], first=_lose_rights).wait() \
                if folder != town.place.parent else _run_unseen(town)
        finally:
            folder.chmod(before)
        said.add(_headline(ended.said))
        whole = ended.code == 1 and towns.is_whole(town)
        seen.append((whole, towns.end_same(town, SEEDS[1])))
        towns.end_same(town, SEEDS[0])
    return [_told("no right to write", seen, "; ".join(sorted(said)))]


def _run_unseen(town: Town) -> towns.Ended:
    """Run where the folder of the town itself takes no file, not even what is told."""
    words = ("run", str(town.home), "--workspace", str(town.place), "--seed", str(SEEDS[1]))
    return towns.start(words, town.home / "calm.txt", first=_lose_rights).wait()


def _may_lose_rights() -> bool:
    return sys.platform == "linux" or os.getuid() != 0


def _lose_rights() -> None:
    """Lay down what lets root write everywhere; others have nothing to lose."""
    if os.getuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(head, sets)
    for bit in _OVERRIDES:
        sets[0] &= ~(1 << bit)
    if libc.capset(head, sets) != 0:
        raise OSError(ctypes.get_errno(), "rights cannot be laid down")


def freeze_disk(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Let a disk become one that is only read. Linux refuses that while a run holds its lock."""
    with _small_disk(64) as disk:
        if disk is None:
            return _untried("read-only disk", "no small disk can be mounted")
        place = disk / "out"
        towns.end_same(town, SEEDS[0], place)
        _remount(disk, "ro")
        ended = towns.run(town.home, place, SEEDS[1]).wait()
        whole = ended.code == 1 and towns.is_whole(town, place)
        _remount(disk, "rw")
        seen = [(whole, towns.end_same(town, SEEDS[1], place))]
    return [_told("read-only disk", seen, _headline(ended.said))]


def _remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def lose_folder(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Take the folder of versions away under a run, and bring it back."""
    seen, said = [], set()
    away = town.place.with_name("away")
    for harm in (towns.harm_when_reading, towns.harm_when_saving):
        towns.end_same(town, SEEDS[0])
        move = partial(os.rename, store.store_of(town.place), away)
        ended = towns.run(town.home, town.place, SEEDS[1], first=partial(harm, move)).wait()
        said.add("vanished while the run was at work" if "vanished while" in ended.said
                 else _headline(ended.said))
        shutil.rmtree(store.store_of(town.place), ignore_errors=True)
        away.rename(store.store_of(town.place))
        whole = ended.code == 1 and towns.is_whole(town)
        seen.append((whole, towns.end_same(town, SEEDS[1])))
    return [_told("vanished folder", seen, "; ".join(sorted(said)))]


def lose_names(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Remove the link, the current version, the log, the lock and the store of steps."""
    seen = []
    folder = store.store_of(town.place)
    for name in ("link", "version", "log.jsonl", "lock", store.STEPS):
        towns.end_same(town, SEEDS[0])
        towns.end_same(town, SEEDS[1])
        doomed = {"link": town.place, "version": town.place.resolve()}.get(name, folder / name)
        if doomed.is_symlink() or doomed.is_file():
            doomed.unlink()
        else:
            shutil.rmtree(doomed, ignore_errors=True)
        seen.append((True, towns.end_same(town, SEEDS[0])))
    return [_told("link, version, log, lock or store of steps removed", seen,
                  "the last version stands again, the rest is made anew")]


# -- others at work ----------------------------------------------------------------------------


def run_two(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Run twice at once: one ends at once with code 3, or waits."""
    seen = []
    for _ in range(3):
        towns.end_same(town, SEEDS[0])
        first = towns.run(town.home, town.place, SEEDS[1], "--fresh")
        towns.wait_until(lambda: _has_owner(town), first)
        second = towns.run(town.home, town.place, SEEDS[0]).wait()
        waiting = towns.run(town.home, town.place, SEEDS[0], "--wait", "300")
        codes = [first.wait().code, second.code, waiting.wait().code]
        named = f"is being written by process {first.pid} on" in second.said
        whole = codes == [0, 3, 0] and named and towns.is_whole(town)
        seen.append((whole, towns.end_same(town, SEEDS[1])))
    return [_told("two runs at once", seen, "the second ends with code 3 and names the first, "
                                            "or waits")]


def _has_owner(town: Town) -> bool:
    lock = store.store_of(town.place) / "lock"
    return lock.is_file() and lock.stat().st_size > 0


def change_input(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Change a file of the input while it is read: another byte, another file, none."""
    file = town.home / ("units.csv" if town.name == "drawn town" else "elements/population.csv")
    text, seen = file.read_bytes(), []
    other = file.with_name("other.csv")
    for harm in (partial(file.write_bytes, text.replace(b"1", b"2", 1)),
                 partial(os.replace, other, file), file.unlink):
        towns.end_same(town, SEEDS[0])
        other.write_bytes(text)
        ended = towns.run(town.home, town.place, SEEDS[1], "--fresh",
                          first=partial(towns.harm_when_reading, harm)).wait()
        file.write_bytes(text)
        told = f"{file.name} changed while the run was at work" in ended.said or (
            harm == file.unlink and file.name in ended.said)
        whole = ended.code == 1 and told and towns.is_whole(town)
        seen.append((whole, towns.end_same(town, SEEDS[1])))
    other.unlink(missing_ok=True)
    return [_told("input changed while it is read", seen, "code 1, the file is named")]


# -- bytes -------------------------------------------------------------------------------------


def flip_bytes(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Flip a byte in every file of a version: it is found, and the next run mends it."""
    seen = []
    for name in sorted(town.ends[SEEDS[0]]):
        towns.end_same(town, SEEDS[0])
        file = town.place.resolve() / name
        _flip(file, dice)
        faults = verify_version(town.place).faults
        found = name in faults.loc[faults["what"] == "altered", "name"].tolist()
        code = towns.start(("verify", str(town.place), "--quiet"),
                           town.home / "heard-verify.txt").wait().code
        same = towns.run(town.home, town.place, SEEDS[0]).wait().code == 0
        same &= towns.read_state(town.place) == town.ends[SEEDS[0]]
        seen.append((found and code == 1, same))
        shutil.rmtree(store.store_of(town.place))  # older versions share the file
    return [_told("a byte flipped, in each file in turn", seen,
                  "verify names the file, with code 1; the next run mends it")]


def flip_steps(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Flip a byte in every file of the store of steps: each is proven before it is used."""
    seen = []
    steps = store.store_of(town.place) / store.STEPS
    for number in range(3):
        towns.end_same(town, SEEDS[number % 2])
        for file in sorted(steps.rglob("*")):
            if file.is_file() and file.stat().st_size:
                _flip(file, dice)
        seen.append((towns.is_whole(town), towns.end_same(town, SEEDS[1 - number % 2])))
    return [_told("a byte flipped in all kept steps", seen, "they are made again")]


def _flip(file: Path, dice: random.Random) -> None:
    written = bytearray(file.read_bytes())
    written[dice.randrange(len(written))] ^= 1 << dice.randrange(8)
    file.chmod(0o644)
    file.write_bytes(written)


def count_workers(town: Town, kills: int, dice: random.Random) -> list[Tried]:
    """Run with one worker and with more, anew: all bytes are the same."""
    seen = []
    for workers in ("1", "2", "3"):
        place = town.home / f"workers-{workers}"
        code = towns.run(town.home, place, SEEDS[0], "--workers", workers).wait().code
        seen.append((code == 0, towns.read_state(place) == town.ends[SEEDS[0]]))
    return [_told("one, two and three workers", seen, "no fault: the same bytes")]


TRIALS = {"kills": kill_runs, "upkeep": kill_upkeep, "workers": kill_workers, "disk": fill_disk,
          "size": limit_files, "rights": take_rights, "frozen": freeze_disk,
          "folder": lose_folder, "names": lose_names, "two": run_two, "input": change_input,
          "bytes": flip_bytes, "steps": flip_steps, "counts": count_workers}
