"""The figures of a report, drawn from its data alone."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .doubt_figure import tornado
from .style import CAUSES, COLOURS, DESIGNS, GROUPS, PLACES, TECHNOLOGY_COLOURS, Picture, decades, drawing, picture

__all__ = ["figures"]

Data = dict[str, Any]


def _colours(data: Data) -> dict[str, str]:
    return {name: TECHNOLOGY_COLOURS[place % len(TECHNOLOGY_COLOURS)]
            for place, name in enumerate(data["technologies"])}


def _bars(axes: Axes, designs: Data, which: str) -> None:
    """Energy by component, one bar for each design, with the range of the total."""
    names = [name for name in DESIGNS if name in designs]
    for place, name in enumerate(names):
        left = 0.0
        for parts, colour in GROUPS.values():
            if which == "on_chip" and parts == ("dram",):
                continue
            energy = sum(designs[name]["components_pj"][part] for part in parts) * 1e-6
            axes.barh(place, energy, left=left, color=colour, height=0.62)
            left += energy
        found = designs[name][which]
        axes.errorbar(left, place, xerr=[[left - found["low_pj"] * 1e-6], [found["high_pj"] * 1e-6 - left]],
                      color="black", capsize=3, linewidth=1)
        axes.annotate(f"{left:.3g}", (found["high_pj"] * 1e-6, place), xytext=(5, 0), textcoords="offset points",
                      va="center")
    axes.set_yticks(range(len(names)), [DESIGNS[name] for name in names])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    axes.set_xlabel("µJ for one inference")


def energy(data: Data, technology: str) -> Picture:
    """Energy of one inference by component."""
    figure = picture(5.0)
    upper, lower = figure.subplots(2, 1)
    _bars(upper, data["energy"][technology], "on_chip")
    upper.set_title(f"{technology}: on the chip")
    _bars(lower, data["energy"][technology], "total")
    lower.set_title("with memory outside the chip")
    handles = [Patch(color=colour, label=name) for name, (_, colour) in GROUPS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=8.5)
    return Picture(figure, f"Energy of one inference in {technology}, by component. Whiskers: the uncertainties of "
                           "the technology's entries, in quadrature.")


def cycles(data: Data) -> Picture:
    """Cycles of each layer, and what they went into."""
    layers = data["layers"]
    figure = picture(1.2 + 0.34 * len(layers))
    axes = figure.subplots()
    shown = {cause: colour for cause, colour in CAUSES.items() if data["causes"][cause]}
    for place, layer in enumerate(layers):
        left = 0
        for cause, colour in shown.items():
            axes.barh(place, layer["causes"][cause], left=left, color=colour, height=0.62)
            left += layer["causes"][cause]
        axes.annotate(f"{100 * layer['binding_busy']:.0f}%", (left, place), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(layers)), [layer["name"] for layer in layers])
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlim(left=0)
    axes.set_xlabel("cycles of one inference")
    figure.legend(handles=[Patch(color=colour, label=cause) for cause, colour in shown.items()],
                  loc="outside lower center", ncols=4, fontsize=8.5)
    return Picture(figure, "Where each layer's cycles go: rows looked up (or pooled), waits for encoders, tables and "
                           "streams, pipelines that fill and drain; the number is the share of cycles in "
                           "which the stage with the most work is busy.")


def _dots(axes: Axes, rows: list[tuple[str, Data]], colours: dict[str, str]) -> None:
    """One row for each name: a dot with its range for each technology."""
    for place, (_, found) in enumerate(rows):
        for shift, (technology, colour) in enumerate(colours.items()):
            item = found[technology]
            height = place + (shift - (len(colours) - 1) / 2) * 0.2
            axes.errorbar(item["ratio"], height, xerr=[[item["ratio"] - item["low"]], [item["high"] - item["ratio"]]],
                          fmt="o", color=colour, markersize=5, capsize=2, linewidth=1.2)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.invert_yaxis()
    axes.axvline(1, color=COLOURS["dark"], linewidth=1)
    axes.set_xlim(left=0)


def workloads(data: Data) -> Picture:
    """Saving over the INT8 MAC for each workload, on the chip and with memory."""
    colours = _colours(data)
    found = {f"{data['network']['name']}, one image": data["ratios"]}
    found |= {name: {technology: item["ratios"] for technology, item in job["technologies"].items()}
              for name, job in data["workloads"].items()}
    figure = picture(1.4 + 1.25 * len(found))
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, (which, title) in zip((upper, lower), PLACES.items(), strict=True):
        rows = [(name.replace(", ", ",\n"), {technology: ratios["int8"][which]
                                             for technology, ratios in item.items()})
                for name, item in found.items()]
        _dots(axes, rows, colours)
        axes.set_title(title)
    lower.set_xlabel("energy of INT8 MAC / energy of lookup")
    figure.legend(handles=[Line2D([], [], color=colour, marker="o", linestyle="", label=name)
                           for name, colour in colours.items()], loc="outside lower center", ncols=3, fontsize=8.5)
    others = " and for well-known ones by their shapes alone" if data["nearest"] else ""
    return Picture(figure, "How many times less energy lookup needs than an INT8 MAC array at least as fast, for "
                           f"this network{others}: right of 1, lookup needs less.")


def widths(data: Data) -> Picture | None:
    """Saving over a layer's width: where the encoder is paid back; None for other encoders than distances."""
    if not data["widths"]:
        return None
    metrics = list(dict.fromkeys(item["metric"] for item in data["widths"]))
    figure = picture(1.0 + 1.75 * len(metrics))
    panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for axes, metric in zip(panels, metrics, strict=True):
        for technology, colour in _colours(data).items():
            points = [item for item in data["widths"] if (item["metric"], item["technology"]) == (metric, technology)]
            x = [item["columns"] for item in points]
            axes.plot(x, [item["ratio"] for item in points], "o-", color=colour, markersize=4, linewidth=1.4)
            axes.fill_between(x, [item["low"] for item in points], [item["high"] for item in points], color=colour,
                              alpha=0.12, linewidth=0)
        axes.axhline(1, color=COLOURS["dark"], linewidth=1)
        axes.set_xscale("log", base=2)
        axes.set_xticks(x, map(str, x))
        axes.set_title("decision tree" if metric == "tree" else f"{metric} distance")
        axes.set_ylabel("INT8 MAC / lookup")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
    panels[-1].set_xlabel("output columns that share one index")
    figure.legend(handles=[Line2D([], [], color=colour, marker="o", label=name)
                           for name, colour in _colours(data).items()],
                  loc="outside lower center", ncols=3, fontsize=8.5)
    return Picture(figure, "A 3 x 3 layer of 64 channels, 14 x 14 pixels, on the chip: the encoder is paid back by "
                           "the columns that share its index.")


