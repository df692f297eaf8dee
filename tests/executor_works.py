"""Functions that workers import in tests of executors."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from gridmap.errors import TilingError


def double(part):
    return 2 * part


def add(part, shared):
    return float(shared["a"].sum()) + part


def write(part, shared):
    shared["a"][0] = part


def slow(part):
    time.sleep(part)
    return os.getpid()


def slow_double(part):
    time.sleep(0.05)
    return 2 * part


def die_once(part):
    """Kill this worker the first time that every third part is done."""
    number, folder = part
    told = Path(folder, str(number))
    if number % 3 == 1 and not told.exists():
        told.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(part):
    if part == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return part


def fault(part):
    raise TilingError(f"part {part} overlaps", rows=["G1"])


class OddError(Exception):
    """An error that cannot be built again from what it says."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def odd_fault(part):
    raise OddError(part, part)


def leave(part):
    sys.exit(3)


def stream(part):
    return (one for one in range(part))


def say(part):
    os.write(1, b"noise")
    return sys.stdin.read()


def look(name):
    """Return a variable, where modules are looked for, and which files are open."""
    open_files = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                  if os.path.islink(f"/proc/self/fd/{fd}")]
    return os.environ.get(name), list(sys.path), open_files


def folders(part, shared):
    """Wait, so that the caller can be killed while this worker has mapped what is shared."""
    time.sleep(part)
    return os.getpid()
