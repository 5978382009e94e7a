"""Random search."""

from __future__ import annotations

from tests.algorithms.contract import AlgorithmContract


class TestRandomContract(AlgorithmContract):
    algorithm = "random"
