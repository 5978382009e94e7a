"""The command line: ``python -m quickstart`` tunes, ``python -m quickstart ui`` shows it in Airflow."""

from __future__ import annotations

import argparse
import fcntl
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from devtools.airflow_client import AirflowError
from quickstart.run import serve, shown, tune

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = Path(__file__).resolve().parents[1] / "quickstart-home"


def main() -> int:
    """Run one of the two commands and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m quickstart", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["tune", "ui"], default="tune")
    parser.add_argument("--home", type=Path, default=HOME, help="the folder that everything lives in")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with _alone_in(options.home):
            return (tune if options.command == "tune" else serve)(options.home)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    except (AirflowError, TimeoutError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


@contextmanager
def _alone_in(home: Path) -> Iterator[None]:
    """Hold the folder, so that no second Airflow starts in it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AirflowError(f"Another quickstart is at work in {shown(home)}.") from None
        yield


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
