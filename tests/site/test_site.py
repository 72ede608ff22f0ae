"""The built site as a reader meets it: from the file system, on a phone and at a desk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis_lib import config
from analysis_lib.publishing.reports import load_reports

# The first of these tests makes the whole book.
pytestmark = [pytest.mark.site, pytest.mark.timeout(1800)]

LARGEST = "reports/campaign-review-campaign-18.html"
REFUSED = "reports/campaign-review-campaign-27.html"


def address(site: Path, name: str) -> str:
    return (site / name).as_uri()


def test_landing_page_lists_the_reports_with_headline_interval_decision_and_date(visit, site):
    visit.page.goto(address(site, "index.html"))
    rows = visit.page.locator(".sb-reports tbody tr")
    reports = load_reports(config.project()).pages
    assert rows.count() == len(reports)
    first = rows.first
    assert first.get_by_role("link").inner_text() == "Campaign 18"
    text = first.inner_text()
    assert "Cannot tell" in text
    assert " to " in text
    assert "1,133 targeted households" in text
    assert "202" in text  # the year of the run


def test_every_report_can_be_reached_from_the_landing_page(wide, site):
    wide.page.goto(address(site, "index.html"))
    wide.page.locator(".sb-reports a").first.click()
    assert wide.page.url.endswith(LARGEST)


def test_first_screen_of_a_report_holds_the_answer(visit, site):
    visit.page.goto(address(site, LARGEST))
    assert "Did Type A campaign 18 pay for itself?" in visit.page.locator("article h1").inner_text()
    card = visit.page.locator(".sb-card")
    assert card.count() == 1
    for word in ("Cannot tell", "95 % interval", "Money per month", "Owner", "Next step"):
        assert word in card.inner_text()
    number = visit.page.locator(".sb-answer").bounding_box()
    assert number["y"] + number["height"] < visit.page.viewport_size["height"]


def test_refused_report_says_what_is_missing(wide, site):
    wide.page.goto(address(site, REFUSED))
    text = wide.page.locator("article").inner_text()
    assert "No number: not enough data" in text
    assert "5 whole weeks before the campaign" in text
    assert "nan" not in text.lower().split()


def test_report_says_how_it_was_made(wide, site):
    wide.page.goto(address(site, LARGEST))
    text = wide.page.locator("article").inner_text()
    for word in ("How this was made", "shopbook run campaign_review", "Code version", "Run at", "complete_journey"):
        assert word in text


def test_command_can_be_copied(wide, site):
    wide.page.goto(address(site, LARGEST))
    assert wide.page.locator("div.highlight-bash button.copybtn").count() == 1


def test_folded_code_opens(visit, site):
    visit.page.goto(address(site, LARGEST))
    fold = visit.page.locator("details.hide").filter(has_text="campaigns.review(").first
    code = fold.locator("pre").first
    assert not code.is_visible()
    fold.locator("summary").click()
    assert code.is_visible()
    assert "campaigns.review(" in code.inner_text()


def test_numbers_behind_a_figure_open_and_download(wide, site):
    wide.page.goto(address(site, LARGEST))
    numbers = wide.page.locator("details.sb-numbers").first
    numbers.locator("summary").first.click()
    assert numbers.locator("table").first.is_visible()
    with wide.page.expect_download() as download:
        numbers.locator("a.sb-csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("week,value,se,ci_lower,ci_upper")
    assert len(lines) > 20


def test_figures_are_described_and_drawn(wide, site):
    wide.page.goto(address(site, LARGEST))
    figures = wide.page.locator("figure.sb-figure img")
    assert figures.count() >= 5
    for place in range(figures.count()):
        figure = figures.nth(place)
        assert len(figure.get_attribute("alt")) > 30
        assert figure.evaluate("image => image.naturalWidth") > 300


def test_search_finds_a_word_from_the_file_system(wide, site):
    wide.page.goto(address(site, "search.html") + "?q=cannibalised")
    results = wide.page.locator("#search-results li")
    results.first.wait_for(timeout=15_000)
    assert "How to read these reports" in wide.page.locator("#search-results").inner_text()


def test_formulas_are_drawn_without_a_network(wide, site):
    wide.page.goto(address(site, "how-to-read.html"))
    wide.page.locator("mjx-container").first.wait_for(timeout=15_000)
    assert wide.outside() == []


def test_prices_are_not_read_as_formulas(wide, site):
    wide.page.goto(address(site, LARGEST))
    wide.page.wait_for_load_state("networkidle")
    assert wide.page.locator("mjx-container").count() == 0
    assert "$" in wide.page.locator(".sb-answer").inner_text()


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_of_the_card_has_contrast(wide, site, theme):
    wide.page.goto(address(site, LARGEST))
    wide.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    colours = wide.page.evaluate(
        """() => { const card = document.querySelector('.sb-card');
        const names = ['.sb-verdict', '.sb-answer strong', '.sb-answer span', '.sb-headline', 'dt', 'dd'];
        return [getComputedStyle(card).backgroundColor,
                names.map(name => getComputedStyle(card.querySelector(name)).color)] }"""
    )
    ground = luminance(colours[0])
    for colour in colours[1]:
        low, high = sorted((ground, luminance(colour)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (theme, colour)


def test_a_report_prints_on_three_pages_without_code(wide, site, tmp_path):
    wide.page.goto(address(site, LARGEST))
    wide.page.emulate_media(media="print")
    assert not wide.page.locator("div.cell_input").first.is_visible()
    paper = wide.page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) <= 3
