"""One layer of random numbers, how far integers are from it, and the shapes that schemes make of it."""

from dataclasses import replace

import numpy as np
import pytest

from lutra_model import calibrate, golden
from lutra_model.convert import convert
from lutra_model.network import Window
from lutra_model.onelayer import OneLayer
from lutra_model.params import Array, Layer
from lutra_model.probe import best_encoders, in_scheme, probe
from lutra_model.quality import errors
from lutra_model.runs import Design, run, sized
from lutra_model.schemes import SCHEMES, Options
from lutra_model.workloads import Work


@pytest.mark.parametrize("seed", range(3))
def test_onnx_runtime_agrees_with_the_layer(seed: int) -> None:
    layer = OneLayer(5, 12, 7, seed)
    x = layer.activations(3)
    assert x.min() == 0  # nothing negative, about half of them nothing at all
    assert 0.2 < (x == 0).mean() < 0.8
    said = layer.graph.steps[0].places.ours(calibrate.predict(layer.graph, x))
    np.testing.assert_allclose(said, layer.expected(layer.images(x)), atol=1e-5)


def test_the_seed_decides() -> None:
    one, same, other = OneLayer(4, 6, 2, 1), OneLayer(4, 6, 2, 1), OneLayer(4, 6, 2, 2)
    assert (one.weight == same.weight).all()
    assert (one.activations(2) == same.activations(2)).all()
    assert (one.weight != other.weight).any()
    assert (one.activations(2) != one.activations(2, draw=1)).any()


@pytest.mark.parametrize(("sizes", "sentence"), [
    ((0, 1, 1, 0), "rows of the layer must be at least 1, not 0"),
    ((1, -3, 1, 0), "reduction of the layer must be at least 1, not -3"),
    ((1, 1, 0, 0), "columns of the layer must be at least 1, not 0"),
    ((1, 1, 1, -1), "seed must be at least 0, not -1")])
def test_layers_that_are_none(sizes: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        OneLayer(*sizes)


def test_errors_against_numbers_by_hand() -> None:
    found = errors(np.array([[10, -20], [30, 0]]), 0.5, np.array([[5.0, -10.5], [14.0, 0.0]]))
    assert found["max_abs_steps"] == 2.0  # 1.0 of a step of 0.5
    assert found["rms_steps"] == pytest.approx(np.sqrt((0.5**2 + 1.0**2) / 4) / 0.5)
    assert found["sqnr_db"] == pytest.approx(10 * np.log10((5**2 + 10.5**2 + 14**2) / (0.25 + 1)))
    assert errors(np.array([2]), 0.5, np.array([1.0]))["sqnr_db"] is None
    with pytest.raises(ValueError, match=r"^outputs must have shape \(2,\), not \(1,\)$"):
        errors(np.array([2]), 0.5, np.ones(2))


def test_int8_errs_as_rounding_says() -> None:
    """Steps of one 256th of the range: 6.02 dB for each of 8 bits, less the room that scales leave."""
    layer = OneLayer(64, 64, 16)
    network = convert(layer.graph, layer.activations(64, draw=1), scheme="int8")
    x = layer.images(layer.activations(8))
    found = errors(golden.outputs(network, x), network.nodes[-1].scale, layer.expected(x))
    assert 32 < found["sqnr_db"] < 45


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_probe_has_the_shape_of_the_real_conversion(scheme: str) -> None:
    layer = OneLayer(16, 72, 24)
    options = Options(refine=False)
    network = convert(layer.graph, layer.activations(16, draw=1), scheme=scheme, **vars(options))
    (product,) = network.products
    found = probe(scheme, 72, options=options, given=True)
    assert replace(found.layer, rows=16, columns=product.layer(16).columns) == product.layer(16)
    assert found.weight_levels == product.coding.weight_levels


def test_probed_cycles_are_those_of_the_layer_by_hand() -> None:
    layer = Layer(name="layer", rows=49, codebooks=8, columns=20, length=9, entries=16)
    window = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    work = Work(name="layer", layer=layer.as_dense(), height=7, width=7, channels=8, window=window)
    works, probes = in_scheme([work], "lut-nn")
    assert works[0].layer == layer
    found = best_encoders("lut-nn", works, probes, 8, 8, encoders=4)
    array, streamed = sized(Array(rows=8, columns=8, encoders=4, length=9), [replace(work, layer=layer)])
    assert found.cycles == run(Design("x", array), [replace(work, layer=layer)], streamed=streamed).cycles


def test_fewer_encoders_where_they_hardly_cost() -> None:
    """A wide layer keeps the array busy with one encoder, a narrow one needs all of them."""
    def encoders(columns: int) -> int:
        layer = Layer.dense(name="layer", rows=256, reduction=64, columns=columns)
        works, probes = in_scheme([Work(name="layer", layer=layer, width=256, channels=64)], "lut-nn")
        return best_encoders("lut-nn", works, probes, 8, 8).design.array.encoders

    assert encoders(256) < encoders(8)


def test_a_probe_of_an_unknown_scheme() -> None:
    with pytest.raises(ValueError, match=r"^scheme must be .*lut-nn.*, not abacus$"):
        probe("abacus", 8)
