"""A whole network on compiled machines, each product layer held against the golden model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden, host
from lutra_model.latency import latency
from lutra_model.network import Network, Product
from lutra_model.params import Array
from lutra_model.schedule import Schedule

from .compiled import CompiledMachine, build
from .library import Progress

__all__ = ["LayerRun", "NetworkRun", "machines_for", "simulate"]

Int8 = NDArray[np.int8]


@dataclass
class LayerRun:
    """One product layer over all runs.

    Parameters
    ----------
    scheme : the layer's scheme.
    schedule : the layer cut for its machine, of the first run.
    predicted, simulated : cycles of each run, by the latency model and by the machine.
    bit_exact : whether every output of every run equals the golden model's.
    """

    name: str
    scheme: str
    schedule: Schedule
    predicted: list[int] = field(default_factory=list)
    simulated: list[int] = field(default_factory=list)
    bit_exact: bool = True


@dataclass
class NetworkRun:
    """A network's outputs as the machines computed them, and what each product layer took."""

    outputs: Int8
    layers: dict[str, LayerRun] = field(default_factory=dict)

    @property
    def bit_exact(self) -> bool:
        """Whether every layer of every input equals the golden model."""
        return all(layer.bit_exact for layer in self.layers.values())

    @property
    def cycles_exact(self) -> bool:
        """Whether every layer of every run took as many cycles as the latency model says."""
        return all(layer.simulated == layer.predicted for layer in self.layers.values())

    def as_dict(self) -> dict[str, Any]:
        """Verdicts, and the cycles of the first run, as plain values."""
        layers = [{"name": layer.name, "scheme": layer.scheme, "runs": len(layer.simulated),
                   "predicted": layer.predicted[0], "simulated": layer.simulated[0], "bit_exact": layer.bit_exact}
                  for layer in self.layers.values()]
        return {"bit_exact": self.bit_exact, "cycles_exact": self.cycles_exact, "layers": layers,
                "cycles": {view: sum(layer[view] for layer in layers) for view in ("predicted", "simulated")}}


def machines_for(network: Network, arrays: Mapping[str, Array], *, cache: Path | None = None,
                 progress: Progress | None = None) -> dict[str, CompiledMachine]:
    """A compiled machine for each scheme that the network's product layers use.

    ``arrays`` gives each scheme's array by its name: ``lut-nn`` and ``int8``.
    """
    machines = {}
    for scheme in dict.fromkeys(node.scheme for node in network.products):
        if scheme not in arrays:
            raise ValueError(f"network {network.name} needs an array for scheme {scheme}, "
                             f"there are arrays for {', '.join(arrays) or 'none'}")
        machines[scheme] = build(arrays[scheme], cache=cache, progress=progress)
    return machines


def _product(node: Product, x: Int8, array: Array, machine: CompiledMachine, run: NetworkRun) -> Int8:
    """One product layer on its machine, added to the run's account."""
    columns = golden.windows(x, node.window)
    schedule = Schedule(node.layer(columns.shape[1]), array)
    done = machine.run(host.pack(schedule, node, columns), beats=schedule.layer.rows * schedule.column_tiles)
    y = host.unpack(schedule, done.beats).reshape(len(x), *node.shape(x.shape[1:]))
    account = run.layers.setdefault(node.name, LayerRun(node.name, node.scheme, schedule))
    account.predicted.append(latency(schedule).cycles)
    account.simulated.append(done.cycles)
    account.bit_exact &= bool(np.array_equal(y, golden.evaluate(node, x)))
    return y


def _forward(network: Network, x: Int8, arrays: Mapping[str, Array], machines: Mapping[str, CompiledMachine],
             run: NetworkRun) -> Int8:
    values = {"input": x}
    for node in network.nodes:
        inputs = [values[name] for name in node.inputs]
        if isinstance(node, Product):
            values[node.name] = _product(node, inputs[0], arrays[node.scheme], machines[node.scheme], run)
        else:
            values[node.name] = golden.evaluate(node, *inputs)
    return values[network.nodes[-1].name]


def simulate(network: Network, x: NDArray[Any], arrays: Mapping[str, Array], *, batch: int = 1,
             machines: Mapping[str, CompiledMachine] | None = None, cache: Path | None = None,
             progress: Progress | None = None) -> NetworkRun:
    """Run a network on the machines: products in simulated hardware, the glue between them in the golden model.

    Each layer's input is what the machines made of the layers before it, so a wrong bit travels on as it would.

    Parameters
    ----------
    x : inputs, ``(count, *input_shape)``, as :func:`lutra_model.golden.quantise` takes them.
    arrays : the array of each scheme, ``lut-nn`` and ``int8``.
    batch : inputs in one run of a machine.
    machines : compiled machines of those arrays; built where not given.
    """
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    inputs = golden.quantise(network, x)
    if not len(inputs):
        raise ValueError("x must hold at least one input, not 0")
    machines = machines or machines_for(network, arrays, cache=cache, progress=progress)
    run = NetworkRun(outputs=np.zeros((0,), np.int8))
    parts = []
    for start in range(0, len(inputs), batch):
        parts.append(_forward(network, inputs[start:start + batch], arrays, machines, run))
        if progress:
            progress(f"simulating {network.name}", start + len(parts[-1]), len(inputs))
    run.outputs = np.concatenate(parts)
    return run
