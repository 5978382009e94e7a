"""What a trial costs beyond its own work: sliding window, explicit rounds and bare mapped tasks in one run.

Usage: ``python -m benchmarks.overhead [--trials 24] [--parallel 4] [--no-preload]``
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from devtools.airflow import LocalAirflow

HERE = Path(__file__).parent
DURATIONS = (0.5, 4.0, 1.0, 2.0, 0.5, 3.0, 1.5, 6.0)
"""Seconds of work, in turn: training runs are of uneven length."""
DAGS = ("bare", "window-random", "window-tpe", "rounds-random")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--no-preload", action="store_true", help="import everything anew in every task")
    arguments = parser.parse_args()
    durations = list(itertools.islice(itertools.cycle(DURATIONS), arguments.trials))
    seconds = measure(durations, arguments.parallel, preload=not arguments.no_preload)
    least = sum(durations) / arguments.parallel
    print(f"{arguments.trials} trials, {arguments.parallel} at a time; the bare sum of work is {least:.1f} s")
    print(f"{'':16}{'wall s':>8}{'over bare, s a trial':>22}{'x bare':>8}")
    for name in DAGS:
        over = (seconds[name] - seconds["bare"]) / arguments.trials
        print(f"{name:16}{seconds[name]:8.1f}{over:22.2f}{seconds[name] / seconds['bare']:8.2f}")
    print_parse_times()


def measure(durations: list[float], parallel: int, *, preload: bool) -> dict[str, float]:
    """Run each DAG twice and return its shorter wall time: the first run warms the components up."""
    with tempfile.TemporaryDirectory() as home:
        airflow = LocalAirflow(
            Path(home),
            dags=HERE / "overhead_dags",
            env={
                "BENCHMARK_DURATIONS": " ".join(map(str, durations)),
                "BENCHMARK_PARALLEL": str(parallel),
                "PYTHONPATH": str(HERE.parent),
            },
            preload="benchmarks.overhead_preload" if preload else None,
        )
        with airflow:
            return {name: min(run(airflow, name), run(airflow, name)) for name in DAGS}


def run(airflow: LocalAirflow, dag_id: str) -> float:
    airflow.unpause(dag_id)
    run_id = airflow.trigger(dag_id)
    if (state := airflow.wait_for_run(dag_id, run_id, timeout=900)) != "success":
        sys.exit(f"{dag_id}: {state}")
    found = airflow.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
    started, ended = (datetime.fromisoformat(found[key]) for key in ("start_date", "end_date"))
    return (ended - started).total_seconds()


def print_parse_times() -> None:
    """Show what importing the provider adds to the parsing of a DAG file, in CPU time of a fresh process."""
    prologue = (
        "import time; from airflow.sdk import dag; import airflow.triggers.base; t = time.process_time()\n"
    )
    epilogue = "\nprint(time.process_time() - t)"
    yaml = HERE.parent / "quickstart" / "dags" / "digits.yaml"
    bodies = {
        "empty": "@dag(schedule=None)\ndef f(): pass\nf()",
        "with katib_experiment": (
            "from airflow_katib_provider import katib_experiment\n@dag(schedule=None)\n"
            f"def f(): katib_experiment({str(yaml)!r}, runner='process')\nf()"
        ),
    }
    for name, body in bodies.items():
        times = [
            float(
                subprocess.run(
                    [sys.executable, "-c", prologue + body + epilogue],
                    capture_output=True, text=True, check=True, env=os.environ,
                ).stdout.split()[-1]
            )
            for _ in range(3)
        ]  # fmt: skip
        print(f"parsing a DAG file, {name}: {min(times):.3f} s of CPU beside Airflow's own imports")


if __name__ == "__main__":
    main()
