"""How far the experiments are: a table that is redrawn in a terminal, lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from quickstart.words import short, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from quickstart.tuning import Tuning

_BAR_WIDTH = 8


class Progress:
    """Shows experiments while they run; used in a ``with`` statement.

    :param console: where to. What is no terminal gets a line for each change.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._began = time.monotonic()
        self._printed: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, tunings: Sequence[Tuning]) -> None:
        """Show how the experiments stand now."""
        if self._live:
            self._live.update(progress_table(tunings), refresh=True)
            return
        for tuning in tunings:
            name, line = tuning.experiment.name, progress_line(tuning)
            if self._printed.get(name) != line:
                self._printed[name] = line
                seconds = time.monotonic() - self._began
                self._console.print(f"[{seconds:4.0f} s] {line}", markup=False, soft_wrap=True)


def progress_line(tuning: Tuning) -> str:
    """Return how an experiment stands, in one line."""
    counts, best = tuning.counts, tuning.best
    objective = tuning.experiment.objective.objective_metric_name
    found = f"best {objective} {value_text(best.value)} by {best.name}" if best else "none observed yet"
    total = tuning.experiment.max_trial_count
    return (
        f"{tuning.experiment.name}: {counts.completed} of {total} trials done, {counts.active} running, "
        f"{counts.failed} failed, {found}"
    )


def progress_table(tunings: Sequence[Tuning]) -> Table:
    """Return how all experiments stand, a row for each; they share their objective."""
    table = Table(box=None, pad_edge=False, header_style="underline")
    objectives = {tuning.experiment.objective.objective_metric_name for tuning in tunings}
    heading_of_best = " ".join(["Best", *objectives])
    for heading in ("Experiment", "Trials", "Done", "Running", "Failed", heading_of_best, "With"):
        table.add_column(heading, no_wrap=True)
    for tuning in tunings:
        counts, best = tuning.counts, tuning.best
        total = tuning.experiment.max_trial_count or counts.total
        table.add_row(
            tuning.experiment.name,
            ProgressBar(total=total, completed=counts.completed, width=_BAR_WIDTH),
            f"{counts.completed}/{total}",
            str(counts.active),
            f"[red]{counts.failed}[/]" if counts.failed else "0",
            f"[green]{value_text(best.value)}[/]" if best else "",
            ", ".join(short(value) for value in best.assignments.values()) if best else "",
        )
    return table
