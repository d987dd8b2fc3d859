"""The three forms of a layer of levels, and what each costs."""

from dataclasses import dataclass, replace

from .area import area_um2
from .components import Quantity
from .energy import Bill, bill
from .events import Events
from .params import Array
from .runs import Design, run, sized
from .structure import Structure
from .technology import Technology
from .workloads import Work

__all__ = ["FORMS", "Form", "level_forms"]

FORMS = ("dln-row", "dln-column", "decoded")


@dataclass(frozen=True, eq=False)
class Form:
    """What one layer costs in one form: cycles, energy, square micrometres of the machine."""

    cycles: int
    bill: Bill
    area: float


def _decoded(dense: Form, events: Events, array: Array, entries: int, technology: Technology) -> Form:
    """A multiplying machine whose encoders look each activation's value up: tables in registers, a cycle more."""
    each = {"register": entries * 8 + 8, "mux": (entries - 1) * 8}
    parts = [Quantity("encoder", name, bits) for name, bits in each.items()]
    area = array.encoders * sum(part.amount * technology.area(array.engine, part) for part in parts)
    more = replace(events, encoder_mux_bits=events.encoder_mux_bits + events.encodes * each["mux"],
                   encode_register_bits=events.encode_register_bits + 8 * events.encodes,
                   cell_register_bits=events.cell_register_bits + array.encoders * entries * 8)
    return Form(dense.cycles + 1, bill(more, dense.cycles + 1, Structure(array), technology), dense.area + area)


def level_forms(work: Work, array: Array, technology: Technology) -> dict[str, Form]:
    """The costs of a product of levels in the three forms of ``FORMS``, by name, with memories made to measure.

    ``array`` gives the sizes, those of a ``dln`` machine. ``decoded`` is the form that a table of rank one allows (see
    `rank_one`): INT8 multipliers behind encoders that look an activation's value up by its level.
    """
    found = {}
    for name in FORMS:
        looks_up = name != "decoded"
        shape = replace(array, engine=name) if looks_up else Array.mac(
            rows=array.rows, columns=array.columns, encoders=array.encoders, fill=array.fill,
            block_rows=array.block_rows, index_words=array.index_words)
        one = work if looks_up else work.as_dense()
        done = run(Design(name, sized(shape, [one])[0]), [one])
        structure, (events,) = Structure(done.design.array), done.events
        form = Form(done.cycles, bill(events, done.cycles, structure, technology),
                    sum(area_um2(structure, technology).values()))
        found[name] = form if looks_up else _decoded(form, events, done.design.array, array.entries, technology)
    return found
