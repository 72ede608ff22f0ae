"""The catalog of metrics: what each means, how it is made, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis_lib.publishing.markup import escape_html, row_of, table_of
from analysis_lib.publishing.sparkline import sparkline
from analysis_lib.results import format_value

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.metrics import Metric, Registry
    from analysis_lib.warehouse import Warehouse

#: Months that a sparkline shows; the running month is left out.
MONTHS = 24

_MONEY = "US dollars at the rate of the order's day; constant dollars and local money on request"

#: How much a change is welcome, in words a reader need not look up.
_BETTER = {"up": "more is better", "down": "less is better", "neither": "neither more nor less is better"}


def metrics_page(text: str, registry: Registry, values: dict[str, pd.DataFrame]) -> str:
    """The page with its catalog filled in.

    Parameters
    ----------
    text : str
        The written page.
    registry : Registry
        ``data/metrics.yml``.
    values : dict of str to DataFrame
        By metric: ``country`` (missing for all markets together), ``period_start``, ``value``; empty where the
        source has no such data.
    """
    parts = []
    for name, area in registry.areas.items():
        own = [metric for metric in registry.metrics.values() if metric.area == name]
        if own:
            entries = "".join(_entry(registry, metric, values.get(metric.name)) for metric in own)
            parts.append(f"## {escape_html(area.title)}\n\n{entries}")
    return text.replace("<!-- metrics-catalog -->", "\n\n".join(parts))


def monthly_values(warehouse: Warehouse, registry: Registry) -> dict[str, pd.DataFrame]:
    """Whole months of every metric, of all markets together and of each."""
    import pandas as pd

    from analysis_lib import metrics

    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in registry.names}
    for by in ((), ("country",)):
        names = [name for name in registry.names if set(by) <= set(registry.dimensions([name]))]
        asked = metrics.query(warehouse, names, by=by, grain="month")
        frame, flags = asked.to_frame(), asked.flags
        whole = frame[~frame["is_partial"]]
        for name in names:
            # The frame's own flag speaks of all metrics at once.
            late = flags.loc[(flags["metric"] == name) & (flags["flag"] == "is_immature"), "period_start"]
            kept = whole[["period_start"]].assign(value=whole[name], is_immature=whole["period_start"].isin(late))
            frames[name].append(kept.assign(country=whole["country"] if by else None))
    return {name: pd.concat(found, ignore_index=True) for name, found in frames.items() if found}


def _entry(registry: Registry, metric: Metric, values: pd.DataFrame | None) -> str:
    """One metric: its name and course, and behind the fold what it is made of."""
    total = None if values is None else values[values["country"].isna()].tail(MONTHS)
    now = _now(metric, total)
    return (
        f'<details class="sb-metric tex2jax_ignore mathjax_ignore" id="{escape_html(metric.name)}">'
        f"<summary><strong>{escape_html(metric.title)}</strong>{now}</summary>"
        f"<p>{escape_html(metric.meaning)}</p>{_facts(registry, metric)}{_markets(metric, values)}</details>"
    )


def _now(metric: Metric, total: pd.DataFrame | None) -> str:
    if total is None or total["value"].notna().sum() == 0:
        return ' <span class="sb-quiet">no data</span>'
    last = total.dropna(subset="value").iloc[-1]
    shown = escape_html(format_value(float(last["value"]), metric.unit))
    month = f"{last['period_start']:%b %Y}" + (", not final" if last["is_immature"] else "")
    course = sparkline(total["value"].tolist(), f"{metric.title} by month")
    return f' <span class="sb-now">{shown}</span> <span class="sb-quiet">{month}</span> {course}'


def _facts(registry: Registry, metric: Metric) -> str:
    """How it is made, as a small table."""
    children = registry.tree().get(metric.name, {})
    use = registry.marts[metric.mart]
    rows = {
        "Name": metric.name,
        "Made as": metric.formula,
        "From": f"{metric.mart}, by market-local day",
        "Only": " and ".join(item.text for item in metric.where),
        "Money": _MONEY if metric.currency == "converted" else "",
        "Final after": f"{metric.maturity_days} days" if metric.maturity_days else "at once",
        "Direction": _BETTER[metric.better],
        "Can be cut by": ", ".join(use.dimensions),
        "Can be tested by": ", ".join(metric.randomised_by),
        "Smallest change worth looking for": format_value(metric.min_detectable_rel, "share"),
        "Belongs to": ", ".join(f"{parent} ({role})" for parent, role in metric.parents.items()),
        "Moved by": ", ".join(f"{child} ({role})" for child, role in children.items()),
        "Owner": f"{metric.owner}, tier {metric.tier}",
    }  # fmt: skip
    lines = (row_of((escape_html(what), escape_html(said))) for what, said in rows.items() if said)
    return table_of(lines, ("", "Definition"))


def _markets(metric: Metric, values: pd.DataFrame | None) -> str:
    """The last whole month of each market, with its course."""
    if values is None or values["country"].isna().all():
        return ""
    rows = []
    for country, own in values.dropna(subset=["country"]).groupby("country", sort=True):
        course = own.tail(MONTHS)
        last: Any = course["value"].dropna()
        shown = format_value(float(last.iloc[-1]), metric.unit) if len(last) else "no data"
        line = sparkline(course["value"].tolist(), f"{metric.title} in {country} by month")
        rows.append(row_of((escape_html(str(country)), escape_html(shown), line)))
    return table_of(rows, ("Market", "Last whole month", "Course"))
