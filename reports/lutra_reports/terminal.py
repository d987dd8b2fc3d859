"""The report in a terminal: one short table."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from . import doubt_words
from .moved_words import moves
from .report import Report
from .style import PLACES, times
from .words import headline

__all__ = ["doubts", "summary"]


def _texts(data: dict[str, Any], key: str, which: str) -> list[str]:
    """Nominal ratios, their range over technologies, and that over memories and DRAM, too."""
    return [headline(data, key, which)["span"], *(f"{times(item['low'])} to {times(item['high'])}" for item in (
        headline(data, key, which), data["overall"]["ratios"][key][which]))]


def summary(report: Report) -> Table:
    """Verdict, cycles, accuracy, and the saving over each baseline."""
    data = report.data
    exact = "bit-exact" if data["bit_exact"] else "NOT bit-exact"
    golden = data["accuracy"]["golden"] or data["accuracy"]["images"]["golden"]
    title = (f"{data['network']['name']}: {exact} on {data['evidence']['lookup']['images']} images, "
             f"{data['cycles']['simulated']:,} cycles ({data['cycles']['predicted']:,} predicted), "
             f"accuracy {100 * golden:.2f}%")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("energy of baseline / lookup")
    for name in ("on the chip", "range", "overall", "with memory", "range", "overall"):
        table.add_column(name, justify="right")
    for key, title in data["baselines"].items():
        if all(key in found for found in data["ratios"].values()):
            table.add_row(title, *(text for which in PLACES for text in _texts(data, key, which)))
    return table


def doubts(report: Report) -> list[str]:
    """What could turn the verdict, and what the data did to it."""
    return [*doubt_words.doubts(report.data), moves(report.data)]
