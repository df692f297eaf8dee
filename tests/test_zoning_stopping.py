"""Drawings that end early, and machines that have to compile first or cannot."""

from __future__ import annotations

import _thread
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pandas as pd
import pytest
from test_zoning import square_units

import gridmap as gm
from gridmap import SizeRule, cli
from gridmap.sketch import save_sketch
from gridmap.zoning import measure_partition, partition

SIZE = SizeRule(minimum=8, target=9, maximum=10)


@pytest.fixture(autouse=True)
def interruptible():
    """Let an interrupt through: jobs in the background of a shell are started without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupting(times):
    """Return a progress that interrupts the main thread so many times."""
    left = [times]

    def tell(done, total):
        if left[0]:
            left[0] -= 1
            _thread.interrupt_main()
            time.sleep(0.3)

    return tell


def test_an_interrupt_keeps_the_best_so_far_and_says_so(caplog):
    units = square_units(24)
    drawn = partition(units, SIZE, effort="best", progress=interrupting(1))
    assert "search cut short" in set(drawn.changes["what"])
    assert measure_partition(units, drawn.assignment, SIZE).totals["contiguous_share"] == 1
    assert drawn.assignment.notna().all()
    assert "interrupted: the best grids so far are kept; once more to stop" in caplog.text


def test_a_bar_shows_how_far_the_drawing_is(capsys):
    with gm.watch() as progress:
        partition(square_units(12), SIZE, progress=progress)
    assert re.search(r"partition .*144/144", capsys.readouterr().err)
    with gm.watch(quiet=True) as progress:
        partition(square_units(12), SIZE, progress=progress)
    assert capsys.readouterr().err == ""


def test_a_second_interrupt_is_raised():
    many = pd.concat([square_units(40, territory=name, at=(4000 * at, 0))
                      for at, name in enumerate("TUVWXYZ")])
    with pytest.raises(KeyboardInterrupt):
        partition(many, SIZE, effort="best", progress=interrupting(99))


def test_a_time_limit_also_ends_the_mending():
    units = square_units(40)
    units["households"] = 6  # no grid can be in range: every round of mending is tried
    began = time.process_time()
    drawn = partition(units, SIZE, effort="best", time_limit_s=0)
    assert "search cut short" in set(drawn.changes["what"])
    assert drawn.grids["households"].max() <= 10
    assert time.process_time() - began < 60


def test_the_command_line_keeps_the_best_so_far_when_interrupted(tmp_path):
    folder = save_sketch(tmp_path / "town", *["".join(chr(0x100 + 16 * row + at)
                                                      for at in range(16)) for row in range(16)])
    text = (folder / "gridmap.toml").read_text(encoding="utf-8")
    (folder / "gridmap.toml").write_text(text.replace("[run]", '[run]\neffort = "best"'),
                                         encoding="utf-8")
    script = textwrap.dedent("""
        import _thread, signal, sys, time
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from gridmap import cli, console
        from gridmap.zoning import search
        once, advance = [1], search._Meter.advance
        def interrupt(meter, units, sweeps):
            advance(meter, units, sweeps)
            if once:
                once.pop()
                _thread.interrupt_main()
                time.sleep(0.5)  # until the main thread has heard of it
        search._Meter.advance = interrupt
        sys.exit(cli.main(sys.argv[1:]))
    """)
    done = subprocess.run([sys.executable, "-c", script, "run", str(folder), "--quiet"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "interrupted: the best grids so far are kept" in done.stderr
    changes = pd.read_csv(next(folder.rglob("changes.csv")))
    assert "search cut short" in set(changes["what"])


def test_an_interrupt_elsewhere_ends_the_command_line_in_one_line(tmp_path, monkeypatch, capsys):
    from gridmap import pipeline

    def interrupted(*_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    monkeypatch.setattr(pipeline, "run_again", interrupted)
    assert cli.main(["run", str(save_sketch(tmp_path)), "--quiet"]) == 130
    assert capsys.readouterr().err == "interrupted: nothing more was written\n"


def test_a_cold_machine_tells_that_it_compiles_and_a_warm_one_does_not(tmp_path):
    script = textwrap.dedent("""
        from gridmap.attach import kernels as attach
        from gridmap._compiling import is_cold
        from gridmap.zoning.kernels import anneal, compiled, match
        import numpy as np
        compiled.tell_about_compiling()
        print(is_cold(anneal.flip), is_cold(match.match_segments), is_cold(attach.locate_points))
        match.match_segments(np.zeros((1, 4), np.int64), np.zeros(1, np.int64))
        print(is_cold(match.match_segments))
    """)
    told = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
                       env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)})
        for _ in range(2)
    ]
    assert told[0].stdout == "True True True\nFalse\n"
    assert "first use on this machine: the kernels for drawing grids" in told[0].stderr
    assert told[1].stdout == "True False True\nFalse\n"


def test_everything_works_without_numba_and_says_so():
    script = textwrap.dedent("""
        import sys
        sys.modules["numba"] = None
        import numpy as np
        import gridmap as gm
        from gridmap.sketch import sketch_grids, sketch_points, sketch_units
        units = sketch_units("ABCDEF", "GHIJKL", "MNOPQR", "STUVWX")
        size = gm.SizeRule(minimum=3, target=4, maximum=5)
        drawn = gm.partition(units, size, effort="draft", workers=2)
        print(gm.measure_partition(units, drawn.assignment, size).totals["in_range_share"])
        homes = sketch_points(*[(x + 0.5, 0.5) for x in range(6)])
        print(gm.attach_points(homes, drawn.grids).elements["grid"].notna().sum())
        locator = gm.build_locator(sketch_grids("AB"))
        print(gm.locate_points(locator, np.array([1.5]), np.array([0.5])).position)
        print(np.round(gm.from_gcj02(np.array([121.5]), np.array([37.4])), 4).ravel())
        print("numba" in {name for name, one in sys.modules.items() if one})
    """)
    told = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True,
                          check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.split("\n")[0] == "1.0"
    assert told.stdout.endswith("False\n")
    assert "drawing grids goes without compiled kernels" in told.stderr
    assert "locating points goes without compiled kernels" in told.stderr
