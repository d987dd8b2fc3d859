"""What all schemes are compared on: a layer of random numbers, a trained model, or a workload known by its shapes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lutra_model
from lutra_model import calibrate, golden, netfile
from lutra_model.convert import convert
from lutra_model.graph import FloatGraph
from lutra_model.network import Network
from lutra_model.onelayer import OneLayer
from lutra_model.quality import errors
from lutra_model.schemes import Options
from lutra_model.workloads import Work, total_macs
from lutra_sim.library import cache_folder, cached
from lutra_sim.partial import fingerprint

__all__ = ["Subject", "layer_subject", "model_subject", "shape_subject"]

Progress = Callable[[str, int, int], None]
CALIBRATION_ROWS = 4096  # of a layer, at least


@cache
def _sources() -> str:
    """Text of every module that has a hand in a conversion."""
    folder = Path(lutra_model.__file__).parent
    return fingerprint(*(path.read_bytes() for path in sorted(folder.rglob("*.py"))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """Something to compute in every scheme.

    Parameters
    ----------
    kind : ``layer``, ``model`` or ``workload``. facts : what a report says of it.
    graph, calibration : what converters take; None of a workload, which has shapes (``works``) only.
    inputs : float inputs that networks are judged and simulated on, as networks take them.
    expected : the float model's outputs for them, in the networks' layout. labels : their classes, or None.
    trained : networks that need no conversion, by what is special about them.
    """

    kind: str
    name: str
    facts: dict[str, Any]
    graph: FloatGraph | None = None
    calibration: NDArray[Any] | None = None
    inputs: NDArray[Any] | None = None
    expected: NDArray[Any] | None = None
    labels: NDArray[Any] | None = None
    works: tuple[Work, ...] = ()
    trained: Mapping[str, Network] = field(default_factory=dict)

    def network(self, scheme: str, options: Options, progress: Progress | None = None) -> Network:
        """Converted to a scheme; kept for the next time, as long as model, data, options and converters are the same.

        Raises ``ValueError`` where the scheme refuses a layer.
        """
        graph, calibration = self.graph, self.calibration
        if graph is None or calibration is None:
            raise ValueError(f"{self.name} is known by its shapes only, it cannot be converted")
        parts = [graph.model.SerializeToString(), calibration, scheme, repr(options), _sources()]

        def make(folder: Path) -> None:
            network = convert(graph, calibration, scheme=scheme, name=f"{graph.name}-{scheme}", progress=progress,
                              **vars(options))
            netfile.save(network, folder / "network.lutra")

        return netfile.load(cached(cache_folder(), f"network-{fingerprint(*parts)[:32]}", make) / "network.lutra")

    def quality(self, network: Network | None) -> dict[str, Any]:
        """``error`` against the float model; of a classifier, ``accuracy`` and ``agreement`` with the float classes."""
        if network is None or self.inputs is None or self.expected is None:
            return {"error": None, "accuracy": None, "agreement": None}
        found = golden.outputs(network, self.inputs)
        error = errors(found, network.nodes[-1].scale, self.expected.reshape(found.shape))
        if self.kind != "model" or found.ndim != 2:
            return {"error": error, "accuracy": None, "agreement": None}
        classes = found.argmax(axis=1)
        return {"error": error, "agreement": float((classes == self.expected.argmax(axis=1)).mean()),
                "accuracy": None if self.labels is None else float((classes == self.labels).mean())}


def layer_subject(rows: int, reduction: int, columns: int, *, images: int = 1, seed: int = 0) -> Subject:
    """A layer of seeded random numbers, judged on so many inputs that no calibration has seen."""
    layer = OneLayer(rows, reduction, columns, seed)
    inputs = layer.images(layer.activations(images))
    count = -(-CALIBRATION_ROWS // rows)
    facts = layer.facts() | {"calibration_rows": count * rows, "judged_on_inputs": images,
                             "macs": rows * reduction * columns}
    return Subject(kind="layer", name=layer.name, facts=facts, graph=layer.graph,
                   calibration=layer.activations(count, draw=1), inputs=inputs, expected=layer.expected(inputs))


def model_subject(graph: FloatGraph, calibration: NDArray[Any], x: NDArray[Any], labels: NDArray[Any] | None = None,
                  trained: Mapping[str, Network] | None = None) -> Subject:
    """A trained model; ``calibration`` and ``x``, which it is judged on, are as the model takes them."""
    expected = graph.steps[-1].places.ours(calibrate.predict(graph, x))
    if labels is not None and labels.shape != (len(x),):
        raise ValueError(f"labels must have shape ({len(x)},), one class for each input, not {labels.shape}")
    facts: dict[str, Any] = {"calibration_inputs": len(calibration), "judged_on_inputs": len(x), **graph.source}
    if labels is not None:
        facts["float_accuracy"] = float((expected.reshape(len(x), -1).argmax(axis=1) == labels).mean())
    return Subject(kind="model", name=graph.name, facts=facts, graph=graph, calibration=calibration,
                   inputs=graph.places.ours(x.astype(np.float32)), expected=expected, labels=labels,
                   trained=trained or {})


def shape_subject(name: str, works: tuple[Work, ...]) -> Subject:
    """A workload without numbers: cycles, energy and area only."""
    return Subject(kind="workload", name=name, facts={"steps": len(works), "macs": total_macs(works)}, works=works)
