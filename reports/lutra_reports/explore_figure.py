"""The fronts of a space of designs as one figure, drawn from its data alone."""

from collections.abc import Mapping
from typing import Any

from .style import COLOURS, Picture, decades, drawing, picture

__all__ = ["figure"]

LOOKS = {"lookup": ("look up", COLOURS["blue"]), "mac": ("multiply", COLOURS["orange"])}


def figure(data: Mapping[str, Any]) -> Picture:
    """Energy and area over cycles; a dot is a machine that no other of its engine beats in all three."""
    with drawing():
        made = picture(3.4, width=9.2)
        energy, area = made.subplots(1, 2, sharex=True)
        for engine, found in data["engines"].items():
            label, colour = LOOKS[engine]
            cycles = [row["cycles"] for row in found["front"]]
            for axes, key in ((energy, "picojoules"), (area, "area_um2")):
                axes.scatter(cycles, [row[key] / 1e6 for row in found["front"]], s=9, color=colour, alpha=0.7,
                             linewidths=0, label=f"machines that {label}")
        for axes, title in ((energy, "energy, µJ"), (area, "area, mm²")):
            axes.set_xscale("log")
            axes.set_yscale("log")
            decades(axes.yaxis)
            axes.set_title(title)
            axes.set_xlabel("cycles")
            axes.grid(axis="y")
        energy.legend()
        counts = " and ".join(f"{len(found['front'])} of {found['machines']:,} that {LOOKS[engine][0]}"
                              for engine, found in data["engines"].items())
        return Picture(made, f"{data['workload']} in {data['technology']}: machines that no other one beats in energy, "
                             f"area and cycles: {counts}.")
