"""The list of metrics by part of the business, each with its value and a link to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_lib.publishing.markup import escape_html, row_of, table_of
from analysis_lib.publishing.metric_pages import FOLDER, MONTHS, now
from analysis_lib.publishing.sparkline import sparkline

if TYPE_CHECKING:
    from analysis_lib.metrics import Catalog
    from analysis_lib.metrics.catalogue import Entry

#: Where the list stands in the written page.
MARK = "<!-- metrics-catalog -->"


def metrics_list(catalog: Catalog) -> str:
    """The list of all metrics, in parts of the business.

    Parameters
    ----------
    catalog : Catalog
        From ``metrics.catalog``.
    """
    parts = []
    for name, area in catalog.registry.areas.items():
        own = [entry for entry in catalog.entries.values() if entry.metric.area == name]
        if own:
            rows = table_of((_row(entry) for entry in own), ("Metric", "Last whole month", "Course"))
            parts.append(f"## {escape_html(area.title)}\n\n{rows}")
    return "\n\n".join(parts)


def _row(entry: Entry) -> str:
    metric, total = entry.metric, entry.whole.tail(MONTHS)
    link = f'<a href="{FOLDER}/{escape_html(metric.name)}.html">{escape_html(metric.title)}</a>'
    line = sparkline(total["value"].tolist(), f"{metric.title} by month")
    return row_of((f'{link}<br><span class="sb-quiet">{escape_html(metric.meaning)}</span>', now(metric, total), line))
