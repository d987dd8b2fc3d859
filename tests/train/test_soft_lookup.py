"""Table lookup that learns: hard forward, soft backward; in C as in PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch

from lutra.train.layers import native
from lutra.train.layers import soft_lookup as nearest


def integers(rng: np.random.Generator, *shape: int, low: int = -128, high: int = 128) -> Any:
    return torch.from_numpy(rng.integers(low, high, shape).astype(np.float32))


def soft_reference(x: Any, centroids: Any, table: Any, sharpness: Any) -> Any:
    """The equation as LUT-NN writes it: everything at once, gradients by autograd."""
    distance = (x[:, None] - centroids[..., None]).square().sum(2)
    return torch.einsum("kcm,kcn->nm", torch.softmax(-sharpness * distance, 1), table)


@pytest.mark.parametrize("entries", [16, 8])
@pytest.mark.parametrize(("codebooks", "length", "rows", "columns"), [(1, 1, 1, 1), (3, 9, 65, 5), (16, 4, 700, 16)])
def test_lookup_is_hard_forward_and_soft_backward(codebooks: int, length: int, rows: int, columns: int,
                                                  entries: int) -> None:
    rng = np.random.default_rng(codebooks)
    given = [integers(rng, codebooks, length, rows, low=-9, high=9),
             integers(rng, codebooks, entries, length, low=-9, high=9),
             integers(rng, codebooks, entries, columns), torch.tensor(0.02)]
    for value in given:
        value.requires_grad_()
    slope = torch.from_numpy(rng.standard_normal((columns, rows)).astype(np.float32))
    found = nearest.lookup(*given)
    found.backward(slope)
    x, centroids, table, sharpness = given
    distance = (x[:, None] - centroids[..., None]).square().sum(2).detach().numpy()
    index = distance.argmin(1)  # NumPy promises the first of equals
    hard = sum(table.detach().numpy()[k, index[k]].T for k in range(codebooks))
    assert np.array_equal(found.detach().numpy(), hard)
    soft = torch.autograd.grad(soft_reference(*given), (x, centroids, sharpness), slope)
    for value, wanted in zip((x, centroids, sharpness), soft, strict=True):
        torch.testing.assert_close(value.grad, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max() + 1))
    one_hot = np.eye(entries, dtype=np.float32)[index]
    torch.testing.assert_close(table.grad, torch.from_numpy(np.einsum("kmc,nm->kcn", one_hot, slope.numpy())),
                               rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(native.library() is None, reason="no C compiler")
@pytest.mark.parametrize("with_x", [True, False])
def test_compiled_and_plain_lookup_agree(with_x: bool) -> None:
    rng = np.random.default_rng(7)
    x, p, t = integers(rng, 5, 9, 333), integers(rng, 5, 16, 9), integers(rng, 5, 16, 12)
    sums, index = nearest.forward(x, p, t)
    for one, other in zip(native.forward(x, p, t), (sums, index), strict=True):
        assert torch.equal(one, other)
    slope = integers(rng, 12, 333)
    for one, other in zip(native.backward(x, p, t, 1e-4, index, slope, with_x),
                          nearest.backward(x, p, t, 1e-4, index, slope, with_x), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))
