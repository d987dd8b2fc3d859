"""Prices of single components from gate-level measurements: non-negative least squares of relative errors.

Clock pins and all else are measured apart, so they are fitted apart. Where measurements cannot tell two prices from
each other (a finisher adds, multiplies and shifts in fixed proportion), a weak pull decides: of a component's price to
the same entry's price over all components, and of that one to a published technology's, scaled as a whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from lutra_model.technology import Technology

from .fit_data import Measured

__all__ = ["ACTIVE", "Fitted", "Prices", "fit"]

NETWORK = "network"  # the workload that prices are meant for
PULL = 2e-3     # relative error that a price may make to stay at what it is pulled to
LEAST = 1e-3    # of a kind's price, in published prices scaled as a whole
CLOCK = 0.1     # of a register's published price, for its clock pin in a cycle without data
ACTIVE = "~"    # after a name: the share of its price that follows the toggles of the component's data
Amounts = Mapping[str, float]
Prices = dict[str, float]


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _pulled(rows: Sequence[Amounts], energies: Sequence[float], wholes: Sequence[float],
            prior: Mapping[str, float]) -> Prices:
    """Prices that make least squares of errors relative to the wholes, and stay near the prior."""
    start, scale = np.array(list(prior.values())), 1 / np.asarray(wholes)
    matrix = np.array([[row.get(name, 0.0) for name in prior] for row in rows]) * start * scale[:, None]
    factors, _ = nnls(np.vstack([matrix, PULL * np.eye(len(prior))]),
                      np.concatenate([np.asarray(energies) * scale, np.full(len(prior), PULL)]))
    return dict(zip(prior, (factors * start).tolist(), strict=True))


def _solve(rows: Sequence[Amounts], energies: Sequence[float], wholes: Sequence[float],
           published: Mapping[str, float]) -> tuple[Prices, Prices]:
    """Prices by kind over all components, and by component."""
    general = [_summed(row) for row in rows]
    weight = np.array([sum(amount * published[kind] for kind, amount in row.items()) for row in general]) / wholes
    times = float(weight @ (np.asarray(energies) / wholes) / (weight @ weight))
    scaled = {kind: times * price for kind, price in published.items()}
    shared = _pulled(general, energies, wholes, scaled)
    shared = {kind: max(price, LEAST * scaled[kind]) for kind, price in shared.items()}
    names = sorted({name for row in rows for name in row})
    return shared, _pulled(rows, energies, wholes, {name: shared[_kind(name)] for name in names})


def _summed(row: Amounts) -> Prices:
    sums: Prices = {}
    for name, amount in row.items():
        sums[_kind(name)] = sums.get(_kind(name), 0.0) + amount
    return sums


@dataclass(frozen=True)
class Fitted:
    """Prices of one library, as they were fitted.

    Parameters
    ----------
    clock, data, area : prices of clock pins, of all else, and of area, each by kind and by component's entry; of
        ``data`` a name with `ACTIVE` is the share that follows toggles.
    rates : of a component, the toggles that ``data`` is meant at.
    leakage : picojoules of a square micrometre in a nanosecond.
    """

    clock: tuple[Prices, Prices]
    data: tuple[Prices, Prices]
    area: tuple[Prices, Prices]
    rates: Prices
    leakage: float

    def area_um2(self, item: Measured) -> float:
        """Predicted area."""
        return sum(amount * self._price(self.area, name) for name, amount in item.areas.items())

    def energy_pj(self, item: Measured) -> float:
        """Predicted energy of the whole run, leakage included."""
        moving = sum(amount * self._price(self.clock, name) for name, amount in _clocked(item).items())
        moving += sum(amount * self._price(self.data, name) for name, amount in _data(item, self.rates).items())
        return moving + self.leakage * self.area_um2(item) * item.cycles * item.period_ns

    @staticmethod
    def _price(prices: tuple[Prices, Prices], name: str) -> float:
        """A component's own price, or the general one."""
        shared, own = prices
        return own[name] if name in own else shared.get(_kind(name), 0.0)


def _clocked(item: Measured) -> Prices:
    return {name: amount for name, amount in item.amounts.items() if _kind(name) in ("clock", "register")}


def _data(item: Measured, rates: Amounts) -> Prices:
    """Amounts of what stands and of what follows the data; of data that was not watched both are the same."""
    found: Prices = {}
    for name, amount in item.amounts.items():
        if _kind(name) == "clock":
            continue
        component = name.partition(".")[0]
        rate = rates.get(component, 1.0)
        found[name], found[name + ACTIVE] = amount, amount * item.toggles.get(component, rate) / rate
    return found


def _rates(measured: Iterable[Measured]) -> Prices:
    """Mean toggles of each component's data under the network's workload."""
    seen: dict[str, list[float]] = {}
    for item in measured:
        if item.workload == NETWORK:
            for component, rate in item.toggles.items():
                seen.setdefault(component, []).append(rate)
    return {component: float(np.mean(found)) for component, found in seen.items() if np.mean(found) > 0}


def fit(measured: Sequence[Measured], published: Technology) -> Fitted:
    """Prices of the measurements; ``published``: what the pull leans on."""
    prices = {kind: published.price(kind) for kind in ("add", "compare", "multiply", "mux", "register")}
    areas = {kind: published.price(f"{kind}_area") for kind in prices}
    wholes, rates = [item.energy_pj for item in measured], _rates(measured)
    sizes = list({item.configuration: item for item in measured}.values())
    return Fitted(
        _solve([_clocked(item) for item in measured], [item.clock_pj for item in measured], wholes,
               {"clock": CLOCK * prices["register"], "register": prices["register"]}),
        _solve([_data(item, rates) for item in measured], [item.data_pj for item in measured], wholes,
               {name: price / 2 for kind, price in prices.items() for name in (kind, kind + ACTIVE)}),
        _solve([item.areas for item in sizes], [item.area_um2 for item in sizes], [item.area_um2 for item in sizes],
               areas),
        rates, sum(item.leakage_pj for item in measured)
        / sum(item.area_um2 * item.cycles * item.period_ns for item in measured))
