"""What a simulated network gave, and whether the models agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.activity import PORTS, Activity, NetworkActivity, OperationActivity
from lutra_model.latency import NetworkLatency

from .stages import Stage

__all__ = ["NetworkRun", "OperationRun"]

Found = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class OperationRun:
    """One operation of the first input's run.

    Parameters
    ----------
    name, node, kind : of the operation; the network's node that it computes.
    predicted, simulated : cycles from the end of the operation before it to its own end, by the latency model and by
        the machine; the latter None where a machine does not show them.
    binding : what bounds it, by the latency model.
    """

    name: str
    node: str
    kind: str
    predicted: int
    simulated: int | None
    binding: str


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkRun:
    """A network's outputs as the machines computed them, and what they took.

    Parameters
    ----------
    outputs, expected : int8 ``(count, *output_shape)``, of the machines and of the golden model.
    operations : of the first input.
    predicted, simulated : cycles of all RUN commands, ``(commands,)``, by the latency model and by the machines.
    steps_exact : whether all operations of all inputs that could be seen started and ended in the cycles predicted.
    host : nodes that the golden model computed.
    activity : of all inputs; without ports where the machines do not count.
    seconds, fresh : time that the machines took for so many of the inputs; the others' results were kept from before.
    """

    outputs: NDArray[np.int8]
    expected: NDArray[np.int8]
    operations: tuple[OperationRun, ...]
    predicted: NDArray[np.int64]
    simulated: NDArray[np.int64]
    steps_exact: bool
    host: tuple[str, ...]
    activity: tuple[OperationActivity, ...]
    seconds: float = 0.0
    fresh: int = 0

    @classmethod
    def of(cls, cut: Sequence[Stage], sizes: list[int], found: list[Found], expected: NDArray[np.int8], *,
           table_period: int = 1, **timing: Any) -> "NetworkRun":
        """From the batches' results, in their order; ``sizes`` are their numbers of inputs."""
        machines = [stage for stage in cut if stage.program]
        predicted = {size: [stage.latency(size, table_period) for stage in machines] for size in set(sizes)}
        return cls(outputs=np.concatenate([batch["outputs"] for batch in found]), expected=expected,
                   operations=tuple(_operations(machines, predicted[sizes[0]], found[0])),
                   predicted=np.array([latency.cycles for size in sizes for latency in predicted[size]], np.int64),
                   simulated=np.concatenate([batch["cycles"] for batch in found]),
                   steps_exact=all(_steps_exact(predicted[size], batch)
                                   for size, batch in zip(sizes, found, strict=True)),
                   host=tuple(stage.nodes[0].name for stage in cut if not stage.program),
                   activity=tuple(_activity(machines, np.sum([batch["toggles"] for batch in found], axis=0))), **timing)

    @property
    def bit_exact(self) -> bool:
        """Whether every output equals the golden model's."""
        return bool(np.array_equal(self.outputs, self.expected))

    @property
    def cycles_exact(self) -> bool:
        """Whether every RUN command took as many cycles as predicted, in steps as predicted."""
        return self.steps_exact and bool(np.array_equal(self.predicted, self.simulated))

    def network_activity(self, name: str) -> NetworkActivity:
        """Toggles of the network of that name."""
        return NetworkActivity(name, len(self.outputs), self.activity)

    def as_dict(self) -> dict[str, Any]:
        """Verdicts and cycles as plain values; ``cycles`` are those of the first input."""
        layers = [vars(operation) for operation in self.operations]
        cycles = {view: sum(layer[view] or 0 for layer in layers) for view in ("predicted", "simulated")}
        images, total = len(self.outputs), int(self.simulated.sum())
        speed = self.fresh / self.seconds if self.fresh else None
        return {"bit_exact": self.bit_exact, "cycles_exact": self.cycles_exact, "images": images,
                "cycles": cycles, "host": list(self.host), "layers": layers,
                "all_cycles": {"predicted": int(self.predicted.sum()), "simulated": total},
                "images_per_s": speed, "cycles_per_s": speed and speed * total / images}


def _steps_exact(predicted: Sequence[NetworkLatency], batch: Found) -> bool:
    """Whether the operations of a batch that can be seen start and end when predicted."""
    operations = [operation for latency in predicted for operation in latency.operations]
    return all(not len(batch[what]) or batch[what].tolist() == [getattr(operation, key) for operation in operations]
               for what, key in [("starts", "start"), ("dones", "done")])


def _activity(machines: Sequence[Stage], counts: NDArray[np.int64]) -> Iterator[OperationActivity]:
    """Each operation's toggles, stage by stage; a part that runs for several heads has one for all of them."""
    rest = counts.reshape(-1, len(PORTS), 2)
    for stage in machines:
        assert stage.program is not None
        engine = stage.program.array.engine
        for operation, node, mine in zip(stage.program.operations, stage.program.nodes, rest, strict=False):
            yield OperationActivity(operation.name, node, operation.kind.name.lower(), engine, Activity.of(mine))
        rest = rest[len(stage.program.nodes):]



def _operations(machines: Sequence[Stage], predicted: Sequence[NetworkLatency], first: Found) -> Iterator[OperationRun]:
    """Operations of the first input, stage by stage; the clock begins anew with each."""
    dones = first["dones"]
    for stage, latency in zip(machines, predicted, strict=True):
        assert stage.program is not None
        nodes = stage.program.nodes * stage.runs
        seen, dones = dones[:len(nodes)], dones[len(latency.operations):]
        cycles = np.diff(seen, prepend=-1).tolist() if len(seen) else [None] * len(nodes)
        for expected, node, simulated in zip(latency.operations, nodes, cycles, strict=False):
            yield OperationRun(name=expected.name, node=node, kind=expected.kind.name.lower(),
                               predicted=expected.cycles, simulated=simulated, binding=expected.binding)
