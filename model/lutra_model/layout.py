"""Where a value lies in activation memory, and pitches that keep a beat's words in different banks."""

from collections.abc import Iterable
from dataclasses import dataclass

from .params import Array
from .windows import Former

__all__ = ["Layout", "packed", "pitches"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """An image in activation memory; addresses and pitches are in words (docs/hardware.md, "Value layout").

    Parameters
    ----------
    side, base : of the word that holds the first channels of pixel (0, 0).
    pitch_y, pitch_x : from a pixel to the one below; to the one on its right.
    """

    side: int = 0
    base: int = 0
    pitch_y: int
    pitch_x: int
    height: int
    width: int
    channels: int

    @property
    def jump(self) -> int:
        """From a row's last pixel to the next row's first."""
        return self.pitch_y - (self.width - 1) * self.pitch_x

    def words(self, array: Array) -> int:
        """Words from the first to the last, both included."""
        return (self.height - 1) * self.pitch_y + (self.width - 1) * self.pitch_x + -(-self.channels // array.word)


def packed(height: int, width: int, channels: int, array: Array, *, side: int = 0) -> Layout:
    """The layout without gaps, at address 0."""
    words = -(-channels // array.word)
    return Layout(side=side, pitch_y=width * words, pitch_x=words, height=height, width=width, channels=channels)


def _conflicts(former: Former, pitch_y: int, pitch_x: int, banks: int) -> bool:
    """Whether a beat would need two words of one bank."""
    for last in (False, True):
        used = [place for place in former.lanes if (place.enabled_last if last else place.enabled)]
        if len({(place.word + place.dy * pitch_y + place.dx * pitch_x) % banks for place in used}) < len(used):
            return True
    return False


def pitches(height: int, width: int, channels: int, array: Array, formers: Iterable[Former], *,
            gapless: bool = False) -> tuple[int, int] | None:
    """``(pitch_y, pitch_x)`` of the smallest layout (or the one without gaps) that serves all formers, or None."""
    words, formers = -(-channels // array.word), tuple(formers)
    gaps = range(1 if gapless else array.banks)
    candidates = [(width * (words + gap) + more, words + gap) for gap in gaps for more in gaps]
    candidates.sort(key=lambda pitch: (height - 1) * pitch[0] + (width - 1) * pitch[1])
    return next((pitch for pitch in candidates
                 if not any(_conflicts(former, *pitch, array.banks) for former in formers)), None)
