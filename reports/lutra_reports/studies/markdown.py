"""All studies as one Markdown page, for a repository."""

from collections.abc import Mapping, Sequence

from .base import Found, Row, Study
from .terminal import number, span, verdict

__all__ = ["markdown"]


def _ours(row: Row) -> str:
    """Our values, each with what it rests on and its ratio."""
    found = []
    for basis, value in row.ours.items():
        ratio = verdict(row, value)
        found.append(f"{number(value)} ({basis}{', ' + ratio if ratio else ''})")
    return "; ".join(found)


def _study(study: Study, found: Found) -> Sequence[str]:
    lines = ["", f"## {study.name}: {study.title}", "", f"{study.source}.", "", *found.answer, "",
             "| quantity | paper | ours (from, ratio) | why they differ |", "|---|---|---|---|"]
    for row in found.rows:
        paper = f"{span(row.paper)} *{row.paper.status}*: {row.paper.place}" if row.paper else "none"
        lines.append(f"| {row.quantity}{', ' + row.unit if row.unit else ''} | {paper} | {_ours(row)} | {row.why} |")
    for table in found.tables:
        lines += ["", f"{table.title}:", "", f"| {' | '.join(table.head)} |", "|---" * len(table.head) + "|",
                  *(f"| {' | '.join(map(str, cells))} |" for cells in table.rows)]
    return lines


def markdown(studies: Sequence[Study], found: Mapping[str, Found], command: str) -> str:
    """A page with every study's rows, reasons, tables and answer."""
    lines = ["# Studies", "", f"Written by `{command}`; docs/studies.md says what it means."]
    for study in studies:
        lines += _study(study, found[study.name])
    return "\n".join(lines) + "\n"
