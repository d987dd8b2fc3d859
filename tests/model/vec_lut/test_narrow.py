"""model.narrow: accumulators of few bits."""

from itertools import product as cartesian

import numpy as np
import pytest

from lutra_model.narrow import Narrow, Policy, narrow_sums, safe_flush


def test_the_published_accumulator_overflows_and_a_safe_flush_does_not() -> None:
    """512 weights of 1, activations of -128: 128 look-ups reach -65,536, where 16 bits hold -32,768."""
    codes, a = np.full((128, 1), 80, np.uint8), np.full((512, 1), -128, np.int8)
    with pytest.raises(ValueError, match=r"^accumulators of 16 bits must hold -32768 to 32767, but a sum reaches 33280 "
                                         r"in magnitude$"):
        narrow_sums(codes, a, 4, Narrow())
    safe = narrow_sums(codes, a, 4, Narrow(flush=63))
    assert (safe.sums.tolist(), safe.peak) == ([[-65536]], 63 * 512)
    assert narrow_sums(codes, a, 4, Narrow(policy=Policy.WRAP)).sums.tolist() == [[0]]
    assert narrow_sums(codes, a, 4, Narrow(policy=Policy.SATURATE)).sums.tolist() == [[-32768]]
    assert narrow_sums(codes, a, 4, Narrow(bits=18)).peak == 65536
    assert (safe_flush(16, 4), safe_flush(16, 5), safe_flush(16, 4, 127), safe_flush(16, 5, 127)) == (63, 51, 64, 51)


@pytest.mark.parametrize("policy", [Policy.WRAP, Policy.SATURATE])
@pytest.mark.parametrize("flush", [0, 1, 3])
def test_narrow_sums_equal_naive_loops(policy: Policy, flush: int) -> None:
    rng = np.random.default_rng(flush)
    codes, a = rng.integers(0, 81, (8, 3), np.uint8), rng.integers(-128, 128, (32, 5), np.int8)
    found = narrow_sums(codes, a, 4, Narrow(bits=9, flush=flush, policy=policy))
    peak = 0
    for row, column in cartesian(range(5), range(3)):
        wide = inner = 0
        for k in range(8):
            inner += sum(int(a[4 * k + j, row]) * (int(codes[k, column]) // 3**j % 3 - 1) for j in range(4))
            peak = max(peak, abs(inner))
            inner = min(max(inner, -256), 255) if policy is Policy.SATURATE else (inner + 256) % 512 - 256
            if flush and (k + 1) % flush == 0:
                wide, inner = wide + inner, 0
        assert found.sums[row, column] == wide + inner
    assert found.peak == peak
