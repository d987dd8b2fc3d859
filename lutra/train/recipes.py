"""Named recipes: what a network is trained on and for how long."""

from dataclasses import dataclass, replace

from .loop import Schedule

__all__ = ["RECIPES", "Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One network from data to files.

    Parameters
    ----------
    data : name of the data set.
    stem : sub-vector length of the first convolution; the other layers have the converter's lengths.
    dense, tuned : schedules of the float training and of the fine-tuning.
    calibration : training images that scales, centroids and tables are fitted on.
    limits : images of the training and test set that are used at all, or None for the whole set.
    """

    name: str
    data: str
    stem: int
    dense: Schedule
    tuned: Schedule
    calibration: int = 1024
    limits: tuple[int, int] | None = None
    seed: int = 1

    def tiny(self) -> "Recipe":
        """The whole path on a few images in under a minute; its accuracy means nothing."""
        return replace(self, calibration=64, limits=(256, 64), dense=replace(self.dense, epochs=1, batch=32),
                       tuned=replace(self.tuned, epochs=1, batch=32, warmup=0.25))


RECIPES = {recipe.name: recipe for recipe in (
    Recipe(name="fashion-resnet8", data="fashion-mnist", stem=1,
           dense=Schedule(epochs=12, rate=0.008),
           tuned=Schedule(epochs=4, rate=0.0007, batch=64, decay=0.0, warmup=0.1, shift=None)),
    Recipe(name="cifar10-resnet8", data="cifar10", stem=3,
           dense=Schedule(epochs=60, rate=0.008, shift=4),
           tuned=Schedule(epochs=12, rate=0.0007, batch=64, decay=0.0, warmup=0.1, shift=None)),
)}
