"""Characterises blocks in a cell library: measurement by measurement, each of them kept, into one file."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import lutra_model
from lutra_model.events import DramBits, Events
from lutra_model.files import write_whole
from lutra_model.params import Array, Metric

from .. import tools
from ..fpga import tools as fpga_tools
from ..generated import SOURCES
from ..library import Progress, cache_folder, cached
from ..partial import fingerprint
from . import workloads
from .blocks import BLOCKS, Block
from .facts import Facts
from .liberty import Library
from .measured import IDLE, Finding, measure
from .plan import Point
from .seen import Seen, short
from .synthesis import synthesise
from .workloads import Layer

__all__ = ["FORMAT", "Session", "characterise", "save"]

FORMAT = "lutra-measurements-1"
ANSWER = "measurement.json"
APART = ("plan.py", "characterise.py", "blocks.py", "facts.py")  # say what is measured, not how
TEXTS = {path.name: path.read_text() for path in sorted(Path(str(files(__package__))).iterdir())
         if path.suffix in (".py", ".v", ".cpp") and path.name not in APART}
MODEL = [path.read_text() for path in sorted(Path(lutra_model.__file__).parent.rglob("*.py"))]  # events follow from it


@dataclass(frozen=True)
class Session:
    """A library, a clock, a real layer; what is measured with them is kept in the cache.

    Parameters
    ----------
    workloads : names of `workloads.WORKLOADS` and ``idle``. rows : activation rows of a run, None: enough of them.
    """

    library: Library
    period_ns: float
    layer: Layer
    workloads: tuple[str, ...] = (*workloads.WORKLOADS, IDLE)
    rows: int | None = None
    cache: Path | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        known = (*workloads.WORKLOADS, IDLE)
        for name in self.workloads:
            if name not in known:
                raise ValueError(f"workload must be one of {', '.join(known)}, not {name}")

    def measurements(self, point: Point) -> list[dict[str, Any]]:
        """All blocks of a point under all workloads."""
        found, kinds = list[dict[str, Any]](), dict[str, list[Block]]()
        for name in point.blocks:
            kinds.setdefault(BLOCKS[name].workload, []).append(BLOCKS[name])
        for kind, blocks in kinds.items():
            seen: dict[str, Seen] = {}
            for workload in self.workloads:
                for block in blocks:
                    found.append(self._one(point, kind, block, blocks, workload, seen))
        return found

    def _one(self, point: Point, kind: str, block: Block, blocks: Sequence[Block], workload: str,
             seen: dict[str, Seen]) -> dict[str, Any]:
        runs = workloads.WORKLOADS[0] if workload == IDLE else workload

        def run() -> Seen:
            if runs not in seen:
                made = workloads.make(runs, kind, point.array, self.layer, rows=self.rows)
                seen[runs] = Seen(made, point.array, blocks, self.cache, self.progress)
            return seen[runs]

        same = (repr(point.array), kind, runs, self.rows, self.layer.sha256)
        how = (block.name, block.paths, block.memories, repr(block.watched), workload, point.storage, self.period_ns,
               self.library.digest, tools.versions(), fpga_tools.yosys().version, *SOURCES, *TEXTS.values())
        answer = self._kept("measurement", (*same, *how), lambda: self._measured(run(), block, point.storage,
                                                                                   idle=workload == IDLE))
        events = {} if workload == IDLE else self._kept("events", (*same, *MODEL), lambda: run().events)
        array = Array(**answer["array"] | {"metric": Metric(answer["array"]["metric"])})
        return Finding(**answer["found"]).as_dict(block, array, point.storage, answer["workload"],
                                                  Events(**events, dram=DramBits()), answer["activity"])

    def _kept(self, what: str, key: tuple[Any, ...], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Plain values that are made once for each key."""
        def fill(folder: Path) -> None:
            (folder / ANSWER).write_text(json.dumps(make()))

        folder = cached(self.cache or cache_folder(), f"{what}-{fingerprint(*key)[:32]}", fill)
        found: dict[str, Any] = json.loads((folder / ANSWER).read_text())
        return found

    def _measured(self, seen: Seen, block: Block, storage: str, *, idle: bool) -> dict[str, Any]:
        """What gates say, as plain numbers."""
        ports = seen.ports[block.name]
        part = block.burn(seen.design, ports) if block.burnt else seen.parts[block.name]
        what = f"{block.name} of {short(seen.array)}"
        netlist = synthesise(part, self.library, name=what, period_ns=self.period_ns, storage=storage,
                             cache=self.cache, progress=self.progress)
        found = measure(part, netlist, ports, period_ns=self.period_ns,
                        what=f"{what}, {seen.workload.name}", idle=idle, rest=block.rest)
        return {"found": asdict(found), "array": asdict(seen.array), "activity": {} if idle else seen.toggles(block),
                "workload": {"name": IDLE if idle else seen.workload.name, "sha256": seen.workload.sha256}}


def characterise(session: Session, points: Sequence[Point], facts: Facts) -> dict[str, Any]:
    """The measurement file's content."""
    found = list[dict[str, Any]]()
    for done, point in enumerate(points, start=1):
        found += session.measurements(point)
        if session.progress:
            session.progress("machines", done, len(points))
    versions = tools.versions()
    return {"format": FORMAT, "library": facts.as_dict(session.library),
            "tools": {"yosys": fpga_tools.yosys().version, **{name: versions[name] for name in ("amaranth", "g++")}},
            "period_ns": session.period_ns, "date": datetime.now(UTC).date().isoformat(), "measurements": found}


def save(data: Mapping[str, Any], path: Path) -> None:
    """Write the file, one measurement in a line, six digits; whole or not at all."""
    head = {name: value for name, value in data.items() if name != "measurements"}
    lines = ",\n".join(json.dumps(_rounded(item), separators=(",", ":")) for item in data["measurements"])
    text = json.dumps(head, indent=1)[:-2] + f',\n "measurements": [\n{lines}\n]}}\n'
    write_whole(path, lambda part: part.write_text(text))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return value
