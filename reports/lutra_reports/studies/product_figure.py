"""Figure of a product table's costs over its size."""

from collections.abc import Mapping

from matplotlib.ticker import NullLocator

from ..style import COLOURS, Picture, decades, drawing, picture

__all__ = ["drawn"]

LINES = {  # by the start of a form's name
    "multiplier": ("dark", "s-"), "value decoded": ("grey", "D-"), "table in gates": ("blue", "o-"),
    "own row, flip": ("red", "^-"), "own row, latch": ("orange", "^--"),
    "shared table, flip-flops, any": ("green", "v:"), "shared table, flip": ("green", "v-"),
    "shared table, latch": ("sky", "v--"),
    "shared table, registers between, any": ("pink", "<:"), "shared table, registers": ("pink", "<-")}


def _line(form: str) -> tuple[str, str]:
    return next(line for start, line in LINES.items() if form.startswith(start))


def drawn(library: str, costs: Mapping[str, Mapping[str, Mapping[int, float]]], rival: str) -> Picture:
    """One panel for each cost; a line for each form, the multiplier's black."""
    with drawing():
        figure = picture(4.6, width=3.4 * len(costs))
        for axes, (name, curves) in zip(figure.subplots(1, len(costs), squeeze=False)[0], costs.items(), strict=True):
            for form, curve in curves.items():
                colour, style = _line(form)
                axes.plot(list(curve), list(curve.values()), style, color=COLOURS[colour], markersize=3.5,
                          linewidth=2.0 if form == rival else 1.2, label=form)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            ticks = sorted({levels for curve in curves.values() for levels in curve})
            axes.set_xticks(ticks, [str(tick) for tick in ticks])
            axes.xaxis.set_minor_locator(NullLocator())
            decades(axes.yaxis)
            axes.grid(axis="y")
            axes.set_title(name, fontsize=9)
            axes.set_xlabel("levels of each operand", fontsize=9)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
        figure.suptitle(f"one cell that forms products, {library}", fontsize=10)
        return Picture(figure, f"Cost of one product cell over the levels of its operands in {library}: tables against "
                               "the multiplier of equal operands.")
