"""Evidence: the golden model on all images, the RTL on the first ones, and whether every bit agrees."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.activity import NetworkActivity
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_sim.network import check_layers, machines_for, simulate
from lutra_sim.stages import stages

__all__ = ["Progress", "accuracy_of", "simulated"]

Progress = Callable[[str, int, int], None]


def accuracy_of(network: Network, images: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of the images that the golden model classifies as labelled."""
    return float((golden.classify(network, images) == labels).mean())


def simulated(network: Network, images: NDArray[Any], arrays: Mapping[str, Array],
              progress: Progress | None = None) -> tuple[dict[str, Any], NetworkActivity]:
    """Run images on the compiled RTL: cycles of one image, operation by operation, and whether all bits are golden's.

    Outputs of all images are compared; of the first one, the value of every node, by runs that end there. What the
    images' data do is counted.
    """
    run = simulate(network, images, arrays, activity=True, progress=progress)
    machines = machines_for(stages(network, arrays), activity=True, progress=progress)
    exact, found = check_layers(network, images[:1], arrays, machines=[machines], progress=progress), run.as_dict()
    layers = [{name: layer[name] for name in ("name", "node", "predicted", "simulated")}
              | {"bit_exact": exact.get(layer["node"], True)} for layer in found["layers"]]
    facts = {"network": network.name, "images": len(images), "bit_exact": found["bit_exact"] and all(exact.values()),
            "cycles_exact": found["cycles_exact"], "cycles": found["cycles"], "host": found["host"],
            "nodes_checked": len(exact), "layers": layers}
    return facts, run.network_activity(network.name)
