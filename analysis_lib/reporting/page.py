"""Sentences, figures and tables as page elements."""

from __future__ import annotations

from IPython.display import HTML, display

from analysis_lib.reporting import markup
from analysis_lib.reporting.figures import figure_html
from analysis_lib.reporting.tables import csv_link, table_html
from analysis_lib.results import Exhibit


def say(sentences: str) -> HTML:
    """Sentences built from results, as a paragraph; text from data is shown, never interpreted."""
    return markup.block(markup.element("p", markup.text(sentences)), classes="sb-say")


def show(*exhibits: Exhibit) -> HTML:
    """Figures, tables, or what is missing for them, one below the other."""
    return HTML("".join(_shown(exhibit).data for exhibit in exhibits))


def _shown(exhibit: Exhibit) -> HTML:
    if exhibit.note:
        note = f"{markup.element('strong', markup.text(exhibit.title))} {markup.text(exhibit.note)}"
        return markup.block(markup.element("p", note), classes="sb-missing")
    if exhibit.draw is None:
        return markup.block(table_html(exhibit), csv_link(exhibit.frame, exhibit.title), classes="sb-tables")
    return markup.block(figure_html(exhibit), classes="sb-figures")


def tell(sentences: str, *exhibits: Exhibit) -> None:
    """A paragraph, and under it the figures or tables that it speaks of."""
    display(say(sentences))
    display(show(*exhibits))
