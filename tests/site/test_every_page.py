"""Every page of the book, opened once on a phone and once at a desk: what must hold of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from analysis_lib import config
from analysis_lib.publishing.reports import load_reports

# The first of these tests makes the whole book.
pytestmark = [pytest.mark.site, pytest.mark.timeout(2400)]

WRITTEN = [
    "index.html", "how-to-read.html", "metrics.html", "metrics/gmv.html", "metrics/start_ms_p95.html", "trust.html",
    "data.html", "world.html", "lineage.html", "run-again.html", "api.html",
]  # fmt: skip

#: A page of its own may weigh this much, figures included (READER.md).
LARGEST_PAGE_BYTES = 1_000_000

#: What is asked of a page, in one go.
FACTS = """() => {
  const words = e => e.getAttribute('aria-label') || e.getAttribute('title') || e.innerText || e.textContent || '';
  const named = e => words(e).trim() || [...e.querySelectorAll('img')].some(image => image.alt.trim())
    || e.labels?.length || e.placeholder;
  const all = selector => [...document.querySelectorAll(selector)];
  const ids = all('[id]').map(e => e.id);
  return {
    beyond: document.documentElement.scrollWidth - window.innerWidth,
    language: document.documentElement.lang, title: document.title.trim(), mains: all('main').length,
    bare: [...document.images].filter(i => !i.hasAttribute('alt')).map(i => i.src.slice(0, 80)),
    headless: all('article table').filter(t => !t.querySelector('th')
      || [...t.querySelectorAll('thead th')].some(th => !th.scope)).map(t => t.outerHTML.slice(0, 200)),
    nameless: all('a[href], button, input:not([type=hidden]):not([type=checkbox]), summary')
      .filter(e => !named(e)).map(e => e.outerHTML.slice(0, 150)),
    twice: ids.filter((id, place) => ids.indexOf(id) !== place),
    levels: all('article h1, article h2, article h3, article h4').map(h => +h.tagName[1]) } }"""

#: Where the first stop of the keyboard leads: past the sidebar.
SKIP = """() => { const e = document.activeElement, to = e.getAttribute('href') || '#main-content';
  return /skip/i.test(e.innerText) && document.querySelectorAll(to).length === 1 }"""


@dataclass
class Walk:
    """What was seen on the way through all pages."""

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def having(self, name: str) -> dict[str, Any]:
        """Pages of which a fact is neither empty nor zero."""
        return {page: found[name] for page, found in self.facts.items() if found[name]}


@pytest.fixture(scope="module")
def walk(wanderer, site) -> Walk:
    """Every page opened once."""
    page, found = wanderer.page, Walk()
    for name in pages():
        page.goto((site / name).as_uri())
        page.wait_for_timeout(50)  # scripts that start when the page is there
        found.facts[name] = page.evaluate(FACTS)
        page.keyboard.press("Tab")
        found.facts[name]["skips"] = page.evaluate(SKIP)
    found.errors, found.outside = list(wanderer.errors), wanderer.outside()
    return found


def pages() -> list[str]:
    return WRITTEN + [f"reports/{page.slug}.html" for page in load_reports(config.project()).pages]


def test_pages_load_without_errors_and_without_leaving_the_site(walk):
    assert walk.errors == []
    assert walk.outside == []


def test_no_page_is_wider_than_the_screen(walk):
    assert {name: found["beyond"] for name, found in walk.facts.items() if found["beyond"] > 0} == {}


def test_language_title_and_landmarks(walk):
    for name, found in walk.facts.items():
        assert (found["language"], found["mains"]) == ("en", 1), name
        assert found["title"], name


def test_the_first_stop_of_the_keyboard_leads_past_the_sidebar(walk):
    assert [name for name, found in walk.facts.items() if not found["skips"]] == []


@pytest.mark.parametrize("fault", ["bare", "headless", "nameless", "twice"])
def test_images_are_described_tables_have_headers_controls_have_names_and_ids_stand_once(walk, fault):
    assert walk.having(fault) == {}


def test_headings_are_in_order(walk):
    for name, found in walk.facts.items():
        levels = found["levels"]
        assert levels.count(1) == 1, name
        assert all(after - before <= 1 for before, after in pairwise(levels)), (name, levels)


def test_pages_are_light(site):
    sizes = {name: (site / name).stat().st_size for name in pages()}
    assert max(sizes.values()) < LARGEST_PAGE_BYTES, sizes
