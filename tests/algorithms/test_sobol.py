from __future__ import annotations

from tests.algorithms.contract import AlgorithmContract


class TestSobolContract(AlgorithmContract):
    algorithm = "sobol"
