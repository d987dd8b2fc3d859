"""Activation memory: pitches of every value, the side it lies on, and its address by live ranges."""

from collections import defaultdict
from dataclasses import dataclass, replace

from .layout import Layout, pitches
from .params import Array
from .plan import Plan
from .values import Step, Value

__all__ = ["Missing", "Placed", "lowest", "place"]


class Missing(Exception):
    """A plan needs one more copy: ``(node, "source" or "residual")``."""

    def __init__(self, node: str, what: str) -> None:
        super().__init__(node, what)
        self.copy = node, what


@dataclass(frozen=True, eq=False, kw_only=True)
class Placed:
    """Where every root value lies.

    Parameters
    ----------
    words : that each side must have.
    largest : the value that ends last.
    """

    layouts: dict[Value, Layout]
    words: int
    largest: Value


def _steps(plan: Plan) -> dict[Value, list[int]]:
    """Numbers of the steps that write or read each root value."""
    found: dict[Value, list[int]] = defaultdict(list)
    for number, step in enumerate(plan.steps):
        for view in (*step.reads, *([step.target] if step.target else [])):
            found[view.value.root].append(number)
    return found


def _layout(root: Value, steps: list[Step], flatten: str, array: Array) -> Layout:
    """Pitches of a value that these steps touch."""
    readers = [step for step in steps if step.source and step.source.value.root is root and not step.source.flat]
    found = pitches(root.height, root.width, root.channels, array, [step.former(array) for step in readers],
                    gapless=bool(flatten))
    if found is None:
        raise Missing(flatten or readers[-1].name, "source")
    return Layout(pitch_y=found[0], pitch_x=found[1], height=root.height, width=root.width, channels=root.channels)


def _layouts(plan: Plan, used: dict[Value, list[int]]) -> dict[Value, Layout]:
    gapless = {view.value.root: view.value.gapless for step in plan.steps for view in step.reads if view.flat}
    return {root: _layout(root, [plan.steps[n] for n in numbers], gapless.get(root, ""), plan.array)
            for root, numbers in used.items()}


def _sides(plan: Plan) -> dict[Value, tuple[Value, int]]:
    """For each root value another one, and whether it lies on that one's side (0) or the other (1).

    What an operation reads lies on both sides: its windows here, its residual there.
    """
    found: dict[Value, tuple[Value, int]] = {}

    def lead(value: Value) -> tuple[Value, int]:
        return found.setdefault(value, (value, 0))

    for step in plan.steps:
        if not step.reads:
            continue
        (one, here), *other = [lead(view.value.root) for view in step.reads]
        for two, there in other:
            if one is not two:
                found.update({value: (one, flip ^ here ^ there ^ 1) for value, (first, flip) in found.items()
                              if first is two})
            elif here == there:
                raise Missing(step.node, "residual")
    return found


def lowest(size: int, taken: list[tuple[int, int]]) -> int:
    """The lowest address with so many words beside the taken ``(first, end)``."""
    address = 0
    for first, end in sorted(taken):
        if address + size <= first:
            break
        address = max(address, end)
    return address


def place(plan: Plan) -> Placed:
    """The largest value first, each at the lowest address that is free while it lives.

    Raises `Missing` where pitches or sides clash.
    """
    array, used = plan.array, _steps(plan)
    layouts, sides = _layouts(plan, used), _sides(plan)
    turned: dict[Value, int] = {}  # the side of each leader
    done: dict[Value, Layout] = {}
    for root in sorted(used, key=lambda root: -layouts[root].words(array)):
        leader, flip = sides.get(root, (root, 0))
        first, last, size = min(used[root]), max(used[root]), layouts[root].words(array)
        beside = [(other.side, other.base, other.base + other.words(array)) for value, other in done.items()
                  if min(used[value]) <= last and max(used[value]) >= first]
        bases = [lowest(size, [(low, end) for where, low, end in beside if where == side]) for side in (0, 1)]
        side = turned.setdefault(leader, flip ^ (bases[1] < bases[0])) ^ flip
        done[root] = replace(layouts[root], side=side, base=bases[side])
    ends = {root: layout.base + layout.words(array) + _beyond(root, plan) for root, layout in done.items()}
    largest = max(ends, key=lambda root: ends[root])
    return Placed(layouts=done, words=ends[largest], largest=largest)


def _beyond(root: Value, plan: Plan) -> int:
    """Words after a value that the add stage may read with its last ones."""
    added = any(step.residual and step.residual.value.root is root for step in plan.steps)
    return plan.array.output_words - 1 if added else 0
