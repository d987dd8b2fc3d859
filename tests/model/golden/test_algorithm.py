"""model.algorithm: the float algorithm is within its bound of the integers."""

from dataclasses import replace

import numpy as np
import pytest

from lutra_model import algorithm, golden
from lutra_model.network import Concat, Elementwise, Multiply, Permute, Softmax
from lutra_model.params import DISTANCES, Metric
from tests.model.golden.layers import layer


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_float_algorithm_is_within_its_bound(metric: Metric, dense: bool, groups: int, seed: int) -> None:
    node = layer(seed, metric=metric, dense=dense, channels=16 // groups, length=4, groups=groups)
    factor = node.multiplier * 2.0**-node.shift
    node = replace(node, low=-128, high=127, scale=1.0, table_scale=factor)
    x = np.random.default_rng(seed).integers(-128, 128, (50, 16), np.int8)
    real = algorithm.evaluate(node, 1.0, x.astype(np.float64))
    got = golden.evaluate(node, x)
    inside = (real > -128) & (real < 127)
    assert inside.any()
    assert np.abs(real - got)[inside].max() <= 0.5


def test_float_algorithm_of_host_nodes() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.integers(-100, 100, (2, 3, 4, 5), np.int8) for _ in range(2))
    ramp = np.clip(np.arange(-128, 128)[:, None] // 2, -128, 127).astype(np.int8)
    nodes = [(Elementwise(name="e", inputs=("a",), scale=0.5, table=ramp), (a,)),
             (Concat(name="c", inputs=("a", "b"), scale=0.25), (a, b)),
             (Multiply(name="m", inputs=("a", "b"), scale=16.0, multiplier=2**15, shift=23), (a, b)),
             (Permute(name="p", inputs=("a",), scale=0.25, order=rng.permutation(60), to=(60,)), (a,))]
    for node, inputs in nodes:
        real = algorithm.evaluate(node, 0.25, *(x * 0.25 for x in inputs))
        assert np.abs(real / node.scale - golden.evaluate(node, *inputs)).max() <= 0.5, node.name
    scores = Softmax(name="s", inputs=("a",), scale=1 / 127, peak=127,
                     exponentials=np.rint(2**16 * np.exp(-0.25 * np.arange(256))).astype(np.int64))
    real = algorithm.evaluate(scores, 0.25, a * 0.25)
    assert np.abs(real * 127 - golden.evaluate(scores, a)).max() <= 0.51
