"""What a verdict depends on, drawn: each constant moved to the ends of its uncertainty."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .doubt_words import factor
from .style import COLOURS, Picture, picture

__all__ = ["tornado"]

Data = dict[str, Any]
MOST = 7  # constants that are drawn: those that move a ratio most
ENDS = {"low": ("constant at its low end", COLOURS["sky"]), "high": ("at its high end", COLOURS["orange"])}


def _moves(axes: Axes, constants: Sequence[Data], nominal: float) -> None:
    """Bars from the nominal ratio to those at a constant's ends, with the factor that would turn the verdict."""
    shown = [item for item in constants[:MOST] if item["low"] != item["high"]]
    for place, item in enumerate(shown):
        for end, (_, colour) in ENDS.items():
            axes.barh(place, item[end] - nominal, left=nominal, color=colour, height=0.62)
        axes.annotate(factor(item), (max(item["low"], item["high"]), place), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=8, weight="bold" if item["flips"] else "normal")
    axes.set_yticks(range(len(shown)), [item["name"] for item in shown])
    axes.invert_yaxis()
    axes.axvline(1, color=COLOURS["red"], linewidth=1.2, linestyle="--")
    axes.axvline(nominal, color=COLOURS["dark"], linewidth=1)
    axes.margins(x=0.15)


def tornado(data: Data, which: str, title: str) -> Picture:
    """What each constant does to INT8 MAC over lookup, by technology."""
    found = data["tornado"]
    figure = picture(1.0 + 1.7 * len(found))
    panels = figure.subplots(len(found), 1, squeeze=False)[:, 0]
    for axes, (technology, constants) in zip(panels, found.items(), strict=True):
        _moves(axes, constants[which], data["ratios"][technology]["int8"][which]["ratio"])
        axes.set_title(f"{technology}: {title}")
    panels[-1].set_xlabel("energy of INT8 MAC / energy of lookup")
    figure.legend(handles=[Patch(color=colour, label=name) for name, colour in ENDS.values()],
                  loc="outside lower center", ncols=2, fontsize=8.5)
    return Picture(figure, f"What the verdict depends on, {title}: each constant moved to the ends of its uncertainty. "
                           "Beside a bar: the factor to that constant at which both sides need the same energy "
                           "(nothing: no factor would do), bold where it lies within the uncertainty.")
