"""One run at a time: the lock names its owner, and no crash leaves it closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from gridmap import cli, errors
from gridmap.sketch import save_sketch
from gridmap.workspace import hold_workspace, load_history, lock, store

HOLD = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from gridmap.workspace import lock
    with lock.hold_lock(Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
""")


def hold_elsewhere(place, seconds=60.0):
    """Start a process that holds the lock of a workspace; return when it does."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(place), str(seconds)],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def end(process):
    """Kill it, as nothing else ends it in time."""
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_who_is_at_work_and_ends_with_code_3(tmp_path, capsys):
    home = save_sketch(tmp_path / "town")
    other = hold_elsewhere(home / "out")
    try:
        with pytest.raises(errors.BusyError, match=(
                rf"out is being written by process {other.pid} on \S+ since [\d:T+-]+\. Nothing "
                r"was changed: wait for it to end, or let this run wait with --wait SECONDS")):
            hold_workspace(home / "out").__enter__()
        for words in (["run", home], ["restore", home, "1"], ["prune", home, "--keep=1", "--yes"]):
            assert cli.main([*map(str, words), "--quiet"]) == 3
            assert f"process {other.pid} on" in capsys.readouterr().err
        assert cli.main(["run", str(home), "--json"]) == 3
        assert json.loads(capsys.readouterr().out)["error"] == "BusyError"
        assert cli.main(["log", str(home), "--quiet"]) == 0  # to read is always allowed
    finally:
        end(other)


def test_a_run_may_wait(tmp_path):
    other = hold_elsewhere(tmp_path / "out", seconds=0.3)
    with hold_workspace(tmp_path / "out", wait_s=60.0):
        assert other.wait() == 0
    other.stdout.close()


def test_a_killed_run_leaves_no_closed_lock_and_is_in_the_log(tmp_path):
    place = tmp_path / "out"
    end(other := hold_elsewhere(place))
    assert (store.store_of(place) / lock.LOCK).stat().st_size > 0
    with hold_workspace(place):
        pass
    history = load_history(place)
    assert history["event"].tolist() == ["crashed"]
    assert history["note"].str.contains(f"process {other.pid} on .* did not end its work").all()
    assert (store.store_of(place) / lock.LOCK).stat().st_size == 0


def test_a_process_of_the_same_number_is_not_taken_for_the_owner(tmp_path):
    place = tmp_path / "out"
    store.store_of(place).mkdir(parents=True)
    file = store.store_of(place) / lock.LOCK
    file.write_text(json.dumps(lock.tell_owner()._replace(started="1")._asdict()))
    with lock.hold_lock(place) as crashed:
        assert crashed.pid == os.getpid()


def test_another_machine_is_believed_while_it_renews_its_mark(tmp_path):
    place = tmp_path / "out"
    store.store_of(place).mkdir(parents=True)
    file = store.store_of(place) / lock.LOCK
    elsewhere = lock.tell_owner()._replace(host="elsewhere", pid=7)
    file.write_text(json.dumps(elsewhere._asdict()))
    with pytest.raises(errors.BusyError, match="written by process 7 on elsewhere since"):
        lock.hold_lock(place).__enter__()
    old = time.time() - lock.STALE_S - 60
    os.utime(file, (old, old))
    with lock.hold_lock(place) as crashed:
        assert crashed.host == "elsewhere"


def test_a_file_of_a_lock_that_says_nothing_sensible_holds_nobody_up(tmp_path):
    place = tmp_path / "out"
    store.store_of(place).mkdir(parents=True)
    for text in ("", "{", "[]", '{"pid": 1}', "\0" * 9):
        (store.store_of(place) / lock.LOCK).write_text(text)
        with lock.hold_lock(place) as crashed:
            assert crashed is None


def test_a_block_in_another_of_the_same_thread_passes_and_other_threads_do_not(tmp_path):
    told = []

    def hold():
        try:
            with lock.hold_lock(tmp_path / "out"):
                told.append("held")
        except errors.BusyError as error:
            told.append(str(error))

    with lock.hold_lock(tmp_path / "out"), lock.hold_lock(tmp_path / "out"):
        thread = threading.Thread(target=hold)
        thread.start()
        thread.join()
        assert lock.measure_held(tmp_path / "out") > 0
    assert told == [f"another thread of this process is writing {tmp_path / 'out'}: wait for it"]
    hold()
    assert told[1:] == ["held"]
    assert lock.measure_held(tmp_path / "out") == 0


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "out.versions").write_text("a file")
    with pytest.raises(errors.WorkspaceError, match=(
            r"the workspace .*out cannot be written: .*out\.versions says File exists\. What was "
            r"there before is still there; let gridmap write there, or choose another folder in "
            r"\[run\] workspace")):
        lock.hold_lock(tmp_path / "out").__enter__()


def test_on_a_full_disk_the_owner_stays_unnamed_and_the_lock_holds(tmp_path, monkeypatch):
    real = os.write

    def write(handle, text):
        if b'"host"' in text:
            raise OSError(28, "No space left on device")
        return real(handle, text)

    monkeypatch.setattr(os, "write", write)
    with lock.hold_lock(tmp_path / "out"):
        assert (store.store_of(tmp_path / "out") / lock.LOCK).stat().st_size == 0
        asked = subprocess.run([sys.executable, "-c", HOLD, str(tmp_path / "out"), "0"],
                               capture_output=True, text=True, check=False)
    assert "is being written by another run. Nothing was changed" in asked.stderr
