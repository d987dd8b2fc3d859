"""A sliding window over an image."""

from dataclasses import dataclass

__all__ = ["Window"]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A sliding window over ``(height, width)``; ``padding`` is top, left, bottom, right."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        if min(self.kernel) < 1 or min(self.stride) < 1 or min(self.padding) < 0:
            raise ValueError(f"kernel and stride must be at least 1 and padding at least 0, not {self.kernel}, "
                             f"{self.stride} and {self.padding}")

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the windowed image."""
        top, left, bottom, right = self.padding
        size = ((height + top + bottom - self.kernel[0]) // self.stride[0] + 1,
                (width + left + right - self.kernel[1]) // self.stride[1] + 1)
        if min(size) < 1:
            raise ValueError(f"a window of {self.kernel} must fit into the padded image of {height} x {width}")
        return size
