"""Process groups end whole, whatever their members do to escape."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from devtools import processes

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(300)
"""
ORPHAN_MAKER = """
import subprocess
subprocess.Popen(["sleep", "300"], start_new_session=True)
print("ready", flush=True)
"""
STARTER = """
import os, pathlib, time
from devtools import processes
processes.spawn(["sleep", "300"], mark={mark!r}, env=os.environ, log=pathlib.Path({log!r}))
print("ready", flush=True)
time.sleep(300)
"""


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return str(tmp_path)


def start(code: str, mark: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    log = tmp_path / "log"
    child = processes.spawn([sys.executable, "-c", code], mark=mark, env=os.environ, log=log)
    deadline = time.monotonic() + 30
    while "ready" not in log.read_text():
        assert time.monotonic() < deadline, "the process did not start"
        time.sleep(0.05)
    return child


def test_a_process_that_ignores_sigterm_is_killed(mark: str, tmp_path: Path) -> None:
    child = start(STUBBORN, mark, tmp_path)
    assert [process.pid for process in processes.marked(mark)] == [child.pid]
    processes.end_marked(mark, grace=0.2)
    assert processes.alive(child.pid) == []
    assert processes.marked(mark) == []


def test_a_process_that_outlived_its_parent_in_another_session_is_found(mark: str, tmp_path: Path) -> None:
    parent = start(ORPHAN_MAKER, mark, tmp_path)
    parent.wait()
    [orphan] = processes.marked(mark)
    assert os.getsid(orphan.pid) == orphan.pid
    processes.end_marked(mark)
    assert not orphan.is_running()


def test_other_groups_are_left_alone(mark: str, tmp_path: Path) -> None:
    child = start(STUBBORN, f"{mark}-other", tmp_path)
    processes.end_marked(mark)
    assert processes.alive(child.pid)
    processes.end_marked(f"{mark}-other")
    assert not processes.alive(child.pid)


def test_the_group_dies_with_the_one_who_started_it(mark: str, tmp_path: Path) -> None:
    if processes.dying_with_parent(["true"]) == ["true"]:
        pytest.skip("this system has no setpriv, so a process cannot be tied to its parent")
    child = start(STARTER.format(mark=f"{mark}-inner", log=str(tmp_path / "inner")), mark, tmp_path)
    [inner] = processes.marked(f"{mark}-inner")
    child.kill()
    assert psutil.wait_procs([inner], timeout=30)[1] == []


def test_signals_wait_for_what_must_not_be_interrupted() -> None:
    former = signal.getsignal(signal.SIGINT)
    with processes.uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is former
