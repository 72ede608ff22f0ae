"""The landing page's list of reports, made from what the runs found."""

from __future__ import annotations

from dataclasses import dataclass

from analysis_lib.publishing.findings import Finding
from analysis_lib.publishing.markup import escape_html, row_of, table_of
from analysis_lib.publishing.outline import REPORTS
from analysis_lib.publishing.reports import Page

#: Line of ``book/index.md`` that the list replaces.
MARK = "<!-- reports -->"

#: What a page without a publishable run says.
FAILED, WITHHELD = "has not run successfully yet", "withheld by the publish gate"


@dataclass(frozen=True, slots=True)
class Listed:
    """A report as the landing page lists it.

    Attributes
    ----------
    page : Page
        The page.
    finding : Finding | None
        What its last good run found.
    run_on : str
        Day of that run.
    stale : bool
        Whether a later run failed.
    lack : str
        Why there is no page; empty if there is one.
    """

    page: Page
    finding: Finding | None = None
    run_on: str = ""
    stale: bool = False
    lack: str = ""


def landing(text: str, reports: list[Listed]) -> str:
    """The landing page with the list of reports in the place of ``MARK``."""
    return text.replace(MARK, reports_table(reports))


def reports_table(reports: list[Listed]) -> str:
    """Reports as an HTML table: report, verdict, number, answer, run on."""
    heads = ("Report", "Verdict", "Number", "Answer", "Run on")
    return table_of((_row(report) for report in reports), heads, classes="sb-table sb-reports")


def _row(report: Listed) -> str:
    title = escape_html(report.page.title)
    if report.lack:
        return f'<tr><td>{title}</td><td colspan="4">{escape_html(report.lack)}</td></tr>'
    finding = report.finding or Finding()
    run_on = escape_html(report.run_on) + (" (out of date)" if report.stale else "")
    link = f'<a href="{REPORTS}/{escape_html(report.page.slug)}.html">{title}</a>'
    cells = [
        link,
        escape_html(finding.decision),
        escape_html(finding.value_text),
        escape_html(finding.headline),
        run_on,
    ]
    return row_of(cells)
