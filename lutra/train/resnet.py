"""The float ResNet-8 of MLPerf Tiny, and its steps in the order that a converted network takes."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["ResNet8", "Step", "folded"]

WIDTHS = (16, 32, 64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One step: a product layer where ``module`` is a convolution or a linear layer, else an add or a pool."""

    name: str
    inputs: tuple[str, ...]
    module: nn.Module
    rectified: bool = False


class Add(nn.Module):
    """Sum of two values."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Pool(nn.Module):
    """Mean of each channel over the whole image."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(x, 1)


def _conv(inputs: int, outputs: int, kernel: int, stride: int, norm: bool) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=not norm)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs)) if norm else conv


class ResNet8(nn.Module):
    """A 3x3 stem of 16 channels, blocks of 16, 32 and 64 channels, a mean over the image, a linear classifier.

    A block is two 3x3 convolutions and a shortcut; those of 32 and 64 channels halve the image and have a 1x1
    convolution in the shortcut. Input is ``pixel / 255``, channels first; ``norm`` puts a batch norm behind every
    convolution.
    """

    def __init__(self, channels: int, classes: int = 10, norm: bool = True) -> None:
        super().__init__()
        self.channels, self.classes = channels, classes
        self.steps: list[Step] = []
        self._step("stem", "input", _conv(channels, WIDTHS[0], 3, 1, norm), True)
        last = "stem"
        for number, (inputs, outputs) in enumerate(pairwise((WIDTHS[0], *WIDTHS)), start=1):
            block, stride = f"block{number}", 1 if inputs == outputs else 2
            self._step(f"{block}_first", last, _conv(inputs, outputs, 3, stride, norm), True)
            self._step(f"{block}_second", f"{block}_first", _conv(outputs, outputs, 3, 1, norm))
            if stride > 1:
                self._step(f"{block}_shortcut", last, _conv(inputs, outputs, 1, stride, norm))
                last = f"{block}_shortcut"
            self._step(f"{block}_add", f"{block}_second {last}", Add(), True)
            last = f"{block}_add"
        self._step("pool", last, Pool())
        self._step("classifier", "pool", nn.Linear(WIDTHS[-1], classes))

    def _step(self, name: str, inputs: str, module: nn.Module, rectified: bool = False) -> None:
        self.add_module(name, module)
        self.steps.append(Step(name=name, inputs=tuple(inputs.split()), module=module, rectified=rectified))

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Output of every step by name, and ``input``."""
        values = {"input": x}
        for step in self.steps:
            inputs = [values[name] for name in step.inputs]
            if isinstance(step.module, nn.Linear):
                inputs = [inputs[0].flatten(1)]
            y = step.module(*inputs)
            values[step.name] = torch.relu(y) if step.rectified else y
        return values

    def forward(self, x: Tensor) -> Tensor:
        return self.values(x)["classifier"]


@torch.no_grad()
def folded(net: ResNet8) -> ResNet8:
    """The same function in evaluation mode, with every batch norm folded into the convolution before it."""
    plain = ResNet8(net.channels, net.classes, norm=False).eval()
    for step, target in zip(net.steps, plain.steps, strict=True):
        if isinstance(step.module, nn.Sequential):
            conv, norm = step.module
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            target.module.weight.copy_(conv.weight * factor[:, None, None, None])
            target.module.bias.copy_(norm.bias - norm.running_mean * factor)
        elif isinstance(step.module, nn.Linear):
            target.module.load_state_dict(step.module.state_dict())
    return plain
