"""Vec-LUT layers against naive loops, files and ONNX Runtime."""

from itertools import product as cartesian
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from lutra_model import golden, netfile, onnx_write
from lutra_model.codings import Trits
from lutra_model.network import Network, Window
from tests.model.vec_lut.layers import GROUPS, layer


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("channels", [1, 3, 4, 7, 10])
def test_linear_layers_equal_naive_loops(group: int, channels: int) -> None:
    node = layer(channels, group, channels, None, 6)
    weights: Any = vars(node)["true"][0]
    x = np.random.default_rng(2).integers(-128, 128, (5, channels), np.int8)
    sums = golden.accumulate(node, x.T)
    for row, column in cartesian(range(5), range(6)):
        assert sums[row, column] == sum(int(a) * int(w) for a, w in zip(x[row], weights[:, column], strict=True))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("group", GROUPS)
def test_convolutions_equal_naive_loops_files_and_onnx(group: int, groups: int, tmp_path: Path) -> None:
    """Channels that leave a tail in every tap; padding."""
    channels, window = 4 * group - 1, Window(kernel=(3, 2), stride=(2, 1), padding=(1, 0, 1, 1))
    node = layer(7, group, channels, window, 4, groups)
    weights: Any = vars(node)["true"]
    network = Network(name="n", input_shape=(5, 4, groups * channels), input_scale=1.0, nodes=(node,))
    x = np.random.default_rng(9).integers(-128, 128, (2, 5, 4, groups * channels), np.int8)
    found = golden.outputs(network, x)
    padded = np.pad(x, ((0, 0), (1, 1), (0, 1), (0, 0))).astype(int)
    for image, y, column in cartesian(range(2), range(found.shape[1]), range(groups * 4)):
        g, n = divmod(column, 4)
        total = sum(padded[image, 2 * y + i, 1 + j, g * channels + c] * int(weights[g, (c * 3 + i) * 2 + j, n])
                    for c, i, j in cartesian(range(channels), range(3), range(2)))
        exact = ((total + int(node.bias[column])) * 40000 + (1 << 23)) >> 24
        assert found[image, y, 1, column] == min(max(exact, -128), 127)
    netfile.save(network, tmp_path / "n.lutra")
    onnx_write.export(network, tmp_path / "n.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    assert np.array_equal(session.run(None, {"input": x})[0], found)
    assert np.array_equal(golden.outputs(netfile.load(tmp_path / "n.lutra"), x), found)


def test_bits_of_a_weight() -> None:
    assert Trits(4).bits_per_weight(layer(0, 4, 64, None, 8)) == 2.0
    assert Trits(5).bits_per_weight(layer(0, 5, 320, None, 8)) == 1.6
    assert Trits(5).bits_per_weight(layer(0, 5, 6, None, 8)) == pytest.approx(16 / 6)
