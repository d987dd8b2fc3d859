"""schemes.refine: weights, and scale and bias of every column, against NumPy's least squares, in every such scheme."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lutra_model import golden, netfile
from lutra_model.convert import convert
from lutra_model.graph import Affine
from lutra_model.network import Product, Window
from lutra_model.places import Places
from lutra_model.schemes import SCHEMES, Layer, Options
from lutra_model.schemes.refine import STIFF, followed
from tests.model.convert.models import residual

SCHEMES_AND_BITS = [("lut-tc", 1), ("lut-tc", 2), ("lut-tc", 4), ("bit-serial", 3), ("vec-lut", 4), ("int4", 4),
                    ("int3", 4), ("int2", 4), ("int1", 4), ("sign-flip", 4)]
KERNELS = [(1, 1), (3, 2)]
every = pytest.mark.parametrize(("scheme", "bits"), SCHEMES_AND_BITS)


def layer(seed: int, kernel: tuple[int, int] = (1, 1), groups: int = 1, images: int = 60) -> Layer:
    """Seven channels in each group, three columns; the input has an offset, and a column that nothing explains."""
    rng, taps = np.random.default_rng(seed), kernel[0] * kernel[1]
    window = Window(kernel=kernel)
    weight, bias = rng.normal(size=(7 * taps, 3 * groups)), rng.normal(size=3 * groups)
    columns = golden.windows(rng.integers(-20, 128, (images, 3, 2, 7 * groups), np.int8), window)
    real = np.concatenate([part.T @ some for part, some in zip(
        np.split(columns * 0.02, groups), np.split(weight, groups, axis=1), strict=True)], axis=1) + bias
    real += rng.normal(size=real.shape) / 4
    step = Affine(name="c", inputs=("input",), tensor="c", places=Places.channels_first((3 * groups,)), weight=weight,
                  bias=bias, window=window, groups=groups)
    return Layer(step=step, source="input", input_scale=0.02, scale=0.1, low=-128, high=127, columns=lambda: columns,
                 target=lambda: real)


def both(scheme: str, bits: int, given: Layer) -> tuple[Product, Product]:
    """The layer as rounding alone makes it, and refined."""
    plain, fitted = (SCHEMES[scheme].product(given, Options(bits=bits, refine=refine)) for refine in (False, True))
    return plain, fitted


def errors(node: Product, given: Layer) -> NDArray[np.float64]:
    """Squared error of each column, before the finisher rounds."""
    real = (golden.accumulate(node, given.columns()) + node.bias) * node.table_scale
    return np.asarray(((real - given.target()) ** 2).sum(axis=0))


@pytest.mark.parametrize("seed", range(3))
def test_weights_make_up_for_rounded_activations(seed: int) -> None:
    """As NumPy's least squares with the ridge as rows of its own; without rows that vary, nothing moves."""
    rng = np.random.default_rng(seed)
    weight, real = rng.normal(size=(6, 4)), rng.normal(size=(6, 500)) + 3
    rounded, target = np.rint(real), real.T @ weight + 7
    found = followed(weight, rounded, target)
    x, ridge = rounded - rounded.mean(axis=1, keepdims=True), STIFF + 6 / 500
    stiff = np.sqrt(ridge * np.square(x).sum() / 6) * np.eye(6)
    wanted, *_ = np.linalg.lstsq(np.vstack([x.T, stiff]), np.vstack([target - target.mean(axis=0), stiff @ weight]),
                                 rcond=None)
    assert np.allclose(found, wanted, atol=1e-9)
    assert np.square(target - target.mean(axis=0) - x.T @ found).sum() < np.square(
        target - target.mean(axis=0) - x.T @ weight).sum()
    assert followed(weight, np.ones((6, 5)), target[:5]) is weight


@every
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("groups", [1, 2])
def test_scale_and_bias_are_those_of_least_squares(scheme: str, bits: int, kernel: tuple[int, int],
                                                   groups: int) -> None:
    given = layer(groups, kernel, groups)
    plain, fitted = both(scheme, bits, given)
    assert np.array_equal(plain.table, fitted.table)
    sums, target = golden.accumulate(fitted, given.columns()), given.target()
    for column in range(3 * groups):
        known = np.stack([sums[:, column], np.ones(len(sums))], axis=1)
        (slope, offset), *_ = np.linalg.lstsq(known, target[:, column], rcond=None)
        assert slope > 0
        assert fitted.table_scale[column] == pytest.approx(slope, rel=1e-9)
        assert fitted.bias[column] * slope == pytest.approx(offset, abs=0.51 * slope)


@every
@pytest.mark.parametrize("seed", range(6))
def test_calibration_never_errs_more(scheme: str, bits: int, seed: int) -> None:
    given = layer(seed, KERNELS[seed % 2], 1 + seed % 3, images=[2, 5, 40][seed % 3])
    plain, fitted = both(scheme, bits, given)
    rounding = len(given.target()) * (fitted.table_scale / 2) ** 2  # of the bias, to a whole number
    assert (errors(fitted, given) <= errors(plain, given) + rounding).all()


@every
def test_columns_that_say_nothing_keep_their_step(scheme: str, bits: int) -> None:
    """The same input everywhere; outputs that go against the sums: a bias is all that helps."""
    same = np.full((7, 30), 9, np.int8)
    given = replace(layer(0), columns=lambda: same, target=lambda: np.full((30, 3), 5.0))
    plain, fitted = both(scheme, bits, given)
    assert np.array_equal(plain.table_scale, fitted.table_scale)
    assert np.allclose((golden.accumulate(fitted, same) + fitted.bias) * fitted.table_scale, 5.0,
                       atol=fitted.table_scale.max())
    real = layer(0)
    against = replace(real, target=lambda: -real.target())
    plain, fitted = both(scheme, bits, against)
    assert np.array_equal(plain.table_scale, fitted.table_scale)
    assert (errors(fitted, against) < errors(plain, against)).all()


@every
def test_conversions_repeat_byte_for_byte(scheme: str, bits: int, tmp_path: Path) -> None:
    model, x = residual(tmp_path, 0)
    files = []
    for name in ("one", "two"):
        netfile.save(convert(model, x[:20], scheme=scheme, bits=bits), tmp_path / f"{name}.lutra")
        files.append((tmp_path / f"{name}.lutra").read_bytes())
    assert files[0] == files[1]
    network = netfile.load(tmp_path / "one.lutra")
    assert network.provenance["refine"] is True
