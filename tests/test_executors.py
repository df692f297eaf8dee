"""Executors: answers in order, a killed worker costs a retry, and nobody is left behind."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import executor_works as works
import numpy as np
import pyarrow as pa
import pytest

from gridmap import (
    SizeRule,
    attach_batches,
    attach_points,
    build_locator,
    partition,
    repair_tiling,
    sketch_grids,
    sketch_points,
    sketch_units,
)
from gridmap.errors import ExecutorError, TilingError
from gridmap.executors import Dask, Processes, open_executor

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="dask.distributed is not installed")


@pytest.fixture(scope="module")
def two():
    with Processes(2) as executor:
        yield executor


def alive(pid):
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pids, *, within_s=5.0):
    end = time.monotonic() + within_s
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_answers_come_in_the_order_of_the_parts(two):
    assert list(two.map(works.double, range(40))) == [2 * part for part in range(40)]


def test_parts_are_taken_a_few_ahead_only(two):
    taken = []
    answers = two.map(works.double, (taken.append(part) or part for part in range(1000)))
    next(answers)
    answers.close()
    assert len(taken) <= 6


def test_a_broadcast_value_is_mapped_and_cannot_be_written(two):
    shared = two.broadcast({"a": np.arange(1000.0)})
    assert list(two.map(works.add, [1, 2], shared=shared)) == [499501.0, 499502.0]


def test_a_killed_worker_costs_a_retry_and_not_the_run(two, tmp_path):
    parts = [(number, str(tmp_path)) for number in range(9)]
    assert list(two.map(works.die_once, parts)) == list(range(9))


def test_a_part_that_always_kills_its_worker_is_named(two):
    with pytest.raises(ExecutorError, match="part 3 was given up after 3 tries: the worker "
                                            "ended with code -9"):
        list(two.map(works.die, range(5)))
    assert list(two.map(works.double, [1])) == [2]  # and the executor still works


def test_an_error_of_a_part_arrives_with_its_rows(two):
    with pytest.raises(TilingError, match="part 0 overlaps") as caught:
        list(two.map(works.fault, range(5)))
    assert caught.value.rows == ("G1",)


def test_closing_leaves_no_worker():
    with Processes(2) as executor:
        pids = set(executor.map(works.slow, [0.05] * 6))
    assert pids and gone(pids)


CALLER = """
import sys
sys.path.insert(0, {tests!r})
import executor_works as works
from gridmap.executors import Processes
executor = Processes(2)
print(*set(executor.map(works.slow, [0.3] * 4)), flush=True)
try:
    list(executor.map(works.slow, [60.0] * 4))
except KeyboardInterrupt:
    executor.close()
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_caller_that_is_killed_or_interrupted_leaves_no_orphan(how):
    code = CALLER.format(tests=str(Path(__file__).parent))
    # an interrupt may be ignored in what starts the tests
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    with subprocess.Popen([sys.executable, "-c", start + code], stdout=subprocess.PIPE,
                          text=True) as caller:
        pids = [int(pid) for pid in caller.stdout.readline().split()]
        time.sleep(0.3)
        assert pids and all(map(alive, pids))
        caller.send_signal(how)
        rest = caller.communicate(timeout=15)[0]
    assert gone(pids)
    assert rest.strip() == ("interrupted" if how == signal.SIGINT else "")


def test_an_executor_that_is_not_there_is_named():
    with pytest.raises(ExecutorError, match="executor is 'farm': expected local, dask"):
        open_executor("farm")
    with pytest.raises(ExecutorError, match="a scheduler is named, but executor is 'local'"):
        open_executor("local", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(ExecutorError, match="workers is 0: at least 1 is needed"):
        Processes(0)


# -- the steps -----------------------------------------------------------------------------


def town():
    return sketch_units("ABCD", "EFGH", "IJKL", "MNOP")


def bytes_of(frame):
    plain = frame.to_wkb() if hasattr(frame, "to_wkb") else frame
    return plain.to_json(orient="split") if not hasattr(frame, "to_wkb") else (
        plain.assign(geometry=[one.hex() for one in plain["geometry"]]).to_json(orient="split"))


def steps(executor):
    """Return the outcome of every step that takes an executor, as text."""
    size = SizeRule(minimum=2, target=4, maximum=6)
    units = town()
    units["territory"] = ["T1"] * 8 + ["T2"] * 8
    drawn = partition(units, size, executor=executor)
    grids = sketch_grids("AB", "CD")
    points = sketch_points(*np.random.default_rng(1).uniform(0, 2.2, (300, 2)))
    attached = attach_points(points, grids, nearest_m=0.1, executor=executor)
    batch = pa.record_batch({"x": points.geometry.x, "y": points.geometry.y})
    stream = attach_batches([batch.slice(at, 50) for at in range(0, 300, 50)],
                            build_locator(grids), executor=executor)
    broken = sketch_grids("AAA.", "A.B.", "ABBC")
    parents = sketch_grids("PPPP", "PPPP", "PPPQ").rename_axis("territory")
    broken["territory"] = ["P", "P", "Q"]
    mended, changes = repair_tiling(broken, parents, apart=True, executor=executor)
    return [bytes_of(drawn.grids), drawn.assignment.to_json(), bytes_of(drawn.changes),
            bytes_of(attached.elements), bytes_of(attached.by_grid), bytes_of(attached.rejects),
            str([one["grid"].to_pylist() for one in stream]),
            bytes_of(mended), bytes_of(changes)]


def test_two_and_five_workers_give_the_bytes_of_none(two):
    alone = steps(None)
    assert steps(two) == alone
    with Processes(5) as five:
        assert steps(five) == alone


@needs_dask
def test_dask_gives_the_same_bytes_and_stands_a_killed_worker(tmp_path):
    with Dask(workers=2) as executor:
        executor._client.run(sys.path.insert, 0, str(Path(__file__).parent))
        assert steps(executor) == steps(None)
        parts = [(number, str(tmp_path)) for number in (0, 1, 2)]
        assert list(executor.map(works.double, range(5))) == [0, 2, 4, 6, 8]
        pids = list(executor._client.run(os.getpid).values())
        answers = executor.map(works.slow, [0.2] * 12)
        next(answers)
        os.kill(pids[0], signal.SIGKILL)
        assert len(list(answers)) == 11
    assert parts and gone(pids)


@needs_dask
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    with pytest.raises(ExecutorError, match="a scheduler is named|no Dask scheduler answers at"):
        Dask("tcp://127.0.0.1:1")
