"""Slices of language models' layers on the RTL, in every scheme whose cells hold low-bit weights exactly."""

import numpy as np
import pytest

from lutra_model import algorithm, golden
from lutra_model.fit import arrays
from lutra_model.graph import Affine
from lutra_model.llm import low_bit_weights, ternary_weights
from lutra_model.network import Network, Window
from lutra_model.places import Places
from lutra_model.schemes import SCHEMES, Layer, Options, scheme_of
from lutra_sim.network import simulate

REDUCTION, COLUMNS = 320, 128  # the tile of bitnet.cpp's kernels for the 3B model's 320 x 3200 and 128 x 8640
TERNARY = [name for name in ("int8", "sign-flip", "lut-tc", "vec-lut") if name in SCHEMES]
LOW_BIT = [name for name in ("int4", "lut-tc", "bit-serial") if name in SCHEMES]
SCALE_IN, SCALE_OUT = 1 / 64, 1 / 4


def layer(scheme: str, weights: np.ndarray, x: np.ndarray, bits: int) -> Network:
    """One linear layer of tokens, its weights as they are, as a network of the scheme."""
    tokens, (reduction, columns) = x.shape[2], weights.shape
    real = weights.astype(np.float64)
    step = Affine(name="slice", inputs=("input",), tensor="", places=Places.channels_last((tokens, columns)),
                  weight=real, bias=np.zeros(columns), window=Window(kernel=(1, 1)))
    rows = x.reshape(-1, reduction)
    node = scheme_of(scheme).product(
        Layer(step=step, source="input", input_scale=SCALE_IN, scale=SCALE_OUT, low=-128, high=127,
              columns=lambda: np.ascontiguousarray(rows.T), target=lambda: rows * SCALE_IN @ real),
        Options(bits=bits, refine=False))
    return Network(name=f"{scheme} slice", input_shape=(1, tokens, reduction), input_scale=SCALE_IN, nodes=(node,))


def check(scheme: str, weights: np.ndarray, tokens: int, bits: int, exact: bool) -> None:
    """Golden within one rounding of the float product; the RTL is golden, to the bit and the cycle.

    ``exact``: the scheme holds the weights as they are; else the float product is that of the weights that it holds.
    """
    x = np.random.default_rng(tokens).integers(-128, 128, (2, 1, tokens, len(weights)), np.int8)
    network = layer(scheme, weights, x, bits)
    real = x * SCALE_IN @ weights.astype(np.float64) if exact else algorithm.run(network, x * SCALE_IN)["slice"]
    expected = np.clip(np.rint(real / SCALE_OUT), -128, 127)
    assert np.abs(golden.outputs(network, x) - expected).max() <= 1
    run = simulate(network, x, arrays(network, rows=8, columns=4))
    assert (run.bit_exact, run.cycles_exact, run.host) == (True, True, ())


@pytest.mark.slow
@pytest.mark.parametrize("tokens", [6, 1], ids=["prefill", "decode"])
@pytest.mark.parametrize("scheme", TERNARY)
def test_ternary_slices(scheme: str, tokens: int) -> None:
    """Nothing is lost but the rounding of outputs."""
    check(scheme, ternary_weights(REDUCTION, COLUMNS, 0), tokens, bits=2, exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", LOW_BIT)
def test_slices_of_four_bits(scheme: str) -> None:
    """Weights on a symmetric grid of 15 levels, which a scheme may round to a grid of its own."""
    check(scheme, low_bit_weights(REDUCTION, COLUMNS, 4, 1), 3, bits=4, exact=False)
