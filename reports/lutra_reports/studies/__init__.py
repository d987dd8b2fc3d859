"""Paper studies: published figures beside ours, one module for each; `STUDIES` has them by name."""

from . import dln, figlut, fpga, halutmatmul, lut_dla, lut_nn, lut_tc, nn_lut, product_table, ternary
from .base import Found, Paper, Row, Study, Table

__all__ = ["STUDIES", "Found", "Paper", "Row", "Study", "Table", "study"]

STUDIES = {module.STUDY.name: module.STUDY for module in (
    lut_tc, figlut, halutmatmul, ternary, lut_nn, lut_dla, nn_lut, dln, product_table, fpga)}


def study(name: str) -> Study:
    """The study of that name; ``ValueError`` lists the known ones."""
    if name not in STUDIES:
        raise ValueError(f"study must be one of {', '.join(STUDIES)}, not {name}")
    return STUDIES[name]