def accuracy(data: Data) -> Picture | None:
    """Accuracy beside energy, with memory; None where no accuracy of the full test set is known."""
    known = data["accuracy"]
    points = {"lookup": known["golden"], "int8": known["int8"], "fp32": known["float"]}
    if any(value is None for value in points.values()):
        return None
    figure = picture(3.6)
    axes = figure.subplots()
    shapes = dict(zip(points, ("o", "s", "^"), strict=True))
    for technology, colour in _colours(data).items():
        for name, value in points.items():
            found = data["energy"][technology][name]["total"]
            x = found["pj"] * 1e-6
            axes.errorbar(x, 100 * value, xerr=[[x - found["low_pj"] * 1e-6], [found["high_pj"] * 1e-6 - x]],
                          fmt=shapes[name], color=colour, markersize=7, capsize=2, linewidth=1.2)
    axes.set_xscale("log")
    decades(axes.xaxis)
    axes.grid(axis="y")
    axes.margins(y=0.2)
    axes.set_xlabel("µJ for one inference, with memory outside the chip")
    axes.set_ylabel("accuracy, %")
    handles = [Line2D([], [], color="black", marker=shapes[name], linestyle="", label=DESIGNS[name])
               for name in points]
    handles += [Line2D([], [], color=colour, linewidth=3, label=name) for name, colour in _colours(data).items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8.5)
    return Picture(figure, "Accuracy on the full test set beside the energy of one inference.")


def figures(data: Data) -> dict[str, Picture]:
    """All figures by file name."""
    with drawing():
        found: dict[str, Picture | None] = {f"energy-{name}": energy(data, name) for name in data["technologies"]}
        found |= {f"tornado-{which}": tornado(data, which, title) for which, title in PLACES.items()}
        found |= {"cycles": cycles(data), "workloads": workloads(data), "widths": widths(data),
                  "accuracy": accuracy(data)}
    return {name: made for name, made in found.items() if made}
