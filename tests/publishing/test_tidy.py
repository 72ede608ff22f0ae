"""Built pages without what a static, offline site has no use for."""

from __future__ import annotations

import pytest

from analysis_lib.publishing.tidy import tidy, tidy_site

FONT = '<link rel="preload" as="font" type="font/woff2" crossorigin href="_static/x.woff2">'
THEBE = (
    '<script>const THEBE_JS_URL = "https://unpkg.com/thebe"; const thebe_selector = ".x"</script>'
    '<script async="async" src="_static/sphinx-thebe.js?v=1"></script>'
    '<link rel="stylesheet" type="text/css" href="_static/sphinx-thebe.css?v=1" />'
)
MATHJAX = '<script defer="defer" src="_static/mathjax/tex-chtml.js"></script>'
KEPT = '<link rel="stylesheet" href="_static/shopbook.css" /><script src="_static/doctools.js"></script>'


def page(head="", body=""):
    return f"<html><head>{KEPT}{head}</head><body>{body}</body></html>"


@pytest.mark.parametrize("unwanted", [FONT, THEBE, MATHJAX, FONT + THEBE + MATHJAX + MATHJAX])
def test_what_is_not_needed_is_taken_out_and_nothing_else(unwanted):
    assert tidy(page(unwanted, "<p>text</p>")) == page("", "<p>text</p>")


@pytest.mark.parametrize(
    "formula", ['<span class="math notranslate">x</span>', '<div class="math-wrapper math">x</div>']
)
def test_a_page_with_formulas_loads_mathjax_once(formula):
    tidied = tidy(page(MATHJAX + MATHJAX, formula))
    assert tidied.count("mathjax/tex-chtml.js") == 1
    assert tidied.index("mathjax") < tidied.index("</head>")


def test_arrows_of_the_sidebar_say_what_they_open():
    arrow = '<details><summary><span class="toctree-toggle" role="presentation"><i></i></span></summary></details>'
    tidied = tidy(page("", f'<a href="metrics.html">What is measured</a>{arrow}'))
    assert '<summary aria-label="Pages under What is measured"><span class="toctree-toggle"' in tidied
    assert tidy(tidied) == tidied


def test_tidying_twice_changes_nothing():
    once = tidy(page(FONT + THEBE + MATHJAX, '<div class="math">x</div>'))
    assert "".join(tidy(once).split()) == "".join(once.split())


def test_a_page_without_any_is_left_alone():
    assert tidy(page()) == page()


def test_words_of_a_page_are_not_touched():
    body = "<p>&lt;script&gt;const THEBE_JS_URL&lt;/script&gt; mathjax/tex-chtml.js</p>"
    assert tidy(page("", body)) == page("", body)


def test_every_page_of_a_site_is_tidied_and_other_files_are_not(tmp_path):
    (tmp_path / "reports").mkdir()
    for name in ("index.html", "reports/a.html", "searchindex.js"):
        (tmp_path / name).write_text(page(FONT), encoding="utf-8")
    clean = tmp_path / "clean.html"
    clean.write_text(page(), encoding="utf-8")
    before = clean.stat().st_mtime_ns
    tidy_site(tmp_path)
    assert (tmp_path / "index.html").read_text() == (tmp_path / "reports/a.html").read_text() == page()
    assert (tmp_path / "searchindex.js").read_text() == page(FONT)
    assert clean.stat().st_mtime_ns == before


def test_header_cells_of_written_tables_say_what_they_head():
    body = '<th class="head"><p>a</p></th><th class="stub x">b</th><th scope="col">c</th>'
    assert tidy(page("", body)) == page(
        "", '<th class="head" scope="col"><p>a</p></th><th class="stub x" scope="row">b</th><th scope="col">c</th>'
    )
