"""Local process groups: output, exit codes, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from airflow_katib_provider.operators._process_group import ProcessGroup

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def python(program: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(program)]


def group(command: list[str], cwd: Path) -> ProcessGroup:
    return ProcessGroup(command, env=os.environ, cwd=str(cwd))


def finish(process: ProcessGroup) -> bytes:
    output = b"".join(process.output(0.2))
    process.close()
    return output


def eventually(look: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_both_streams_in_order_and_the_exit_code(tmp_path: Path) -> None:
    process = group(["sh", "-c", "echo one; echo two >&2; printf three; exit 7"], tmp_path)
    assert finish(process) == b"one\ntwo\nthree"
    assert process.exit_code == 7


def test_output_comes_while_the_command_runs(tmp_path: Path) -> None:
    process = group(["sh", "-c", "echo one; read _ < wait"], tmp_path)
    os.mkfifo(tmp_path / "wait")
    seen = b""
    for chunk in process.output(0.1):
        seen += chunk
        if seen == b"one\n":
            assert process.exit_code is None
            break
    process.signal(signal.SIGKILL)
    process.close()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["no-such-program"], 127),
        (["/"], 126),
        (["sh", "-c", "kill -9 $$"], 137),
        (["sh", "-c", "kill -15 $$"], 143),
        (["true"], 0),
    ],
)
def test_exit_codes_are_those_of_a_shell(command: list[str], code: int, tmp_path: Path) -> None:
    process = group(command, tmp_path)
    finish(process)
    assert process.exit_code == code


def test_a_missing_working_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        group(["true"], tmp_path / "nowhere")


def test_a_child_that_holds_the_pipe_ends_with_its_parent(tmp_path: Path) -> None:
    process = group(["sh", "-c", "sleep 1000 & echo $!"], tmp_path)
    child = int(finish(process))
    eventually(lambda: not psutil.pid_exists(child))
    assert process.exit_code == 0


def test_the_signal_reaches_the_whole_group(tmp_path: Path) -> None:
    process = group(["sh", "-c", "sleep 1000 & echo $!; wait"], tmp_path)
    output = process.output(0.1)
    child = int(next(chunk for chunk in output if chunk))
    process.signal(signal.SIGTERM)
    for _ in output:
        pass
    process.close()
    assert process.exit_code == 128 + signal.SIGTERM
    eventually(lambda: not psutil.pid_exists(child))


def test_the_group_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        python(
            f"""
            import os
            from airflow_katib_provider.operators._process_group import ProcessGroup
            process = ProcessGroup(["sh", "-c", "sleep 1000 & echo $! $$; wait"], env=os.environ, cwd={str(tmp_path)!r})
            for chunk in process.output(0.1):
                if chunk:
                    print(chunk.decode(), end="", flush=True)
            """
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    pids = [int(word) for word in owner.stdout.readline().split()]
    assert len(pids) == 2
    assert all(psutil.pid_exists(pid) for pid in pids)
    owner.kill()
    owner.wait()
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))
