"""Prices of single components from gate-level measurements: non-negative least squares of relative errors.

Clock pins and all else are measured apart, so they are fitted apart. Where measurements cannot tell two prices from
each other (a finisher adds, multiplies and shifts in fixed proportion), a weak pull decides: of a component's price to
the same entry's price over all components, and of that one to a published technology's, scaled as a whole.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import nnls

from lutra_model.technology import Technology

from .fit_data import Measured

__all__ = ["ACTIVE", "Fitted", "Prices", "fit"]

NETWORK = "network"  # the workload that prices are meant for
PULL = 2e-3     # relative error that a price may make to stay at what it is pulled to
LEAST = 1e-3    # of a kind's price, in published prices scaled as a whole
CLOCK, WIRE = 1.0, 0.05  # of a register's published price: a clock gate in a cycle, a bit that a register need not take
KINDS = ("add", "compare", "multiply", "mux", "register")
OF_ENGINES = ("encoder", "cells", "adds", "fill")  # components that are other ones in other engines
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


def _solve(rows: Sequence[tuple[str, Amounts]], energies: Sequence[float], wholes: Sequence[float],
           published: Mapping[str, float]) -> Prices:
    """Prices of each kind, of each component's and of each engine's component's, pulled in this order.

    ``rows``: engine and amounts by ``component.entry`` of each energy.
    """
    kinds = [_summed(row, _kind) for _, row in rows]
    weight = np.array([sum(amount * published[kind] for kind, amount in row.items()) for row in kinds]) / wholes
    times = float(weight @ (np.asarray(energies) / wholes) / (weight @ weight))
    scaled = {kind: times * price for kind, price in published.items()}
    found = _pulled(kinds, energies, wholes, scaled)
    found = {kind: max(price, LEAST * scaled[kind]) for kind, price in found.items()}
    for level in (1, 2):
        named = [_summed(row, partial(_name, engine, level)) for engine, row in rows]
        above = {name: _price(found, name) for name in sorted({name for row in named for name in row})}
        found |= _pulled(named, energies, wholes, {name: max(price, LEAST * scaled[_kind(name)])
                                                   for name, price in above.items()})
    return found


def _name(engine: str, level: int, name: str) -> str:
    """An entry's name with its component, at level 2 also with the engine, where engines differ."""
    return f"{engine}.{name}" if level == 2 and name.partition(".")[0] in OF_ENGINES else name


def _price(prices: Amounts, name: str) -> float:
    """The price of a name, or of the last of its more general ones that is known."""
    while name not in prices:
        _, dot, name = name.partition(".")
        if not dot:
            return 0.0
    return prices[name]


def _summed(row: Amounts, name_of: Callable[[str], str]) -> Prices:
    sums: Prices = {}
    for name, amount in row.items():
        sums[name_of(name)] = sums.get(name_of(name), 0.0) + amount
    return sums


@dataclass(frozen=True)
class Fitted:
    """Prices of one library, as they were fitted.

    Parameters
    ----------
    clock, data, area : prices of clock pins, of all else, and of area, by kind, by component and by engine's component;
        of ``data`` a name with `ACTIVE` is the share that follows toggles.
    rates : of a component, the toggles that ``data`` is meant at.
    leakage : picojoules of a square micrometre in a nanosecond.
    """

    clock: Prices
    data: Prices
    area: Prices
    rates: Prices
    leakage: float

    def area_um2(self, item: Measured) -> float:
        """Predicted area."""
        return _total(self.area, item.engine, item.areas)

    def energy_pj(self, item: Measured) -> float:
        """Predicted energy of the whole run, leakage included."""
        return (_total(self.clock, item.engine, _clocked(item)) + _total(self.data, item.engine, _data(item, self.rates))
                + self.leakage * self.area_um2(item) * item.cycles * item.period_ns)


def _total(prices: Prices, engine: str, amounts: Amounts) -> float:
    return sum(amount * _price(prices, f"{engine}.{name}") for name, amount in amounts.items())


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
    prices = {kind: published.price(kind) for kind in KINDS}
    wholes, rates = [item.energy_pj for item in measured], _rates(measured)
    sizes = list({item.configuration: item for item in measured}.values())
    areas = [item.area_um2 for item in sizes]
    clock = {"clock": CLOCK * prices["register"], "register": prices["register"]}
    data = {name: price / 2 for kind, price in (prices | {"wire": WIRE * prices["register"]}).items()
            for name in (kind, kind + ACTIVE)}
    clocked, moving = [item.clock_pj for item in measured], [item.data_pj for item in measured]
    return Fitted(
        _solve([(item.engine, _clocked(item)) for item in measured], clocked, wholes, clock),
        _solve([(item.engine, _data(item, rates)) for item in measured], moving, wholes, data),
        _solve([(item.engine, item.areas) for item in sizes], areas, areas,
               {kind: published.price(f"{kind}_area") for kind in KINDS}),
        rates, sum(item.leakage_pj for item in measured)
        / sum(item.area_um2 * item.cycles * item.period_ns for item in measured))
