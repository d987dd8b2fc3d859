"""Converters to bit planes: quantisers against brute force, layers against the float weights they come from."""

from itertools import product as cartesian
from pathlib import Path

import numpy as np
import pytest

from lutra_model import calibrate, golden, onnx_read
from lutra_model.codings import BitPlanes
from lutra_model.codings.bit_planes import levels
from lutra_model.convert import convert
from lutra_model.few_bits import affine, uniform
from lutra_model.network import Network
from lutra_model.schemes.lut_tc import patterns
from tests.model.convert.models import RESIDUAL_SHAPES, errors, residual
from tests.model.onnx_text import random


@pytest.mark.parametrize("seed", range(5))
def test_signs_and_their_mean_are_the_nearest_of_all(seed: int) -> None:
    weight = np.random.default_rng(seed).normal(size=(5, 1))
    q, zero, step = affine(weight, 1)
    assert zero.tolist() == [0]
    found = (((2 * q - 1) * step - weight) ** 2).sum()
    for signs in cartesian((-1, 1), repeat=5):
        size = float(weight[:, 0] @ np.array(signs)) / 5
        assert found <= ((size * np.array(signs)[:, None] - weight) ** 2).sum() + 1e-12


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("skew", [0.0, 1.0, -3.0])
def test_weights_come_back_near(bits: int, skew: float) -> None:
    weight = np.random.default_rng(bits).normal(skew, 1, size=(300, 4))
    q, zero, step = affine(weight, bits)
    assert q.min() >= 0
    assert q.max() < 2**bits
    error = ((2 * q - (2**bits - 1) - zero) * step - weight) ** 2
    even, size = uniform(weight, bits)
    assert (error.sum(axis=0) <= 1.25 * ((even * size - weight) ** 2).sum(axis=0)).all()


def test_a_skewed_column_needs_its_zero_point() -> None:
    weight = np.random.default_rng(0).uniform(0, 1, size=(300, 1))
    q, zero, step = affine(weight, 2)
    assert zero.tolist() == [-3]
    assert np.sqrt((((2 * q - 3 - zero) * step - weight) ** 2).mean()) < 0.11


@pytest.mark.parametrize("group", [1, 4])
def test_patterns_go_tap_by_tap(group: int) -> None:
    q = np.random.default_rng(1).integers(0, 8, (6 * 9, 2))  # channel, then tap
    found = levels(patterns(q, 3, group, 9), group).reshape(9, -1, 2)
    assert np.array_equal(found[:, :6], (2 * q - 7).reshape(6, 9, 2).swapaxes(0, 1))


@pytest.mark.parametrize(("bits", "bound"), [(8, 0.06), (4, 0.25), (3, 0.4), (2, 0.8), (1, 1.1)])
@pytest.mark.parametrize("scheme", ["lut-tc", "bit-serial"])
def test_values_stay_close_to_the_float_model(scheme: str, bits: int, bound: float, tmp_path: Path) -> None:
    model, x = residual(tmp_path, 1)
    network = convert(model, x[:100], scheme=scheme, bits=bits)
    assert max(errors(network, model, x[100:]).values()) < bound
    assert {node.scheme for node in network.products} == {scheme}
    assert {node.layer().entries for node in network.products} == {bits}


def weights(network: Network, name: str) -> np.ndarray:
    node = next(node for node in network.products if node.name == name)
    assert isinstance(node.coding, BitPlanes)
    return node.coding.weights(node.table, node.coding.zero) * (node.table_scale / network.scale(node.inputs[0]))


def test_weights_are_those_of_the_model(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 2)
    network = convert(model, x[:50], scheme="lut-tc", bits=7)
    real = random(2, RESIDUAL_SHAPES)["w2"]  # (columns, channels, 3, 3)
    by_tap = np.pad(real.transpose(2, 3, 1, 0).reshape(9, 6, 6), ((0, 0), (0, 2), (0, 0)))
    found = weights(network, "d").reshape(9, 8, 6)
    assert np.abs(found - by_tap)[:, :6].max() < 0.015 * np.abs(real).max()


def test_the_bias_takes_what_calibration_shows(tmp_path: Path) -> None:
    model, x = residual(tmp_path, 0)
    real = calibrate.collect(onnx_read.read(model), x)
    found = {}
    for refine in (True, False):
        network = convert(model, x, scheme="lut-tc", bits=2, refine=refine)
        ours = golden.run(network, real["input"])["d"] * network.scale("d")
        found[refine] = np.abs(ours.mean(axis=(0, 1, 2)) - real["d"].mean(axis=(0, 1, 2))).max()
    assert found[True] < 0.02 < found[False]


@pytest.mark.parametrize("bits", [0, 9])
def test_other_bits_are_refused(bits: int, tmp_path: Path) -> None:
    model, x = residual(tmp_path, 0)
    with pytest.raises(ValueError, match=rf"^bits must be 1 to 8, not {bits}$"):
        convert(model, x[:20], scheme="lut-tc", bits=bits)
