"""The site as Jupyter Book really builds it, from runs that were written by hand: no kernel is needed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from analysis_lib import config
from analysis_lib.config import FINDING_MIME, Project
from analysis_lib.errors import BuildFailed
from analysis_lib.publishing import site as site_module
from analysis_lib.publishing.files import file_digest
from analysis_lib.publishing.records import RunError, RunRecord, run_folder
from analysis_lib.publishing.reports import Page
from analysis_lib.publishing.site import build_site

HOSTILE = (
    '<script>hacked()</script> <img src=x onerror="hacked()"> **bold** `code` $x^2$ \\(y\\) {raw}`<b>r</b>` '
    "[link](javascript:hacked()) {{ sub }} </title></script><b>tag</b> ```{raw} html "
    ":::{include} /etc/passwd\n\n# heading"
)

PARAMETERS = 'campaign: str = "18"  # which campaign\nsource: str = "shop"  # warehouse {source}'
SOURCES = (
    "sources:\n  shop:\n    title: A shop\n    kind: duckdb\n    path: shop.duckdb\n    user_id_pattern: 'hh\\d{4}'\n"
)
INDEX = "# A book\n\n<!-- reports -->\n\nFormula: $a_1$.\n"


def make_project(root: Path) -> Project:
    """A book of one chapter, in the look of the real one."""
    book, real = Project(root), config.project()
    for folder in (book.book, book.notebooks, book.data):
        folder.mkdir(parents=True)
    shutil.copyfile(real.root / "_config.yml", root / "_config.yml")
    shutil.copytree(real.book / "_static", book.book / "_static")
    (book.data / "sources.yml").write_text(SOURCES, encoding="utf-8")
    (book.book / "outline.yml").write_text("root: index\nparts: [reports]", encoding="utf-8")
    (book.book / "index.md").write_text(INDEX, encoding="utf-8")
    cells = [
        nbformat.v4.new_markdown_cell("# Did it pay?"),
        nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), book.notebooks / "review.ipynb")
    return book


def ran(project: Project, slug: str, title: str, html: str = "<p>Said.</p>", **changes) -> tuple[Page, RunRecord]:
    """A page and the record of its run, as the runner would have left them."""
    given = changes.pop("given", {"campaign": slug})
    finding = {"title": f"Did {title} pay?", "headline": f"Yes: {title}", "value_text": title, "decision": title}
    outputs = [nbformat.v4.new_output("display_data", {"text/html": html, FINDING_MIME: finding})]
    cells = [nbformat.v4.new_markdown_cell("# Did it pay?"), nbformat.v4.new_code_cell("card(answer)", outputs=outputs)]
    folder = run_folder(project, slug)
    folder.path.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder.page)
    record = RunRecord(
        slug=slug, notebook="review", title=title, key="k", status="ok", parameters=given | {"source": "shop"},
        given=given, source="shop", command=f"shopbook run review -p 'campaign={given['campaign']}'", version="abc",
        started_at="2026-11-23T15:05:00+00:00", finished_at="2026-11-23T15:05:26+00:00", seconds=4.0,
        overhead_seconds=0.5, page_digest=file_digest(folder.page),
    )  # fmt: skip
    record = dataclasses.replace(record, **changes)
    folder.write(record)
    return Page("review", given, title, "Campaigns", slug), folder.read()


def failed(record: RunRecord) -> RunRecord:
    """The record after a later run of the page has failed."""
    return dataclasses.replace(
        record, status="failed", stale=True, stale_since="2026-11-24T08:00:00+00:00", good=record.to_dict(),
        error=RunError(3, "1 / 0", "ZeroDivisionError", "division by zero"),
    )  # fmt: skip


def states(folder: Path) -> dict[str, str]:
    """Every file of a folder with its digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book of a plain, a hostile and a stale page, and one that never ran; built once."""
    project = make_project(tmp_path_factory.mktemp("book"))
    runs = [
        ran(project, "plain", "Campaign 18"),
        ran(project, "hostile", HOSTILE, given={"campaign": HOSTILE}),
        ran(project, "stale", "Campaign 9"),
    ]
    runs[2] = (runs[2][0], failed(runs[2][1]))
    pages = [page for page, _ in runs] + [Page("review", {}, "Campaign 7", "Campaigns", "never")]
    records = [record for _, record in runs]
    assert build_site(project, pages, records) == project.site
    return project, pages, records


class Built(HTMLParser):
    """What a browser would make of a built page, as far as these tests ask."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.raw = path.read_text(encoding="utf-8")
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._open = ""
        self.title = ""
        self.feed(self.raw)

    def handle_starttag(self, tag, attrs):
        self.starts.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        (self.scripts if self._open == "script" else self.words).append(data)
        if self._open == "title":
            self.title += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(built, name: str) -> Built:
    return Built(built[0].site / name)


PAGES = ["index.html", "reports/plain.html", "reports/hostile.html", "reports/stale.html"]


def test_a_good_build_holds_every_page_and_nothing_of_the_workshop(built):
    project = built[0]
    for name in PAGES:
        assert (project.site / name).is_file()
    assert not list(project.site.rglob("*.ipynb"))
    assert sorted(path.name for path in project.site.parent.iterdir()) == [".built-from", "html"]
    text = read(built, "reports/plain.html").text
    for words in ("Did Campaign 18 pay?", "Said.", "How this was made", "which campaign", "2026-11-23 15:05 UTC"):
        assert words in text


