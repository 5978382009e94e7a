"""Runs a command and ends its whole process group when the task that wanted it is gone.

Started as a script by :mod:`airflow_katib_provider.operators._process_group`, with nothing imported but the
standard library. Standard input is a pipe whose other end the task holds and never writes to: when it closes,
the task has ended, whatever way, and nothing may go on without it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def _end_with_the_task() -> None:
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> int:
    """Run the command and return its exit code, 128 + n for a signal n, as a shell does."""
    # The command heeds or ignores SIGTERM as it likes; the guard stays to tell how it ended.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        child = subprocess.Popen(  # noqa: S603  # running the user's command is the purpose
            command,
            stdin=subprocess.DEVNULL,
            preexec_fn=_default_signals,  # noqa: PLW1509  # no thread yet
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", flush=True)
        return 127 if isinstance(error, FileNotFoundError) else 126
    threading.Thread(target=_end_with_the_task, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _default_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
