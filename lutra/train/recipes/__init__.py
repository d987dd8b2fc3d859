"""Recipes by name. A new one is an entry in a file here."""

from .base import Recipe, Stage, Variant
from .images import IMAGES
from .others import OTHERS
from .text import TEXT

__all__ = ["RECIPES", "Recipe", "Stage", "Variant"]

RECIPES = {recipe.name: recipe for recipe in (*IMAGES, *OTHERS, *TEXT)}
