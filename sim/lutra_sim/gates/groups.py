"""The syntax of Liberty: groups with arguments, attributes and further groups inside."""

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Group", "numbers", "parse"]

STATEMENT = re.compile(
    r"[\s;]*(?:([\w.]+)\s*:\s*(?:\"([^\"]*)\"|([^;}\n]*))\s*;?|([\w.]+)\s*\(([^)]*)\)\s*(\{)?|(\}))")


@dataclass
class Group:
    """``name (argument) { ... }``: simple attributes by name, complex ones and groups in order."""

    name: str
    argument: str
    simple: dict[str, str] = field(default_factory=dict)
    complexes: list[tuple[str, str]] = field(default_factory=list)
    groups: list["Group"] = field(default_factory=list)

    def get(self, name: str, default: str) -> str:
        """A simple attribute's text."""
        return self.simple.get(name, default)

    def complex(self, name: str) -> list[str] | None:
        """The arguments of the first complex attribute of that name."""
        for found, arguments in self.complexes:
            if found == name:
                return [part.strip().strip('"') for part in arguments.split(",")]
        return None

    def array(self, name: str) -> NDArray[np.float64] | None:
        """The numbers of a complex attribute, in one row."""
        for found, arguments in self.complexes:
            if found == name:
                return numbers(arguments)
        return None

    def all(self, *names: str) -> list["Group"]:
        """The groups of those names."""
        return [group for group in self.groups if group.name in names]


def numbers(text: str) -> NDArray[np.float64]:
    """The numbers in quoted, comma-separated lists.

    >>> numbers('"1, 2.5", "-3e1"')
    array([  1. ,   2.5, -30. ])
    """
    return np.array(text.replace('"', " ").replace(",", " ").replace("\\", " ").split(), np.float64)


def parse(text: str) -> Group:
    """The first group in a text without comments; what follows it is left alone."""
    open_groups: list[Group] = []
    place = 0
    while True:
        match = STATEMENT.match(text, place)
        if match is None:
            line = text[place:place + 60].strip().split("\n")[0]
            where = f"{open_groups[0].name} ({open_groups[0].argument})" if open_groups else "a group"
            raise ValueError(f"{where} in a Liberty file must go on with an attribute, not {line!r}")
        place = match.end()
        name, quoted, plain, head, arguments, opens, closes = match.groups()
        if closes:
            group = open_groups.pop()
            if not open_groups:
                return group
        elif opens:
            group = Group(head, arguments.strip().strip('"'))
            if open_groups:
                open_groups[-1].groups.append(group)
            open_groups.append(group)
        elif head:
            open_groups[-1].complexes.append((head, arguments))
        else:
            open_groups[-1].simple[name] = (quoted if quoted is not None else plain).strip()
