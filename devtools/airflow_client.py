"""What the tests and the quickstart ask a running Airflow for, over its REST API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FINISHED = ("success", "failed")
PAGE = 100
PAUSES = (0.2, 0.5, 1, 2, 4, 0)
"""Seconds between the attempts of a request that found Airflow's database locked, as SQLite is at times."""


class AirflowError(RuntimeError):
    """Airflow refused a request, or a DAG could not be loaded."""


class AirflowClient:
    """A client of Airflow's REST API (v2), signed in through the simple auth manager.

    :param base_url: where the API server listens, for example ``http://127.0.0.1:8080``.
    :param username: the user to sign in as.
    :param password: that user's password.
    """

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self.base_url = base_url
        self.username = username
        self.password = password
        self._http = httpx.Client(
            base_url=base_url, timeout=60, trust_env=False, transport=httpx.HTTPTransport(retries=3)
        )

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send one request to ``/api/v2`` and return the JSON answer.

        :param method: the HTTP verb.
        :param path: the path after ``/api/v2``.
        :param options: arguments of :meth:`httpx.Client.request`, such as ``json`` and ``params``.
        :raises AirflowError: if there is no answer, or none that is 2xx.
        """
        try:
            if "Authorization" not in self._http.headers:
                self._sign_in()
            for pause in PAUSES:
                response = self._http.request(method, f"/api/v2{path}", **options)
                if not _is_locked_out(response):
                    break
                time.sleep(pause)
            return _answer(response)
        except httpx.TransportError as error:
            raise AirflowError(f"{method} {path}: {error!r}") from error

    def health(self) -> dict[str, Any]:
        """Return the health of each component; an empty mapping while the API server does not answer."""
        try:
            return dict(_answer(self._http.get("/api/v2/monitor/health")))
        except (httpx.TransportError, AirflowError):
            return {}

    def wait_for_dag(self, dag_id: str, timeout: float = 60) -> None:
        """Wait until a DAG has been parsed.

        :raises AirflowError: if some DAG file cannot be imported while this one is missing.
        :raises TimeoutError: if the DAG has not appeared after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self.call("GET", "/dags", params={"dag_id_pattern": dag_id, "limit": 1})["dags"]:
            if errors := self.import_errors():
                raise AirflowError("\n".join(errors.values()))
            if time.monotonic() > deadline:
                raise TimeoutError(f"no DAG {dag_id!r} after {timeout:.0f} s")
            time.sleep(0.3)

    def unpause(self, dag_id: str, timeout: float = 60) -> None:
        """Let the runs of a DAG start; waits until the DAG has been parsed."""
        self.wait_for_dag(dag_id, timeout)
        self.call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Start a run of a DAG and return its id."""
        body = {"logical_date": None, "conf": dict(conf or {}), **({"dag_run_id": run_id} if run_id else {})}
        return str(self.call("POST", f"/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run: ``queued``, ``running``, ``success`` or ``failed``."""
        return str(self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for_run(self, dag_id: str, run_id: str, timeout: float = 300) -> str:
        """Wait until a run has ended and return its state.

        :raises TimeoutError: with all task states, if the run has not ended within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while (state := self.run_state(dag_id, run_id)) not in FINISHED:
            if time.monotonic() > deadline:
                states = {
                    f"{ti['task_id']}[{ti['map_index']}]": ti["state"]
                    for ti in self.task_instances(dag_id, run_id)
                }
                raise TimeoutError(f"run {run_id!r} is {state} after {timeout:.0f} s: {states}")
            time.sleep(0.3)
        return state

    def stop_runs(self, dag_id: str) -> None:
        """Mark every run of a DAG that has not ended as failed."""
        runs = self.call("GET", f"/dags/{dag_id}/dagRuns", params={"state": ["queued", "running"]})
        for run in runs["dag_runs"]:
            self.call("PATCH", f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}", json={"state": "failed"})

    def task_instances(self, dag_id: str, run_id: str, task_id: str | None = None) -> list[dict[str, Any]]:
        """Return the task instances of a run as Airflow describes them, by task and map index.

        :param task_id: only those of this task.
        """
        found: list[dict[str, Any]] = []
        total = 1
        while len(found) < total:
            page = self.call(
                "GET",
                f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances",
                params={"limit": PAGE, "offset": len(found), **({"task_id": task_id} if task_id else {})},
            )
            if not page["task_instances"]:
                break
            found += page["task_instances"]
            total = page["total_entries"]
        return sorted(found, key=lambda instance: (instance["task_id"], instance["map_index"]))

    def wait_for_task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        map_index: int = -1,
        *,
        states: Sequence[str] = FINISHED,
        timeout: float = 120,
    ) -> str:
        """Wait until a task instance is in one of ``states`` and return its state.

        :raises TimeoutError: with its state, if it is in none of them after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = {ti["map_index"]: ti["state"] for ti in self.task_instances(dag_id, run_id, task_id)}
            if (state := found.get(map_index)) in states:
                return str(state)
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{task_id}[{map_index}] is {state} after {timeout:.0f} s, not in {states}"
                )
            time.sleep(0.3)

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, map_index: int = -1, key: str = "return_value"
    ) -> Any:
        """Return what a task instance pushed.

        :raises AirflowError: if there is no such XCom.
        """
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.call("GET", path, params={"map_index": map_index})["value"]

    def clear(
        self,
        dag_id: str,
        run_id: str,
        tasks: Sequence[str | tuple[str, int]] | None = None,
        *,
        downstream: bool = False,
        only_failed: bool = False,
    ) -> None:
        """Let task instances run again.

        :param tasks: task ids, or pairs of task id and map index; all of the run where ``None``.
        :param downstream: what follows them too.
        :param only_failed: of these, the failed ones only.
        """
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": only_failed,
            "include_downstream": downstream,
            **({"task_ids": list(tasks)} if tasks is not None else {}),
        }
        self.call("POST", f"/dags/{dag_id}/clearTaskInstances", json=body)

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str, map_index: int = -1) -> None:
        """Mark one task instance as ``success``, ``failed`` or ``skipped``, as a person does in the UI.

        A task that is just being started may overwrite the mark: wait until it runs.
        """
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        self.call("PATCH", path if map_index < 0 else f"{path}/{map_index}", json={"new_state": state})

    def import_errors(self) -> dict[str, str]:
        """Return the error of each DAG file that could not be imported, by file name."""
        errors = self.call("GET", "/importErrors", params={"limit": PAGE})["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def log(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1, try_number: int = 1) -> str:
        """Return the log of one try of a task instance: a line an event, with the errors it carries."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self.call("GET", path, params={"map_index": map_index, "full_content": True})["content"]
        return "\n".join(event if isinstance(event, str) else _event_text(event) for event in content)

    def close(self) -> None:
        """Close the connections to the API server."""
        self._http.close()

    def _sign_in(self) -> None:
        credentials = {"username": self.username, "password": self.password}
        token = _answer(self._http.post("/auth/token", json=credentials))["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"


def _is_locked_out(response: httpx.Response) -> bool:
    """Whether Airflow could not write, and rolled back: then the request may be sent again."""
    return response.status_code == httpx.codes.INTERNAL_SERVER_ERROR and "Database error" in response.text


def _answer(response: httpx.Response) -> Any:
    if response.is_error:
        request = response.request
        raise AirflowError(f"{request.method} {request.url.path}: {response.status_code} {response.text}")
    return response.json() if response.content else None


def _event_text(event: Mapping[str, Any]) -> str:
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in event.get("error_detail") or ()]
    return "\n".join([str(event["event"]), *errors])
