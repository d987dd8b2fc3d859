"""Paper studies: published figures beside ours, one module for each; `STUDIES` has them by name."""

from .base import Found, Paper, Row, Study, Table
from .dln import STUDY as DLN
from .figlut import STUDY as FIGLUT
from .lut_nn import STUDY as LUT_NN

__all__ = ["STUDIES", "Found", "Paper", "Row", "Study", "Table", "study"]

STUDIES = {item.name: item for item in (LUT_NN, DLN, FIGLUT)}


def study(name: str) -> Study:
    """The study of that name; ``ValueError`` lists the known ones."""
    if name not in STUDIES:
        raise ValueError(f"study must be one of {', '.join(STUDIES)}, not {name}")
    return STUDIES[name]
