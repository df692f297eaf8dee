"""Functions that workers import in tests of executors."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gridmap.errors import TilingError


def double(part):
    return 2 * part


def add(part, shared):
    return float(shared["a"].sum()) + part


def slow(part):
    time.sleep(part)
    return os.getpid()


def die_once(part):
    """Kill this worker the first time that a part is done whose file is not there yet."""
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
