"""The best machines for a workload: the front of energy, area and cycles over a space of designs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bulk import Designs, Points, cut, evaluate
from .params import Array, Metric
from .runs import Design, run, sized
from .technology import Technology
from .workloads import Work

__all__ = ["AXES", "OBJECTIVES", "Front", "exactly", "explore", "front", "space"]

MEMORIES = {"index_words": (1024, 4096, 16384), "block_rows": (256, 1024, 4096)}
AXES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "lookup": {"rows": (8, 16, 32, 64, 128), "columns": (8, 16, 32, 64, 128), "encoders": (1, 2, 4, 8, 16, 32, 64),
               "fill": (0, 4, 8, 16), **MEMORIES},
    "mac": {"rows": (16, 32, 64, 128, 256), "columns": (8, 16, 32, 64, 128), "encoders": (4, 8, 16, 32, 64, 128, 256),
            "fill": (0, 1, 4, 16), **MEMORIES}}
OBJECTIVES = ("picojoules", "area_um2", "cycles")


@dataclass(frozen=True, eq=False)
class Front:
    """Machines of which none is worse than another one in energy, area and cycles.

    Parameters
    ----------
    points : of the whole space. places : of the front among them, by cycles.
    values : ``(machines, 3)``, in picojoules, square micrometres and cycles of all images, of the whole space.
    """

    engine: str
    points: Points
    places: NDArray[np.int64]
    values: NDArray[np.float64]

    def row(self, place: int) -> dict[str, Any]:
        """One machine's sizes and numbers."""
        array, numbers = self.points.designs.at(place), self.values[place]
        return {"engine": self.engine, "streamed": bool(self.points.streamed[place]),
                **dict(zip(OBJECTIVES, map(float, numbers), strict=True)), "cycles": int(numbers[2]),
                "array": {field.name: getattr(array, field.name) for field in fields(Array)}}


def space(engine: str, axes: Mapping[str, Sequence[int]], **fixed: Any) -> Designs:
    """All machines of an engine that the axes make; encoders beyond the rows, and fills that divide none, make none."""
    sizes = dict(AXES[engine]) | dict(axes)
    grid = dict(zip(sizes, np.array([*product(*sizes.values())], np.int64).T, strict=True))
    rows, encoders, fill = grid["rows"], grid["encoders"], grid.get("fill", np.zeros(1, np.int64))
    good = (rows % encoders == 0) & (rows % np.maximum(fill, 1) == 0)
    if 0 in fill:  # which is all rows
        good &= fill != rows
    if not np.any(good):
        raise ValueError(f"axes must make a machine; of {len(good)} sets of sizes none has encoders and a fill that "
                         "divide its rows")
    return Designs(engine=engine, **({name: values[good] for name, values in grid.items()} | fixed))


def front(values: NDArray[np.float64], within: float = 0.0) -> NDArray[np.int64]:
    """Places of the rows of ``(n, 3)`` that no other row beats: smaller or equal in all, and smaller in one.

    A row stands for those after it (in the order of the last number) that are better by no more than ``within``.
    """
    order = np.lexsort(values.T)
    kept = list[int]()
    best = np.empty((0, values.shape[1]))
    for place in order:
        if not np.any(np.all(best <= (1 + within) * values[place], axis=1)):  # what comes later beats none before
            kept.append(int(place))
            best = np.vstack([best, values[place]])
    return np.array(kept, np.int64)


def explore(works: Sequence[Work], technology: Technology, engine: str, *,
            axes: Mapping[str, Sequence[int]] | None = None,
            images: int = 1, metric: Metric = Metric.L2, within: float = 0.0) -> Front:
    """The front of an engine's space for a workload.

    Entries and lengths are the works' own, unless they are axes: then each machine cuts layers by its own. ``within``:
    see `front`.
    """
    axes = dict(axes or {})
    layers = [work.layer for work in works if work.layer]
    own = {"length": max(layer.length for layer in layers), "entries": max(layer.entries for layer in layers)}
    fixed: dict[str, Any] = {"metric": metric} | {name: value for name, value in own.items() if name not in axes}
    if engine != "lookup":
        axes = {name: values for name, values in axes.items() if name not in own}
        fixed = {"length": 1, "entries": 1}
    designs = space(engine, axes, **fixed)
    points = evaluate(works, designs, recut=bool(own.keys() & axes.keys()), images=images)
    values = np.stack([points.picojoules(technology), points.area(technology),
                       (points.images * points.cycles).astype(np.float64)], axis=1)
    fits = np.flatnonzero(points.fits)
    if not len(fits):
        raise ValueError(f"no machine of the engine {engine} in this space runs the workload: index memories hold at "
                         f"most {int(np.max(designs.index_words))} row tiles")
    places = fits[front(values[fits], within)]
    return Front(engine, points, places[np.argsort(values[places, 2], kind="stable")], values)


def exactly(found: Front, place: int, works: Sequence[Work], technology: Technology) -> dict[str, float]:
    """The same machine by the exact model, operation by operation."""
    designs, images = found.points.designs, found.points.images
    array = designs.at(place)
    mine = [cut(work, array.length, array.entries) if found.engine == "lookup" else work.as_dense(found.engine)
            for work in works]
    fitting, streamed = sized(array, mine)
    priced = run(Design(found.engine, fitting), mine, images=images, streamed=streamed).priced(technology)
    return {"picojoules": priced.bill.picojoules, "area_um2": priced.area, "cycles": float(priced.run.cycles)}
