"""Run a study: with the points that come with Lutra, or with points measured anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group

from lutra_model.technology import Technology

from .. import write
from .base import Study
from .measured import Measured, committed
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
        output: str | None = None, progress: Progress | None = None) -> Result:
    """Find, and write what was found to ``output``.

    Raises ``ValueError`` when a library is given to a study that measures nothing.
    """
    if output:
        write.check(output)
    files = dict[str, bytes]()
    points: Sequence[Measured] = committed(study.name)
    found = study.find(technologies, points)
    data = as_data(study, found, technologies, points)
    if output:
        files |= {f"{study.name}.json": write.as_json(data)}
        for name, drawn in found.figures.items():
            files |= {f"{name}.svg": drawn.svg, f"{name}.png": drawn.png}
    return Result(data, shown(study, found), write.store(files, output) if output else ())
