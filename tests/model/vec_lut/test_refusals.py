"""Vec-LUT machines and layers that cannot be."""

import numpy as np
import pytest

from lutra_model import ternary
from lutra_model.codings import Trits
from lutra_model.network import Network
from lutra_model.program import compile_network
from lutra_model.schemes import Options
from lutra_model.schemes.vec_lut import VecLut
from tests.model.vec_lut.layers import SMALL, layer


@pytest.mark.parametrize(("sizes", "message"), [
    ({"length": 2}, "a vec-lut array must have length 3, 4 or 5 and entries 1, not 2 and 1"),
    ({"entries": 16}, "a vec-lut array must have length 3, 4 or 5 and entries 1, not 4 and 16"),
    ({"functions": 1}, "a vec-lut array must have no function slots, not 1"),
    ({"fill": 2}, "a vec-lut array must fill all 4 rows, not 2"),
    ({"block_rows": 3}, "block_rows of a vec-lut array must be at least its 4 columns, not 3")])
def test_machines_that_cannot_be(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        SMALL.resized(**sizes)


def test_layers_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^group must be 3, 4 or 5 ternary weights, not 6$"):
        Trits(6)
    with pytest.raises(ValueError, match=r"^weights must be groups of 3, 4 or 5 of -1, 0 or 1, not 2 of 0 to 1$"):
        ternary.pack(np.array([0, 1], np.int8))
    node = layer(0, 5, 10, None, 3)
    with pytest.raises(ValueError, match=r"^table of layer p must hold one code below 27 for each group and column, "
                                         r"not 1 up to \d+$"):
        Trits(3).check(node)
    network = Network(name="n", input_shape=(10,), input_scale=1.0, nodes=(node,))
    with pytest.raises(ValueError, match=r"^layer p must use the array's group of 4 ternary weights, not 5$"):
        compile_network(network, SMALL)
    with pytest.raises(ValueError, match=r"^threshold must be mse or absmean, not mean$"):
        VecLut().check(Options(threshold="mean"), {})
