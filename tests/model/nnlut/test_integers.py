"""model.nnlut.integers: lines meet at breakpoints; hazards by name, and their repair."""

from dataclasses import replace

import numpy as np
import pytest

from lutra_model import function_makers
from lutra_model.network import Network, Window
from lutra_model.nnlut import integers, lint
from lutra_model.nnlut.functions import Target
from lutra_model.nnlut.net import Lines, ReluNet, lines, net
from lutra_model.nnlut.train import train
from lutra_model.piecewise import Piecewise
from lutra_model.products import dense
from tests.functions import function, layer_norm, piecewise, row_softmax
from tests.model.nnlut.targets import TARGETS, gelu_lines


@pytest.mark.parametrize("seed", range(6))
def test_lines_meet_at_every_breakpoint_to_the_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.unique(rng.integers(-(2**15), 2**15, 17))
    table = integers.connect(places, rng.normal(0, 100, len(places)))
    assert table.continuous
    for k, place in enumerate(places[1:-1].tolist()):
        assert table.intercepts[k + 1] == table.intercepts[k] + (table.slopes[k] - table.slopes[k + 1]) * place
        left = (int(table.slopes[k]) * place + int(table.intercepts[k])) >> table.shift
        assert left == table.evaluate(place)


def rounded_apart(given: Lines, x_step: float, y_step: float, shift: int) -> Piecewise:
    """Slopes, intercepts and breakpoints rounded each on its own, as is usual."""
    return Piecewise(breakpoints=np.rint(given.breakpoints / x_step).astype(int), shift=shift,
                     slopes=np.rint(given.slopes * x_step / y_step * 2**shift).astype(int),
                     intercepts=np.rint(given.intercepts / y_step * 2**shift).astype(int))


def test_hazard_rounding_apart_makes_a_function_jump() -> None:
    target, found = TARGETS["gelu"], gelu_lines()
    step, scale = target.step(8), target.scale(8)
    apart, together = rounded_apart(found, step, scale, 4), integers.of_lines(found, step, scale, *target.codes(8))
    worst = np.abs(apart.jumps()).max() / 2**apart.shift
    assert worst > 20, "steps of the output"
    assert any("do not meet at" in problem for problem in integers.problems(apart))
    assert together.continuous
    assert integers.problems(together) == []
    better = integers.repaired(apart, None, *target.codes(8))
    assert integers.problems(better) == []


def test_hazard_breakpoints_that_fall_together_are_named_and_merged() -> None:
    """The public tables of exp have three breakpoints within 0.0006, and a slope below 0 between them."""
    target = TARGETS["exp"]
    at = np.array([-20.0, -7.5861, -7.5859, -7.5856, -3.0, -1.0, 0.0])
    found = lines(net(at, np.exp(at) - [0, 0, 4e-6, 1e-5, 0, 0, 0]))
    assert found.slopes.min() < 0
    apart = rounded_apart(found, target.step(16), target.scale(16), 4)
    problems = integers.problems(apart, rising=True)
    assert "segment 1 is degenerate: breakpoints 1 and 2 are both -971" in problems
    assert any("falls in a function that only rises" in problem for problem in problems)
    whole = integers.of_lines(found, target.step(16), target.scale(16), *target.codes(16))
    assert (np.diff(whole.breakpoints) > 0).all()
    better = integers.repaired(apart, True, *target.codes(16))
    assert integers.problems(better, rising=True) == []
    assert (np.diff(better.evaluate(np.arange(-(2**15), 1))) >= 0).all()


def test_hazard_rounding_is_half_up_and_shifts_are_floors() -> None:
    table = integers.connect(np.array([-100, 100]), np.array([-50.0, 50.0]))
    x = np.arange(-100, 101)
    assert table.evaluate(x).tolist() == np.floor(x / 2 + 0.5).astype(int).tolist()
    assert table.evaluate(-1) == 0, "neither away from 0 (-1) nor down (-1)"


def test_repair_brings_values_into_order_where_training_did_not() -> None:
    rng = np.random.default_rng(0)
    at = np.linspace(-8, 8, 17)
    noisy = lines(net(at, 1 / (1 + np.exp(-at)) + rng.normal(0, 0.02, 17)))
    target = Target(name="sigmoid", real=TARGETS["sigmoid"].real, low=-8, high=8, rising=True)
    table = integers.of_lines(noisy, target.step(16), target.scale(16), *target.codes(16))
    assert any("falls" in problem for problem in integers.problems(table, True))
    better = integers.repaired(table, True, *target.codes(16))
    assert integers.problems(better, True) == []
    assert np.abs(target.errors(better, 16)).mean() < np.abs(target.errors(table, 16)).mean()


@pytest.mark.parametrize(("rising", "ramp"), [(True, 1), (False, -1)])
def test_level_ground_stays_level(rising: bool, ramp: int) -> None:
    """A slope that rounds to too much over a long segment is not taken back by the next one."""
    places = np.array([-30000, -100, -99, 0, 100])
    table = integers.connect(places, ramp * np.array([0.0, 0.4, 0.4, 0.5, 3e4]), rising)
    assert integers.problems(table, rising) == []


def test_functions_that_make_no_table_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^a function must be finite from 0 to 9 to become a table$"), \
            np.errstate(divide="ignore"):
        integers.fitted(lambda x: 1 / x, 0, 9)
    with pytest.raises(ValueError, match=r"^a piecewise function must have slopes of at most 32767, not 4e\+04$"):
        integers.connect(np.array([0, 1]), np.array([0.0, 40000.0]))
    with pytest.raises(ValueError, match=r"^a function must be trained on a range that rises"):
        train(np.exp, 1, 1)
    with pytest.raises(ValueError, match=r"^n, b and m of a ReLU network must be three lists of one length"):
        ReluNet(n=[1], b=[1, 2], m=[1])


def test_every_table_of_a_network_is_looked_at() -> None:
    """A random network has tables that jump and run both ways; those that the converter makes have no problem."""
    rng = np.random.default_rng(3)
    shares, norm = row_softmax(rng, "s", "input"), layer_norm(rng, "n", "s", 7)
    wide = replace(dense("wide", "n", rng.normal(0, 0.3, (7, 6)), rng.normal(0, 1, 6), input_scale=0.05, scale=0.05,
                         window=Window(kernel=(1, 1))), function=piecewise(rng))
    nodes = (shares, norm, wide, function(rng, "f", "wide"))
    found = [*lint.held(Network(name="t", input_shape=(1, 3, 7), input_scale=1.0, nodes=nodes))]
    assert [(item.node, item.role) for item in found] == [
        ("s", "exponential"), ("s", "reciprocal"), ("n", "1/sqrt"), ("wide", "function"), ("f", "function")]
    assert found[0].problems == tuple(integers.problems(shares.exponential, True))
    assert any("falls in a function that only rises" in problem for problem in found[0].problems)
    assert any("rises in a function that only falls" in problem for problem in found[2].problems)
    assert found[3].table is wide.function
    made = function_makers.row_softmax("s", "input", input_scale=0.05)
    whole = [*lint.held(Network(name="t", input_shape=(1, 3, 7), input_scale=1.0, nodes=(made,)))]
    assert [item.problems for item in whole] == [(), ()]
