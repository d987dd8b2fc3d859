"""Figures of a crossover, drawn from its data alone: where lookup loses is shaded."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from .style import COLOURS, Picture, decades, drawing, picture

__all__ = ["figures", "spans"]

Found = Mapping[str, Any]
SHADES = {"mac": "#f3c9bf", "open": "#f1efe2"}  # the baseline needs less; the uncertainty leaves it open
WHAT = {"total": ("pJ per equivalent MAC, with memory outside the chip", "lookup", "baseline"),
        "on_chip": ("pJ per equivalent MAC, on the chip", "lookup", "baseline"),
        "cycles": ("cycles per equivalent MAC", "lookup_quick", "equal_area")}  # title, machine, baseline
NAMES = {"total": "energy", "on_chip": "energy-on-chip", "cycles": "cycles"}
NO_RIVAL = {"winner": "lookup"}  # every multiplying machine is larger


def spans(x: Sequence[float], winners: Sequence[str], which: str) -> list[tuple[float, float]]:
    """Stretches of a logarithmic axis around the points where ``which`` wins: each reaches half-way to the next."""
    edges = [x[0], *(sqrt(a * b) for a, b in pairwise(x)), x[-1]]
    found: list[tuple[float, float]] = []
    for place, winner in enumerate(winners):
        if winner == which:
            low, high = edges[place], edges[place + 1]
            if found and found[-1][1] == low:
                low = found.pop()[0]
            found.append((low, high))
    return found


def _line(axes: Axes, x: Sequence[float], values: Sequence[Any], colour: str, style: str) -> None:
    """Nominal values with the band of their range; gaps where there is none."""
    known = [(place, value) for place, value in zip(x, values, strict=True) if value is not None]
    at = [place for place, _ in known]
    if known and isinstance(known[0][1], list):
        axes.fill_between(at, [value[1] for _, value in known], [value[2] for _, value in known], color=colour,
                          alpha=0.15, linewidth=0)
        known = [(place, value[0]) for place, value in known]
    axes.plot(at, [value for _, value in known], style, color=colour, markersize=3, linewidth=1.3)


def _values(points: Sequence[Found], machine: str, what: str) -> list[Any]:
    key = "cycles_per_mac" if what == "cycles" else what
    return [point[machine] and point[machine][key] for point in points]


def _panel(axes: Axes, x: Sequence[float], points: Sequence[Found], what: str) -> None:
    winners = [(point[what] or NO_RIVAL)["winner"] for point in points]
    if len(x) > 1:
        for which, colour in SHADES.items():
            for low, high in spans(x, winners, which):
                axes.axvspan(low, high, color=colour, linewidth=0)
    _line(axes, x, _values(points, WHAT[what][2], what), COLOURS["dark"], "s--")
    _line(axes, x, _values(points, WHAT[what][1], what), COLOURS["blue"], "o-")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    decades(axes.yaxis)
    axes.tick_params(labelsize=7)
    axes.grid(axis="y")


def _drawn(data: Found, axis: str, what: str) -> Picture | None:
    points, technologies = data["axes"][axis]["points"], list(data["technologies"])
    schemes = [name for name in data["lookups"] if any(name in point["schemes"] for point in points)]
    if not schemes:
        return None
    figure = picture(1.2 + 1.55 * len(schemes), width=1.2 + 3.0 * len(technologies))
    panels = figure.subplots(len(schemes), len(technologies), squeeze=False, sharex=True, sharey="row")
    for row, scheme in zip(panels, schemes, strict=True):
        mine = [point for point in points if scheme in point["schemes"]]
        for axes, technology in zip(row, technologies, strict=True):
            _panel(axes, [point["x"] for point in mine], [point["schemes"][scheme][technology] for point in mine], what)
        row[0].set_ylabel(scheme, fontsize=9)
    values = [point["x"] for point in points]
    for axes, technology in zip(panels[0], technologies, strict=True):
        axes.set_title(technology)
        axes.set_xticks(values, [str(value) for value in values])
        axes.xaxis.set_minor_locator(NullLocator())
    panels[-1][len(technologies) // 2].set_xlabel(data["axes"][axis]["title"], fontsize=9)
    figure.suptitle(WHAT[what][0], fontsize=10)
    handles = [Line2D([], [], color=COLOURS["blue"], marker="o", label="lookup"),
               Line2D([], [], color=COLOURS["dark"], marker="s", linestyle="--", label="best multiplying array"),
               Patch(color=SHADES["mac"], label="lookup loses"), Patch(color=SHADES["open"], label="open")]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8.5)
    return Picture(figure, f"{WHAT[what][0]}: lookup and the best multiplying array of weights at least as fine"
                           f"{', not larger' if what == 'cycles' else ', at least as fast if there is one'}.")


def figures(data: Found) -> dict[str, Picture]:
    """All figures by file name: every axis, energy with and without memory outside, and cycles."""
    with drawing():
        made = {f"{axis}-{NAMES[what]}": _drawn(data, axis, what) for axis in data["axes"] for what in WHAT}
    return {name: drawn for name, drawn in made.items() if drawn}
