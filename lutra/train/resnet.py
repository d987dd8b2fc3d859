"""The float ResNet-8 of MLPerf Tiny: a stem and three residual blocks of 16, 32 and 64 channels."""

import torch
from torch import Tensor, nn

__all__ = ["ResNet8", "folded"]

WIDTHS = (16, 32, 64)


def _conv(inputs: int, outputs: int, kernel: int, stride: int, norm: bool) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=not norm)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs)) if norm else nn.Sequential(conv)


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut; the first convolution (and a 1x1 shortcut) may have stride 2."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: bool) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs, 3, stride, norm)
        self.second = _conv(outputs, outputs, 3, 1, norm)
        self.shortcut = _conv(inputs, outputs, 1, stride, norm) if stride > 1 else nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class ResNet8(nn.Module):
    """Input is ``pixel / 255``, channels first; ``norm`` puts a batch norm behind every convolution."""

    def __init__(self, channels: int, classes: int = 10, norm: bool = True) -> None:
        super().__init__()
        self.channels = channels
        self.stem = _conv(channels, WIDTHS[0], 3, 1, norm)
        self.blocks = nn.Sequential(*(Block(inputs, outputs, 1 if inputs == outputs else 2, norm)
                                      for inputs, outputs in zip((WIDTHS[0], *WIDTHS), WIDTHS)))
        self.classifier = nn.Linear(WIDTHS[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(torch.relu(self.stem(x)))
        return self.classifier(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


@torch.no_grad()
def folded(net: ResNet8) -> ResNet8:
    """The same function with every batch norm folded into the convolution before it."""
    plain = ResNet8(net.channels, net.classifier.out_features, norm=False).eval()
    plain.classifier.load_state_dict(net.classifier.state_dict())
    pairs = {name: module for name, module in net.named_modules()
             if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.BatchNorm2d)}
    for name, (conv, norm) in pairs.items():
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        target = plain.get_submodule(name)[0]
        target.weight.copy_(conv.weight * factor[:, None, None, None])
        target.bias.copy_(norm.bias - norm.running_mean * factor)
    return plain
