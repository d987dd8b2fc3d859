"""docs/add-a-scheme.md: the module that trains its toy ships what the golden model computes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lutra.train.graph import Graph
from lutra.train.layers import CODED
from lutra_hw.engines import ENGINES as HARDWARE
from lutra_model import golden
from lutra_model.codings import CODINGS
from lutra_model.engines import ENGINES
from lutra_model.network import Network, Product, Window
from lutra_model.schemes import SCHEMES
from tests.train.networks import equals_golden, images, learn_brightness, product, residual

GUIDE = Path(__file__).parents[2] / "docs" / "add-a-scheme.md"


@pytest.fixture
def net() -> Iterator[Network]:
    """A residual network of the toy's layers, whose words are random; the toy is known while a test runs."""
    toy: dict[str, Any] = {"__name__": "toy"}
    exec("\n\n".join(re.findall(r"```python(?: train)?\n(.*?)```", GUIDE.read_text(), re.DOTALL)), toy)
    rng = np.random.default_rng(0)

    def layer(name: str, source: str, channels: int, columns: int, *, window: Window | None = None,
              low: int = 0) -> Product:
        made = product(rng, name, source, channels, columns, window=window, low=low)
        words = rng.integers(0, 16, made.table.shape).astype(np.int8)
        return replace(made, table=words, coding=toy["Shift"](),
                       table_scale=np.full(columns, 0.1 / (made.reduction**0.5 * 64)))

    yield Graph(residual(layer)).eval().export()
    for registry in (CODINGS, ENGINES, SCHEMES, HARDWARE, CODED):
        del registry["shift"]  # type: ignore[attr-defined]


def test_evaluation_mode_equals_golden_and_keeps_the_network(net: Network) -> None:
    graph = Graph(net)
    equals_golden(graph, images(0))
    before, after = golden.run(net, images(9)), golden.run(graph.export(), images(9))
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert len(np.unique(before["d"])) > 5


def test_it_learns_and_still_equals_golden(net: Network) -> None:
    graph = Graph(net)
    start = [node.weight.detach().clone() for node in graph.nodes if hasattr(node, "weight")]
    some = learn_brightness(graph)
    equals_golden(graph, some)
    moved = [node.weight for node in graph.nodes if hasattr(node, "weight")]
    assert any(not torch.equal(now, then) for now, then in zip(moved, start, strict=True))
