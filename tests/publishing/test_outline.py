"""The outline: a pure function of the written chapters and the list of reports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from analysis_lib import config
from analysis_lib.errors import InvalidValue
from analysis_lib.publishing.outline import Outline, chapters, read_outline, table_of_contents
from analysis_lib.publishing.reports import Page, load_reports, local_path

SNAPSHOT = Path(__file__).parent / "snapshots" / "table_of_contents.yml"

#: Set to write the snapshot anew: ``RENEW_SNAPSHOTS=1 pytest tests/publishing/test_outline.py``.
RENEW = "RENEW_SNAPSHOTS"

WRITTEN = Outline.model_validate(
    {
        "root": "index",
        "parts": [{"title": "Reading", "chapters": ["how"]}, "reports", {"title": "Work", "chapters": []}],
    }
)


def page(slug="review-campaign-18", title="Campaign 18", part="Campaigns"):
    return Page("review", {}, title, part, slug)


@pytest.fixture
def book(project):
    def write(outline, *names):
        (project.book / "outline.yml").write_text(outline, encoding="utf-8")
        for name in names:
            (project.book / f"{name}.md").write_text(f"# {name}\n", encoding="utf-8")
        return project

    return write


def test_reports_stand_at_their_place_by_part_in_their_order():
    pages = [page("b", "B", "Two"), page("a", "A", "One"), page("c", "C", "Two")]
    contents = table_of_contents(WRITTEN, pages)
    assert contents["root"] == "index"
    assert [part["caption"] for part in contents["parts"]] == ["Reading", "Two", "One", "Work"]
    assert contents["parts"][1]["chapters"] == [
        {"file": "reports/b", "title": "B"},
        {"file": "reports/c", "title": "C"},
    ]


def test_the_outline_is_a_pure_function():
    pages = [page()]
    assert table_of_contents(WRITTEN, pages) == table_of_contents(WRITTEN, iter(pages))
    assert pages == [page()]


def test_no_reports_no_part():
    assert [part["caption"] for part in table_of_contents(WRITTEN, [])["parts"]] == ["Reading", "Work"]


def test_titles_and_captions_hold_no_tags():
    (part,) = table_of_contents(WRITTEN, [page(title="<script>\n1", part="<b>")])["parts"][1:2]
    assert part == {"caption": "＜b＞", "chapters": [{"file": "reports/review-campaign-18", "title": "＜script＞ 1"}]}


def test_table_of_contents_of_the_real_book(monkeypatch, tmp_path):
    """A snapshot of our own output: a changed outline is to be seen in the review."""
    project = config.project()
    # Runs of one's own are not the book's.
    monkeypatch.setattr(
        "analysis_lib.publishing.reports.local_path", lambda project: local_path(config.Project(tmp_path))
    )
    contents = yaml.safe_dump(table_of_contents(read_outline(project), load_reports(project).pages), sort_keys=False)
    if os.environ.get(RENEW):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(contents, encoding="utf-8")
    assert contents == SNAPSHOT.read_text(encoding="utf-8"), f"the outline changed; renew with {RENEW}=1 if meant"


def test_every_written_file_is_in_the_outline_and_every_chapter_has_a_file():
    project = config.project()
    assert sorted(chapters(read_outline(project))) == sorted(path.stem for path in project.book.glob("*.md"))


def test_a_missing_chapter_is_named_with_its_file(book):
    project = book("root: index\nparts: [reports, {title: T, chapters: [gone]}]", "index")
    with pytest.raises(InvalidValue, match=r"outline.yml: chapter 'gone' has no file book/gone.md"):
        read_outline(project)


@pytest.mark.parametrize("parts", ["[]", "[reports, reports]", "[reprots]", "[{title: T, chapters: []}]"])
def test_the_place_of_the_reports_stands_exactly_once(book, parts):
    project = book(f"root: index\nparts: {parts}", "index")
    with pytest.raises(InvalidValue, match=r"outline.yml: parts must hold the word 'reports' once"):
        read_outline(project)


@pytest.mark.parametrize(
    ("text", "said"),
    [("root: index", "parts"), ("root: index\nparts: []\nrot: x", "unknown key 'rot'"), ("root: [", "outline.yml")],
)
def test_a_broken_file_is_named(book, text, said):
    with pytest.raises(InvalidValue, match=said):
        read_outline(book(text, "index"))
