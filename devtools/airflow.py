"""A private Airflow in a folder of its own: every component a real process, gone when it is stopped."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from devtools import airflow_config, processes
from devtools.airflow_client import AirflowClient, AirflowError
from devtools.free_ports import free_port

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

COMPONENTS: Mapping[str, Sequence[str]] = {
    "api-server": ("--workers", "1"),
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
_CACHE = Path(__file__).resolve().parents[1] / ".cache"


class LocalAirflow(AirflowClient):
    """An Airflow with LocalExecutor that lives in a folder, to be used in a ``with`` statement.

    Each component is a process in a session of its own and logs to ``<home>/<component>.log``. Leaving the
    ``with`` statement, for whatever reason, ends every one of them and all that they started. What an earlier
    Airflow in the same folder left behind is ended at the start.

    :param home: the folder; made if missing. Only one Airflow at a time may live in it.
    :param dags: the folder, or the folders, that DAG files are read from.
    :param database: the SQLAlchemy URL of a PostgreSQL database for the metadata; SQLite in the folder where
        ``None``.
    :param parallelism: how many tasks run at the same time at most.
    :param env: environment variables for all components, for example ``AIRFLOW_CONN_KATIB_DEFAULT``.
    :param settings: Airflow's own settings, by section, over those of :mod:`devtools.airflow_config`.
    :param preload: a module that the scheduler imports, so that the tasks forked from it need not.
    :param port: where the API server listens if that port is free.

    :ivar env: the environment of every component.

    Example::

        with LocalAirflow(tmp_path / "airflow", dags=Path("example_dags")) as airflow:
            airflow.unpause("tune")
            run_id = airflow.trigger("tune")
            assert airflow.wait_for_run("tune", run_id) == "success"
    """

    def __init__(
        self,
        home: Path,
        *,
        dags: Path | Sequence[Path],
        database: str | None = None,
        parallelism: int = 8,
        env: Mapping[str, str] | None = None,
        settings: airflow_config.Settings | None = None,
        preload: str | None = None,
        port: int | None = None,
    ) -> None:
        self.home = home.resolve()
        self.home.mkdir(parents=True, exist_ok=True)
        self._port = free_port(preferred=port)
        password = airflow_config.password(self.home)
        super().__init__(f"http://127.0.0.1:{self._port}", airflow_config.USER, password)
        self._dags = [Path(folder).resolve() for folder in ([dags] if isinstance(dags, Path) else dags)]
        self._database = database
        self._parallelism = parallelism
        self._settings = settings or {}
        self._preload = preload
        self.env = {**_outer_environment(), "AIRFLOW_HOME": str(self.home), **(env or {})}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout: float = 300) -> Self:
        """Make the database, start every component and wait until all are ready.

        :raises AirflowError: if a component ends, with the last lines of its log.
        :raises TimeoutError: if they are not ready after ``timeout`` seconds.
        """
        try:
            processes.end_marked(self._mark)
            self.configure()
            self._launch(list(COMPONENTS), timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def configure(self) -> None:
        """Write the settings and make the database, and start nothing.

        With :attr:`env`, the environment of every component, Airflow's own commands then work on this home.
        """
        url = self._database or f"sqlite:///{self._sqlite()}"
        settings = airflow_config.local_settings(
            self.home, self._dags, port=self._port, database=url, parallelism=self._parallelism
        )
        airflow_config.write_config(self.home, settings, self._settings)
        airflow_config.write_preload(self.home, self._preload)
        if self._database:
            self._migrate()

    def stop(self, grace: float = 3) -> None:
        """End every component and all that they started.

        :param grace: seconds that components have to end in order before all is ended by force.
        """
        with processes.uninterrupted():
            self.close()
            leaders = [leader for child in self._running.values() for leader in processes.alive(child.pid)]
            processes.end(leaders, grace)
            processes.end_marked(self._mark, grace=2)
            for child in self._running.values():
                child.wait()
            self._running.clear()

    def kill(self, component: str, *, children: bool = True) -> None:
        """Kill a component as a crash does: by SIGKILL, so that nothing is tidied up.

        :param component: a key of :data:`COMPONENTS`.
        :param children: kill what it started too, the running tasks of a scheduler among them.
        """
        child = self._running.pop(component)
        processes.end(processes.with_children(child.pid) if children else processes.alive(child.pid))
        child.wait()

    def restart(self, component: str, timeout: float = 180) -> None:
        """Start a component anew, killing it first if it runs, and wait until it is ready."""
        if component in self._running:
            self.kill(component)
        self._launch([component], timeout)

    @property
    def _mark(self) -> str:
        return str(self.home)

    def _sqlite(self) -> Path:
        """Return the SQLite file of this home; a new one is a copy of one that was migrated once for all."""
        name = f"airflow-{version('apache-airflow-core')}.db"
        database, template = self.home / name, _CACHE / name
        if not database.exists():
            if not template.exists():
                _CACHE.mkdir(exist_ok=True)
                fresh = self.home / f"{name}.new"
                fresh.unlink(missing_ok=True)
                self._migrate({"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{fresh}"})
                _copy(fresh, template)
                fresh.unlink()
            _copy(template, database)
        return database

    def _migrate(self, env: Mapping[str, str] | None = None) -> None:
        child = self._spawn("db", ["migrate"], env or {})
        if child.wait():
            raise AirflowError(f"airflow db migrate failed:\n{self._log_tail('db')}")

    def _launch(self, components: Sequence[str], timeout: float) -> None:
        since = datetime.now(UTC)
        for component in components:
            self._running[component] = self._spawn(component, COMPONENTS[component], {})
        deadline = time.monotonic() + timeout
        while missing := self._not_ready(components, since):
            for component, child in self._running.items():
                if child.poll() is not None:
                    raise AirflowError(f"airflow {component} ended:\n{self._log_tail(component)}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{missing} not ready after {timeout:.0f} s; see {self.home}/*.log")
            time.sleep(0.2)

    def _not_ready(self, components: Sequence[str], since: datetime) -> list[str]:
        health = self.health()
        return [component for component in components if not _is_ready(health, component, since)]

    def _spawn(self, command: str, options: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return processes.spawn(
            [sys.executable, "-m", "airflow", command, *options],
            mark=self._mark,
            env={**self.env, **env},
            log=self.home / f"{command}.log",
            cwd=self.home,
        )

    def _log_tail(self, command: str, lines: int = 30) -> str:
        return "\n".join((self.home / f"{command}.log").read_text(errors="replace").splitlines()[-lines:])


def _is_ready(health: Mapping[str, Any], component: str, since: datetime) -> bool:
    """Whether a component answers, and has done so since it was started."""
    if component == "api-server" or not health:
        return bool(health)
    name = component.replace("-", "_")
    heartbeat = (health.get(name) or {}).get(f"latest_{name}_heartbeat")
    return heartbeat is not None and datetime.fromisoformat(heartbeat) >= since


def _copy(source: Path, target: Path) -> None:
    """Copy a file so that the target is never seen half written."""
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, partial)
    partial.replace(target)


def _outer_environment() -> dict[str, str]:
    """Return this process's environment without another Airflow's settings, this Python's programs first."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    programs = str(Path(sys.executable).parent)
    outer["PATH"] = os.pathsep.join([programs, *filter(None, [outer.get("PATH")])])
    outer["NO_PROXY"] = ",".join([*filter(None, [outer.get("NO_PROXY")]), "127.0.0.1"])
    return outer
