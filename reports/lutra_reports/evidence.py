"""Evidence: the golden model on all images, the RTL on the first ones, and whether every bit agrees."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_sim.network import check_layers, simulate

__all__ = ["Progress", "accuracy_of", "simulated"]

Progress = Callable[[str, int, int], None]


def accuracy_of(network: Network, images: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of the images that the golden model classifies as labelled."""
    return float((golden.classify(network, images) == labels).mean())


def simulated(network: Network, images: NDArray[Any], arrays: Mapping[str, Array],
              progress: Progress | None = None) -> dict[str, Any]:
    """Run images on the compiled RTL: cycles of one image, operation by operation, and whether all bits are golden's.

    Outputs of all images are compared; of the first one, the value of every node, by runs that end there.
    """
    found = simulate(network, images, arrays, progress=progress).as_dict()
    exact = check_layers(network, images[:1], arrays, progress=progress)
    layers = [{name: layer[name] for name in ("name", "node", "predicted", "simulated")}
              | {"bit_exact": exact.get(layer["node"], True)} for layer in found["layers"]]
    return {"network": network.name, "images": len(images), "bit_exact": found["bit_exact"] and all(exact.values()),
            "cycles_exact": found["cycles_exact"], "cycles": found["cycles"], "host": found["host"],
            "nodes_checked": len(exact), "layers": layers}
