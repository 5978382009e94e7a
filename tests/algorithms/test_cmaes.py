from __future__ import annotations

from tests.algorithms.contract import AlgorithmContract


class TestCmaEsContract(AlgorithmContract):
    algorithm = "cmaes"
    fewest_parameters = 2
