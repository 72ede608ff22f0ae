"""One page per metric: meaning, formula, tree, owner, how it stands by market, where it is used, and its SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from analysis_lib.publishing.markup import escape_html, escape_markdown, fence, row_of, safe_title, table_of
from analysis_lib.publishing.sparkline import sparkline
from analysis_lib.results import format_value

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Catalog, Metric
    from analysis_lib.metrics.catalogue import Entry

#: Folder of the pages on the site.
FOLDER = "metrics"

#: Months that a sparkline shows; the running month is left out.
MONTHS = 24

_MONEY = "US dollars at the rate of the order's day; constant dollars and local money on request"

#: How much a change is welcome, in words a reader need not look up.
_BETTER = {"up": "more is better", "down": "less is better", "neither": "neither more nor less is better"}

#: What the tree's roles say, seen from below and from above.
_ABOVE = {"part": "Part of", "factor": "Factor of", "driver": "Moves"}
_BELOW = {"part": "Its parts", "factor": "Its factors", "driver": "Moved by"}

_ENGINES = {"duckdb": "DuckDB", "spark": "Spark"}

#: Title and file of each report that is about a metric.
Uses = Mapping[str, Iterable[tuple[str, str]]]


def metric_pages(catalog: Catalog, uses: Uses) -> dict[str, str]:
    """The text of every page, by the name of its metric.

    Parameters
    ----------
    catalog : Catalog
        From ``metrics.catalog``.
    uses : mapping of str to iterable of (str, str)
        By metric: titles and addresses of reports about it.
    """
    return {name: _page(catalog, entry, uses.get(name, ())) for name, entry in catalog.entries.items()}


def _page(catalog: Catalog, entry: Entry, uses: Iterable[tuple[str, str]]) -> str:
    metric = entry.metric
    sections = [
        f"# {escape_markdown(safe_title(metric.title))}",
        escape_markdown(metric.meaning),
        _headline(entry),
        f"## How it is made\n\n{_facts(catalog, metric)}",
        f"## Where it stands in the tree\n\n{_tree(catalog, entry)}",
        f"## By market\n\n{_markets(entry)}",
        f"## Where it is used\n\n{_used(catalog, entry, uses)}",
        f"## As a query\n\n{_queries(entry)}",
    ]
    return "\n\n".join(sections) + "\n"


def now(metric: Metric, total: pd.DataFrame) -> str:
    """The last value that is known, with its month."""
    known = total.dropna(subset=["value"])
    if known.empty:
        return '<span class="sb-quiet">no data</span>'
    last = known.iloc[-1]
    shown = escape_html(format_value(float(last["value"]), metric.unit))
    month = f"{last['period_start']:%b %Y}" + (", not final" if last["is_immature"] else "")
    return f'<span class="sb-now">{shown}</span> <span class="sb-quiet">{month}</span>'


def _headline(entry: Entry) -> str:
    """The last value and the course of all markets together."""
    total = entry.whole.tail(MONTHS)
    line = sparkline(total["value"].tolist(), f"{entry.metric.title} by month")
    return f'<p class="sb-metric tex2jax_ignore mathjax_ignore">{now(entry.metric, total)} {line}</p>'


def _facts(catalog: Catalog, metric: Metric) -> str:
    """How it is made, as a small table."""
    use = catalog.registry.marts[metric.mart]
    rows = {
        "Name": f"<code>{escape_html(metric.name)}</code>",
        "Made as": escape_html(metric.formula),
        "From": f"<code>{escape_html(metric.mart)}</code>, by market-local day",
        "Only": escape_html(" and ".join(item.text for item in metric.where)),
        "Money": _MONEY if metric.currency == "converted" else "",
        "Final after": f"{metric.maturity_days} days" if metric.maturity_days else "at once",
        "Direction": _BETTER[metric.better],
        "Can be cut by": escape_html(", ".join(use.dimensions)),
        "Can be tested by": escape_html(", ".join(metric.randomised_by)),
        "Smallest change worth looking for": format_value(metric.min_detectable_rel, "share"),
        "Owner": escape_html(f"{metric.owner}, tier {metric.tier}"),
    }  # fmt: skip
    return table_of((row_of((what, said)) for what, said in rows.items() if said), ("", "Definition"))


def _tree(catalog: Catalog, entry: Entry) -> str:
    """What is above it, what below, and what its changes are told apart into."""
    metrics, lines = catalog.registry.metrics, []
    for role in _ABOVE:
        above = [_link(metrics[name]) for name, given in entry.metric.parents.items() if given == role]
        below = [_link(metrics[name]) for name, given in entry.children.items() if given == role]
        lines += [f"- **{_ABOVE[role]}** {', '.join(above)}"] if above else []
        lines += [f"- **{_BELOW[role]}** {', '.join(below)}"] if below else []
    if entry.parts:
        named = " × ".join(escape_markdown(title) for title in entry.parts)
        lines.append(f"- **A change of it is told apart into** {named}")
    return "\n".join(lines) if lines else "It stands by itself."


def _link(metric: Metric) -> str:
    return f"[{escape_markdown(safe_title(metric.title))}]({metric.name}.md)"


def _markets(entry: Entry) -> str:
    """The last whole month of each market, with its course."""
    values: Any = entry.values.dropna(subset=["country"])
    if values.empty:
        return "It is not known by market." if len(entry.values) else "There are no data here."
    rows = []
    for country, own in values.groupby("country", sort=True):
        course = own.tail(MONTHS)
        line = sparkline(course["value"].tolist(), f"{entry.metric.title} in {country} by month")
        rows.append(row_of((escape_html(str(country)), now(entry.metric, course), line)))
    return table_of(rows, ("Market", "Last whole month", "Course"))


def _used(catalog: Catalog, entry: Entry, uses: Iterable[tuple[str, str]]) -> str:
    metrics = catalog.registry.metrics
    lines = [f"- report [{escape_markdown(safe_title(title))}](../{address})" for title, address in uses]
    made = ", ".join(_link(metrics[name]) for name in entry.made_into)
    lines += [f"- made into {made}"] if made else []
    asked = f"metrics.query(wh, {entry.metric.name!r}, by={list(_by(entry))!r}, grain='month')"
    lines.append(f"- asked for in a notebook as `{asked}`")
    return "\n".join(lines)


def _by(entry: Entry) -> tuple[str, ...]:
    return ("country",) if entry.values["country"].notna().any() else ()


def _queries(entry: Entry) -> str:
    """The SQL of both engines, folded."""
    shown = (
        f":::{{dropdown}} {_ENGINES[engine]}\n\n{fence(text, 'sql')}\n:::" for engine, text in entry.sql.items()
    )  # fmt: skip
    return (
        "By market and month, as it runs; a value is a quotient of two columns, and missing where there is nothing to"
        " divide by.\n\n" + "\n\n".join(shown)
    )
