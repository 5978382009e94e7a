"""The configuration of a private Airflow: embedded defaults, loopback only, quick to notice what is new."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from configparser import RawConfigParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

USER = "admin"
Settings = Mapping[str, Mapping[str, object]]


def local_settings(
    home: Path, dags: Sequence[Path], *, port: int, database: str, parallelism: int
) -> Settings:
    """Return the settings, by section, of an Airflow that lives in a folder of its own.

    :param home: the folder.
    :param dags: the folders that DAG files are read from.
    :param port: where the API server listens on 127.0.0.1.
    :param database: the SQLAlchemy URL of the metadata database: SQLite or PostgreSQL.
    :param parallelism: how many tasks run at the same time at most.
    """
    url = f"http://127.0.0.1:{port}"
    return {
        "core": {
            "executor": "LocalExecutor",
            "parallelism": parallelism,
            "max_active_tasks_per_dag": max(16, parallelism),
            "load_examples": False,
            "dags_folder": dags[0],
            "execution_api_server_url": f"{url}/execution/",
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": home / "passwords.json",
            "fernet_key": _kept(home, "fernet_key"),
        },
        "database": _database(database),
        "api": {"base_url": url, "host": "127.0.0.1", "port": port, "secret_key": _kept(home, "secret_key")},
        "api_auth": {"jwt_secret": _kept(home, "jwt_secret", size=64)},
        "workers": {"execution_api_timeout": 60},  # a busy machine of two cores answers late, not never
        "logging": {"base_log_folder": home / "logs"},
        "scheduler": {"scheduler_idle_sleep_time": 0.25},
        "triggerer": {"job_heartbeat_sec": 2},
        "dag_processor": {
            "dag_bundle_config_list": json.dumps([_bundle(folder) for folder in dags]),
            "refresh_interval": 1,
            "bundle_refresh_check_interval": 1,
            "print_stats_interval": 0,
        },
    }


def write_config(home: Path, *layers: Settings) -> None:
    """Write ``airflow.cfg``; a later layer overrides an earlier one."""
    config = RawConfigParser()
    for layer in layers:
        for section, options in layer.items():
            if not config.has_section(section):
                config.add_section(section)
            for option, value in options.items():
                config.set(section, option, str(value).replace("%", "%%"))
    path = home / "airflow.cfg"
    path.touch(mode=0o600)
    with path.open("w") as file:
        config.write(file)


def write_preload(home: Path, module: str | None) -> None:
    """Have the scheduler import a module, so that every task it forks finds the module imported.

    :param module: its dotted name; nothing is imported where ``None``.
    """
    settings = home / "config" / "airflow_local_settings.py"
    if module is None:
        settings.unlink(missing_ok=True)
        return
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f'import sys\n\nif "scheduler" in sys.argv:\n    import {module}  # noqa: F401\n')


def password(home: Path) -> str:
    """Return the password of :data:`USER`, made when first asked for."""
    value = _kept(home, "password", size=12)
    file = home / "passwords.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({USER: value}))
    return value


def _database(url: str) -> dict[str, object]:
    """Return where the metadata is kept; the API server reads it with asyncio too, which psycopg can."""
    url = url.replace("postgresql://", "postgresql+psycopg://")
    return {"sql_alchemy_conn": url, **({"sql_alchemy_conn_async": url} if "+psycopg:" in url else {})}


def _bundle(folder: Path) -> dict[str, object]:
    return {
        "name": "-".join(folder.parts[-2:]),
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(folder), "refresh_interval": 1},
    }


def _kept(home: Path, name: str, size: int = 32) -> str:
    """Return a secret of this home, the same at each start."""
    file = home / "secrets" / name
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text(urlsafe_b64encode(secrets.token_bytes(size)).decode())
    return file.read_text()
