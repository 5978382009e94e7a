"""The budgets: how many trials run at a time, in all, and may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.exceptions import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_katib_provider.experiment.spec import ExperimentSpec


def check_counts(spec: ExperimentSpec) -> Iterator[Problem]:
    """Check the three counts, each alone and against ``maxTrialCount``."""
    counts = {
        "parallelTrialCount": (spec.parallel_trial_count, 1),
        "maxTrialCount": (spec.max_trial_count, 1),
        "maxFailedTrialCount": (spec.max_failed_trial_count, 0),
    }
    for name, (count, least) in counts.items():
        if count is not None and count < least:
            yield Problem(f"spec.{name}", f"{count} is too small; write {least} or more")
    most = spec.max_trial_count
    if most is None or most < 1:
        return
    for name in ("parallelTrialCount", "maxFailedTrialCount"):
        count, _ = counts[name]
        if count is not None and count > most:
            yield Problem(f"spec.{name}", f"{count} is more than spec.maxTrialCount, which is {most}")
