"""All studies in one figure: how far our figures are from the papers'."""

from collections.abc import Mapping

from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ..style import COLOURS, Picture, decades, drawing, picture
from .base import STATUSES, Found, Row

__all__ = ["overview"]

LOW, HIGH = 0.05, 20.0  # what is further away stands at the edge
MARKS = dict(zip(STATUSES, (("o", COLOURS["blue"]), ("^", COLOURS["orange"])), strict=True))


def _ratios(row: Row) -> list[float]:
    """Of what has the paper's sign: the others are at the edge, too."""
    if row.paper is None:
        return []
    found = [row.paper.ratio(value) if row.paper.ratio(value) > 0 else LOW for value in row.ours.values()]
    return [min(max(ratio, LOW), HIGH) for ratio in found]


def overview(studies: Mapping[str, Found]) -> Picture:
    """A line for each study with papers' figures, a mark for each of our values."""
    lines = {name: [row for row in found.rows if row.paper] for name, found in studies.items()}
    lines = {name: rows for name, rows in lines.items() if rows}
    with drawing():
        figure = picture(1.3 + 0.32 * len(lines), width=6.4)
        axes = figure.subplots()
        for place, rows in enumerate(lines.values()):
            for row in rows:
                assert row.paper
                marker, colour = MARKS[row.paper.status]
                ratios = _ratios(row)
                axes.plot(ratios, [place] * len(ratios), marker, color=colour, markersize=5, alpha=0.6,
                          markeredgewidth=0)
        axes.axvline(1, color=COLOURS["dark"], linewidth=0.8, zorder=0)
        axes.set_xscale("log")
        axes.set_xlim(LOW * 0.9, HIGH * 1.1)
        decades(axes.xaxis)
        axes.set_yticks(range(len(lines)), list(lines))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.invert_yaxis()
        axes.set_xlabel("ours over the paper's figure (1 inside a span; beyond the axis at its edge)", fontsize=9)
        figure.legend(handles=[Line2D([], [], marker=marker, color=colour, linestyle="", label=status)
                               for status, (marker, colour) in MARKS.items()],
                      loc="outside upper right", ncols=2, fontsize=8.5)
        return Picture(figure, "Every figure of the papers beside ours, study by study.")
