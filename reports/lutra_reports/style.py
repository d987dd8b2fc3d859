"""How figures look: sober, colour-blind safe (Okabe and Ito's colours), the same bytes at every run."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

__all__ = ["CAUSES", "COLOURS", "DESIGNS", "GROUPS", "PLACES", "STAGES", "TECHNOLOGY_COLOURS", "Picture", "decades",
           "drawing", "picture", "times"]

COLOURS = {"blue": "#0072b2", "orange": "#e69f00", "green": "#009e73", "red": "#d55e00", "pink": "#cc79a7",
           "sky": "#56b4e9", "yellow": "#f0e442", "grey": "#8a8f98", "dark": "#3b4252", "light": "#c9ced6",
           "peach": "#f4b183"}
GROUPS = {  # components drawn as one piece of a bar
    "encoder, table builder": (("encoder",), COLOURS["red"]),
    "codebooks, tables of levels": (("codebooks",), COLOURS["peach"]),
    "cells and adders": (("cells", "adds"), COLOURS["blue"]),
    "table memory and cell fill": (("tables", "fill"), COLOURS["pink"]),
    "activation and index memory, gather, ways": (("activations", "gather", "index", "way"), COLOURS["sky"]),
    "accumulators": (("accumulators",), COLOURS["orange"]),
    "finisher, functions, add, pool, control, leakage": (
        ("finisher", "functions", "add", "pool", "program", "control", "leakage"), COLOURS["dark"]),
    "DRAM": (("dram",), COLOURS["light"]),
}
STAGES = {"lookup": COLOURS["blue"], "encode": COLOURS["red"], "build": COLOURS["orange"],
          "load": COLOURS["pink"], "stream": COLOURS["yellow"], "pool": COLOURS["green"],
          "codebook": COLOURS["peach"]}
CAUSES = {"lookup": COLOURS["blue"], "pool": COLOURS["green"], "encode": COLOURS["red"], "build": COLOURS["orange"],
          "load": COLOURS["pink"], "stream": COLOURS["yellow"], "fill": COLOURS["sky"], "drain": COLOURS["grey"],
          "descriptor": COLOURS["light"]}
DESIGNS = {"lookup": "lookup", "int8": "INT8 MAC", "as_fine": "weights as fine", "fp16": "FP16 MAC", "fp32": "FP32 MAC"}
PLACES = {"on_chip": "on the chip", "total": "with memory outside the chip"}
TECHNOLOGY_COLOURS = (COLOURS["blue"], COLOURS["red"], COLOURS["green"], COLOURS["pink"], COLOURS["orange"])
SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.5, "axes.titlesize": 10, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#6b7280", "axes.labelcolor": "#1f2933", "text.color": "#1f2933",
    "xtick.color": "#4b5563", "ytick.color": "#1f2933", "axes.grid": True, "axes.grid.axis": "x",
    "grid.color": "#e5e7eb", "axes.axisbelow": True, "legend.frameon": False, "svg.hashsalt": "lutra",
    "svg.fonttype": "path", "figure.facecolor": "white", "savefig.facecolor": "white",
}


class Picture:
    """A figure as SVG and PNG bytes, with a sentence that says what it shows."""

    def __init__(self, figure: Figure, caption: str) -> None:
        self.caption = caption
        self.svg = self._bytes(figure, "svg", {"Date": None, "Creator": None})
        self.png = self._bytes(figure, "png", {"Software": None})

    @staticmethod
    def _bytes(figure: Figure, kind: str, metadata: dict[str, None]) -> bytes:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=160, metadata=metadata)
        return buffer.getvalue()


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with these settings."""
    with matplotlib.rc_context(SETTINGS):
        yield


def picture(height: float, width: float = 5.4) -> Figure:
    """An empty figure of so many inches; it fits a phone's page and half of a desktop's."""
    return Figure(figsize=(width, height), layout="constrained")


def decades(axis: Axis, subs: tuple[int, ...] = (1, 2, 5)) -> None:
    """Plain numbers at 1, 2 and 5 (or others) of every decade of a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))


def times(value: float) -> str:
    """A ratio: 0.73, 1.2, 13."""
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
