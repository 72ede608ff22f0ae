"""The look of the book: the answer card, figures, tables and sentences on a page."""

from analysis_lib.reporting.card import card, small_print
from analysis_lib.reporting.figures import figure_html
from analysis_lib.reporting.page import say, show, tell
from analysis_lib.reporting.tables import table_html

__all__ = ["card", "figure_html", "say", "show", "small_print", "table_html", "tell"]
