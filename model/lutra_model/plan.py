"""The steps that a network becomes: adds fused with what they follow, concatenations written in place."""

from dataclasses import replace

from .bundles import bundles
from .network import (
    Add,
    AvgPool,
    Channels,
    Clamp,
    Concat,
    Flatten,
    Function,
    LayerNorm,
    MaxPool,
    Network,
    Node,
    Product,
    RowSoftmax,
    Shape,
    Window,
)
from .params import Array
from .support import refusal
from .values import Step, Value, View, image_of

__all__ = ["Plan"]

Copies = frozenset[tuple[str, str]]


def _living(network: Network) -> list[Node]:
    """Nodes that the output depends on."""
    needed = {network.nodes[-1].name}
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return [node for node in network.nodes if node.name in needed]


class Plan:
    """Steps in the order they run.

    Parameters
    ----------
    copies : ``(node, "source" or "residual")``: what a node reads through a copy of its own.

    Raises ``ValueError`` for a node that the machine does not run.
    """

    def __init__(self, network: Network, array: Array, copies: Copies = frozenset()) -> None:
        self.network, self.array, self.copies = network, array, copies
        self.steps: list[Step] = []
        self.views: dict[str, View] = {}
        nodes = _living(network)
        self.reads = [name for node in nodes for name in node.inputs]
        self.views["input"] = self._value("input", network.input_shape)
        self.steps.append(Step(name="input", node="input", target=self.views["input"]))
        for node in nodes:
            self.views[node.name] = self._view(node, [self.views[name] for name in node.inputs])
        self._leave(self.views[network.nodes[-1].name], network.nodes[-1].name)
        self._reuse()

    def _value(self, name: str, shape: Shape) -> View:
        return View(value=Value(name, *image_of(shape)), channels=shape[-1])

    def _writers(self, value: Value) -> list[int]:
        """Steps that write a value, the channels of it that are values of their own included."""
        return [number for number, step in enumerate(self.steps)
                if step.target and value in (step.target.value, step.target.value.home)]

    def _copy(self, view: View, node: str, place: int | None = None) -> View:
        """A copy that an identity pool makes, before step ``place`` or now."""
        target = self._value(f"copy for {node}", (*view.size, view.channels))
        step = Step(name=f"{node} copy", node=node, source=view, target=target)
        self.steps.insert(len(self.steps) if place is None else place, step)
        return target

    def _view(self, node: Node, given: list[View]) -> View:
        """Append the steps of a node; where its value is."""
        reason = refusal(node, [self.network.shapes[name] for name in node.inputs], self.array)
        if reason:
            raise ValueError(reason)
        if (node.name, "source") in self.copies:
            given = [self._copy(given[0], node.name), *given[1:]]
        match node:
            case Flatten():
                return self._flatten(node, given[0])
            case Concat():
                return self._concat(node, given)
            case Channels():
                return replace(given[0], channels=node.count, first=given[0].first + node.first // self.array.word)
            case Add():
                return self._add(node, given)
        target = self._value(node.name, self.network.shapes[node.name])
        self.steps += self._windowed(node, given[0], target)
        return target

    def _windowed(self, node: Node, source: View, target: View) -> list[Step]:
        if isinstance(node, Product):
            return bundles(node, source, target, self.array)
        step = Step(name=node.name, node=node.name, source=source, target=target)
        match node:
            case MaxPool():
                step.window = node.window
            case AvgPool():
                step.window = node.window or Window(kernel=source.size)
                step.pool = {"maximum": False, "multiplier": node.multiplier, "shift": node.shift, "low": node.low,
                             "high": node.high}
            case Clamp():
                step.pool = {"low": node.low, "high": node.high}
            case Function():
                step.functions = node.functions
                step.pool = {"multiplier": node.multiplier, "shift": node.shift, "low": node.low, "high": node.high}
            case RowSoftmax() | LayerNorm():
                step.row, step.functions = node, node.functions
        return [step]

    def _flatten(self, node: Node, view: View) -> View:
        """The same bytes seen as one vector, where the image lies without gaps."""
        if view.size == (1, 1):
            return view
        if view.flat or not view.whole or view.value.home:
            view = self._copy(view, node.name)
        view.value.gapless = node.name
        height, width = view.size
        return View(value=view.value, channels=height * width * view.channels, flat=True)

    def _concat(self, node: Node, given: list[View]) -> View:
        """One value whose channels the makers of the inputs write, or copies where they cannot."""
        whole, first = self._value(node.name, self.network.shapes[node.name]), 0
        for name, view in zip(node.inputs, given, strict=True):
            value, word = view.value, first // self.array.word
            if view.whole and not value.home and not value.gapless and name != "input" \
                    and not isinstance(self._made_by(name), Channels | Concat | Flatten):
                value.home, value.first = whole.value, word
            else:
                part = View(value=whole.value, channels=view.channels, first=word)
                self.steps.append(Step(name=f"{node.name} copy", node=node.name, source=view, target=part))
            first += view.channels
        return whole

    def _made_by(self, name: str) -> Node:
        return next(node for node in self.network.nodes if node.name == name)

    def _add(self, node: Add, given: list[View]) -> View:
        """The sum as the last part of the step that makes the later operand, or as an identity pool."""
        target = self._value(node.name, self.network.shapes[node.name])
        for own in (0, 1):
            place, other = self._fusable(node.inputs[own], given[own]), given[1 - own]
            if place is not None and max(self._writers(other.value)) < place:
                step = self.steps[place]
                break
        else:
            own, place, other = 0, len(self.steps), given[1]
            step = Step(name=node.name, node=node.name, source=given[0])
            self.steps.append(step)
        step.residual = self._copy(other, node.name, place) if (node.name, "residual") in self.copies else other
        step.node, step.add, step.own, step.target = node.name, node, own, target
        return target

    def _fusable(self, name: str, view: View) -> int | None:
        """The step that makes a value which only the add reads, or None."""
        writers = self._writers(view.value)
        if self.reads.count(name) > 1 or not view.whole or view.value.home or len(writers) > 1:
            return None
        step = self.steps[writers[0]]
        return writers[0] if step.source and step.add is None and step.target == view else None

    def _leave(self, view: View, name: str) -> None:
        """Let the result leave by the stream."""
        step = self.steps[-1]
        if step.source and step.target and step.target.whole and step.target.value is view.value \
                and len(self._writers(view.value)) == 1 and not view.value.home:
            step.target = None
        else:
            self.steps.append(Step(name=f"{name} output", node=name, source=view))

    def _reuse(self) -> None:
        """Sums take the place of an operand that nobody reads afterwards."""
        for number, step in enumerate(self.steps):
            if not (step.residual and step.target and step.residual.whole and step.target.whole):
                continue
            root = step.residual.value.root
            busy = [view.value.root for later in self.steps[number + 1:] for view in later.reads]
            if root not in (*busy, step.source and step.source.value.root) and not step.target.value.home \
                    and root.channels == step.target.channels:
                step.target.value.home = root


