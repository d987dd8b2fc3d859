"""Weights of few bits that are trained: in evaluation mode they are the golden model, in training LSQ."""

from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
import pytest
import torch

from lutra.train.graph import Graph
from lutra.train.layers import Dense, Weights, module
from lutra_model import golden
from lutra_model.codings import BitPlanes, Coding, Plain, SignFlip, Trits
from lutra_model.network import Network, Product, Window
from tests.train.networks import SAME, equals_golden, images, learn_brightness, product, residual

PLANES = [BitPlanes(np.zeros(0, np.int8), bits, group) for bits, group in [(1, 4), (2, 4), (3, 1), (4, 4), (8, 2)]]
CODINGS = {f"{coding.kind}-{getattr(coding, 'bits', 0)}-{coding.length}": coding for coding in (
    Plain(4), Plain(3), Plain(2), Plain(1), SignFlip(), *PLANES, Trits(3), Trits(4), Trits(5))}


def layer(rng: np.random.Generator, coding: Coding, name: str, source: str, channels: int, columns: int, *,
          window: Window | None = None, low: int = 0) -> Product:
    """A layer of random words; columns have steps of their own."""
    taps = prod(window.kernel) if window else 1
    books = taps * -(-channels // coding.length)
    if isinstance(coding, BitPlanes):
        words = rng.integers(0, 1 << coding.group, (books, coding.bits, columns))
        most = ((1 << coding.bits) - 1) // 4
        coding = replace(coding, zero=rng.integers(-most, most + 1, columns).astype(np.int8))
    elif isinstance(coding, Trits):
        words = rng.integers(0, 3**coding.group, (books, 1, columns))
    else:
        assert isinstance(coding, Plain)
        words = rng.integers(coding.limits[0], coding.limits[1] + 1, (books, 1, columns))
    made = product(rng, name, source, channels, columns, window=window, low=low)
    size = 0.1 / (made.reduction**0.5 * coding.weight_levels * rng.uniform(0.5, 1, columns))
    return replace(made, table=words.astype(np.uint8).view(np.int8), coding=coding, table_scale=size)


def network(seed: int, coding: Coding) -> Network:
    """Channels that are no multiple of a group; finishers that suit the steps."""
    rng = np.random.default_rng(seed)
    return Graph(residual(partial(layer, rng, coding))).eval().export()


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("seed", range(2))
def test_evaluation_mode_equals_golden_and_keeps_the_network(name: str, seed: int) -> None:
    net = network(seed, CODINGS[name])
    graph = Graph(net)
    equals_golden(graph, images(seed))
    before, after = golden.run(net, images(9)), golden.run(graph.export(), images(9))
    assert all(np.array_equal(before[key], after[key]) for key in before)
    assert len(np.unique(before["d"])) > 5


@pytest.mark.parametrize("name", CODINGS)
def test_training_lowers_the_loss_and_still_equals_golden(name: str) -> None:
    graph = Graph(network(3, CODINGS[name]))
    first, some = graph.export(), learn_brightness(graph)
    equals_golden(graph, some)
    pairs = list(zip(graph.export().products, first.products, strict=True))
    assert all((one.table_scale != other.table_scale).any() for one, other in pairs)
    assert sum((one.table != other.table).any() for one, other in pairs) >= 2


@pytest.mark.parametrize("name", CODINGS)
def test_float_weights_start_where_the_converted_layer_rounded_them(name: str) -> None:
    rng = np.random.default_rng(5)
    node = layer(rng, CODINGS[name], "a", "input", 5, 4, window=SAME)
    plain, scale = module(node, 0.5), 0.5
    levels = plain.levels().detach().numpy()
    weight = (levels + rng.normal(0, 0.6, levels.shape)) * node.table_scale / scale
    given = module(node, scale, weight)
    assert np.array_equal(given.levels().detach().numpy(), levels)
    inside = np.abs(weight * scale / node.table_scale - levels) < 0.4
    found = given.weight.detach().numpy() * node.table_scale / scale
    np.testing.assert_allclose(found[inside], weight[inside], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", CODINGS)
def test_gradients_are_those_of_learned_steps(name: str) -> None:
    """Against differences of ``s * (clip(w / s) + what rounding added)``, with what rounding added held still."""
    rng = np.random.default_rng(6)
    made = module(layer(rng, CODINGS[name], "a", "input", 5, 4), 1.0).double().train()
    start, low = made.start.numpy(), made.low.numpy()
    high = low + made.spacing * (made.count - 1)
    with torch.no_grad():
        made.weight += torch.from_numpy(rng.normal(0, 0.7, made.weight.shape))
        made.log_step += torch.from_numpy(rng.normal(0, 0.3, 4))
    rows, slope = rng.integers(-128, 128, (5, 6)).astype(float), rng.normal(size=(4, 6))
    (made.sums(torch.from_numpy(rows)) * made.steps()[:, None]).backward(torch.from_numpy(slope))
    latent, grown = made.weight.detach().numpy(), made.log_step.detach().numpy()
    added = made.levels().detach().numpy() - np.clip(latent / np.exp(grown), low, high)

    def outputs(weight: Any, log_step: Any) -> float:
        step = np.exp(log_step)
        return float((((np.clip(weight / step, low, high) + added) * step * start).T @ rows * slope).sum())

    for parameter, at, of in [(made.log_step, grown, lambda value: outputs(latent, value)),
                              (made.weight, latent, lambda value: outputs(value, grown))]:
        for place in np.ndindex(at.shape):
            nudge = np.zeros(at.shape)
            nudge[place] = 1e-5
            wanted = (of(at + nudge) - of(at - nudge)) / 2e-5
            assert parameter.grad[place] == pytest.approx(wanted, rel=1e-5, abs=1e-6 * float(start.max()))


def test_rounded_tables_of_activations_are_refused_and_eight_bits_stay_tables() -> None:
    rng = np.random.default_rng(0)
    node = layer(rng, PLANES[0], "a", "input", 4, 3)
    assert isinstance(node.coding, BitPlanes)
    with pytest.raises(ValueError, match=r"^layer a must have exact tables of activations to be trained, not ones "
                                         r"rounded to 8 bits$"):
        module(replace(node, coding=replace(node.coding, quantised=True)), 1.0)
    assert isinstance(module(layer(rng, Plain(), "b", "input", 4, 3), 1.0), Dense)


def test_a_step_has_no_gradient_from_the_bias_but_what_rounding_added() -> None:
    rng = np.random.default_rng(7)
    made = module(layer(rng, Plain(4), "a", "input", 3, 4, low=-128), 1.0).double().train()
    made(torch.zeros(3, 9, dtype=torch.float64)).sum().backward()
    in_steps = made.bias.detach() / made.steps().detach()
    wanted = 9 * (in_steps.round() - in_steps) * made.steps().detach() / made.node.scale
    torch.testing.assert_close(made.log_step.grad, wanted)


def test_steps_and_biases_stay_within_the_finishers_bits() -> None:
    graph = Graph(network(0, Plain(4)))
    with torch.no_grad():
        for node in graph.nodes:
            if isinstance(node, Weights):
                node.log_step -= 60
    equals_golden(graph, images(0))
    assert max(np.abs(node.bias).max() for node in graph.export().products) >= 2**29
