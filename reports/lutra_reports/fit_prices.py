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

from lutra_model.components import kind_of
from lutra_model.technology import Technology

from .fit_data import Measured

__all__ = ["ACTIVE", "Fitted", "Prices", "fit"]

NETWORK = "network"  # the workload that prices are meant for
PULL = 2e-3     # relative error that a price may make to stay at what it is pulled to
LEAST = 1e-3    # of a kind's price, in published prices scaled as a whole
FINE = {"clock": 1.0, "wire": 0.05, "deep": 0.1}  # guesses of what is not published, of a register's price
KINDS = ("add", "compare", "multiply", "mux", "register")
CARRIED = ("pool.add", "pool.compare")  # clock pins of registers that the model does not count go with these
OF_ENGINES = ("encoder", "codebooks", "cells", "adds", "fill")  # components that are other ones in other engines
ACTIVE = "~"    # after a name: the share of its price that follows the toggles of the component's data
Amounts = Mapping[str, float]
Prices = dict[str, float]
Machine = tuple[str, str]  # engine, metric


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _pulled(rows: Sequence[Amounts], energies: Sequence[float], wholes: Sequence[float], prior: Amounts,
            units: Amounts) -> Prices:
    """Prices that make least squares of errors relative to the wholes, and stay near the prior, in its units."""
    names, scale = list(prior), 1 / np.asarray(wholes)
    unit = np.array([units[_kind(name)] for name in names])
    matrix = np.array([[row.get(name, 0.0) for name in names] for row in rows]) * unit * scale[:, None]
    found, _ = nnls(np.vstack([matrix, PULL * np.eye(len(names))]),
                    np.concatenate([np.asarray(energies) * scale, PULL * np.array(list(prior.values())) / unit]))
    return dict(zip(names, (found * unit).tolist(), strict=True))


def _solve(rows: Sequence[tuple[Machine, Amounts]], energies: Sequence[float], wholes: Sequence[float],
           published: Amounts) -> Prices:
    """Prices of each kind, of each component's and of each engine's component's, pulled in this order.

    ``rows``: machine and amounts by ``component.entry`` of each energy.
    """
    kinds = [_summed(row, _kind) for _, row in rows]
    weight = np.array([sum(amount * published[kind] for kind, amount in row.items()) for row in kinds]) / wholes
    times = float(weight @ (np.asarray(energies) / wholes) / (weight @ weight))
    units = {kind: times * price for kind, price in published.items()}
    found = {kind: max(price, LEAST * units[kind])
             for kind, price in _pulled(kinds, energies, wholes, units, units).items()}
    for level in (1, 2):
        named = [_summed(row, partial(_name, machine, level)) for machine, row in rows]
        prior = {name: _price(found, name) for name in sorted({name for row in named for name in row})}
        found |= _pulled(named, energies, wholes, prior, units)
    return found | _means(rows, found)


def _means(rows: Sequence[tuple[Machine, Amounts]], prices: Amounts) -> Prices:
    """Of each kind what one costs on average, over all components: the general price."""
    spent, amounts = dict[str, float](), dict[str, float]()
    for machine, row in rows:
        for name, amount in row.items():
            kind = _kind(name)
            spent[kind] = spent.get(kind, 0.0) + amount * _price(prices, _name(machine, 2, name))
            amounts[kind] = amounts.get(kind, 0.0) + amount
    return {kind: value / amounts[kind] for kind, value in spent.items() if value}


def _name(machine: Machine, level: int, name: str) -> str:
    """An entry's name with its component, at level 2 also with the kind of component, where machines differ."""
    component = name.partition(".")[0]
    return f"{kind_of(*machine, component)}.{name}" if level == 2 and component in OF_ENGINES else name


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
        """Predicted area; the measured one where the block's is counted in another's."""
        return _total(self.area, item, item.areas) if item.areas else item.area_um2

    def energy_pj(self, item: Measured) -> float:
        """Predicted energy of the whole run, leakage included."""
        return (_total(self.clock, item, _clocked(item))
                + _total(self.data, item, _data(item, self.rates))
                + self.leakage * self.area_um2(item) * item.cycles * item.period_ns)


def _machine(item: Measured) -> Machine:
    return item.engine, item.metric


def _total(prices: Prices, item: Measured, amounts: Amounts) -> float:
    machine = _machine(item)
    return sum(amount * _price(prices, _name(machine, 2, name)) for name, amount in amounts.items())


def _clocked(item: Measured) -> Prices:
    """Amounts that clock pins go with."""
    return {name: amount for name, amount in item.amounts.items()
            if _kind(name) in ("clock", "register") or name in CARRIED}


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
    sizes = list({item.configuration: item for item in measured if item.areas}.values())
    areas = [item.area_um2 for item in sizes]
    fine = {kind: share * prices["register"] for kind, share in FINE.items()}
    clock = {"clock": fine.pop("clock")} | dict.fromkeys(("register", "add", "compare", "wire"), prices["register"])
    data = {name: price / 2 for kind, price in (prices | fine).items() for name in (kind, kind + ACTIVE)}
    bits = {kind: published.price(f"{kind}_area") for kind in KINDS}
    clocked, moving = [item.clock_pj for item in measured], [item.data_pj for item in measured]
    return Fitted(
        _solve([(_machine(item), _clocked(item)) for item in measured], clocked, wholes, clock),
        _solve([(_machine(item), _data(item, rates)) for item in measured], moving, wholes, data),
        _solve([(_machine(item), item.areas) for item in sizes], areas, areas,
               bits | {"clock": bits["register"]}),
        rates, sum(item.leakage_pj for item in measured)
        / sum(item.area_um2 * item.cycles * item.period_ns for item in measured))
