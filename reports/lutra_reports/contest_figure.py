"""A comparison of all schemes as one figure, drawn from its data alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .style import COLOURS, TECHNOLOGY_COLOURS, Picture, decades, drawing, picture

__all__ = ["figure"]

Row = Mapping[str, Any]


def _dots(axes: Axes, rows: Sequence[Row], key: str, technologies: Sequence[str]) -> None:
    """A dot with its range for each technology."""
    for place, row in enumerate(rows):
        for shift, name in enumerate(technologies):
            found = row[key][name]
            low, high = found["range"]
            height = place + (shift - (len(technologies) - 1) / 2) * 0.22
            axes.errorbar(found["nominal"], height, xerr=[[found["nominal"] - low], [high - found["nominal"]]],
                          fmt="o", color=TECHNOLOGY_COLOURS[shift % len(TECHNOLOGY_COLOURS)], markersize=4, capsize=2,
                          linewidth=1)
    axes.set_xscale("log")
    decades(axes.xaxis)
    axes.tick_params(axis="x", labelsize=7.5)


def _bars(axes: Axes, rows: Sequence[Row], values: Sequence[float | None], form: str) -> None:
    """One bar for each scheme with its number; lookup in blue."""
    for place, (row, value) in enumerate(zip(rows, values, strict=True)):
        if value is not None:
            axes.barh(place, value, height=0.6, color=COLOURS["blue" if row["looks_up"] else "grey"])
            axes.annotate(form.format(value), (max(value, 0), place), xytext=(3, 0), textcoords="offset points",
                          va="center", fontsize=7.5)
    axes.margins(x=0.3)


def _quality(rows: Sequence[Row]) -> tuple[str, str, list[float | None]]:
    """Title, form and values of the panel that says how good the numbers are."""
    for key, title in (("accuracy", "accuracy, %"), ("agreement", "agrees with float, %")):
        if any(row[key] is not None for row in rows):
            return title, "{:.1f}", [None if row[key] is None else 100 * row[key] for row in rows]
    return "signal over error, dB", "{:.0f}", [row["error"] and row["error"]["sqnr_db"] for row in rows]


def figure(data: Mapping[str, Any]) -> Picture:
    """Energy per equivalent MAC, cycles, error or accuracy, and area of every scheme."""
    rows = [row for row in data["schemes"] if row["refused"] is None]
    technologies = list(data["technologies"])
    with drawing():
        made = picture(1.9 + 0.42 * len(rows), width=10.8)
        energy, chip, cycles, goodness, area = made.subplots(1, 5, sharey=True)
        _dots(energy, rows, "pj_per_equivalent_mac", technologies)
        energy.set_title("pJ per equivalent MAC")
        _dots(chip, rows, "pj_per_equivalent_mac_on_chip", technologies)
        chip.set_title("the same, on the chip")
        _bars(cycles, rows, [row["cycles"]["predicted"] for row in rows], "{:,.0f}")
        cycles.set_title("cycles")
        title, form, values = _quality(rows)
        _bars(goodness, rows, values, form)
        goodness.set_title(title)
        _bars(area, rows, [row["area_um2"][technologies[0]] / 1e6 for row in rows], "{:.2g}")
        area.set_title(f"mm², {technologies[0]}")
        energy.set_yticks(range(len(rows)), [row["label"] for row in rows])
        energy.invert_yaxis()
        handles: list[Any] = [Line2D([], [], color=TECHNOLOGY_COLOURS[place % len(TECHNOLOGY_COLOURS)], marker="o",
                                     linestyle="", label=name) for place, name in enumerate(technologies)]
        handles += [Patch(color=COLOURS["blue"], label="looks up"), Patch(color=COLOURS["grey"], label="multiplies")]
        made.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8.5)
        return Picture(made, f"{data['subject']['name']} on arrays of {data['array']['rows']} x "
                             f"{data['array']['columns']} cells in every scheme. Whiskers: the uncertainties of the "
                             "technology's entries, in quadrature.")
