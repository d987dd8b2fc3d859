"""Run a study: with the points that come with Lutra, or with points measured anew."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group

from lutra_model.technology import Technology

from .. import write
from .base import Found, Study
from .markdown import markdown
from .measured import Measured, committed
from .overview import overview
from .page import page
from .terminal import as_data, shown

__all__ = ["Result", "run", "run_all"]

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
    files = {f"{study.name}.{item.library}.json": _text(item) for item in points if liberty}
    return _result(study, found, technologies, points, files, output)


def run_all(studies: Sequence[Study], technologies: Sequence[Technology], output: str, progress: Progress) -> Result:
    """All studies, and an overview of them, into a folder."""
    write.check(output)
    found, results, paths = dict[str, Found](), list[Result](), list[Path]()
    for done, study in enumerate(studies):
        progress("studies", done, len(studies))
        points = committed(study.name)
        found[study.name] = study.find(technologies, points)
        results.append(_result(study, found[study.name], technologies, points, {}, output))
        paths += results[-1].paths
    progress("studies", len(studies), len(studies))
    drawn = overview(found)
    text = markdown(studies, found, "lutra study --output FOLDER")
    paths += write.store({"studies.svg": drawn.svg, "studies.png": drawn.png, "studies.md": text.encode()}, output)
    return Result({"studies": [result.data for result in results]}, Group(*(result.shown for result in results)), paths)


def _result(study: Study, found: Found, technologies: Sequence[Technology], points: Sequence[Measured],
            files: Mapping[str, bytes], output: str | None) -> Result:
    data = as_data(study, found, technologies, points)
    made = {f"{study.name}.json": write.as_json(data), f"{study.name}.html": page(data, found.figures).encode()}
    made |= files
    for name, drawn in found.figures.items():
        made |= {f"{name}.svg": drawn.svg, f"{name}.png": drawn.png}
    return Result(data, shown(study, found), write.store(made, output) if output else ())


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
