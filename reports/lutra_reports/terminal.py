"""The report in a terminal: one short table."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from . import doubt_words
from .moved_words import moves
from .report import Report
from .style import PLACES, times
from .words import headline

__all__ = ["doubts", "summary"]


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
    for name in ("on the chip", "range", "with memory", "range"):
        table.add_column(name, justify="right")
    for key, title in data["baselines"].items():
        if all(key in found for found in data["ratios"].values()):
            chip, whole = (headline(data, key, which) for which in PLACES)
            table.add_row(title, *(text for item in (chip, whole)
                                   for text in (item["span"], f"{times(item['low'])} to {times(item['high'])}")))
    return table


def doubts(report: Report) -> list[str]:
    """The range over everything, what could turn the verdict, and what the data did to it."""
    return [doubt_words.overall(report.data), *doubt_words.doubts(report.data), moves(report.data)]
