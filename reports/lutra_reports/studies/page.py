"""A study as one self-contained HTML page."""

from collections.abc import Mapping
from typing import Any

from ..page import environment, inline
from ..style import Picture
from .terminal import number

__all__ = ["page"]


def page(data: Mapping[str, Any], figures: Mapping[str, Picture]) -> str:
    """The page; every number on it is in ``data``."""
    made = environment()
    made.filters["plain"] = number
    drawn = [{"svg": inline(name, picture), "caption": picture.caption} for name, picture in figures.items()]
    return made.get_template("study.html").render(data=data, figures=drawn)
