"""model.piecewise against naive loops, and the words of a slot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutra_model.piecewise import FUNCTION_WORDS, INPUT, Piecewise

INT16 = st.integers(*INPUT)
ALL = np.arange(INPUT[0], INPUT[1] + 1)


@st.composite
def tables(draw: st.DrawFn) -> Piecewise:
    segments = draw(st.integers(1, 16))
    sizes = {"min_size": segments, "max_size": segments}
    places = draw(st.lists(INT16, min_size=segments - 1, max_size=segments - 1))
    return Piecewise(breakpoints=np.array(sorted(places), int),
                     slopes=np.array(draw(st.lists(INT16, **sizes))), shift=draw(st.integers(0, 31)),
                     intercepts=np.array(draw(st.lists(st.integers(-(2**31), 2**31 - 1), **sizes))))


def naive(table: Piecewise, x: int) -> int:
    """Segment by segment, in Python's own integers."""
    k = sum(1 for place in table.breakpoints.tolist() if place <= x)
    return (table.slopes.tolist()[k] * x + table.intercepts.tolist()[k]) // 2**table.shift


@settings(max_examples=200, deadline=None, derandomize=True)
@given(table=tables(), x=st.lists(INT16, min_size=1, max_size=20))
def test_values_equal_a_naive_loop(table: Piecewise, x: list[int]) -> None:
    x += [place + step for place in table.breakpoints.tolist() for step in (-1, 0, 1) if place + step in range(*INPUT)]
    assert table.evaluate(np.array(x)).tolist() == [naive(table, one) for one in x]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(table=tables())
def test_the_words_of_a_slot_say_the_same_function(table: Piecewise) -> None:
    words = table.words()
    assert len(words) == FUNCTION_WORDS
    assert all(0 <= word < 2**32 for word in words)
    again = Piecewise.of_words(words)
    assert again.segments == 16
    assert again.words() == words
    np.testing.assert_array_equal(again.evaluate(ALL), table.evaluate(ALL))


def test_the_words_lie_as_the_machine_reads_them() -> None:
    table = Piecewise(breakpoints=np.array([-2, 5]), slopes=np.array([1, -3, 7]), intercepts=np.array([0, -1, 9]),
                      shift=4)
    words = table.words()
    assert words[:6] == (1, 0, 0xFFFE_FFFD, 0xFFFF_FFFF, 0x0005_0007, 9)
    assert words[6:8] == (0x7FFF_0007, 9)
    assert words[32] == 4


def test_a_breakpoint_belongs_to_the_segment_on_its_right() -> None:
    table = Piecewise(breakpoints=np.array([0, 0, 3]), slopes=np.zeros(4, int), intercepts=np.array([1, 2, 3, 4]),
                      shift=0)
    assert table.evaluate([-1, 0, 2, 3]).tolist() == [1, 3, 3, 4]
    assert table.evaluate(np.zeros((2, 3), np.int8)).shape == (2, 3)


@pytest.mark.parametrize(("change", "message"), [
    ({"breakpoints": [3, 2]}, r"^breakpoints of a piecewise function must rise, not be \[3, 2\]$"),
    ({"breakpoints": [1]}, r"^a piecewise function of 3 slopes must have 2 breakpoints and 3 intercepts, not 1 and 3$"),
    ({"slopes": [0, 0, 2**15]}, r"^slopes of a piecewise function must be -32768 to 32767, not 0 to 32768$"),
    ({"intercepts": [0, 0, 2**31]}, r"^intercepts of a piecewise function must be .* not 0 to 2147483648$"),
    ({"slopes": [0.5, 0, 0]}, r"^slopes of a piecewise function must be a list of whole numbers$"),
    ({"slopes": [], "breakpoints": [], "intercepts": []}, r"^a piecewise function must have 1 to 16 segments, not 0$"),
    ({"shift": 32}, r"^shift of a piecewise function must be 0 to 31, not 32$")])
def test_bad_tables_are_refused(change: dict[str, object], message: str) -> None:
    given = {"breakpoints": [1, 2], "slopes": [0, 0, 0], "intercepts": [0, 0, 0], "shift": 0}
    with pytest.raises(ValueError, match=message):
        Piecewise(**given | change)  # type: ignore[arg-type]


def test_an_input_beyond_16_bits_is_refused() -> None:
    table = Piecewise(breakpoints=np.zeros(0, int), slopes=np.array([1]), intercepts=np.array([0]), shift=0)
    with pytest.raises(ValueError, match=r"^the input of a piecewise function must be .*, not 0 to 32768$"):
        table.evaluate([0, 2**15])
