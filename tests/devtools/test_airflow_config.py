"""What is written for a private Airflow to read."""

from __future__ import annotations

import json
from configparser import ConfigParser
from typing import TYPE_CHECKING

import pytest

from devtools import airflow_config

if TYPE_CHECKING:
    from pathlib import Path


def read(home: Path) -> ConfigParser:
    config = ConfigParser()
    assert config.read(home / "airflow.cfg")
    return config


def written(home: Path, database: str = "sqlite:////nowhere.db", **layers: object) -> ConfigParser:
    settings = airflow_config.local_settings(
        home, [home / "a" / "dags", home / "b" / "dags"], port=8123, database=database, parallelism=3
    )
    airflow_config.write_config(home, settings, layers)  # type: ignore[arg-type]
    return read(home)


def test_nothing_listens_beyond_this_machine(tmp_path: Path) -> None:
    config = written(tmp_path)
    assert config["api"]["host"] == "127.0.0.1"
    assert config["core"]["execution_api_server_url"] == "http://127.0.0.1:8123/execution/"


def test_only_the_owner_can_read_what_is_secret(tmp_path: Path) -> None:
    written(tmp_path)
    airflow_config.password(tmp_path)
    for name in ("airflow.cfg", "passwords.json", "secrets"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0, name


def test_secrets_stay_the_same_at_each_start(tmp_path: Path) -> None:
    first, second = written(tmp_path)["core"]["fernet_key"], written(tmp_path)["core"]["fernet_key"]
    assert first == second
    password = airflow_config.password(tmp_path)
    assert json.loads((tmp_path / "passwords.json").read_text()) == {airflow_config.USER: password}
    assert airflow_config.password(tmp_path) == password


def test_each_dags_folder_is_a_bundle_with_a_name_of_its_own(tmp_path: Path) -> None:
    bundles = json.loads(written(tmp_path)["dag_processor"]["dag_bundle_config_list"])
    assert [bundle["name"] for bundle in bundles] == ["a-dags", "b-dags"]
    assert bundles[1]["kwargs"]["path"] == str(tmp_path / "b" / "dags")


@pytest.mark.parametrize(
    ("url", "expected", "expected_async"),
    [
        ("sqlite:////x.db", "sqlite:////x.db", None),
        (
            "postgresql+psycopg://u:p%40@h/d",
            "postgresql+psycopg://u:p%40@h/d",
            "postgresql+psycopg://u:p%40@h/d",
        ),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_database(tmp_path: Path, url: str, expected: str, expected_async: str | None) -> None:
    section = written(tmp_path, url)["database"]
    assert section["sql_alchemy_conn"] == expected
    assert section.get("sql_alchemy_conn_async") == expected_async


def test_a_later_layer_overrides(tmp_path: Path) -> None:
    config = written(tmp_path, core={"parallelism": 9}, new={"option": True})
    assert config["core"]["parallelism"] == "9"
    assert config["core"]["executor"] == "LocalExecutor"
    assert config["new"]["option"] == "True"


def test_the_preload_is_for_the_scheduler_and_can_be_taken_back(tmp_path: Path) -> None:
    settings = tmp_path / "config" / "airflow_local_settings.py"
    airflow_config.write_preload(tmp_path, "no.such.module")
    exec(settings.read_text(), {})  # this process is no scheduler, so nothing is imported
    airflow_config.write_preload(tmp_path, None)
    assert not settings.exists()
