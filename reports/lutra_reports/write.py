"""A report in a folder: all files are whole before the first one replaces an older one."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lutra_model.latency import CAUSES

from .figures import figures
from .page import page
from .report import Report

__all__ = ["as_json", "check", "store", "write"]

LAYER_COLUMNS = ("name", "kind", "rows", "reduction", "columns", "codebooks", "length", "entries", "equivalent_macs",
                 "lookups", "operations", "cycles", "binding", "binding_busy", "cell_utilisation", "ragged")


def _layers_csv(data: dict[str, Any]) -> bytes:
    """One line for each layer; energies with memory outside the chip, in picojoules."""
    technologies = list(data["technologies"])
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow([*LAYER_COLUMNS, *(f"{cause}_cycles" for cause in CAUSES), "simulated_cycles", "bit_exact",
                    *(f"{what}:{name}" for name in technologies for what in ("lookup_pj", "int8_pj", "winner"))])
    for layer in data["layers"]:
        energies = [layer["energy"][name] for name in technologies]
        sheet.writerow([*(layer[name] for name in LAYER_COLUMNS), *(layer["causes"][cause] for cause in CAUSES),
                        layer["rtl"]["simulated"], layer["rtl"]["bit_exact"],
                        *(value for item in energies
                          for value in (item["lookup_pj"], item["int8_pj"], item["ratio"]["total"]["winner"]))])
    return text.getvalue().encode()


def _files(report: Report) -> dict[str, bytes]:
    """Every file's bytes by name."""
    drawn = figures(report.data)
    files = {"report.html": page(report.data, drawn).encode(), "layers.csv": _layers_csv(report.data)}
    for name, picture in drawn.items():
        files[f"{name}.svg"], files[f"{name}.png"] = picture.svg, picture.png
    files["report.json"] = as_json(report.data)
    return files


def as_json(data: Any) -> bytes:
    """A file's bytes."""
    return (json.dumps(data, indent=1, allow_nan=False) + "\n").encode()


def _guarded(folder: Path, act: Callable[[], None], rest: str = "") -> None:
    try:
        act()
    except OSError as error:
        raise ValueError(f"report folder {folder} cannot be written: {error.strerror or error}{rest}") from error


def check(folder: str | os.PathLike[str]) -> None:
    """Raise ``ValueError`` when a report could not be written there: better before a long run than after it."""
    folder = Path(folder)
    _guarded(folder, lambda: folder.mkdir(parents=True, exist_ok=True))
    _guarded(folder, lambda: tempfile.TemporaryDirectory(dir=folder).cleanup())


def store(files: Mapping[str, bytes], folder: str | os.PathLike[str]) -> list[Path]:
    """Write files by name (``folder/name``, too); the paths of all.

    Earlier ones are replaced only after all new ones are on the disk.
    """
    folder = Path(folder)

    def put() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
            for name, content in files.items():
                for place in (Path(part), folder):
                    (place / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(part) / name).write_bytes(content)
            for name in files:
                (Path(part) / name).replace(folder / name)

    _guarded(folder, put, "; an earlier report there is unchanged")
    return [folder / name for name in files]


def write(report: Report, folder: str | os.PathLike[str]) -> list[Path]:
    """Write ``report.html``, ``report.json``, ``layers.csv`` and the figures; the paths of all files.

    Files of an earlier report are replaced only after all new ones are on the disk.
    """
    return store(_files(report), folder)
