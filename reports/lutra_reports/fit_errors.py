"""How far fitted prices are off: every measurement predicted, those held out from the fit apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .fit_data import IDLE, Measured
from .fit_prices import Fitted

__all__ = ["GOAL", "OF_ONE_SIDE", "WHAT", "Errors", "Prediction", "predictions"]

OF_ONE_SIDE = ("encoder", "level-encoder", "array", "cells", "trees", "products")  # blocks that are not in all machines
GOAL = 0.1  # relative error that a prediction may have


@dataclass(frozen=True)
class Prediction:
    """One measurement and what the fit says of it; energies in picojoules, areas in square micrometres."""

    item: Measured
    held_out: bool
    energy: float
    area: float

    @property
    def energy_error(self) -> float:
        """Relative error."""
        return self.energy / self.item.energy_pj - 1

    @property
    def area_error(self) -> float:
        """Relative error."""
        return self.area / self.item.area_um2 - 1


WHAT: dict[str, Callable[[Prediction], float | None]] = {  # what an error is of; None: the prediction has none
    "energy": lambda one: None if one.item.workload == IDLE else one.energy_error,
    "idle": lambda one: one.energy_error if one.item.workload == IDLE else None,
    "area": lambda one: one.area_error if one.item.areas else None,
}


@dataclass(frozen=True)
class Errors:
    """All predictions of one library."""

    predictions: tuple[Prediction, ...]

    def of(self, what: str, *, held_out: bool, component: str = "") -> list[float]:
        """Absolute relative errors of one of `WHAT`: of all rows, or of those that have a component."""
        found = (WHAT[what](one) for one in self.predictions if one.held_out == held_out
                 and (not component or any(name.startswith(f"{component}.") for name in one.item.amounts)))
        return [abs(error) for error in found if error is not None]

    def worst(self, what: str, component: str = "") -> float:
        """The largest error of what was held out (of the fit itself, where nothing was), of all or of one component."""
        return max(self.of(what, held_out=True, component=component)
                   or self.of(what, held_out=False, component=component) or [0.0])

    def rows(self) -> list[dict[str, Any]]:
        """Each measurement as plain data."""
        return [{"block": one.item.block, "machine": one.item.machine, "workload": one.item.workload,
                 "held_out": one.held_out, "energy_pj": one.item.energy_pj, "predicted_pj": one.energy,
                 "energy_error": one.energy_error, "area_um2": one.item.area_um2, "predicted_um2": one.area,
                 "area_error": one.area_error} for one in self.predictions]

    def table(self) -> list[dict[str, Any]]:
        """Each block: configurations fitted and held out, mean and largest errors of either."""
        found = []
        for name in dict.fromkeys(sorted(_group(one.item) for one in self.predictions)):
            row: dict[str, Any] = {"block": name}
            for held_out, which in ((False, "fitted"), (True, "held_out")):
                mine = [one for one in self.predictions if _group(one.item) == name and one.held_out == held_out]
                row[which] = {"count": len({one.item.configuration for one in mine})}
                for what, error_of in WHAT.items():
                    if errors := [abs(error) for error in map(error_of, mine) if error is not None]:
                        row[which] |= {f"{what}_mean": sum(errors) / len(errors), f"{what}_largest": max(errors)}
            found.append(row)
        return found


def _group(item: Measured) -> str:
    """A block, and where machines have other ones, whose."""
    if item.block not in OF_ONE_SIDE:
        return item.block
    return f"{item.block}, {item.metric if item.block == 'encoder' else item.engine}"


def predictions(measured: Sequence[Measured], fitted: Fitted, held: frozenset[tuple[str, str]]) -> Errors:
    """What a fit says of every measurement."""
    return Errors(tuple(Prediction(item, item.configuration in held, fitted.energy_pj(item), fitted.area_um2(item))
                        for item in measured))
