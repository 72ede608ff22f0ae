"""The landing page's list: nobody's text is markup, and what is missing is said."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from analysis_lib.publishing.findings import Finding
from analysis_lib.publishing.gate import problems
from analysis_lib.publishing.landing import FAILED, MARK, WITHHELD, Listed, landing, reports_table
from analysis_lib.publishing.reports import Page

HOSTILE = '<script>alert(1)</script> " onclick=x **b** {raw}`x` $1$ &lt; \n\n# h\n```{raw} html'


def listed(title="Campaign 18", slug="review-campaign-18", **rest):
    return Listed(Page("review", {}, title, "Campaigns", slug), **rest)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def cells(report):
    return re.findall(r"<td[^>]*>(.*?)</td>", reports_table([report]))


def test_a_report_is_listed_with_verdict_number_answer_and_day():
    finding = Finding(headline="It paid.", value_text="$1 M", decision="Repeat")
    assert cells(listed(finding=finding, run_on="2026-11-23")) == [
        '<a href="reports/review-campaign-18.html">Campaign 18</a>', "Repeat", "$1 M", "It paid.", "2026-11-23",
    ]  # fmt: skip


def test_a_run_without_a_finding_is_listed():
    assert cells(listed(run_on="2026-11-23"))[1:4] == ["", "", ""]


@pytest.mark.parametrize("lack", [FAILED, WITHHELD])
def test_a_report_without_a_page_is_no_link_and_says_why(lack):
    assert cells(listed(lack=lack)) == ["Campaign 18", lack]
    assert "href" not in reports_table([listed(lack=lack)])


def test_a_stale_page_is_called_out_of_date():
    assert cells(listed(run_on="2026-11-23", stale=True))[4] == "2026-11-23 (out of date)"


def test_hostile_text_stays_text_on_one_line():
    finding = Finding(headline=HOSTILE, value_text=HOSTILE, decision=HOSTILE)
    table = reports_table([listed(title=HOSTILE, finding=finding, run_on=HOSTILE), listed(title=HOSTILE, lack=HOSTILE)])
    assert "\n" not in table
    read = Tags(table)
    assert {tag for tag, _ in read.tags} == {"div", "table", "thead", "tr", "th", "tbody", "td", "a"}
    assert {name for _, attrs in read.tags for name in attrs} == {"class", "tabindex", "scope", "href", "colspan"}
    assert "".join(read.text).count("<script>alert(1)</script>") == 7


def test_header_cells_have_a_scope_and_formulas_are_switched_off():
    table = reports_table([listed()])
    assert table.count('<th scope="col">') == table.count("<th") - table.count("<thead") == 5
    assert "mathjax_ignore" in table


def test_the_list_takes_the_place_of_its_mark_and_passes_the_gate():
    import nbformat

    page = landing(f"# Book\n\n{MARK}\n\nMore.", [listed()])
    assert MARK not in page and page.endswith("</div>\n\nMore.")
    output = nbformat.v4.new_output("display_data", {"text/html": reports_table([listed()])})
    assert problems(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])) == []
