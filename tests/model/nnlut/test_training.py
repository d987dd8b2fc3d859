"""model.nnlut.train: a network that is trained becomes its table."""

import numpy as np
import pytest

from lutra_model.nnlut import functions, integers
from lutra_model.nnlut.net import lines, net
from lutra_model.nnlut.train import train
from tests.model.nnlut.targets import TARGETS


@pytest.mark.parametrize("name", ["gelu", "sigmoid"])
def test_a_trained_network_becomes_its_table(name: str) -> None:
    target = TARGETS[name]
    trained = train(target.real, target.low, target.high, seed=1, steps=300)
    again = train(target.real, target.low, target.high, seed=1, steps=300)
    np.testing.assert_array_equal(trained.m, again.m)
    x = np.linspace(target.low, target.high, 501)
    np.testing.assert_allclose(lines(trained)(x), trained(x), atol=1e-12)
    before, after = (np.abs(train(target.real, target.low, target.high, seed=1, steps=steps)(x) - target.real(x)).mean()
                     for steps in (1, 300))
    assert after < before / 2
    table = target.of_net(trained, 16)
    codes = np.arange(target.codes(16)[0], target.codes(16)[1] + 1)
    away = table.evaluate(codes) * target.scale(16) - trained(codes * target.step(16))
    assert np.abs(away).max() < 0.01 * target.scale(16) * 2**15


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["gelu", "sigmoid", "tanh"])
def test_lines_fitted_after_rounding_are_better_than_rounded_ones(name: str, seed: int, bits: int) -> None:
    """Any network's breakpoints, put on the grid: the mean squared error of the integers falls, nothing moves."""
    target, rng = TARGETS[name], np.random.default_rng(seed)
    at = np.linspace(target.low, target.high, 16) + rng.uniform(-0.2, 0.2, 16)
    rough = net(at, target.real(at) + rng.normal(0, 0.003, 16))
    before, after = target.of_net(rough, bits), target.refitted(rough, bits)
    np.testing.assert_array_equal(after.breakpoints, before.breakpoints)
    assert integers.problems(after, target.rising) == []
    squares = [(target.errors(table, bits) ** 2).mean() for table in (before, after)]
    assert squares[1] < squares[0] / 1.5
    low, high = target.codes(bits)
    x, ends = np.arange(low, high + 1), np.concatenate([[low], after.breakpoints, [high]])
    tents = np.array([np.interp(x, ends, one) for one in np.eye(len(ends))]).T
    best = np.linalg.lstsq(tents, target.real(x * target.step(bits)) / target.scale(bits), rcond=None)[1] / len(x)
    assert squares[1] / target.scale(bits) ** 2 < 1.05 * best[0] + 2, "within rounding, no other values are better"


def test_training_on_what_was_seen_is_better_there() -> None:
    seen = np.random.default_rng(0).normal(-1, 0.5, 2000)
    inner = seen[(seen >= -5) & (seen <= 5)]
    away = [np.abs(train(functions.gelu, -5, 5, seed=1, steps=600, seen=given)(inner) - functions.gelu(inner)).mean()
            for given in (None, seen)]
    assert away[1] < away[0] / 2
    with pytest.raises(ValueError, match=r"^inputs that were seen must lie in 1 to 2, none does$"):
        train(np.exp, 1, 2, seen=np.array([0.0, 3.0]))
