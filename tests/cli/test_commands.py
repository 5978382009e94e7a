"""``airflow katib`` as a user calls it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import yaml

from tests.flow.experiments import experiment

if TYPE_CHECKING:
    from pathlib import Path


def airflow(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "airflow", "katib", *arguments],
        env={**os.environ, "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_migrate_makes_the_tables_and_can_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        result = airflow(tmp_path, "migrate")
        assert result.returncode == 0, result.stderr
        assert "katib_default is up to date: SQLite" in result.stdout
    with sqlite3.connect(tmp_path / "katib.db") as connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    assert {"katib_experiment", "katib_trial", "katib_observation_log", "katib_condition"} <= tables


def test_validate_tells_every_problem_of_every_file(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(yaml.safe_dump(experiment("good")))
    bad.write_text(yaml.safe_dump(experiment("bad", maxTrialCount=0, resumePolicy="Sometimes")))
    result = airflow(tmp_path, "validate", str(good), str(bad))
    assert result.returncode == 1
    assert f"{good}: Experiment 'good' is valid" in result.stdout
    for part in (str(bad), "spec.maxTrialCount", "spec.resumePolicy"):
        assert part in result.stderr
