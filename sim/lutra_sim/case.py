"""One case of a test: a machine, a network with its inputs, and how the streams flow."""

import os
import pickle
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.latency import NetworkLatency, network_latency
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.program import Program, compile_network

__all__ = ["DATA", "VARIABLE", "Case", "cases_from_environment", "environment"]

DATA = ("random", "ties", "edges", "low", "high")
VARIABLE = "LUTRA_CASES"  # names the file that carries cases into the simulator's process


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One network on one machine.

    Parameters
    ----------
    inputs : int8 ``(count, *input_shape)``.
    resident, gather : as `compile_network` takes them.
    seed : that the case was made from, for its name.
    stalls : seed of the stalls of the four stream ends, or None for no stalls.
    activation_period, table_period : cycles from one input beat to the next, without stalls.
    """

    array: Array
    network: Network
    inputs: NDArray[np.int8]
    resident: bool | None = None
    gather: bool | None = None
    seed: int = 0
    stalls: int | None = None
    activation_period: int = 1
    table_period: int = 1

    def __str__(self) -> str:
        array = self.array
        flow = f"p{self.activation_period}.{self.table_period}" if self.stalls is None else f"stalls{self.stalls}"
        nodes = "-".join(node.name for node in self.network.nodes)
        place = "streamed" if self.resident is False else "resident"
        return (f"{array.engine}-{array.rows}x{array.columns}-e{array.encoders} seed{self.seed} {place} {flow} "
                f"x{len(self.inputs)} {nodes}")

    @cached_property
    def program(self) -> Program:
        """The network compiled for the machine."""
        return compile_network(self.network, self.array, resident=self.resident, gather=self.gather)

    @cached_property
    def latency(self) -> NetworkLatency:
        """What the latency model says of the case without stalls."""
        return network_latency(self.program.operations, self.array, runs=len(self.inputs),
                               activation_period=self.activation_period, table_period=self.table_period)

    @cached_property
    def expected(self) -> NDArray[np.int8]:
        """What the golden model says, int8 ``(count, *output_shape)``."""
        return golden.run(self.network, self.inputs)[self.network.nodes[-1].name]


def environment(cases: list[Case], folder: Path) -> dict[str, str]:
    """The variable that carries cases into the simulator's process; they are written into ``folder``."""
    path = folder / "cases.pickle"
    path.write_bytes(pickle.dumps(cases))
    return {VARIABLE: str(path)}


def cases_from_environment() -> list[Case]:
    """The cases that `environment` wrote."""
    cases: list[Case] = pickle.loads(Path(os.environ[VARIABLE]).read_bytes())
    return cases
