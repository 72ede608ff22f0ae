"""The built pages for people who do not see, point or distinguish colours as their makers do."""

from __future__ import annotations

import pytest

# The first of these tests makes the whole book.
pytestmark = [pytest.mark.site, pytest.mark.timeout(1800)]

LARGEST = "reports/campaign-review-campaign-18.html"
REFUSED = "reports/campaign-review-campaign-27.html"

#: WCAG 2.1 AA, text of normal size.
LEAST_CONTRAST = 4.5

#: Contrast of every text that is shown in the article and in parts around it, over the ground it is painted on.
FAINT = """([selector, least]) => {
  const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map(i => top[i] * a + below[i] * (1 - a)) };
  const light = colour => { const [r, g, b] = colour.map(x => x / 255)
    .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const ground = e => { const layers = [];
    for (let at = e; at; at = at.parentElement) layers.push(parts(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => top.length ? over(top, below) : below, [255, 255, 255]) };
  const seen = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility()
    && !e.closest('mjx-container, .headerlink, .MathJax');
  return [...document.querySelectorAll(selector)].flatMap(e => [e, ...e.querySelectorAll('*')]).filter(seen).map(e => {
    const both = [light(ground(e)), light(over(parts(getComputedStyle(e).color), ground(e)))];
    const [low, high] = both.sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), e.tagName + '.' + e.className, e.textContent.trim().slice(0, 40)] })
    .filter(found => found[0] < least) }"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "how-to-read.html", "data.html", "run-again.html", LARGEST, REFUSED])
def test_text_has_contrast(wide, site, theme, name):
    wide.page.goto((site / name).as_uri())
    wide.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    wide.page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    wide.page.wait_for_timeout(300)  # colours of links fade over
    selector = "article, .bd-sidebar-primary nav, .bd-toc, .prev-next-area"
    assert wide.page.evaluate(FAINT, [selector, LEAST_CONTRAST]) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focus_is_visible(wide, site, theme):
    wide.page.goto((site / LARGEST).as_uri())
    wide.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    for _ in range(25):
        wide.page.keyboard.press("Tab")
        style = wide.page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return [e.outerHTML.slice(0, 120), s.outlineStyle, parseFloat(s.outlineWidth), s.boxShadow] }"""
        )
        assert (style[1] != "none" and style[2] >= 2) or style[3] != "none", style


def test_scrolling_tables_can_be_reached_by_keyboard_and_have_names(wide, site):
    wide.page.goto((site / LARGEST).as_uri())
    assert wide.page.locator(".sb-table:not([tabindex='0'])").count() == 0


def test_motion_can_be_switched_off(wide, site):
    wide.page.emulate_media(reduced_motion="reduce")
    wide.page.goto((site / "index.html").as_uri())
    assert wide.page.evaluate("getComputedStyle(document.querySelector('a')).transitionDuration") in ("0s", "1e-05s")
