"""Table lookup that learns: hard forward, soft backward; in C as in PyTorch."""

from typing import Any

import numpy as np
import pytest
import torch

from lutra.train.layers import native
from lutra.train.layers import soft_lookup as nearest
from lutra_model import kernels
from lutra_model.params import DISTANCES, Metric


def integers(rng: np.random.Generator, *shape: int, low: int = -128, high: int = 128) -> Any:
    return torch.from_numpy(rng.integers(low, high, shape).astype(np.float32))


def soft_reference(x: Any, centroids: Any, table: Any, sharpness: Any, metric: Metric) -> Any:
    """The equation as LUT-NN writes it: everything at once, gradients by autograd."""
    size = (x[:, None] - centroids[..., None]).abs()
    distance = {Metric.L2: size.square().sum(2), Metric.L1: size.sum(2), Metric.CHEBYSHEV: size.amax(2)}[metric]
    return torch.einsum("kcm,kcn->nm", torch.softmax(-sharpness * distance, 1), table)


@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("entries", [16, 8])
@pytest.mark.parametrize(("codebooks", "length", "rows", "columns"), [(1, 1, 1, 1), (3, 9, 65, 5), (16, 4, 700, 16)])
def test_lookup_is_hard_forward_and_soft_backward(codebooks: int, length: int, rows: int, columns: int,
                                                  entries: int, metric: Metric) -> None:
    rng = np.random.default_rng(codebooks)
    given = [integers(rng, codebooks, length, rows, low=-9, high=9),  # few values: many ties and corners
             integers(rng, codebooks, entries, length, low=-9, high=9),
             integers(rng, codebooks, entries, columns), torch.tensor(0.02 if metric is Metric.L2 else 0.2)]
    for value in given:
        value.requires_grad_()
    slope = torch.from_numpy(rng.standard_normal((columns, rows)).astype(np.float32))
    found = nearest.lookup(*given, metric)
    found.backward(slope)
    x, centroids, table, sharpness = given
    index = kernels.nearest(*(value.detach().numpy().astype(np.int8) for value in (x, centroids)), metric)
    hard = sum(table.detach().numpy()[k, index[k]].T for k in range(codebooks))
    assert np.array_equal(found.detach().numpy(), hard)
    soft = torch.autograd.grad(soft_reference(*given, metric), (x, centroids, sharpness), slope)
    for value, wanted in zip((x, centroids, sharpness), soft, strict=True):
        torch.testing.assert_close(value.grad, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max() + 1))
    one_hot = np.eye(entries, dtype=np.float32)[index]
    torch.testing.assert_close(table.grad, torch.from_numpy(np.einsum("kmc,nm->kcn", one_hot, slope.numpy())),
                               rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(native.library() is None, reason="no C compiler")
@pytest.mark.parametrize("metric", DISTANCES)
@pytest.mark.parametrize("with_x", [True, False])
def test_compiled_and_plain_lookup_agree(with_x: bool, metric: Metric) -> None:
    rng = np.random.default_rng(7)
    x, p, t = integers(rng, 5, 9, 1333), integers(rng, 5, 16, 9), integers(rng, 5, 16, 17)
    sums, index = nearest.forward(x, p, t, metric)
    for one, other in zip(native.forward(x, p, t, metric), (sums, index), strict=True):
        assert torch.equal(one, other)
    slope, sharpness = integers(rng, 17, 1333), 1e-4 if metric is Metric.L2 else 1e-2
    for one, other in zip(native.backward(x, p, t, sharpness, index, slope, with_x, metric),
                          nearest.backward(x, p, t, sharpness, index, slope, with_x, metric), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))
