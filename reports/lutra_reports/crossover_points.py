"""The layers of a sweep, and which forms of the lookup schemes take part in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lutra_model.params import Layer
from lutra_model.probe import probe
from lutra_model.schemes import Options, scheme_of
from lutra_model.workloads import Work

__all__ = ["AXES", "BASE", "TITLES", "Form", "Point", "forms", "points", "taking_part"]

BASE = (256, 576, 256)  # rows, reduction, columns where an axis does not say otherwise
AXES: dict[str, tuple[int, ...]] = {
    "rows": (1, 4, 16, 64, 256, 1024, 4096),
    "columns": (16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
    "bits": (1, 2, 3, 4, 5, 6, 7, 8),
    "group": (2, 3, 4, 5, 6, 8, 9, 12, 16, 32),
}
TITLES = {"rows": "M, rows that share a table", "columns": "N, columns that share an index",
          "bits": "bits of a weight", "group": "scalars of one index (V, g or K)"}


@dataclass(frozen=True)
class Point:
    """A layer of rows x reduction x columns and what schemes are told."""

    rows: int
    reduction: int
    columns: int
    options: Options

    @property
    def works(self) -> tuple[Work, ...]:
        """The layer alone; its scheme comes later."""
        layer = Layer.dense(name="layer", rows=self.rows, reduction=self.reduction, columns=self.columns)
        return (Work(name="layer", layer=layer, width=self.rows, channels=self.reduction, output=True),)


def points(axis: str, values: Iterable[int], base: tuple[int, int, int],
           options: Options) -> Iterator[tuple[int, Point]]:
    """The layers of an axis by its values."""
    rows, reduction, columns = base
    for value in values:
        match axis:
            case "rows":
                yield value, Point(value, reduction, columns, options)
            case "columns":
                yield value, Point(rows, reduction, value, options)
            case "bits":
                yield value, Point(*base, replace(options, bits=value))
            case _:
                yield value, Point(*base, replace(options, lengths=value, group=value))


@dataclass(frozen=True)
class Form:
    """A scheme in one of its variants."""

    scheme: str
    variant: str = ""

    @property
    def label(self) -> str:
        """What figures call it."""
        return f"{self.scheme}, {self.variant}" if self.variant else self.scheme

    def options(self, point: Point) -> Options | None:
        """What it is told at a point; None where it has no such variant."""
        return scheme_of(self.scheme).variants(point.options).get(self.variant)

    def shape(self, point: Point) -> tuple[Any, ...] | None:
        """What tells one layer of it from another; None where it refuses the layer."""
        try:
            options = self.options(point)
            found = probe(self.scheme, point.reduction, options=options) if options else None
        except ValueError:
            return None
        if found is None:
            return None
        layer = found.layer
        return layer.codebooks, layer.length, layer.entries, repr(found.sizes), found.weight_levels


def forms(schemes: Iterable[str], options: Options) -> list[Form]:
    """All variants of the schemes."""
    return [Form(name, variant) for name in schemes for variant in scheme_of(name).variants(options)]


def taking_part(axis: str, lookups: Sequence[Form], layers: Sequence[tuple[int, Point]]) -> dict[Form, set[int]]:
    """Values of the axis that each scheme runs; of ``bits`` and ``group`` only schemes that have them."""
    found = {}
    for form in lookups:
        shapes = {value: form.shape(point) for value, point in layers}
        runs = {value for value, shape in shapes.items() if shape is not None}
        if axis in ("rows", "columns") or len({shapes[value] for value in runs}) > 1:
            found[form] = _distinct(shapes, runs) if axis == "group" else runs
    return found


def _distinct(shapes: Mapping[int, Any], runs: Iterable[int]) -> set[int]:
    """Of values that make the same layer, the smallest."""
    return {min(value for value in runs if shapes[value] == shapes[one]) for one in runs}
