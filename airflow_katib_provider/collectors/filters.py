"""Metric filters: what finds names and values of metrics in a line of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

Pairs = Iterable[tuple[str, str]]

Filter = Callable[[str], Pairs]
"""Takes a line and gives the names and values in it, from left to right."""

_GROUPS = 2

_SPACE = r"[ \t\n\f\r]*+"
_NUMBER = r"(?i:[+-]?(?:nan|inf(?:inity)?)\b)|[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?"
_PAIR = rf"([\w|-]++){_SPACE}={_SPACE}({_NUMBER}|)"
_FIRST = re.compile(rf"(?<![\w|-]){_PAIR}", re.ASCII)
_NEXT = re.compile(_PAIR, re.ASCII)


def assignments(line: str) -> Iterator[tuple[str, str]]:
    """Find ``name=value``: Katib's default filter, mended.

    Katib takes the value of ``loss=nan`` for empty; here every form in which programs print a number is one.
    What is no number still gives an empty value, so that it can be told from a metric that is missing. A
    name, as in Katib, consists of ASCII letters, digits, ``_``, ``-`` and ``|``, and may follow right upon a
    value.

    The time is linear in the length of the line: a name is tried from its first character only, and once.
    """
    match = _FIRST.search(line)
    while match:
        name, value = match.groups()
        yield name, value
        match = _NEXT.match(line, match.end()) or _FIRST.search(line, match.end())


def check_filter(pattern: str) -> str | None:
    """Say what is wrong with a filter of ``spec.metricsCollectorSpec.source.filter.metricsFormat``.

    :param pattern: a regular expression of the RE2 dialect, as in Katib; its first group is a metric's name,
        its second one the value.
    :return: ``None`` for a filter that can be used, else what to mend.
    """
    try:
        _compile(pattern)
    except ValueError as error:
        return str(error)
    return None


def compile_filters(patterns: Iterable[str]) -> tuple[Filter, ...]:
    """Return the filters of regular expressions; :func:`assignments` where there are none.

    :raises ValueError: if :func:`check_filter` finds fault with one of them.
    """
    return tuple(map(_compile, patterns)) or (assignments,)


def _compile(pattern: str) -> Filter:
    import re2

    options = re2.Options()
    options.log_errors = False  # or RE2 prints them to stderr besides raising
    try:
        # Of bytes, RE2 need not translate offsets; it still reads them as UTF-8.
        compiled = re2.compile(pattern.encode(), options)
    except re2.error as error:
        detail = error.args[0].decode(errors="replace")
        raise ValueError(f"{pattern!r} is not a regular expression of the RE2 syntax: {detail}") from error
    if compiled.groups < _GROUPS:
        raise ValueError(f"{pattern!r} has {compiled.groups} of the 2 groups it needs: (name), then (value)")

    def find(line: str) -> Iterator[tuple[str, str]]:
        for match in compiled.finditer(line.encode("utf-8", "replace")):
            name, value = match.groups(b"")[:_GROUPS]
            yield name.decode("utf-8", "replace").strip(), value.decode("utf-8", "replace").strip()

    return find
