"""A network's tables of levels: how near to products they are, and what their layers cost in each form."""

from collections.abc import Sequence
from typing import Any

from lutra_model.codings import Levels
from lutra_model.level_forms import level_forms
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.rank_one import rank_one
from lutra_model.technology import Technology
from lutra_model.workloads import Work

__all__ = ["level_tables"]


def _table(coding: Levels) -> dict[str, Any]:
    """How far a layer's table is from the product of an activation's and a weight's value, in the table's units."""
    found = rank_one(coding.levels)
    return {"levels": list(coding.levels.shape), "exact": found.exact, "within_rounding": found.within_rounding,
            "residual": found.residual, "residual_in_int8": found.in_int8}


def level_tables(network: Network, works: Sequence[Work], array: Array,
                 technologies: Sequence[Technology]) -> list[dict[str, Any]]:
    """Each layer of levels: its table's rank-one facts, and cycles, energy and area of its forms in each technology.

    ``decoded`` among the forms is the cheaper one that a table of rank one allows (`lutra_model.level_forms`); where
    the table is not ``within_rounding`` of a product, a machine of that form would compute something else. ``array``
    gives the sizes. Empty for a network without such layers.
    """
    layers = {work.name: work for work in works}
    found = []
    for product in network.products:
        if isinstance(product.coding, Levels):
            forms = {technology.name: level_forms(layers[product.name], array, technology)
                     for technology in technologies}
            found.append({"name": product.name, **_table(product.coding), "forms": {
                name: {form: {"cycles": item.cycles, "on_chip_pj": item.bill.on_chip.picojoules, "area_um2": item.area}
                       for form, item in each.items()} for name, each in forms.items()}})
    return found
