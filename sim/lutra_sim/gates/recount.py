"""What the cost model counts of runs that were measured before: for a model that counts more, or otherwise."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from lutra_model.events import DramBits, Events
from lutra_model.files import parse_json, read_text
from lutra_model.params import Array, Metric
from lutra_model.structure import Structure

from . import workloads
from .blocks import BLOCKS, Block
from .characterise import FORMAT
from .measured import IDLE
from .seen import Seen
from .workloads import Layer

__all__ = ["recount"]

ROWS = (None, 32, 64, 128, 256)  # of a run: so many as the machine's latency asks for, or asked for before


def recount(path: Path, layer: Layer, progress: Callable[[str, int, int], None] | None = None) -> dict[str, Any]:
    """A measurement file's content with ``counts``, ``events`` and ``area_parts`` as the model now has them.

    Nothing is measured again: the workloads are made once more, and must be those that were measured.
    """
    data = parse_json(read_text(path, "measurement file"), str(path), FORMAT)
    runs: dict[tuple[Any, ...], Seen] = {}
    for number, item in enumerate(data["measurements"], start=1):
        array = _array(item["array"])
        block, structure = BLOCKS[item["block"]], Structure(array)
        events = Events() if item["workload"]["name"] == IDLE else _events(item, block, array, layer, runs)
        item["counts"] = {name: count for name, count in vars(events).items() if count and name != "dram"}
        item["events"] = block.charges(events, item["cycles"], structure)
        item["area_parts"] = block.area_parts(structure)
        if progress:
            progress("counting", number, len(data["measurements"]))
    return data


def _array(data: dict[str, Any]) -> Array:
    known = {field.name for field in fields(Array)}
    return Array(**{name: value for name, value in data.items() if name in known} | {"metric": Metric(data["metric"])})


def _events(item: dict[str, Any], block: Block, array: Array, layer: Layer,
            runs: dict[tuple[Any, ...], Seen]) -> Events:
    """Raises ``ValueError`` where the workload is another one now, whatever its number of rows."""
    workload, key = item["workload"], (item["workload"]["sha256"], array)
    if key not in runs:
        made = (workloads.make(workload["name"], block.workload, array, layer, rows=rows) for rows in ROWS)
        found = next((one for one in made if one.sha256 == workload["sha256"]), None)
        if found is None:
            raise ValueError(f"workload {workload['name']} of {block.name} must be what was measured, "
                             f"{workload['sha256'][:12]}: another one is made now")
        runs[key] = Seen(found, array, (), None, None)
    return Events(**runs[key].events, dram=DramBits())
