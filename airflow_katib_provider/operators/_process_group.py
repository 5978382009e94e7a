"""A command as a local process group whose output is read while it runs."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_katib_provider.operators import _guard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CHUNK = 65536
_DRAIN_SECONDS = 2.0
"""How long output is still read after the command has ended, while a child of its own holds the pipe."""


class ProcessGroup:
    """Runs a command in a session of its own, standard output and error in one stream.

    The whole group ends with this process, even if this process is killed: a guard sees to it.

    :param command: the program and its arguments.
    :param env: the whole environment.
    :param cwd: the working directory.
    :raises OSError: if the working directory does not exist or no process can be started.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: str | None) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # running the user's command is the purpose
            [sys.executable, "-I", "-S", _guard.__file__, *command],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def exit_code(self) -> int | None:
        """The exit code of the command, 128 + n for a signal n, 127 for no such program; ``None`` while it runs."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def output(self, tick: float) -> Iterator[bytes]:
        """Yield output as it comes, and an empty chunk when ``tick`` seconds pass without any.

        Ends when the command has ended and its output is read.
        """
        if self._process.stdout is None:
            return
        descriptor, ended_at = self._process.stdout.fileno(), None
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                if selector.select(tick):
                    chunk = os.read(descriptor, _CHUNK)
                    if not chunk:
                        break
                    yield chunk
                else:
                    yield b""
                if ended_at is None and self.exit_code is not None:
                    ended_at = time.monotonic()
                if ended_at is not None and time.monotonic() - ended_at > _DRAIN_SECONDS:
                    break

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of the group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def close(self) -> None:
        """End whatever is left of the group, at once.

        The command has been waited for where its output was read to the end; closing its output early ends it.
        """
        if self.exit_code is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_DRAIN_SECONDS)
        self.signal(signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