def test_the_landing_page_lists_all_and_says_what_is_missing(built):
    text = read(built, "index.html").text
    assert "Campaign 7 has not run successfully yet" in text
    assert "2026-11-23 (out of date)" in text


def test_a_stale_page_says_so_with_the_cell_that_failed(built):
    text = read(built, "reports/stale.html").text
    assert "Out of date This page is not up to date. It shows the run of 2026-11-23 15:05 UTC" in text
    assert "since 2026-11-24 08:00 UTC, the last one in cell 3 of the notebook" in text
    assert "Out of date" not in read(built, "reports/plain.html").text


def test_nothing_changed_nothing_is_built(built, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("Jupyter Book was run")

    project, pages, records = built
    before = states(project.site)
    monkeypatch.setattr(site_module.subprocess, "run", refuse)
    assert build_site(project, pages, records) == project.site
    assert states(project.site) == before


@pytest.mark.parametrize("name", PAGES)
def test_hostile_text_is_inert_everywhere(built, name):
    page = read(built, name)
    assert not any("hacked" in script for script in page.scripts)
    for tag, attributes in page.starts:
        assert "onerror" not in attributes, (tag, attributes)
        # The address of the heading itself is made of its words.
        assert "hacked" not in str(attributes.get("href", "")) or attributes["href"].startswith("#did-script")
    assert ("img", {"src": "x"}) not in page.starts
    assert "root:x:" not in page.raw


@pytest.mark.parametrize("name", PAGES)
def test_hostile_titles_stay_words_in_sidebar_list_links_and_browser_title(built, name):
    page = read(built, name)
    mine = {"index.html": 1, "reports/hostile.html": 1}.get(name, 0)
    # Nothing of it became bold, code, maths, a link or a heading: it is read as it was written.
    assert page.text.count("**bold** `code` $x^2$") >= 1 + mine
    assert "<b>tag" not in page.raw and "<strong>bold" not in page.raw and "<b>r</b>" not in page.raw
    assert len(re.findall("<h1", page.raw)) == 2  # the theme writes the title once more, for paper
    assert "＼(y＼)" in page.text
    if name == "reports/hostile.html":
        assert page.title.startswith("Did ＜script＞hacked()＜/script＞")
        assert "\n" not in page.title.strip()
    assert "＜script＞" in unescape(page.raw)


def test_formulas_of_chapters_are_still_formulas(built):
    assert 'class="math' in read(built, "index.html").raw
    assert 'class="math' not in read(built, "reports/hostile.html").raw


def test_a_broken_chapter_fails_the_build_and_leaves_the_old_site_to_the_byte(built):
    project, pages, records = built
    index, before = project.book / "index.md", states(project.site.parent)
    index.write_text(INDEX + "\n[nowhere](no-such-page.md)\n", encoding="utf-8")
    try:
        with pytest.raises(BuildFailed, match="the old site is untouched") as failure:
            build_site(project, pages, records)
    finally:
        index.write_text(INDEX, encoding="utf-8")
    assert "no-such-page" in str(failure.value) and "site.log" in str(failure.value)
    assert states(project.site.parent) == before


def test_the_gate_withholds_one_page_and_publishes_the_others(tmp_path):
    project = make_project(tmp_path / "book")
    runs = [ran(project, "plain", "Campaign 18"), ran(project, "leak", "Campaign 9", "<p>hh1234</p>")]
    with pytest.raises(BuildFailed) as failure:
        build_site(project, [page for page, _ in runs], [record for _, record in runs])
    assert str(failure.value) == (
        "the publish gate withheld pages; the others are published:\n  leak: cell 2: the id of a person (hh…)"
    )
    assert (project.site / "reports/plain.html").is_file()
    assert not (project.site / "reports/leak.html").exists()
    everything = b"".join(path.read_bytes() for path in project.site.rglob("*") if path.is_file())
    assert b"hh1234" not in everything
    assert "Campaign 9 withheld by the publish gate" in Built(project.site / "index.html").text


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two megabytes."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def with_old_site(root: Path) -> tuple[Project, list[tuple[Page, RunRecord]]]:
    project = make_project(root)
    project.site.mkdir(parents=True)
    (project.site / "index.html").write_text("the old site", encoding="utf-8")
    return project, [ran(project, "plain", "Campaign 18")]


def test_a_full_disk_leaves_the_old_site_and_says_so(small_disk):
    project, runs = with_old_site(small_disk / "book")
    with pytest.raises(BuildFailed, match=r"no space left on the device .* last good pages are untouched"):
        build_site(project, [runs[0][0]], [runs[0][1]])
    assert list(states(project.site)) == ["index.html"]
    assert (project.site / "index.html").read_text() == "the old site"


def test_jupyter_book_on_a_full_disk_is_told_as_a_full_disk(tmp_path, monkeypatch):
    def full(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "OSError: [Errno 28] No space left on device\nmore\n" * 20)

    project, runs = with_old_site(tmp_path / "book")
    monkeypatch.setattr(site_module.subprocess, "run", full)
    with pytest.raises(BuildFailed, match="no space left on the device"):
        build_site(project, [runs[0][0]], [runs[0][1]])
    assert (project.site / "index.html").read_text() == "the old site"
    assert [path.name for path in project.site.parent.iterdir()] == ["html"]


def test_a_site_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch):
    old, new = tmp_path / "html", tmp_path / "gone"
    old.mkdir()
    (old / "index.html").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="gone"):
        site_module._swap(new, old)
    assert (old / "index.html").read_text() == "old"
