"""Triggers that watch the store, so that waiting occupies no worker."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_katib_provider.hooks.katib import KatibHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class StoreTrigger(BaseTrigger):
    """Looks at an experiment in the store until something is true of it, or the deadline has passed.

    :param katib_conn_id: the connection of the store.
    :param experiment_id: the experiment's id in the store.
    :param deadline: when to give up, in seconds since the epoch: it holds across restarts of the triggerer.
    :param poll_interval: seconds between two looks. The first look comes after one interval, because Airflow
        may mistake a trigger that fires at once for a failed task.
    """

    def __init__(
        self, *, katib_conn_id: str, experiment_id: int, deadline: float, poll_interval: float = 5.0
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.katib_conn_id = katib_conn_id
        self.experiment_id = experiment_id
        self.deadline = deadline
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments that make this trigger again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "katib_conn_id": self.katib_conn_id,
            "experiment_id": self.experiment_id,
            "deadline": self.deadline,
            "poll_interval": self.poll_interval,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: whether what was waited for came true before the deadline."""
        hook = KatibHook(self.katib_conn_id)
        came_true = False
        while not came_true and time.time() < self.deadline:
            await asyncio.sleep(self.poll_interval)
            came_true = await asyncio.to_thread(self.is_true, hook)
        yield TriggerEvent({"came_true": came_true})  # type: ignore[no-untyped-call]

    @abstractmethod
    def is_true(self, hook: KatibHook) -> bool:
        """Look once. Runs in a thread; never on the event loop."""


class ObservationsTrigger(StoreTrigger):
    """Waits until no trial of the experiment is created or running any more."""

    def is_true(self, hook: KatibHook) -> bool:
        """Look once."""
        return hook.active_trials(self.experiment_id) == 0


class TurnTrigger(StoreTrigger):
    """Waits until a slot may ask for its trial: one more trial has ended, or the experiment is decided.

    :param finished: how many trials had ended when the slot began to wait.
    """

    def __init__(self, *, finished: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.finished = finished

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments that make this trigger again."""
        path, arguments = super().serialize()
        return path, {**arguments, "finished": self.finished}

    def is_true(self, hook: KatibHook) -> bool:
        """Look once."""
        return hook.has_turned(self.experiment_id, self.finished)
