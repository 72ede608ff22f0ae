"""Which pages the book has: rows, grids, titles, file names, and refusals that name the place."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis_lib.errors import InvalidValue, UnknownName
from analysis_lib.publishing.local import ask_pages, remember_pages
from analysis_lib.publishing.reports import LOCAL_PART, load_reports, local_path
from analysis_lib.publishing.slugs import slug

GOOD = """
parts:
  - title: Campaigns
    reports:
      - notebook: review
        title: "Campaign {campaign}, {weeks} weeks"
        rows:
          - {campaign: "18"}
        over:
          campaign: ["8", "13"]
          weeks: [6, 12]
        with: {source: shop}
"""


def _entry(text: str) -> str:
    return f"parts:\n  - title: A\n    reports:\n      - {text}\n"


def test_rows_and_grid_become_pages(project, reports):
    reports(GOOD)
    pages = load_reports(project).pages
    assert [page.slug for page in pages] == [
        "review-campaign-18",
        "review-campaign-8-weeks-6",
        "review-campaign-8-weeks-12",
        "review-campaign-13-weeks-6",
        "review-campaign-13-weeks-12",
    ]
    assert pages[0].title == "Campaign 18, 12 weeks"
    assert pages[1].parameters == {"source": "shop", "campaign": "8", "weeks": 6}
    assert load_reports(project).parts == ("Campaigns",)


def test_an_entry_without_rows_is_one_page_on_the_defaults(project, reports):
    reports(_entry("notebook: review"))
    (page,) = load_reports(project).pages
    assert (page.slug, page.title, page.parameters) == ("review", "Review", {})


def test_no_file_is_an_empty_book(project):
    assert load_reports(project).pages == ()


def test_what_yaml_would_misread_stays_text(project, reports, notebook):
    notebook("growth", parameters="country: str = 'ID'  # market\ncode: str = '1'  # code")
    reports(_entry("{notebook: growth, rows: [{country: NO, code: 010}]}"))
    assert load_reports(project).pages[0].parameters == {"country": "NO", "code": "010"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_entry("{notebok: review}"), "parts[0].reports[0].notebok: unknown key 'notebok'. Did you mean 'notebook'?"),
        (_entry("{notebook: review, whit: {}}"), "Did you mean 'with'?"),
        ("part: []\n", "Did you mean 'parts'?"),
        ("parts: [{titel: A}]\n", "parts[0].titel: unknown key 'titel'. Did you mean 'title'?"),
        (_entry("{notebook: review, rows: {campaign: 18}}"), "parts[0].reports[0].rows:"),
        (_entry("{notebook: review, rows: [{weeks: many}]}"), "rows[0]: weeks: 'many' is not a whole number"),
        (_entry("{notebook: review, rows: [{weeks: 99}]}"), "weeks: 99 is above 26"),
        (_entry("{notebook: review, title: '{'}"), "cannot be filled in"),
        (_entry("{notebook: review, notebook: review}"), "key 'notebook' stands twice"),
        ("parts: [", "reports.yml"),
    ],
)
def test_mistakes_in_the_file_are_refused_with_place_and_nearest(project, reports, text, said):
    reports(text)
    with pytest.raises(InvalidValue) as raised:
        load_reports(project)
    assert said in str(raised.value)
    assert "reports.yml" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_entry("{notebook: reveiw}"), "Did you mean 'review'?"),
        (_entry("{notebook: review, rows: [{campain: '1'}]}"), "Did you mean 'campaign'?"),
        (_entry("{notebook: review, title: 'For {week}'}"), "Did you mean 'weeks'?"),
    ],
)
def test_unknown_names_in_the_file_name_the_nearest(project, reports, text, said):
    reports(text)
    with pytest.raises(UnknownName) as raised:
        load_reports(project)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "rows",
    [
        "rows: [{campaign: '18'}, {campaign: '18'}]",
        "rows: [{campaign: '18'}, {weeks: 12}]",
        "rows: [{weeks: 12}, {weeks: '012'}]",
        "rows: [{campaign: '8'}], over: {campaign: ['8']}",
    ],
)
def test_two_rows_for_one_page_are_refused_naming_both(project, reports, rows):
    reports(_entry("{notebook: review, " + rows + "}"))
    with pytest.raises(InvalidValue) as raised:
        load_reports(project)
    assert "two rows give the same page" in str(raised.value)
    assert str(raised.value).count("reports[0]") == 2


def test_pages_that_differ_only_in_their_constants_are_refused(project, reports):
    reports("parts: [{title: A, reports: [{notebook: review, with: {weeks: 6}}, {notebook: review}]}]")
    with pytest.raises(InvalidValue, match="two rows give the same page"):
        load_reports(project)


VALUES = [
    "ID",
    "id",
    "Id",
    "a b",
    "a-b",
    "a_b",
    "a/b",
    "../a",
    "",
    "é",
    "a" * 300,
    "a" * 299 + "b",
    "1.5",
    "15",
    "%00",
    "CON",
]


def test_different_values_never_meet():
    names = [slug("growth", {"country": value}) for value in VALUES]
    assert len(set(names)) == len(names)
    assert all(name == name.strip(". ") and "/" not in name and len(name) < 130 for name in names)


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_two_texts_get_different_file_names(first, second):
    names = slug("n", {"x": first}), slug("n", {"x": second})
    assert (names[0] == names[1]) == (first == second)
    assert all(character.isascii() and (character.isalnum() or character in "-._") for character in names[0])


def test_names_that_run_together_do_not_meet():
    rows = [{"x": "1-y-2"}, {"x": "1", "y": "2"}, {"x_y": "2"}, {"x": "y-2"}, {"x": ["1", "2"]}, {"x": "1,2 "}]
    assert all(slug("n", a) != slug("n", b) for a, b in itertools.combinations(rows, 2))


def test_a_run_of_ones_own_is_in_the_book_next_time(project, reports):
    reports(GOOD)
    pages = ask_pages(project, "review", {"campaign": "99"})
    assert pages[0].title == "Campaign 99, 12 weeks"
    assert remember_pages(project, pages) == pages
    added = load_reports(project).pages[-1]
    assert (added.part, added.slug, added.title) == (LOCAL_PART, "review-campaign-99", "Campaign 99, 12 weeks")
    assert remember_pages(project, pages) == []


def test_several_runs_are_collected(project):
    for weeks in ("6", "7", "8"):
        remember_pages(project, ask_pages(project, "review", {"weeks": weeks, "campaign": "{x}: 'y'"}))
    pages = load_reports(project).pages
    assert [page.parameters["weeks"] for page in pages] == [6, 7, 8]
    assert pages[0].parameters["campaign"] == "{x}: 'y'"
    assert local_path(project).read_text(encoding="utf-8").count("notebook: review") == 3


def test_asking_for_a_page_of_the_book_gives_that_page(project, reports):
    reports(GOOD)
    (page,) = ask_pages(project, "review", {"weeks": "6", "campaign": "13", "source": "shop"})
    assert page.slug == "review-campaign-13-weeks-6"
    assert page.part == "Campaigns"


def test_a_row_of_the_book_wins_over_the_same_run_of_ones_own(project, reports):
    remember_pages(project, ask_pages(project, "review", {"campaign": "18"}))
    reports(GOOD)
    assert [page.part for page in load_reports(project).pages].count(LOCAL_PART) == 0


def test_a_grid_on_the_command_line_is_multiplied_out(project):
    pages = ask_pages(project, "review", {"campaign": "8"}, {"weeks": ["6", "7"], "metric": ["gmv", "orders"]})
    assert len({page.slug for page in pages}) == 4


def test_the_path_of_a_notebook_is_understood_as_its_name(project):
    assert ask_pages(project, "notebooks/review.ipynb", {})[0].slug == "review"


def test_commands_that_end_together_do_not_lose_each_others_pages(project):
    pages = [ask_pages(project, "review", {"weeks": str(weeks), "campaign": "18"}) for weeks in range(6, 18)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda asked: remember_pages(project, asked), pages))
    assert {page.slug for page in load_reports(project).pages} == {page.slug for asked in pages for page in asked}


SHORT_NAMES = """
parts:
  - title: Campaigns
    reports:
      - notebook: review
        title: "Campaign {campaign}"
        with: {weeks: 6}
        rows: [{campaign: "18"}]
"""


def test_a_run_on_the_defaults_does_not_replace_a_page_of_the_book(project, reports):
    """The book's page sets weeks without showing it in its name; the same campaign on the defaults is another page."""
    reports(SHORT_NAMES)
    (page,) = ask_pages(project, "review", {"campaign": "18"})
    assert page.slug != load_reports(project).pages[0].slug
    assert (page.parameters["weeks"], page.title) == (12, "Campaign 18 (weeks 12)")
    assert remember_pages(project, [page]) == [page]
    known = load_reports(project).pages
    assert [(one.slug, one.title) for one in known[1:]] == [(page.slug, page.title)]
    assert ask_pages(project, "review", {"campaign": "18"})[0].slug == page.slug
