"""Activity: how many of the bits that a component is given are others than the time before."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import parse_json, read_text

__all__ = ["FORMAT", "PORTS", "Activity", "NetworkActivity", "OperationActivity", "Toggles", "load", "parse", "toggled"]

Toggles = Mapping[str, Mapping[str, float]]  # by engine and component, of one bit at an event
FORMAT = "lutra-activity-1"
PORTS = {  # what is watched, ``component.port``; components are those of a bill
    "gather.words": "words on their way from activation memory",
    "encoder.data": "sub-vectors (or scalars) that come to an encoder",
    "codebooks.words": "codebook words on their way into an encoder",
    "index.written": "symbols written into the index memory",
    "index.read": "index words read",
    "cells.symbols": "what all rows of cells are told",
    "cells.operands": "activations at the multipliers",
    "tables.entries": "table entries made of activations",
    "adds.terms": "what a column's cells hand to its adder tree",
    "adds.sums": "a column's sum over the rows, of merged multipliers",
    "fill.words": "table words (or weights) on their way into cells",
    "fill.codes": "codes of weights that select entries for all columns",
    "accumulators.sums": "sums that are added to accumulators",
    "accumulators.totals": "what accumulators then hold",
    "pool.words": "words that come to the pool's tree",
    "finisher.results": "results that finishers hand on",
    "functions.results": "results of the finishers' function units",
    "functions.words": "words that come to the row unit",
    "add.results": "results that come to the add stage",
    "add.residuals": "residuals that come there",
    "activations.written": "results on their way to activation memory or stream",
}


def toggled(words: Iterable[int]) -> int:
    """Bits in which neighbours of a sequence of words differ.

    >>> toggled([0b00, 0b01, 0b10, 0b10])
    3
    """
    return sum((a ^ b).bit_count() for a, b in pairwise(words))


@dataclass(frozen=True)
class Activity:
    """Toggles of an operation, or of several.

    Parameters
    ----------
    ports : for each port that was given anything: bits given (with a time before to compare with), and how many of
        them were others than that time.
    """

    ports: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> "Activity":
        """From bits and toggles of each of ``PORTS``, ``(ports, 2)``."""
        return cls({name: (int(bits), int(changed)) for name, (bits, changed) in zip(PORTS, counts, strict=True)
                    if bits})

    def __add__(self, other: "Activity") -> "Activity":
        nothing = (0, 0)
        pairs = ((name, self.ports.get(name, nothing), other.ports.get(name, nothing)) for name in PORTS)
        return Activity({name: (a[0] + b[0], a[1] + b[1]) for name, a, b in pairs if a[0] + b[0]})

    @property
    def rates(self) -> dict[str, float]:
        """Toggles of a bit given, 0 to 1, by component: over all its ports."""
        sums: dict[str, tuple[int, int]] = {}
        for name, (bits, changed) in self.ports.items():
            before = sums.get(component := name.partition(".")[0], (0, 0))
            sums[component] = before[0] + bits, before[1] + changed
        return {component: changed / bits for component, (bits, changed) in sums.items()}


@dataclass(frozen=True)
class OperationActivity:
    """One operation of a network.

    Parameters
    ----------
    name, node, kind : of the operation; the network's node that it computes.
    engine : of the machine that it ran on.
    """

    name: str
    node: str
    kind: str
    engine: str
    activity: Activity


@dataclass(frozen=True)
class NetworkActivity:
    """A network's toggles, operation by operation.

    Parameters
    ----------
    network, inputs : whose, and of how many inputs.
    """

    network: str
    inputs: int
    operations: tuple[OperationActivity, ...]

    @property
    def total(self) -> dict[str, Activity]:
        """Of all operations on a machine, by its engine."""
        sums: dict[str, Activity] = {}
        for item in self.operations:
            sums[item.engine] = sums.get(item.engine, Activity()) + item.activity
        return sums

    @property
    def toggles(self) -> Toggles:
        """Toggles of a bit given by component, by engine: what prices follow."""
        return {engine: activity.rates for engine, activity in self.total.items()}

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"format": FORMAT, "network": self.network, "inputs": self.inputs,
                "operations": [asdict(item) | {"activity": {name: list(pair)
                                                            for name, pair in item.activity.ports.items()}}
                               for item in self.operations]}


def _is_pair(value: Any) -> bool:
    return (isinstance(value, list) and len(value) == 2 and all(type(number) is int for number in value)
            and 0 <= value[1] <= value[0] > 0)


def _operation(where: str, data: Any) -> OperationActivity:
    names = ("name", "node", "kind", "engine")
    if not isinstance(data, dict) or set(data) != {*names, "activity"} or not isinstance(data["activity"], dict):
        raise ValueError(f"{where} must have exactly {', '.join(names)} and activity, an object")
    for name in names:
        if not isinstance(data[name], str):
            raise ValueError(f"{where}: {name} must be a text, not {json.dumps(data[name])}")
    for port, pair in data["activity"].items():
        if port not in PORTS:
            raise ValueError(f"{where}: port {port} is not known; known are {', '.join(PORTS)}")
        if not _is_pair(pair):
            raise ValueError(f"{where}: {port} must be [bits, toggles], at least 1 bit and no more toggles than bits, "
                             f"not {json.dumps(pair)}")
    activity = Activity({port: (pair[0], pair[1]) for port, pair in data["activity"].items()})
    return OperationActivity(data["name"], data["node"], data["kind"], data["engine"], activity)


def parse(text: str, file: str) -> NetworkActivity:
    """From JSON; ``file`` names it in error messages."""
    data = parse_json(text, file, FORMAT)
    network, inputs, operations = (data.get(name) for name in ("network", "inputs", "operations"))
    if not isinstance(network, str) or type(inputs) is not int or inputs < 1 or not isinstance(operations, list):
        raise ValueError(f"{file}: network must be a text, inputs a number of at least 1, operations a list")
    return NetworkActivity(network, inputs, tuple(_operation(f"{file}: operation {number}", item)
                                                  for number, item in enumerate(operations)))


def load(path: str | Path) -> NetworkActivity:
    """From a file that ``lutra simulate --activity`` wrote."""
    return parse(read_text(path, "activity file"), str(path))
