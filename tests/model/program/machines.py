"""Machines that hold a whole network, and the check of a program on one."""

from pathlib import Path
from typing import Any

import numpy as np

from lutra_model import golden
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.program import Program, compile_network
from tests.model.programs import interpret

__all__ = ["LOOKUP", "MAC", "NETWORKS", "check"]

NETWORKS = Path(__file__).parents[3] / "lutra" / "networks"
LARGE: dict[str, Any] = {"activation_words": 1 << 15, "table_words": 1 << 14, "codebook_words": 1 << 14,
                         "program_words": 1 << 12, "codebooks": 4608}
LOOKUP = [Array(**LARGE), Array(encoders=1, **LARGE), Array(rows=8, columns=4, encoders=2, word=1, fill=4, **LARGE),
          Array(encoders=16, fill=2, block_rows=50, **LARGE), Array(rows=12, columns=6, encoders=6, lanes=30, **LARGE)]
MAC = [Array.mac(**LARGE), Array.mac(rows=8, columns=4, encoders=2, fill=1, word=2, block_rows=33, **LARGE)]


def check(network: Network, array: Array, *, seed: int = 0, resident: bool | None = None, count: int = 2) -> Program:
    x = np.random.default_rng(seed).integers(-128, 128, (count, *network.input_shape), np.int8)
    program = compile_network(network, array, resident=resident)
    np.testing.assert_array_equal(interpret(program, x), golden.outputs(network, x))
    return program
