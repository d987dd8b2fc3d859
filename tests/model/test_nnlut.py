"""model.nnlut: the transform loses nothing, integers meet at breakpoints, errors over all inputs, hazards by name."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutra_model import function_makers
from lutra_model.network import Network, Window
from lutra_model.nnlut import functions, integers, lint
from lutra_model.nnlut.functions import FUNCTIONS, Errors, Target
from lutra_model.nnlut.net import Lines, ReluNet, lines, net
from lutra_model.nnlut.train import train
from lutra_model.piecewise import Piecewise
from lutra_model.products import dense
from tests.functions import function, layer_norm, piecewise, row_softmax

TARGETS = {target.name: target for target in FUNCTIONS}
EXACT = st.fractions(min_value=-8, max_value=8, max_denominator=6)
BOUNDS = {  # largest error of every function's table, at 8 and at 16 bits, as a share of the largest output
    "gelu": (6e-4, 5e-4), "exp": (2e-5, 1.3e-3), "1/x": (1.1e-3, 3e-3), "1/sqrt": (1.3e-3, 7e-3), "silu": (6e-4, 5e-4),
    "sigmoid": (1.7e-3, 1.6e-3), "tanh": (3.3e-3, 3.2e-3)}


def exact(values: list[Fraction]) -> np.ndarray:
    return np.array(values, dtype=object)


def test_the_published_vector() -> None:
    found = lines(ReluNet(n=[1, 1, -2], b=[0, -1, -2], m=[1, -1, 0.5]))
    assert found.breakpoints.tolist() == [-1, 0, 1]
    assert found.slopes.tolist() == [-1, 0, 1, 0]
    assert found.intercepts.tolist() == [-1, 0, 0, 1]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(units=st.lists(st.tuples(EXACT, EXACT, EXACT), min_size=1, max_size=8),
       x=st.lists(EXACT, min_size=1, max_size=9))
def test_the_transform_loses_nothing(units: list[tuple[Fraction, ...]], x: list[Fraction]) -> None:
    n, b, m = (exact(list(values)) for values in zip(*units, strict=True))
    found, places = lines(ReluNet(n=n, b=b, m=m)), exact(x)
    x += found.breakpoints.tolist()
    assert sorted(set(found.breakpoints)) == found.breakpoints.tolist(), "breakpoints rise, none is there twice"
    for one in exact(x):
        whole = sum(c * max(a * one + d, 0) for a, d, c in units)
        k = sum(1 for place in found.breakpoints if place <= one)
        assert found.slopes[k] * one + found.intercepts[k] == whole
    np.testing.assert_array_equal(ReluNet(n=n, b=b, m=m)(places), found(places))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(places=st.lists(EXACT, min_size=2, max_size=17, unique=True), data=st.data())
def test_joined_points_are_a_network(places: list[Fraction], data: st.DataObject) -> None:
    values = exact(data.draw(st.lists(EXACT, min_size=len(places), max_size=len(places))))
    at = exact(sorted(places))
    found = lines(net(at, values))
    np.testing.assert_array_equal(found(at), values)
    assert len(found.slopes) <= max(2, len(at) - 1)


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, int], Errors]:
    return {(item.function, item.bits): item for item in functions.study()}


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("bits", [8, 16])
def test_errors_over_all_inputs_are_bounded(name: str, bits: int, found: dict[tuple[str, int], Errors]) -> None:
    errors, target = found[name, bits], TARGETS[name]
    assert errors.largest <= BOUNDS[name][bits == 16] * errors.full
    assert errors.mean <= errors.largest
    assert errors.problems == ()
    table, (low, high) = target.table(bits), target.codes(bits)
    worst, step = 0.0, max(1, (high - low) // 500)
    for x in range(low, high + 1, step):  # the same, one number after the other
        k = sum(1 for place in table.breakpoints.tolist() if place <= x)
        value = (int(table.slopes[k]) * x + int(table.intercepts[k])) // 2**table.shift
        real = float(target.real(np.array(x * target.step(bits))))
        worst = max(worst, abs(min(value, 2**15 - 1) * target.scale(bits) - real))
    assert worst <= errors.largest * (1 + 1e-9)
    assert worst >= errors.largest * 0.5


def test_input_scaling_makes_steep_functions_exact() -> None:
    errors = functions.relative_errors()
    assert errors["1/x direct"] > 0.5, "one table over 1..1024 has no digit of 1/1024"
    assert errors["1/sqrt scaled"] < 0.1 < errors["1/sqrt direct"]
    assert errors["1/x leading one"] < 4e-4
    assert errors["1/sqrt leading one"] < 6e-4


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


def gelu_lines() -> Lines:
    at = np.linspace(-4.87, 4.93, 17)
    return lines(net(at, functions.gelu(at)))


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
