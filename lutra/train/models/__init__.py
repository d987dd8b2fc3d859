"""Float networks by name; each is made for a data set."""

from collections.abc import Callable

from torch import nn

from lutra.text.bert import Bert

from ..data import Data
from .encoder import Encoder
from .espcn import Espcn
from .pointnet import PointNet
from .resnet import ResNet
from .speech import SpokenDigits

__all__ = ["MODELS", "Encoder", "Espcn", "PointNet", "ResNet", "SpokenDigits"]

MODELS: dict[str, Callable[[Data], nn.Module]] = {
    "resnet8": lambda data: ResNet(data.train.shape[-1], len(data.classes)),
    "resnet20": lambda data: ResNet(data.train.shape[-1], len(data.classes), blocks=3),
    "espcn": lambda data: Espcn(),
    "pointnet": lambda data: PointNet(data.train.shape[-1], len(data.classes)),
    "spoken-digits": lambda data: SpokenDigits(data.train.shape[-1], len(data.classes)),
    "minilm-2": lambda data: Encoder(Bert.minilm(data.start), 2, len(data.classes)),
}
