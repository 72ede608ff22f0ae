"""Drawings that several questions share: frames in, marks on matplotlib axes out."""

from analysis_lib.drawings.forest import draw_forest, draw_rows, money_axis, name_rows, percent_axis

__all__ = ["draw_forest", "draw_rows", "money_axis", "name_rows", "percent_axis"]
