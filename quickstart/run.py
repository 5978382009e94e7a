"""The two things the quickstart does: tune, and show the pages of Airflow."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from airflow_katib_provider.store.store import KatibStore
from devtools.airflow import LocalAirflow
from devtools.airflow_client import FINISHED
from quickstart.progress import Progress
from quickstart.report import print_report
from quickstart.tuning import Tunings

DAG_ID = "quickstart"
DAGS = Path(__file__).parent / "dags"
UI_PORT = 8080
LOG_LINES = 40
CONSOLE = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def tune(home: Path) -> int:
    """Run the quickstart's DAG once, showing its progress, and print what it found.

    :param home: the folder that Airflow, the store and all logs live in.
    :return: the exit code: 0 if the DAG run succeeded.
    """
    began = time.monotonic()
    CONSOLE.print(f"Starting Airflow in {shown(home)} ...")
    with _airflow(home) as airflow:
        CONSOLE.print(f"Airflow is ready after {time.monotonic() - began:.0f} s. Tuning ...")
        airflow.unpause(DAG_ID)
        airflow.stop_runs(DAG_ID)  # what an interrupted call left
        run_id = airflow.trigger(DAG_ID)
        tunings = Tunings(KatibStore(f"sqlite:///{airflow.home / 'katib.db'}"), run_id)
        state = _watch(airflow, tunings, run_id)
        if state == "success":
            print_report(CONSOLE, tunings.read(), airflow.xcom(DAG_ID, run_id, "choose"))
        else:
            _print_failures(airflow, run_id)
    CONSOLE.print(f"\n{time.monotonic() - began:.0f} s in all; Airflow is stopped.", end=" ")
    CONSOLE.print("See the run in Airflow's own pages: [bold]make ui[/]")
    return 0 if state == "success" else 1


def serve(home: Path) -> int:
    """Run Airflow on what the quickstart left, print where its pages are, and wait for Ctrl-C."""
    CONSOLE.print(f"Starting Airflow in {shown(home)} ...")
    with _airflow(home, port=UI_PORT) as airflow:
        CONSOLE.print(f"Open      [bold]{airflow.base_url}/dags/{DAG_ID}[/]")
        CONSOLE.print(f"Sign in   user [bold]{airflow.username}[/], password [bold]{airflow.password}[/]")
        CONSOLE.print("Stop it   Ctrl-C")
        with suppress(KeyboardInterrupt):
            signal.pause()
    CONSOLE.print("Airflow is stopped.")
    return 0


def shown(path: Path) -> Path:
    """Return a path as it is shown: from here if it is below."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _airflow(home: Path, port: int | None = None) -> LocalAirflow:
    return LocalAirflow(home, dags=DAGS, parallelism=4, preload="airflow_katib_provider.preload", port=port)


def _watch(airflow: LocalAirflow, tunings: Tunings, run_id: str) -> str:
    """Show the progress of a run until it has ended, and return its state."""
    with Progress(CONSOLE) as progress:
        while (state := airflow.run_state(DAG_ID, run_id)) not in FINISHED:
            progress.show(tunings.read())
            time.sleep(0.5)
        progress.show(tunings.read())
    return state


def _print_failures(airflow: LocalAirflow, run_id: str) -> None:
    """Print the end of the log of each task that failed."""
    for instance in airflow.task_instances(DAG_ID, run_id):
        if instance["state"] == "failed":
            place = (instance["task_id"], instance["map_index"], max(instance["try_number"], 1))
            lines = airflow.log(DAG_ID, run_id, *place).splitlines()
            CONSOLE.rule(f"[red]{instance['task_id']} {instance['rendered_map_index'] or ''} failed")
            lines = [line for line in lines if not line.startswith("::")]  # the marks of folded groups
            CONSOLE.print("\n".join(lines[-LOG_LINES:]), markup=False)
