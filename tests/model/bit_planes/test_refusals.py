"""Bit planes: layers and arrays that cannot be."""

import numpy as np
import pytest

from lutra_model.codings import BitPlanes
from lutra_model.network import Network, Product
from lutra_model.params import Array
from lutra_model.program import compile_network
from tests.model.bit_planes.layers import layer


@pytest.mark.parametrize(("change", "sentence"), [
    ({"bits": 4}, r"layer p must have 1 to 8 planes, 4 as its coding says, not 3"),
    ({"group": 3}, r"groups of weights of layer p must have 1, 2, 4 scalars, not 3"),
    ({"group": 2}, r"patterns of layer p must be 0 to 3, not 0 to 15"),
    ({"zero": np.zeros(4, np.int8)}, r"zero of layer p must have shape \(5,\), not \(4,\)")])
def test_what_makes_no_layer_is_refused(change: dict[str, object], sentence: str) -> None:
    node, _, _ = layer(1, 3, channels=16)
    fields = vars(node.coding) | change
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Product(**{**vars(node), "coding": BitPlanes(**fields)})


@pytest.mark.parametrize(("sizes", "sentence"), [
    ({"length": 3}, r"length must be 1, 2 or 4, not 3"), ({"entries": 9}, r"entries must be 1 to 8 planes, not 9"),
    ({"fill": 1}, r"fill must be a multiple of 2, so that a table beat has whole bytes, not 1")])
def test_what_makes_no_array_is_refused(sizes: dict[str, int], sentence: str) -> None:
    given = {"rows": 4, "columns": 4, "encoders": 2, "length": 4, "entries": 4} | sizes
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Array(engine="lut-tc", **given)


def test_layers_that_another_array_wants_are_refused() -> None:
    node, _, _ = layer(1, 3)
    network = Network(name="n", input_shape=(6,), input_scale=1.0, nodes=(node,))
    sizes = {"rows": 8, "columns": 4, "encoders": 4, "entries": 3}
    with pytest.raises(ValueError, match=r"^layer p must have the array's groups of 1 scalars, not 4$"):
        compile_network(network, Array(engine="lut-tc", length=1, **sizes))
    with pytest.raises(ValueError, match=r"^layer p must have the array's 8-bit table entries, not whole ones$"):
        compile_network(network, Array(engine="lut-tc", length=4, quantised=True, **sizes))
    with pytest.raises(ValueError, match=r"^layer p needs entries 3, the array holds at most 2$"):
        compile_network(network, Array(engine="lut-tc", length=4, **(sizes | {"entries": 2})))
