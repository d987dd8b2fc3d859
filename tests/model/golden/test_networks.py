"""model.golden: whole networks, part by part of a batch, and wrong inputs."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lutra_model import golden
from lutra_model.network import Add, Network, Window
from tests.model.golden.layers import layer


def network(seed: int = 0) -> Network:
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    first = layer(seed, channels=1, columns=4, length=3, window=window)
    return Network(name="n", input_shape=(5, 5, 1), input_scale=1 / 127, pixel_scale=1 / 255, nodes=(
        first, replace(layer(seed + 1, channels=4, columns=4, length=9, window=window), name="q", inputs=("p",)),
        Add(name="s", inputs=("p", "q"), scale=0.5, multipliers=(16384, 16384), shift=15)))


def test_only_what_is_still_read_is_kept() -> None:
    x = np.random.default_rng(0).integers(0, 256, (7, 5, 5, 1)).astype(np.uint8)
    assert list(golden._run(network(), golden.quantise(network(), x), lambda name: name == "s")) == ["s"]
    np.testing.assert_array_equal(golden.outputs(network(), x), golden.run(network(), x)["s"])


def test_parts_of_a_batch_are_independent() -> None:
    x = np.random.default_rng(0).integers(0, 256, (7, 5, 5, 1)).astype(np.uint8)
    whole = golden.run(network(), x)
    for i in range(7):
        assert (golden.run(network(), x[i:i + 1])["s"][0] == whole["s"][i]).all()


@pytest.mark.parametrize(("x", "message"), [
    (np.zeros((2, 5, 4, 1), np.int8), "input of network n must have shape (batch, 5, 5, 1), not (2, 5, 4, 1)"),
    (np.zeros((2, 5, 5, 1), np.int32),
     "input of network n must be int8, a uint8 image or floating point, not int32"),
    (np.full((1, 5, 5, 1), np.nan), "input of network n must be finite, but it holds NaN or infinity")])
def test_wrong_input_is_refused(x: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        golden.run(network(), x)
