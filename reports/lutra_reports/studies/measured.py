"""Points measured at gate level that studies rest on: files with their provenance, one for each study and library."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import lutra_model
from lutra_model.files import parse_json

__all__ = ["FORMAT", "Measured", "committed", "parse", "power_mw", "recorded"]

FORMAT = "lutra-study-1"
KEYS = ("format", "study", "library", "tools", "date", "command", "period_ns", "points")


@dataclass(frozen=True)
class Measured:
    """Points of one library.

    Parameters
    ----------
    library : its name; the file has its title, corner and digests.
    head : all that the file says of where the points come from.
    points : one object for each netlist that was made and simulated.
    """

    library: str
    head: Mapping[str, Any]
    points: Sequence[Mapping[str, Any]]

    @property
    def basis(self) -> str:
        """What a number of it rests on."""
        return f"gates, {self.library}"

    def one(self, **values: Any) -> Mapping[str, Any] | None:
        """The point with these values, or None."""
        return next((point for point in self.points
                     if all(point.get(key) == value for key, value in values.items())), None)


def parse(text: str, file: str) -> Measured:
    """Measured points from JSON; ``file`` names it in error messages."""
    data = parse_json(text, file, FORMAT)
    for key in KEYS:
        if key not in data:
            raise ValueError(f"{file}: {key} is missing")
    return Measured(data["library"]["name"], {key: data[key] for key in KEYS if key != "points"}, data["points"])


def committed(study: str) -> list[Measured]:
    """The points that come with Lutra for a study, library by library."""
    folder = Path(str(files(__package__) / "points"))
    return [parse(path.read_text(encoding="utf-8"), path.name) for path in sorted(folder.glob(f"{study}.*.json"))]


def recorded(block: str, folder: Path | None = None, **fields: Any) -> dict[str, Mapping[str, Any]]:
    """Blocks of the machine by that name which ``lutra characterise`` has measured, the first by what it rests on.

    ``fields``: what their ``array`` (or ``engine``) must be. ``folder``: where the files lie, by default those that
    come with the model; there may be none.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for path in sorted((folder or Path(lutra_model.__file__).parent / "measurements").glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        for item in data["measurements"]:
            known = {**item["array"], "engine": item["engine"]}
            if item["block"] == block and all(known.get(key) == value for key, value in fields.items()):
                found.setdefault(f"machine, {data['library']['name']}", item)
    return found


def power_mw(record: Mapping[str, Any]) -> float:
    """Power of a recorded block in milliwatts: picojoules in a nanosecond."""
    return float(sum(record["energy_pj"].values()) / (record["cycles"] * record["period_ns"]))
