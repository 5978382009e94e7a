"""Random numbers that follow from a seed alone, on any machine and for any version of a library."""

from __future__ import annotations

from random import Random

_SEED_BITS = 32


def generator(*key: int | str) -> Random:
    """Return a random number generator; different keys give unrelated numbers."""
    return Random(":".join(map(str, key)))


def library_seed(*key: int | str) -> int:
    """Return a seed for a library's own generator: 32 bits, which all of them take."""
    return generator(*key).getrandbits(_SEED_BITS)
