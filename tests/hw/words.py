"""Numbers in bytes and in words, one at a time."""

__all__ = ["packed", "signed", "unpacked"]


def signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def packed(values: list[int], width: int = 8) -> int:
    """Numbers side by side, the first lowest."""
    return sum((value & 2**width - 1) << width * place for place, value in enumerate(values))


def unpacked(word: int, count: int, width: int) -> list[int]:
    """Signed numbers side by side, the first lowest."""
    values = [word >> width * place & 2**width - 1 for place in range(count)]
    return [value - 2**width if value >> width - 1 else value for value in values]
