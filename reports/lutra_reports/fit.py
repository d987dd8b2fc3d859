"""From measurement files to technology files: fit, errors of what was held out, figure."""

from collections.abc import Mapping
from typing import Any

from lutra_model.technology import Technology, builtin

from .fit_data import Measurements, held_out
from .fit_errors import GOAL, Errors, predictions
from .fit_figure import scatter
from .fit_prices import fit
from .fit_technology import technology
from .report import rounded
from .style import Picture

__all__ = ["FORMAT", "Found", "data", "figure", "fitted"]

FORMAT = "lutra-prices-1"
PUBLISHED = "horowitz-45"  # what prices are pulled to where measurements cannot tell them apart


class Found:
    """What came of one measurement file."""

    def __init__(self, measurements: Measurements) -> None:
        held = held_out(measurements.measured)
        seen = [item for item in measurements.measured if item.configuration not in held]
        if not seen:
            raise ValueError(f"library {measurements.library['name']} must have measurements to fit prices to")
        prices = fit(seen, builtin(PUBLISHED))
        self.measurements = measurements
        self.errors: Errors = predictions(measurements.measured, prices, held)
        self.technology: Technology = technology(f"{measurements.library['name']}-gates", measurements, prices,
                                                 self.errors)


def fitted(measurements: Measurements) -> Found:
    """Prices of one library and how far they are off."""
    return Found(measurements)


def data(found: Mapping[str, Found]) -> dict[str, Any]:
    """All fits as plain values: each library's facts, errors by block, predictions one by one."""
    return rounded({"format": FORMAT, "goal": GOAL, "libraries": {name: {
        "library": dict(one.measurements.library), "tools": dict(one.measurements.tools),
        "period_ns": one.measurements.period_ns, "date": one.measurements.date, "blocks": one.errors.table(),
        "held_out": sorted({f"{row['block']}: {row['machine']}" for row in one.errors.rows() if row["held_out"]}),
        "measurements": one.errors.rows()} for name, one in found.items()}})


def figure(found: Mapping[str, Found]) -> Picture:
    """Predicted over measured."""
    return scatter({name: one.errors.rows() for name, one in found.items()})
