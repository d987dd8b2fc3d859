"""The report as one self-contained HTML page."""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .doubt_words import doubts
from .moved_words import moves, toggling
from .style import STAGES, Picture, times
from .words import headline, sentences

__all__ = ["environment", "inline", "page"]

MARKS = {"lookup": "✓", "mac": "✗", "open": "~"}


def _number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if abs(value) >= 1000:
        return f"{round(value):,}"
    return f"{value:.3g}"


def _energy(picojoules: float) -> str:
    """A readable unit."""
    for limit, unit in ((1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ")):
        if picojoules >= limit:
            return f"{picojoules / limit:.3g} {unit}"
    return f"{picojoules:.3g} pJ"


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.2f}%"


def inline(name: str, picture: Picture) -> Markup:
    """The SVG inside the page; its ids get the figure's name, so that no two figures share one."""
    text = picture.svg.decode()
    text = text[text.index("<svg"):]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return Markup(text.replace("<svg ", f'<svg role="img" aria-label="{Markup.escape(picture.caption)}" ', 1))


def environment() -> Environment:
    """Where templates come from; text is escaped, what is missing is an error."""
    made = Environment(loader=PackageLoader("lutra_reports"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    made.filters |= {"number": _number, "energy": _energy, "percent": _percent, "times": times}
    return made


def page(data: Mapping[str, Any], figures: Mapping[str, Picture]) -> str:
    """The page; every number on it is in ``data``."""
    template = environment().get_template("report.html")
    drawn = {name: {"svg": inline(name, picture), "caption": picture.caption} for name, picture in figures.items()}
    return template.render(data=data, figures=drawn, headline=headline, sentences=sentences(data), marks=MARKS,
                           stages=STAGES, toggling=toggling(data), moved_said=moves(data), doubts=doubts(data))
