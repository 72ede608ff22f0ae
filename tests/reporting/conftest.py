"""Exhibits and answers, and a strict reader of the HTML they become."""

from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest

from analysis_lib.results import Answer, Decision, Estimate, Exhibit

ELEMENTS = {
    "div", "p", "strong", "span", "dl", "dt", "dd", "a", "figure", "figcaption", "img", "details", "summary", "table",
    "caption", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"class", "href", "download", "src", "alt", "scope", "tabindex", "data-column"}
EMPTY = {"img"}


class Reader(HTMLParser):
    """Collects elements, attributes and text; complains about what a page element may not hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert tag in ELEMENTS, tag
        names = [name for name, _ in attrs]
        assert set(names) <= ATTRIBUTES, names
        assert len(names) == len(set(names))
        for name, value in attrs:
            if name == "href":
                assert (value or "").startswith(("data:text/csv;charset=utf-8;base64,", "#")), value
            if name == "src":
                assert (value or "").startswith("data:image/svg+xml;base64,"), value
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data):
        raise AssertionError(f"an instruction: {data}")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@pytest.fixture(scope="session")
def read():
    """``read(html) -> Reader``: fails on any element, attribute or address that is not ours."""

    def run(html: str) -> Reader:
        reader = Reader()
        reader.feed(html)
        reader.close()
        assert reader.open == []
        return reader

    return run


@pytest.fixture(scope="session")
def estimate():
    def make(value=1_243_918.22, lower=910_000.0, upper=1_570_000.0, **changes) -> Estimate:
        rest = {"se": 1.0, "level": 0.95, "unit": "usd", "n": 100, "method": "a method", **changes}
        return Estimate(value=value, ci_lower=lower, ci_upper=upper, **rest)

    return make


@pytest.fixture(scope="session")
def answer(estimate):
    """``answer(text)``: an answer whose every text field is ``text``."""

    def make(text: str = "words", number=True, action: str = "Repeat") -> Answer:
        decision = Decision(action, text, text, estimate() if number else None, text, text)
        return Answer(
            title=text, headline=text, number=estimate(method=text) if number else None, number_of=text,
            decision=decision, source=text, window=text, as_of=text, counted=text, grade=text,
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def figure():
    """``figure(text, **changes)``: a bar chart whose texts and labels are ``text``."""

    def make(text: str = "words", **changes) -> Exhibit:
        frame = pd.DataFrame({"what": [text, "b"], "value": [1.0, -2.0]})

        def draw(axes) -> None:
            axes.barh([0, 1], frame["value"])
            axes.text(0, 0, text)
            axes.set_xlabel(text)

        return Exhibit(**{"title": text, "subtitle": text, "frame": frame, "units": {"value": "usd"}, "draw": draw,
                          **changes})  # fmt: skip

    return make
