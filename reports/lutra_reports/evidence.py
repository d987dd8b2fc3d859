"""Evidence: the golden model on all images, the RTL on the first ones, and whether every bit agrees."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_sim.network import simulate

__all__ = ["Progress", "accuracy_of", "simulated"]

Progress = Callable[[str, int, int], None]


def accuracy_of(network: Network, images: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of the images that the golden model classifies as labelled."""
    return float((golden.classify(network, images) == labels).mean())


def simulated(network: Network, images: NDArray[Any], arrays: Mapping[str, Array],
              progress: Progress | None = None) -> dict[str, Any]:
    """Run images on the compiled RTL, one after the other: cycles of one image, and whether all bits are golden's.

    The network's outputs, too, are compared with the golden model of the whole network.
    """
    found = simulate(network, images, arrays, progress=progress)
    expected = golden.run(network, images)[network.nodes[-1].name]
    data = found.as_dict()
    return {"network": network.name, "images": len(images),
            "bit_exact": data["bit_exact"] and bool(np.array_equal(found.outputs, expected)),
            "cycles_exact": data["cycles_exact"], "cycles": data["cycles"],
            "layers": [{name: layer[name] for name in ("name", "predicted", "simulated", "bit_exact")}
                       for layer in data["layers"]]}
