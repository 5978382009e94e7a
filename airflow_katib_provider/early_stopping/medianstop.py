"""The median stopping rule."""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING

from pydantic import Field

from airflow_katib_provider.early_stopping.base import EarlyStoppingRule, Stop
from airflow_katib_provider.experiment.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_katib_provider.experiment.spec import Objective


class MedianStopSettings(Settings):
    """The settings of ``medianstop``, by Katib's names and with its defaults.

    :param min_trials_required: how many succeeded trials must have come as far as the running one.
    :param start_step: the report from which on the rule is applied, counted from 1.
    """

    min_trials_required: int = Field(3, gt=0)
    start_step: int = Field(4, ge=1)


class MedianStop(EarlyStoppingRule[MedianStopSettings]):
    """Ends a trial whose best value is strictly worse than the median of what others had on average by then.

    The rule of Golovin et al., "Google Vizier: A Service for Black-Box Optimization" (KDD 2017), section 3.2:
    at step s, a trial is stopped if its best objective value so far is strictly worse than the median, over
    all completed trials, of the running average of the values they reported up to step s.

    Two things the paper leaves open. *Completed* are the trials that Succeeded, as Katib's own service takes
    it: the curve of a trial that was stopped early does not count. Of these, those that reported at least s
    values are compared with, so that every average is over the same steps; the others tell nothing of step s.
    """

    name = "medianstop"
    settings_type = MedianStopSettings

    def decide(
        self, objective: Objective, history: Sequence[Sequence[float]], current: Sequence[float]
    ) -> Stop | None:
        """Apply the rule at the latest report of the running trial."""
        step = len(current)
        if step < self.settings.start_step:
            return None
        averages = [fmean(curve[:step]) for curve in history if len(curve) >= step]
        if len(averages) < self.settings.min_trials_required:
            return None
        middle = median(averages)
        best = max(current) if objective.is_maximize else min(current)
        if not (best < middle if objective.is_maximize else best > middle):
            return None
        metric = objective.objective_metric_name
        return Stop(
            step,
            f"medianstop: at report {step} the best {metric} of this trial, {best:g}, is worse than "
            f"{middle:g}, the median of the averages that {len(averages)} succeeded trials had by then",
        )
