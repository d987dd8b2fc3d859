"""One case of a test: a machine, a layer, its data and its stalls, all from numbers that fit a test's name."""

import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden, host
from lutra_model.latency import Latency, latency
from lutra_model.network import Product
from lutra_model.params import Array, Engine, Layer, Metric
from lutra_model.schedule import Schedule

__all__ = ["DATA", "VARIABLE", "Case", "cases_from_environment", "environment"]

DATA = ("random", "ties", "edges", "low", "high")
VARIABLE = "LUTRA_CASES"  # carries cases into the simulator's process

BIAS = (-(2**31), 2**31 - 1)
MULTIPLIER = 2**16 - 1


@dataclass(frozen=True, kw_only=True)
class Case:
    """One layer on one machine.

    Parameters
    ----------
    data : ``random`` spreads the outputs over int8, ``ties`` makes many centroids equally near, ``edges`` takes
        every number from the ends of its range, ``low`` and ``high`` take one end for all of them.
    seed : of the data.
    stalls : seed of the stalls of the four stream ends, or None for no stalls.
    activation_period, table_period : cycles from one input beat to the next, without stalls.
    """

    array: Array
    layer: Layer
    data: str = "random"
    seed: int = 0
    stalls: int | None = None
    activation_period: int = 1
    table_period: int = 1

    def __post_init__(self) -> None:
        if self.data not in DATA:
            raise ValueError(f"data must be one of {', '.join(DATA)}, not {self.data}")

    def __str__(self) -> str:
        array, layer = self.array, self.layer
        shape = f"{array.engine}-{array.rows}x{array.columns}-e{array.encoders}"
        work = f"m{layer.rows}-k{layer.codebooks}-n{layer.columns}-v{layer.length}-c{layer.entries}"
        flow = f"p{self.activation_period}.{self.table_period}" if self.stalls is None else f"stalls{self.stalls}"
        return f"{shape}-{work}-{self.data}{self.seed}-{flow}"

    @cached_property
    def schedule(self) -> Schedule:
        """The layer cut for the machine."""
        return Schedule(self.layer, self.array)

    def _int8(self, stream: int, *shape: int) -> NDArray[np.int8]:
        rng = np.random.default_rng((self.seed, stream))
        choices = {"ties": (-1, 0, 1), "edges": (-128, 127), "low": (-128,), "high": (127,)}
        if self.data == "random" or (self.data == "ties" and stream == 3):
            return rng.integers(-128, 128, shape, np.int8)
        return rng.choice(np.array(choices[self.data], np.int8), shape)

    @cached_property
    def columns(self) -> NDArray[np.int8]:
        """Activations ``(reduction, rows)``."""
        return self._int8(1, self.layer.reduction, self.layer.rows)

    def _finisher(self) -> dict[str, Any]:
        rng, count = np.random.default_rng((self.seed, 4)), self.layer.columns
        match self.data:
            case "edges":
                return {"bias": rng.choice(np.array([*BIAS, 0, -1]), count),
                        "multiplier": rng.choice(np.array([0, 1, MULTIPLIER]), count),
                        "shift": rng.choice(np.array([1, 2, 31, 32, 48, 63]), count)}
            case "low":
                return {"bias": np.full(count, BIAS[0]), "multiplier": np.full(count, MULTIPLIER),
                        "shift": np.where(np.arange(count) % 2, 63, 1)}
            case "high":
                return {"bias": np.full(count, BIAS[1]), "multiplier": np.full(count, MULTIPLIER),
                        "shift": np.where(np.arange(count) % 2, 1, 41)}
        spread = int(74 * self.layer.codebooks**0.5) * (74 if self.layer.is_dense else 1)
        return {"bias": rng.integers(-spread, spread + 1, count), "multiplier": rng.integers(2**15, 2**16, count),
                "shift": spread.bit_length() + 10 + rng.integers(-1, 3, count)}

    @cached_property
    def node(self) -> Product:
        """The layer with its numbers."""
        layer, rng = self.layer, np.random.default_rng((self.seed, 5))
        centroids = None if layer.is_dense else self._int8(2, layer.codebooks, layer.entries, layer.length)
        low, high = (-128, 127) if self.seed % 2 == 0 else sorted(rng.integers(-128, 128, 2).tolist())
        return Product(name=layer.name, inputs=("input",), scale=1.0, low=low, high=high, centroids=centroids,
                       table=self._int8(3, layer.codebooks, layer.entries, layer.columns),
                       metric=self.array.metric, table_scale=np.ones(layer.columns), reduction=layer.reduction,
                       **self._finisher())

    @cached_property
    def traffic(self) -> host.Traffic:
        """What the host sends."""
        return host.pack(self.schedule, self.node, self.columns)

    @property
    def predicted(self) -> Latency:
        """What the latency model says of the layer without stalls."""
        return latency(self.schedule, activation_period=self.activation_period, table_period=self.table_period)

    @property
    def beats(self) -> int:
        """Output beats."""
        return self.layer.rows * self.schedule.column_tiles

    @cached_property
    def expected(self) -> NDArray[np.int8]:
        """What the golden model says, ``(rows, columns)``."""
        return golden.finish(self.node, golden.accumulate(self.node, self.columns))


def environment(cases: list[Case]) -> dict[str, str]:
    """The variable that carries cases into the simulator's process."""
    return {VARIABLE: json.dumps([asdict(case) for case in cases])}


def _case(fields: dict[str, Any]) -> Case:
    array = fields["array"]
    array |= {"engine": Engine(array["engine"]), "metric": Metric(array["metric"])}
    return Case(**{**fields, "array": Array(**array), "layer": Layer(**fields["layer"])})


def cases_from_environment() -> list[Case]:
    """The cases that :func:`environment` wrote."""
    return [_case(fields) for fields in json.loads(os.environ[VARIABLE])]
