"""A study in a terminal and as plain data."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table as Shown

from lutra_model.technology import Technology

from ..provenance import technology_facts, tool_versions
from .base import Found, Paper, Row, Study, Table
from .measured import Measured

__all__ = ["as_data", "number", "shown", "span", "verdict"]

HEAD = ("quantity", "paper", "ours", "from", "ratio")


def number(value: float) -> str:
    """Four significant digits, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.4g}"


def span(paper: Paper | None) -> str:
    """A paper's figure, or both its ends."""
    if paper is None:
        return "none"
    return number(paper.value) if paper.high is None else f"{number(paper.value)} to {number(paper.high)}"


def verdict(row: Row, ours: float) -> str:
    """``exact``, ``within`` a span, or ours over the paper's."""
    if row.agrees:
        return "exact"
    return "" if row.paper is None else "within" if (ratio := row.paper.ratio(ours)) == 1 else f"{ratio:.3g}"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]], left: Sequence[int] = (0,)) -> Shown:
    made = Shown(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for place, name in enumerate(head):
        made.add_column(name, justify="left" if place in left else "right", no_wrap=place > 0)
    for row in rows:
        made.add_row(*map(str, row))
    return made


def _rows(rows: Sequence[Row]) -> list[list[str]]:
    """A line for each row and number of ours: what is the same is not said again."""
    found = []
    for place, row in enumerate(rows, start=1):
        names, values, verdicts = zip(*((basis, number(value), verdict(row, value))
                                        for basis, value in row.ours.items()), strict=True)
        quantity = f"\\[{place}] {row.quantity}" + f", {row.unit}" * bool(row.unit)
        found.append([quantity, f"{span(row.paper)}\n{row.paper.status}" if row.paper else "none",
                      *("\n".join(column) for column in (values, names, verdicts))])
    return found


def _numbers(places: Sequence[int]) -> str:
    return " ".join(f"\\[{place}]" for place in places)


def _places(rows: Sequence[Row]) -> list[str]:
    """Where the papers' figures stand, each place once with the rows that quote it."""
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows, start=1):
        if row.paper:
            found.setdefault(row.paper.place, []).append(place)
    return [f"paper {_numbers(numbers)}: {text}" for text, numbers in found.items()]


def _reasons(rows: Sequence[Row]) -> list[str]:
    """Why each row differs; what holds for several is said once."""
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows, start=1):
        found.setdefault(row.why, []).append(place)
    return [f"{_numbers(numbers)} {text}" for text, numbers in found.items()]


def shown(study: Study, found: Found) -> Group:
    """Table, why each row differs, where its figure stands, the answer."""
    main = _table(f"{study.name}: {study.title}\n{study.source}", HEAD, _rows(found.rows), left=(0, 3))
    return Group(main, *_reasons(found.rows), "", *_places(found.rows), "",
                 *(_table(item.title, item.head, item.rows) for item in found.tables), *found.answer)


def as_data(study: Study, found: Found, technologies: Sequence[Technology],
            measured: Sequence[Measured]) -> dict[str, Any]:
    """The study as plain JSON values, with where every number comes from."""
    tables: list[Mapping[str, Any]] = [_plain(item) for item in found.tables]
    return {"format": "lutra-study-result-1", "name": study.name, "title": study.title, "source": study.source,
            "rows": [row.data() for row in found.rows], "answer": list(found.answer), "tables": tables,
            "measured": [dict(item.head) for item in measured], "technologies": technology_facts(technologies),
            "tools": tool_versions()}


def _plain(item: Table) -> dict[str, Any]:
    return {"title": item.title, "head": list(item.head), "rows": [list(row) for row in item.rows]}
