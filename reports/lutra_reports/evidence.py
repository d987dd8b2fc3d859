"""Evidence: the golden model on all images, the RTL on the first ones, and whether every bit agrees."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from lutra_model import golden
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_sim.network import simulate
from numpy.typing import NDArray

__all__ = ["Progress", "accuracy_of", "simulated"]

Progress = Callable[[str, int, int], None]


def accuracy_of(network: Network, images: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of the images that the golden model classifies as labelled."""
    return float((golden.classify(network, images) == labels).mean())


def simulated(network: Network, images: NDArray[Any], arrays: Mapping[str, Array],
              progress: Progress | None = None) -> dict[str, Any]:
    """Run images on the compiled RTL; per layer the cycles of one input, and whether all bits are golden's.

    The network's outputs, too, are compared with the golden model of the whole network.
    """
    found = simulate(network, images, arrays, progress=progress)
    expected = golden.run(network, images)[network.nodes[-1].name]
    data: dict[str, Any] = found.as_dict()
    whole = bool(np.array_equal(found.outputs, expected))
    return {"network": network.name, "images": len(images), "bit_exact": bool(data["bit_exact"]) and whole,
            "cycles": {"predicted": data["cycles"]["predicted"], "simulated": data["cycles"]["simulated"]},
            "layers": [{name: layer[name] for name in ("name", "predicted", "simulated", "bit_exact")}
                       for layer in data["layers"]]}
