"""Run a study: with the points that come with Lutra, or with points measured anew."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group

from lutra_model.technology import Technology

from .. import write
from .base import Study
from .measured import Measured, committed
from .page import page
from .terminal import as_data, shown

__all__ = ["Result", "run"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Result:
    """A study's data, what people see, and the files that were written."""

    data: dict[str, Any]
    shown: Group
    paths: Sequence[Path]


def run(study: Study, technologies: Sequence[Technology], *, liberty: Sequence[str] | None = None,
        output: str | None = None, progress: Progress) -> Result:
    """Find, and write what was found to ``output``: data, page, figures, and points that were measured anew.

    Raises ``ValueError`` when a library is given to a study that measures nothing.
    """
    if output:
        write.check(output)
    points = _measured(study, liberty, progress) if liberty else committed(study.name)
    found = study.find(technologies, points)
    data = as_data(study, found, technologies, points)
    files = {f"{study.name}.json": write.as_json(data), f"{study.name}.html": page(data, found.figures).encode()}
    for name, drawn in found.figures.items():
        files |= {f"{name}.svg": drawn.svg, f"{name}.png": drawn.png}
    files |= {f"{study.name}.{item.library}.json": _text(item) for item in points if liberty}
    return Result(data, shown(study, found), write.store(files, output) if output else ())


def _measured(study: Study, liberty: Sequence[str], progress: Progress) -> list[Measured]:
    if study.measure is None:
        raise ValueError(f"the study {study.name} measures nothing at gate level, it takes no cell library")
    from . import bench  # slow to import

    return [bench.measure(study.name, study.measure, liberty, progress)]


def _text(item: Measured) -> bytes:
    """A file of points: one on each line."""
    head = json.dumps(item.head, indent=1)
    points = ",\n  ".join(json.dumps(point) for point in item.points)
    return f'{head[:-2]},\n "points": [\n  {points}\n ]\n}}\n'.encode()
