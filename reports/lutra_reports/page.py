"""The report as one self-contained HTML page."""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .style import DESIGNS, STAGES, Picture

__all__ = ["headline", "page", "span"]

WINNERS = {"lookup": "lookup", "mac": "MAC", "open": "within uncertainty"}
MEMORY = {"on_chip": "on the chip", "total": "with memory outside"}


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


def span(found: Mapping[str, Mapping[str, float]]) -> str:
    """``0.8 to 2.1``: the nominal ratios of several technologies; one number where they agree."""
    ratios = [item["ratio"] for item in found.values()]
    low, high = f"{min(ratios):.2g}", f"{max(ratios):.2g}"
    return low if low == high else f"{low} to {high}"


def headline(data: Mapping[str, Any], baseline: str, which: str) -> dict[str, Any]:
    """One comparison over all technologies: nominal span, full range, and who wins in how many of them."""
    found = {name: item[baseline][which] for name, item in data["ratios"].items()}
    winners = [item["winner"] for item in found.values()]
    return {"span": span(found), "low": min(item["low"] for item in found.values()),
            "high": max(item["high"] for item in found.values()),
            "winner": winners[0] if len(set(winners)) == 1 else "open",
            "wins": {name: winners.count(name) for name in WINNERS}, "of": len(winners)}


def _inline(name: str, picture: Picture) -> Markup:
    """The SVG inside the page; its ids get the figure's name, so that no two figures share one."""
    text = picture.svg.decode()
    text = text[text.index("<svg"):]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return Markup(text.replace("<svg ", f'<svg role="img" aria-label="{Markup.escape(picture.caption)}" ', 1))


def page(data: Mapping[str, Any], figures: Mapping[str, Picture]) -> str:
    """The page; every number on it is in ``data``."""
    environment = Environment(loader=PackageLoader("lutra_reports"), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters |= {"number": _number, "energy": _energy, "percent": _percent}
    template = environment.get_template("report.html")
    drawn = {name: {"svg": _inline(name, picture), "caption": picture.caption} for name, picture in figures.items()}
    return template.render(data=data, figures=drawn, headline=headline, winners=WINNERS, memory=MEMORY,
                           designs=DESIGNS, stages=STAGES)
