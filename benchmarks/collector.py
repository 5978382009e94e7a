"""Lines a second of the text parser beside a bare ``re.findall`` loop; rows a second into the stores.

Run ``python -m benchmarks.collector``.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from airflow_katib_provider.collectors.lines import LineAssembler
from airflow_katib_provider.collectors.text import TextParser
from benchmarks.store_rows import rows_per_second
from devtools.databases import postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable

METRICS = ("loss", "accuracy")
KATIB_FILTER = r"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)"
CHUNK_BYTES = 1 << 16
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def generated_log(lines: int, every: int) -> list[str]:
    """Return a training log in which every so many lines report metrics."""
    return [
        f"2026-01-31T12:00:00Z INFO epoch={number} lr=0.001 loss={1 / (number + 1):.6f} accuracy=0.{number}"
        if number % every == 0
        else f"2026-01-31 12:00:00,123 INFO train.py:88 step {number}: 64 samples in 0.012 s, queue 17 of 32"
        for number in range(lines)
    ]


def findall(log: list[str]) -> int:
    pattern = re.compile(KATIB_FILTER, re.ASCII)
    return sum(name in METRICS for line in log for name, *_ in pattern.findall(line))


def parser(log: list[str]) -> int:
    feed = TextParser(METRICS).feed
    return sum(len(feed(line, NOW)) for line in log)


def parser_from_bytes(output: bytes) -> int:
    lines, feed = LineAssembler(), TextParser(METRICS).feed
    chunks = (output[start : start + CHUNK_BYTES] for start in range(0, len(output), CHUNK_BYTES))
    return sum(len(feed(line, NOW)) for chunk in chunks for line in lines.feed(chunk))


def seconds(work: Callable[[], int], expected: int, repeats: int = 3) -> float:
    """Return the least CPU time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        found = work()
        times.append(time.process_time() - start)
        if found != expected:
            raise SystemExit(f"found {found} metrics in place of {expected}")
    return min(times)


def print_parsing(lines: int) -> None:
    titles = ("lines with metrics", "re.findall", "parser", "ratio", "from bytes")
    print("{:>20} {:>12} {:>12} {:>7} {:>12}   (lines/s of CPU)".format(*titles))
    for every in (1000, 100, 10, 1):
        log = generated_log(lines, every)
        output = "\n".join([*log, ""]).encode()
        expected = len(METRICS) * len(log[::every])
        bare = lines / seconds(partial(findall, log), expected)
        ours = lines / seconds(partial(parser, log), expected)
        whole = lines / seconds(partial(parser_from_bytes, output), expected)
        print(f"{f'1 in {every}':>20} {bare:12,.0f} {ours:12,.0f} {ours / bare:7.2f} {whole:12,.0f}")


def print_storing() -> None:
    print(f"\n{'store':>20} {'rows added':>12}   (rows/s of wall time)")
    with tempfile.TemporaryDirectory() as directory:
        print(f"{'SQLite':>20} {rows_per_second(f'sqlite:///{directory}/katib.db').added:12,.0f}")
    with postgres_server(durable=True) as url:
        print(f"{'PostgreSQL':>20} {rows_per_second(url).added:12,.0f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, default=100_000, help="lines of the generated log")
    arguments.add_argument("--no-stores", action="store_true", help="measure the parser alone")
    options = arguments.parse_args()
    print_parsing(options.lines)
    if not options.no_stores:
        print_storing()


if __name__ == "__main__":
    main()
