"""A stand-in for a training program: reports a loss at each step, and misbehaves on request."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float, required=True)
parser.add_argument("--steps", type=int, default=2)
parser.add_argument("--seconds", type=float, default=0.2, help="time of one step")
parser.add_argument("--fail-above", type=float, default=float("inf"), help="exit with 3 where x is larger")
parser.add_argument("--nan-above", type=float, default=float("inf"), help="report nan where x is larger")
parser.add_argument("--hang-once", help="a file; where it is missing, make it and never end")
arguments = parser.parse_args()

print(f"trial {os.environ['KATIB_TRIAL_NAME']} with x={arguments.x}")
for step in range(1, arguments.steps + 1):
    time.sleep(arguments.seconds)
    loss = (arguments.x - 3) ** 2 + 1 / step
    print(
        f"step={step} loss={'nan' if arguments.x > arguments.nan_above else loss} accuracy={1 / (1 + loss)}"
    )
if arguments.hang_once and not os.path.exists(arguments.hang_once):
    with open(arguments.hang_once, "w") as file:
        file.write(str(os.getpid()))
    signal.pause()
if arguments.x > arguments.fail_above:
    print("x is too large for this model", file=sys.stderr)
    sys.exit(3)
