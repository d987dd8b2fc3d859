"""A workload on many machines: memories made to measure, events, cycles; energy and area in a technology."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..area import area_um2
from ..counting import count
from ..energy import charged
from ..events import DramBits, Events
from ..quantities import owed
from ..runs import TABLE_BYTES, measured, with_functions
from ..structure import Structure
from ..technology import Technology
from ..whole import most
from ..workloads import Work
from .cycles import Timer
from .designs import Designs, taken
from .resident import fastest
from .shapes import Formed, Step, formed, in_blocks, kinds, nameless, step

__all__ = ["Points", "evaluate"]

CHUNK = 16384  # machines whose numbers stay in the cache together
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Points:
    """A workload on many machines.

    Parameters
    ----------
    designs : with all their memories. fits : whether each runs the workload; numbers of others mean nothing.
    streamed : whether its tables come from the stream, for every image.
    cycles : of one image. events : of all images. Arrays ``(machines,)`` of whole numbers.
    """

    designs: Designs
    fits: NDArray[np.bool_]
    streamed: NDArray[np.bool_]
    cycles: Integers
    events: Events
    images: int = 1

    def __len__(self) -> int:
        return len(self.cycles)

    @cached_property
    def structure(self) -> Structure:
        """Widths of each machine."""
        return Structure(self.designs)

    def components(self, technology: Technology) -> dict[str, NDArray[np.float64]]:
        """Energy of all images in picojoules by component, on each machine."""
        found = dict[str, Any]()
        for charge in charged(owed(self.events, self.images * self.cycles, self.structure), self.structure, technology):
            found[charge.component] = found.get(charge.component, 0.0) + charge.picojoules
        return {name: np.broadcast_to(value, len(self)) for name, value in found.items()}

    def picojoules(self, technology: Technology) -> NDArray[np.float64]:
        """Energy of all images on each machine."""
        return np.sum([*self.components(technology).values()], axis=0)

    def area(self, technology: Technology) -> NDArray[np.float64]:
        """Square micrometres of each machine."""
        return np.broadcast_to(sum(area_um2(self.structure, technology).values()), len(self))


def _events(found: Sequence[Step], designs: Designs, images: int) -> Events:
    """Of all steps; equal ones are counted once."""
    times, by_id = Counter[int](), {id(one): one for one in found}
    for one in found:
        times[id(one)] += one.work.times * one.work.groups
    total = Events()
    for number, one in by_id.items():
        total = total + times[number] * count(one.operation, designs, one.layer, images=images)
    return total


def _run(found: Sequence[Step], designs: Designs, streamed: bool, images: int) -> tuple[Integers, Events]:
    """Cycles of one image and events of all on machines that all stream their tables, or all keep them."""
    cut = in_blocks if streamed else fastest
    known = {id(one): cut(one, designs) for one in found}
    found = [known[id(one)] for one in found]
    alike = [replace(one.work, residual=False, output=False, functions=0) for one in found]  # for all that takes time
    cycles = Timer(designs, len(designs)).cycles([one.operation for one in found], alike)
    total = np.sum([one.work.times * one.work.groups * each for one, each in zip(found, cycles, strict=True)], axis=0)
    return total, _events(found, designs, images)


def _joined(parts: Sequence[Any], places: Sequence[NDArray[Any]], size: int) -> Any:
    """Numbers of parts of all machines, at their places."""
    first = parts[0]
    if isinstance(first, Events | DramBits | Designs):
        return replace(first, **{field.name: _joined([getattr(part, field.name) for part in parts], places, size)
                                 for field in fields(first) if not isinstance(getattr(first, field.name), str)})
    if all(isinstance(part, int) and part == first for part in parts) or first is None:
        return first
    whole = np.empty(size, np.asarray(first).dtype)
    for part, some in zip(parts, places, strict=True):
        whole[some] = part
    return whole


def _part(known: dict[int, Step], designs: Designs, places: NDArray[Any]) -> tuple[dict[int, Step], Designs]:
    """Steps and machines at some places."""
    return {number: replace(taken(one, places), layer=one.layer and taken(one.layer, places),
                            operation=taken(one.operation, places)) for number, one in known.items()}, \
        taken(designs, places)


def _chunk(shapes: Sequence[Formed], designs: Designs, which: NDArray[np.int64], images: int, streamed: bool | None,
           own_activations: bool) -> Points:
    known, size = {id(shape): step(shape, designs, which) for shape in shapes}, len(designs)
    sizes, tables = measured(designs, [(shape.work, known[id(shape)].operation) for shape in shapes],
                             designs.activation_words if own_activations else 0)
    flows = np.broadcast_to(tables * designs.beat_bytes > TABLE_BYTES if streamed is None else streamed, size)
    designs = replace(designs, **sizes | {"table_words": np.where(flows, 1, most(1, tables))})
    parts, places = [], [some for some in (np.flatnonzero(flows), np.flatnonzero(~flows)) if len(some)]
    for some in places:
        mine, machines = (known, designs) if len(some) == size else _part(known, designs, some)
        parts.append(_run([mine[id(shape)] for shape in shapes], machines, bool(flows[some[0]]), images))
    fits = np.logical_and.reduce([one.fits for one in known.values()])
    cycles, events = (_joined([part[number] for part in parts], places, size) for number in (0, 1))
    return Points(designs, fits, flows, cycles, events, images)


def evaluate(works: Sequence[Work], designs: Designs, *, recut: bool = False, images: int = 1,
             streamed: bool | None = None, own_activations: bool = False) -> Points:
    """Cycles and events of a workload on many machines with memories made to measure, as `runs` has them for one.

    Machines that do not look up run the works' dense twins. ``recut``: each machine's layers have its entries, and
    sub-vectors as long as it takes (`cut`). ``streamed`` None: where tables need more than ``TABLE_BYTES``.
    ``own_activations``: activation memories have the sizes that the designs say.
    """
    for work in works:
        if work.row:
            raise ValueError(f"step {work.name} must be a product, a pool or an input to be estimated on many machines "
                             "at once, not a softmax or norm")
    if not designs.is_lookup:
        works = [work.as_dense(designs.engine) for work in works]
    designs = with_functions(designs, works)
    some, known = kinds(designs, recut), dict[Work, Formed]()
    for work in map(nameless, works):
        known[work] = known.get(work) or formed(work, some)
    shapes = [known[nameless(work)] for work in works]
    places = [np.arange(first, min(first + CHUNK, len(designs))) for first in range(0, len(designs), CHUNK)]
    parts = [_chunk(shapes, taken(designs, here), some.which[here], images, streamed, own_activations)
             for here in places]
    joined = {name: _joined([getattr(part, name) for part in parts], places, len(designs))
              for name in ("designs", "fits", "streamed", "cycles", "events")}
    return Points(**joined, images=images)
