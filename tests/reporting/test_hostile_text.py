"""Text from data is shown, never interpreted."""

from __future__ import annotations

import base64
import csv
import io
import sys
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis_lib.config import FINDING_MIME
from analysis_lib.reporting import card, say, show, small_print
from analysis_lib.reporting.markup import NO_MATH
from analysis_lib.results import Exhibit

HOSTILE = [
    "<script>alert(1)</script>",
    "</p></div><iframe src=//evil></iframe>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- -->",
    "<!DOCTYPE html>",
    "<?php ?>",
    "&lt;b&gt; &amp; &#60;",
    "javascript:alert(1)",
    "]]>",
    "**bold** _it_ # H1 `code` [a](javascript:alert(1)) ![b](//evil)",
    "| a | b |\n|---|---|",
    "$x^2$ and $$\\int$$ and \\(y\\)",
    "costs $5 or $6",
    "$\\undefinedmacro{",
    "{{ 7*7 }} {% raw %} ${x}",
    "```{raw} html\n<b>\n```",
    "line\nbreak\ttab",
    "\x01\x08\x1f control",
    "‮right to left",
    "ไทย 中文 العربية 🛒",
]


@pytest.fixture
def bundles(monkeypatch):
    """What ``card`` hands to the notebook."""
    seen: list[dict] = []
    # The package exports a function of the module's name, so the module is found by its full one.
    monkeypatch.setattr(sys.modules[card.__module__], "display", lambda bundle, **_: seen.append(bundle))
    return seen


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_sentences(read, text):
    page = read(say(text).data)
    assert page.text == squeezed(text)
    assert [tag for tag, _ in page.elements] == ["div", "p"]


@pytest.mark.parametrize("text", HOSTILE)
def test_cards(read, answer, bundles, text):
    card(answer(text))
    (bundle,) = bundles
    page = read(bundle["text/html"])
    assert squeezed(text) in page.text
    assert bundle[FINDING_MIME]["title"] == text
    assert [tag for tag, _ in page.elements].count("dt") == 4


@pytest.mark.parametrize("text", HOSTILE)
def test_small_print(read, answer, text):
    page = read(small_print(answer(text)).data)
    assert squeezed(text) in page.text
    assert [link["href"] for link in page.all("a")] == ["#how-this-was-made"]


@pytest.mark.parametrize("text", HOSTILE)
def test_tables(read, text):
    frame = pd.DataFrame({"row": [text, "b"], text: [1.0, 2.0], "value": [text, 3.0]})
    page = read(show(Exhibit(text, text, frame, {text: "usd", "value": "usd"})).data)
    assert page.text.count(squeezed(text)) >= 3 - ("_" in text)  # headers show underscores as spaces
    assert len(page.all("th")) == 3
    assert len(page.all("td")) == 6


@pytest.mark.parametrize("text", HOSTILE)
def test_figures_and_their_alt_text(read, figure, text):
    page = read(show(figure(text)).data)
    (image,) = page.all("img")
    assert image["alt"] == f"{text}. {text}".strip()
    drawing = ElementTree.fromstring(base64.b64decode(image["src"].split(",")[1]))
    tags = {element.tag.rpartition("}")[2] for element in drawing.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "foreignObject", "image", "a", "animate", "set"}
    assert not [name for element in drawing.iter() for name in element.attrib if name.startswith("on")]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_missing(read, text):
    page = read(show(Exhibit(title=text, note=text)).data)
    assert squeezed(f"{text} {text}") == page.text


@pytest.mark.parametrize("text", HOSTILE)
def test_the_csv_holds_the_text_as_it_is(read, text):
    frame = pd.DataFrame({"what": [text], "n": [1]})
    (link,) = read(show(Exhibit(text, "", frame, {})).data).all("a")
    assert set(link["download"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert link["download"].endswith(".csv")
    body = base64.b64decode(link["href"].split(",")[1]).decode("utf-8")
    assert list(csv.reader(io.StringIO(body)))[1] == [text, "1"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_at_all(read, text):
    read(say(text).data)
    read(show(Exhibit(text, text, pd.DataFrame({"what": [text], "value": [1.0]}), {"value": "usd"})).data)


def test_dollars_are_kept_from_the_formula_reader(figure, answer):
    """Every block says so in its class; otherwise two prices in a sentence become a formula."""
    for page in (say("$1 and $2"), show(figure("$1 and $2")), small_print(answer("$1")), show(Exhibit("$1", note="$"))):
        assert page.data.startswith('<div class="')
        assert NO_MATH in page.data.split(">")[0]


def test_two_prices_in_a_drawing_are_not_a_formula(figure):
    """Read as a formula, the words between the dollars would be set in italics without spaces."""
    from analysis_lib.reporting.figures import _svg

    assert b"costs $5 or $6" in _svg(figure("costs $5 or $6"))
