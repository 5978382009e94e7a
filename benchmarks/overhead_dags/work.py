"""Stand-in for a training run: takes the next of the agreed durations, sleeps, reports a loss."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

durations = [float(word) for word in os.environ["BENCHMARK_DURATIONS"].split()]
tickets = Path(sys.argv[1], os.environ["AIRFLOW_CTX_DAG_RUN_ID"])
tickets.mkdir(parents=True, exist_ok=True)
for number, seconds in enumerate(durations):
    try:
        (tickets / str(number)).mkdir()
    except FileExistsError:
        continue
    time.sleep(seconds)
    break
print(f"loss={sum(float(word) ** 2 for word in sys.argv[2:])}")
