"""The quickstart itself, as a person calls it: interrupted first, then left to finish."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devtools import processes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quickstart").resolve()


def quickstart(home: Path, output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "quickstart", "--home", str(home)],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def test_an_interrupted_call_leaves_nothing_behind(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    call = quickstart(home, output)
    deadline = time.monotonic() + 300
    while not re.search("[123] running", output.read_text()):
        assert call.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.5)

    second = quickstart(home, tmp_path / "second")
    assert second.wait(60) == 1
    assert "Another quickstart is at work" in (tmp_path / "second").read_text()

    call.send_signal(signal.SIGINT)
    assert call.wait(60) == 128 + signal.SIGINT
    assert processes.marked(str(home)) == []


def test_the_next_call_tunes_to_the_end(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    assert quickstart(home, output).wait(600) == 0, output.read_text()
    text = output.read_text()
    for experiment in ("digits", "digits-tpe"):
        assert f"{experiment}: 15 of 15 trials done, 0 running, 0 failed" in text
    assert len(re.findall(r"^\w{8}  Succeeded ", text, re.MULTILINE)) == 30
    [accuracy] = re.findall(r"^Optimal trial: digits\S* \(accuracy (\S+), loss", text, re.MULTILINE)
    assert float(accuracy) > 0.95
    assert processes.marked(str(home)) == []
