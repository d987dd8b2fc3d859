"""Figure of a fit: predicted over measured, energy and area, for every library."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lutra_model.engines import ENGINES

from .fit_errors import GOAL, OF_ONE_SIDE
from .style import COLOURS, Picture, decades, drawing, picture

__all__ = ["SIDES", "scatter", "side"]

SIDES = {"lookup": COLOURS["blue"], "MAC": COLOURS["red"], "shared": COLOURS["grey"]}
PANELS = {"energy": ("energy_pj", "predicted_pj", "pJ of a run"), "area": ("area_um2", "predicted_um2", "µm²")}


def side(row: Mapping[str, Any]) -> str:
    """Whose block it is: of a machine that looks up, of one that multiplies, or the same in both."""
    if row["block"] not in OF_ONE_SIDE:
        return "shared"
    return "lookup" if ENGINES[row["machine"].split()[0]].tables else "MAC"


def _panel(axes: Axes, rows: Sequence[Mapping[str, Any]], measured: str, predicted: str, unit: str) -> None:
    values = [row[name] for row in rows for name in (measured, predicted)]
    ends = [min(values) / 1.3, max(values) * 1.3]
    axes.plot(ends, ends, color=COLOURS["dark"], linewidth=0.8)
    axes.fill_between(ends, [end * (1 - GOAL) for end in ends], [end * (1 + GOAL) for end in ends],
                      color=COLOURS["light"], alpha=0.6, linewidth=0)
    for row in sorted(rows, key=lambda row: row["held_out"]):
        colour = SIDES[side(row)]
        axes.plot(row[measured], row[predicted], "o", markersize=4.2 if row["held_out"] else 2.6, markeredgewidth=0.9,
                  markeredgecolor=colour, markerfacecolor="none" if row["held_out"] else colour,
                  alpha=1.0 if row["held_out"] else 0.5)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    for axis in (axes.xaxis, axes.yaxis):
        decades(axis, subs=(1,))
    axes.tick_params(labelsize=7)
    axes.grid(axis="both")
    axes.set_xlabel(f"measured, {unit}", fontsize=8)


def scatter(libraries: Mapping[str, Sequence[Mapping[str, Any]]]) -> Picture:
    """Rows of `fit_errors.Errors` by library: energies above, areas below."""
    with drawing():
        figure = picture(5.6, width=1.0 + 2.5 * len(libraries))
        panels = figure.subplots(len(PANELS), len(libraries), squeeze=False)
        for line, (what, (measured, predicted, unit)) in zip(panels, PANELS.items(), strict=True):
            for axes, (library, rows) in zip(line, libraries.items(), strict=True):
                _panel(axes, rows, measured, predicted, unit)
                axes.set_title(f"{what}, {library}", fontsize=9)
            line[0].set_ylabel("predicted", fontsize=8)
        dots = [Line2D([], [], color=colour, marker="o", linestyle="", markersize=4, label=name)
                for name, colour in SIDES.items()]
        rings = [Line2D([], [], color=COLOURS["dark"], marker="o", linestyle="", markersize=4, label="fitted"),
                 Line2D([], [], color=COLOURS["dark"], marker="o", markerfacecolor="none", linestyle="", markersize=5,
                        label=f"held out; band: {100 * GOAL:.0f} %")]
        figure.legend(handles=dots + rings, loc="outside lower center", ncols=5, fontsize=8)
        return Picture(figure, "Energy and area of the machine's parts, predicted by the fitted prices over measured "
                               "at their gates; rings were held out from the fit.")
