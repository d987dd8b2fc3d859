"""What a study is: published figures, ours beside them, and in words why they differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lutra_model.technology import Technology

from ..style import Picture
from .measured import Measured

__all__ = ["STATUSES", "Found", "Paper", "Row", "Study", "Table"]

STATUSES = ("published", "unverified")


@dataclass(frozen=True)
class Paper:
    """A figure as the paper has it.

    Parameters
    ----------
    value : the figure, or the low end of a span; high : the span's high end.
    place : where it stands, and how it was read.
    status : ``published``: read in the authors' text or code; ``unverified``: read elsewhere, check before quoting.
    """

    value: float
    place: str
    status: str = "published"
    high: float | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}, not {self.status}")
        if not self.place.strip():
            raise ValueError("place must say where the figure stands")
        if self.high is not None and self.high < self.value:
            raise ValueError(f"high must be at least {self.value}, not {self.high}")

    def ratio(self, ours: float) -> float:
        """Ours over the figure; of a span over its nearer end, 1 inside."""
        low, high = self.value, self.value if self.high is None else self.high
        return ours / low if ours < low else ours / high if ours > high else 1.0


@dataclass(frozen=True)
class Row:
    """One quantity.

    Parameters
    ----------
    paper : None where nobody has published one.
    ours : our values by what they rest on: ``counted``, a technology's name, ``gates, LIBRARY``.
    why : what makes the difference, as sentences.
    digits : decimals of an exact figure, to which ours must equal it; None: it need not.
    """

    quantity: str
    unit: str
    ours: Mapping[str, float]
    why: str
    paper: Paper | None = None
    digits: int | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether ours is the paper's exact figure; None where none is asked for."""
        if self.digits is None or self.paper is None:
            return None
        return all(round(value, self.digits) == self.paper.value for value in self.ours.values())

    def data(self) -> dict[str, Any]:
        """Plain JSON values."""
        paper = self.paper
        return {"quantity": self.quantity, "unit": self.unit,
                "paper": paper and {"value": paper.value, "high": paper.high, "status": paper.status,
                                    "place": paper.place},
                "ours": [{"value": value, "basis": basis, "ratio": paper.ratio(value) if paper else None}
                         for basis, value in self.ours.items()],
                "exact": self.agrees, "why": self.why}


@dataclass(frozen=True)
class Table:
    """Further numbers of ours, for people and programs."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Found:
    """What a study found: its rows, the answer in sentences, further tables, figures by file name."""

    rows: Sequence[Row]
    answer: Sequence[str]
    tables: Sequence[Table] = ()
    figures: Mapping[str, Picture] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A paper's figures beside ours.

    Parameters
    ----------
    name, title, source : source is the citation.
    find : from technologies and measurements at gate level to what is found.
    measure : gate-level points of a cell library, see `bench`; None: the study needs none.
    """

    name: str
    title: str
    source: str
    find: Callable[[Sequence[Technology], Sequence[Measured]], Found]
    measure: Callable[..., list[dict[str, Any]]] | None = None
