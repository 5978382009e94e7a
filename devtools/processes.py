"""Child processes that can be ended whole: with their children, and with those that outlived their parent."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

MARK = "KATIB_DEVTOOLS_MARK"
"""The environment variable that every process of one group carries, whatever session it has moved to."""


def spawn(
    command: Sequence[str], *, mark: str, env: Mapping[str, str], log: Path, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to a file; it ends when this process dies.

    :param command: the program and its arguments.
    :param mark: the group that the process and all its children belong to; see :func:`marked`.
    :param env: the whole environment of the process.
    :param log: the file that takes standard output and standard error.
    :param cwd: the working directory; this process's where ``None``.
    """
    # Without SPT_NOENV, processes that set their title overwrite the environment that `marked` reads.
    with log.open("ab") as output:
        return subprocess.Popen(
            dying_with_parent(command),
            env={**env, MARK: mark, "SPT_NOENV": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
        )


def dying_with_parent(command: Sequence[str], how: signal.Signals = signal.SIGTERM) -> list[str]:
    """Return a command that gets a signal when the thread that started it is gone.

    :param how: the signal. It is not sent on systems that cannot.
    """
    if shutil.which("setpriv") is None:
        return list(command)
    return ["setpriv", "--pdeathsig", how.name.removeprefix("SIG"), "--", *command]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM for a while: what is half ended must be ended whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def marked(mark: str) -> list[psutil.Process]:
    """Return every living process of a group, and the children of each whatever their environment."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == mark:
                found.update((member.pid, member) for member in with_children(process.pid))
    return list(found.values())


def alive(pid: int) -> list[psutil.Process]:
    """Return the process of an id; nothing if it has ended."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process] if process.status() != psutil.STATUS_ZOMBIE else []
    return []


def with_children(pid: int) -> list[psutil.Process]:
    """Return the process of an id and everything below it; nothing if it has ended."""
    with suppress(psutil.NoSuchProcess):
        return [member for process in alive(pid) for member in (process, *process.children(recursive=True))]
    return []


def end(processes: Iterable[psutil.Process], grace: float = 0) -> None:
    """Ask processes to end, wait for them, and kill those that have not ended.

    :param grace: seconds between SIGTERM and SIGKILL; with 0 they are killed at once.
    """
    remaining = list(processes)
    if grace > 0:
        for process in remaining:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, remaining = psutil.wait_procs(remaining, timeout=grace)
    for process in remaining:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(remaining, timeout=10)


def end_marked(mark: str, grace: float = 0) -> None:
    """End a whole group, those that are born meanwhile included.

    :param grace: as for :func:`end`.
    """
    while found := marked(mark):
        end(found, grace)
