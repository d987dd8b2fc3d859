"""Shapes of layers in a scheme, without their numbers: what its own converter makes of a layer of few columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .engines import engine_of
from .graph import Affine
from .nodes import Window
from .params import Array, Layer
from .places import Places
from .runs import Design, Run, run, sized
from .schemes import Layer as Given
from .schemes import Options, scheme_of
from .workloads import Work

__all__ = ["Probe", "best_encoders", "in_scheme", "probe"]

COLUMNS = 16  # of the layer that is converted
VECTORS = 64  # of its calibration data, at least
SLOWER = 1.03  # what fewer encoders may cost


@dataclass(frozen=True, eq=False)
class Probe:
    """A scheme's idea of a layer.

    Parameters
    ----------
    layer : its shape with one row and few columns; sizes : the fields of `Array` that follow from it.
    weight_levels : different values that a weight can have.
    """

    layer: Layer
    sizes: dict[str, Any]
    weight_levels: int

    def array(self, rows: int, columns: int, encoders: int, **sizes: Any) -> Array:
        """A machine for it."""
        return Array(**{"engine": self.layer.engine, "rows": rows, "columns": columns, "encoders": encoders,
                        **self.sizes, **sizes})


@lru_cache(maxsize=1 << 10)
def probe(scheme: str, reduction: int, *, kernel: tuple[int, int] = (1, 1), groups: int = 1,
          options: Options | None = None, given: bool = False) -> Probe:
    """What a scheme makes of a convolution of that kernel whose groups sum ``reduction`` scalars each.

    ``given``: it reads the network's input; others read what a ReLU has left.

    Raises ``ValueError`` where the scheme refuses it.
    """
    chosen, options = scheme_of(scheme), replace(options or Options(), refine=False)
    rng, columns = np.random.default_rng(0), groups * COLUMNS
    step = Affine(name="layer", inputs=("input",), tensor="output", places=Places.channels_first((columns,)),
                  weight=rng.normal(size=(reduction, columns)), bias=np.zeros(columns), window=Window(kernel=kernel),
                  groups=groups)
    chosen.check(options, {step.name: step})
    vectors = max(VECTORS, options.entries)
    span = chosen.span(options, rectified=True, given=given)
    values = rng.integers(*span, (groups * reduction, vectors), np.int8, endpoint=True)
    node = chosen.product(Given(
        step=step, source="input", input_scale=1 / 127, scale=1.0, low=-128, high=127, columns=lambda: values,
        target=lambda: np.zeros((vectors, columns)), span=span), options)
    layer = node.layer()
    return Probe(layer, engine_of(layer.engine).sizes([node]), node.coding.weight_levels)


def in_scheme(works: Sequence[Work], scheme: str, options: Options | None = None) -> tuple[list[Work], list[Probe]]:
    """The works with the products of a scheme, and the probes of those."""
    found, probes = list[Work](), list[Probe]()
    for work in works:
        if work.layer:
            kernel = work.window.kernel if work.window else (1, 1)
            shape = probe(scheme, work.channels * prod(kernel), kernel=kernel, groups=work.groups, options=options)
            work = replace(work, layer=replace(shape.layer, name=work.name, rows=work.layer.rows,
                                               columns=work.layer.columns))
            probes.append(shape)
        found.append(work)
    return found, probes


def machine(probes: Sequence[Probe], rows: int, columns: int, encoders: int, **sizes: Any) -> Array:
    """A machine for layers of one scheme: the largest of every size."""
    needs = {name: max(item.sizes[name] for item in probes) if isinstance(value, int) else value
             for name, value in probes[0].sizes.items()}
    return replace(probes[0], sizes=needs).array(rows, columns, encoders, **sizes)


def best_encoders(name: str, works: Sequence[Work], probes: Sequence[Probe], rows: int, columns: int, *,
                  encoders: int | None = None, images: int = 1, **sizes: Any) -> Run:
    """The works on a machine with memories made to measure and, unless told, the fewest encoders that keep it busy.

    Raises ``ValueError`` where no such machine holds them.
    """
    def made(encoders: int) -> Run:
        array, streamed = sized(machine(probes, rows, columns, encoders, **sizes), works)
        return run(Design(name, array), works, images=images, streamed=streamed)

    tried, refused = list[Run](), ""
    counts = [1 << power for power in range(rows.bit_length()) if rows % (1 << power) == 0]
    for count in [encoders] if encoders else counts:
        try:
            tried.append(made(count))
        except ValueError as error:
            refused = refused or str(error)
    if not tried:
        raise ValueError(refused)
    return next(found for found in tried if found.cycles <= SLOWER * min(item.cycles for item in tried))
