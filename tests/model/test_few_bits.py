"""Weights of few bits: quantisers against brute force, layers against naive loops, files and ONNX."""

from itertools import product as cartesian
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lutra_hw.dot_products import DotProducts
from lutra_model import golden, netfile, onnx_write
from lutra_model.codings import Plain, SignFlip
from lutra_model.few_bits import ternary, uniform
from lutra_model.network import Network, Product


def layer(seed: int, coding: Plain, groups: int = 1) -> Product:
    rng, low = np.random.default_rng(seed), coding.limits[0]
    table = rng.integers(low, coding.limits[1] + 1, (groups * 6, 1, 4), np.int8)
    return Product(name="p", inputs=("input",), scale=1.0, table=table, coding=coding, reduction=6, groups=groups,
                   bias=rng.integers(-99, 99, groups * 4), multiplier=np.full(groups * 4, 40000),
                   shift=np.full(groups * 4, 20), table_scale=np.ones(groups * 4))


CODINGS = [Plain(1), Plain(2), Plain(3), Plain(4), SignFlip()]


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.scheme)
def test_layers_equal_naive_loops_and_onnx(coding: Plain, groups: int, tmp_path: Path) -> None:
    node = layer(3, coding, groups)
    x = np.random.default_rng(4).integers(-128, 128, (5, groups * 6), np.int8)
    sums = golden.accumulate(node, x.T)
    for row, group, column in cartesian(range(5), range(groups), range(4)):
        words = node.table[group * 6:group * 6 + 6, 0, column].tolist()
        weights = [1 if word == 0 else -1 for word in words] if coding.bits == 1 else words
        assert sums[row, group * 4 + column] == sum(
            int(a) * w for a, w in zip(x[row, group * 6:group * 6 + 6], weights, strict=True))
    network = Network(name="n", input_shape=(groups * 6,), input_scale=1.0, nodes=(node,))
    netfile.save(network, tmp_path / "n.lutra")
    onnx_write.export(network, tmp_path / "n.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    expected = golden.outputs(network, x)
    assert np.array_equal(session.run(None, {"input": x})[0], expected)
    assert np.array_equal(golden.outputs(netfile.load(tmp_path / "n.lutra"), x), expected)


@pytest.mark.parametrize("seed", range(5))
def test_ternary_weights_are_the_nearest_of_all(seed: int) -> None:
    weight = np.random.default_rng(seed).normal(size=(6, 1))
    trits, step = ternary(weight)
    found = ((trits * step - weight) ** 2).sum()
    for choice in cartesian((-1, 0, 1), repeat=6):
        levels = np.array(choice, float)
        if levels.any():
            best = (weight[:, 0] @ levels) / (levels @ levels)
            assert found <= ((best * levels - weight[:, 0]) ** 2).sum() + 1e-12


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_more_levels_are_nearer(bits: int) -> None:
    weight = np.random.default_rng(bits).normal(size=(400, 3))
    levels, step = uniform(weight, bits)
    finer, fine = uniform(weight, bits + 1)
    assert levels.min() >= min(-1, -(1 << bits - 1)) and levels.max() <= max(1, (1 << bits - 1) - 1)  # noqa: PT018
    assert ((finer * fine - weight) ** 2).sum() < ((levels * step - weight) ** 2).sum()


def test_words_beyond_their_bits_are_refused() -> None:
    node = layer(0, Plain(3))
    with pytest.raises(ValueError, match=r"^weights of layer p must be -2 to 1, not -4 to 3$"):
        Product(**{**vars(node), "coding": Plain(2)})
    with pytest.raises(ValueError, match=r"^weights of layer p must be -1 to 1, not -4 to 3$"):
        Product(**{**vars(node), "coding": SignFlip()})


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_multipliers_are_as_wide_as_the_weights(bits: int) -> None:
    assert DotProducts(rows=4, columns=1, bits=bits).width == 8 + bits + 2
