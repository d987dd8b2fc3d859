"""How far fitted prices are off: every measurement predicted, those held out from the fit apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .fit_data import Measured
from .fit_prices import Fitted

__all__ = ["GOAL", "Errors", "Prediction", "predictions"]

GOAL = 0.1  # relative error that a prediction may have
What = Literal["energy", "area"]


@dataclass(frozen=True)
class Prediction:
    """One measurement and what the fit says of it; energies in picojoules, areas in square micrometres."""

    item: Measured
    held_out: bool
    energy: float
    area: float

    def error(self, what: What) -> float:
        """Relative error."""
        return (self.energy / self.item.energy_pj if what == "energy" else self.area / self.item.area_um2) - 1


@dataclass(frozen=True)
class Errors:
    """All predictions of one library."""

    predictions: tuple[Prediction, ...]

    def of(self, what: What, *, held_out: bool, component: str = "", block: str = "") -> list[float]:
        """Absolute relative errors: of rows that have a component, or of a block."""
        return [abs(one.error(what)) for one in self.predictions if one.held_out == held_out
                and block in ("", one.item.block)
                and (not component or any(name.startswith(f"{component}.") for name in one.item.amounts))]

    def worst(self, what: What, component: str = "") -> float:
        """The largest error of what was held out (of the fit itself, where nothing was), of all or of one component."""
        return max(self.of(what, held_out=True, component=component)
                   or self.of(what, held_out=False, component=component) or [0.0])

    def rows(self) -> list[dict[str, Any]]:
        """Each measurement as plain data."""
        return [{"block": one.item.block, "machine": one.item.machine, "workload": one.item.workload,
                 "held_out": one.held_out, "energy_pj": one.item.energy_pj, "predicted_pj": one.energy,
                 "energy_error": one.error("energy"), "area_um2": one.item.area_um2, "predicted_um2": one.area,
                 "area_error": one.error("area")} for one in self.predictions]

    def table(self) -> list[dict[str, Any]]:
        """Each block: measurements seen and held out, and the held-out ones' mean and largest errors."""
        found = []
        for block in dict.fromkeys(one.item.block for one in self.predictions):
            row: dict[str, Any] = {"block": block}
            for held_out, name in ((False, "fitted"), (True, "held_out")):
                energies, areas = (self.of(what, held_out=held_out, block=block) for what in ("energy", "area"))
                row[name] = {"count": len(energies)} | {
                    f"{what}_{kind}": value for what, errors in (("energy", energies), ("area", areas)) if errors
                    for kind, value in (("mean", sum(errors) / len(errors)), ("largest", max(errors)))}
            found.append(row)
        return found


def predictions(measured: Sequence[Measured], fitted: Fitted, held: frozenset[tuple[str, str]]) -> Errors:
    """What a fit says of every measurement."""
    return Errors(tuple(Prediction(item, item.configuration in held, fitted.energy_pj(item), fitted.area_um2(item))
                        for item in measured))
