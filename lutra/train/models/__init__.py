"""Float networks by name; each is made for a data set."""

from collections.abc import Callable

from torch import nn

from lutra.text.bert import Bert

from ..data import Data
from .encoder import Encoder
from .resnet import ResNet

__all__ = ["MODELS", "Encoder", "ResNet"]

MODELS: dict[str, Callable[[Data], nn.Module]] = {
    "resnet8": lambda data: ResNet(data.train.shape[-1], len(data.classes)),
    "resnet20": lambda data: ResNet(data.train.shape[-1], len(data.classes), blocks=3),
    "minilm-2": lambda data: Encoder(Bert.minilm(data.start), 2, len(data.classes)),
}
