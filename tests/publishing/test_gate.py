"""The publish gate: ids, small groups and active content are found; what pages are made of passes."""

from __future__ import annotations

import base64
import time

import nbformat
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_lib import config, reporting
from analysis_lib.publishing.gate import problems
from analysis_lib.publishing.records import run_folder
from analysis_lib.publishing.reports import load_reports
from analysis_lib.publishing.small_groups import counts_people, is_small, small_sentences
from analysis_lib.publishing.tokens import tokens
from analysis_lib.results import Answer, Decision, Exhibit

IDS = [r"\bhh\d{4}\b"]


def gate(kind, content, source="x"):
    output = nbformat.v4.new_output("display_data", {kind: content})
    return problems(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, outputs=[output])]), IDS)


def address(kind, content, option=";base64"):
    return f"data:{kind}{option},{base64.b64encode(content.encode()).decode()}"


def csv_download(content):
    return f'<a download="t.csv" href="{address("text/csv;charset=utf-8", content)}">CSV</a>'


# --- errors and ids -----------------------------------------------------------------------------


def test_an_error_output_is_named_with_its_cell():
    output = nbformat.v4.new_output("error", ename="ValueError", evalue="hh1234", traceback=["hh1234"])
    cells = [nbformat.v4.new_markdown_cell("# Q"), nbformat.v4.new_code_cell("1", outputs=[output])]
    assert problems(nbformat.v4.new_notebook(cells=cells)) == ["cell 2 holds an error output (ValueError)"]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/html", "<p>household hh1234 bought</p>"),
        ("text/html", '<img alt="hh1234" src="">'),
        ("text/html", "<p>h<b>h12</b>34</p>"),
        ("text/html", "<p>hh&#49;234</p>"),
        ("text/html", csv_download("user_id,gmv\nhh1234,5\n")),
        ("text/html", '<a href="data:text/csv,user_id%0Ahh1234">CSV</a>'),
        ("text/html", f'<img src="{address("image/svg+xml", "<svg><!-- hh1234 --></svg>")}">'),
        ("text/html", "<!-- hh1234 -->"),
        ("text/plain", "0  hh1234  5.00"),
        ("text/markdown", "| hh1234 | 5 |"),
        ("text/csv", "hh1234"),
        ("application/vnd.shopbook.finding+json", {"headline": "hh1234 bought most"}),
        ("image/svg+xml", "<svg><text>hh1234</text></svg>"),
    ],
)
def test_the_id_of_a_person_is_found_wherever_it_stands(kind, content):
    (reason,) = gate(kind, content)
    assert reason.startswith("cell 1: the id of a person (hh…)")
    assert "hh1234" not in reason


def test_ids_in_streams_source_and_prose_are_found():
    stream = nbformat.v4.new_output("stream", text="hh1234\n")
    cells = [
        nbformat.v4.new_code_cell("x", outputs=[stream]),
        nbformat.v4.new_code_cell('user = "hh1234"'),
        nbformat.v4.new_markdown_cell("Household hh1234 is odd."),
    ]
    assert len(problems(nbformat.v4.new_notebook(cells=cells), IDS)) == 3
    assert problems(nbformat.v4.new_notebook(cells=cells)) == []


def test_pictures_are_not_searched_as_text():
    assert gate("image/png", "+hh1234+") == []
    assert gate("text/html", '<img alt="" src="data:image/png;base64,+hh1234+">') == []


# --- small groups -------------------------------------------------------------------------------

HEAD = '<th scope="col" data-column="n_users">number</th>'


@pytest.mark.parametrize("count", ["1", "7", "19", "7.0", "7 (3 %)"])
@pytest.mark.parametrize(
    "table",
    [
        f"<tr>{HEAD}</tr><tr><td>{{}}</td></tr>",
        "<tr><th>Households</th></tr><tr><td>{}</td></tr>",
        "<TR><TH>n users</TH></TR><TR><TD>{}</TD></TR>",
        "<tr><td>users</td></tr><tr><td>{}</td></tr>",
        "<tr><th>a<th>users<tr><td>x<td>{}",
        '<tr><th colspan="2">country</th><th>users</th></tr><tr><td>a</td><td>b</td><td>{}</td></tr>',
        '<tr><th rowspan="2">country</th><th colspan="2">users</th></tr><tr><th>A</th><th>B</th></tr>'
        "<tr><td>ID</td><td>500</td><td>{}</td></tr>",
        '<tr><th>country</th><th>day</th><th>users</th></tr><tr><td rowspan="2">ID</td><td>Mo</td><td>50</td></tr>'
        "<tr><td>Tu</td><td>{}</td></tr>",
        "<tr><td><table><tr><th>users</th></tr><tr><td>{}</td></tr></table></td></tr>",
        "<tr><th>step</th><th>value</th></tr><tr><td>targeted users</td><td>{}</td></tr>",
        "<tr><th>step</th><th>value</th></tr><tr><th>n_control</th><td>{}</td></tr>",
        "<tr><th>us<b>ers</b></th></tr><tr><td><b>{}</b></td></tr>",
    ],
)
def test_a_small_group_in_a_table_is_found(table, count):
    (reason,) = gate("text/html", f"<table>{table.format(count)}</table>")
    assert "a group under 20 people in column" in reason


@pytest.mark.parametrize("count", ["0", "20", "1,012", "under 20", "", "n/a", "3.5", "nan"])
def test_zero_the_threshold_and_what_is_hidden_already_are_allowed(count):
    assert gate("text/html", f"<table><tr>{HEAD}</tr><tr><td>{count}</td></tr></table>") == []
    assert gate("text/csv", f'a,n_users\nx,"{count}"\n') == []


@pytest.mark.parametrize(
    "head", ["n_orders", "weeks", "gmv_per_user", "share_of_users", "value (USD)", "user", "campaign", "targeted"]
)
def test_other_columns_may_hold_small_numbers(head):
    assert gate("text/html", f"<table><tr><th>{head}</th></tr><tr><td>7</td></tr></table>") == []
    assert gate("text/csv", f"{head}\n7\n") == []


def test_a_column_is_what_its_data_say_not_its_label():
    table = '<table><tr><th data-column="n_weeks">number</th></tr><tr><td>7</td></tr></table>'
    assert gate("text/html", table) == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_small_group_in_a_csv_download_is_found(separator):
    content = f"country{separator}n_users\nID{separator}300\nTH{separator}7\n"
    (reason,) = gate("text/html", csv_download(content))
    assert reason == "cell 1: a group under 20 people in column 'n_users' of a CSV"


def test_small_groups_in_plain_and_markdown_tables_are_found():
    frame = pd.DataFrame({"country": ["ID", "TH"], "n_users": [300, 7], "n_orders": [9, 8]})
    assert len(gate("text/plain", frame.to_string())) == 1
    assert gate("text/plain", frame.drop(columns="n_users").to_string()) == []
    assert len(gate("text/markdown", "| country | users |\n|---|---|\n| ID | 7 |\n")) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "12 households redeemed it",
        "12 targeted households",
        "12 loyal new buyers",
        "1 user",
        "only 7 of the 300 users came back",
        "7 out of 300 customers",
        "the coupons went to 5 buyers",
        "In 2017 12 users did",
        "(19 people)",
    ],
)
def test_a_small_group_in_a_sentence_is_found(sentence):
    assert gate("text/plain", sentence) == gate("text/html", f"<p>{sentence}</p>") != []
    spaced = sentence.replace(" ", "&nbsp;")
    assert gate("text/html", f"<p>{spaced}</p>") != []
    assert gate("text/html", f'<img alt="{sentence}" src="">') != []


@pytest.mark.parametrize("markup", ["<strong>12</strong> users", "<b>12</b><span> users</span>", "12<br>users"])
def test_a_sentence_is_read_across_tags(markup):
    assert gate("text/html", markup) != []


@pytest.mark.parametrize(
    "sentence",
    [
        "20 households", "0 users", "1,012 households", "2,469 households", "1 012 users", "in 2017 households bought",
        "$12 households", "18 weeks of users", "18 weeks", "5 earlier windows of the same households", "12.5 users",
        "0.12 users", "7 % of users", "7 percent of users", "Campaign 18 households", "week 12 buyers", "−12 users",
        "12 k users", "3 to 12 households more", "5 orders per user", "5 orders by users", "18 user-weeks",
        "12 countries' users", "version 4.12 users", "$1.24 M (0.91 to 1.57) users", "9 campaigns, users",
    ],
)  # fmt: skip
def test_other_numbers_are_not_mistaken_for_groups(sentence):
    assert list(small_sentences(sentence)) == []


def test_neighbouring_cells_are_no_sentence():
    assert gate("text/html", "<table><tr><td>18</td><td>households reached</td></tr></table>") == []


# --- active content -----------------------------------------------------------------------------

SCRIPT_SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src=x></SCRIPT>",
        "<scr\nipt>",
        '<img src="x" onerror="alert(1)">',
        '<img src="x" OnError = alert(1)>',
        "<svg onload=alert(1)>",
        "<svg/onload=alert(1)>",
        '<img src="x" onerror=alert(1) ',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="JaVaScRiPt:alert(1)">x</a>',
        '<a href="java\n\tscript:alert(1)">x</a>',
        '<a href="&#106;avascript&colon;alert(1)">x</a>',
        '<a href=" \x01javascript:alert(1)">x</a>',
        '<a href="vbscript:x">x</a>',
        '<a href="data:text/html,<b>x</b>">x</a>',
        f'<a href="{address("text/html", "<script>1</script>")}">x</a>',
        '<a href="blob:x">x</a>',
        '<a ping="https://x.org" href="#a">x</a>',
        '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
        '<svg><a y:href="javascript:alert(1)"><text>x</text></a></svg>',
        '<svg><use href="https://x.org/a.svg#b"/></svg>',
        '<svg><animate attributeName="href" to="javascript:alert(1)"/></svg>',
        "<svg><x:script>alert(1)</x:script></svg>",
        "<svg><style><img src=x></style></svg>",
        SCRIPT_SVG,
        f'<img src="{address("image/svg+xml", SCRIPT_SVG)}">',
        f'<img src="{address("IMAGE/SVG+xml", SCRIPT_SVG)}">',
        '<iframe src="x"></iframe>',
        '<iframe srcdoc="&lt;script&gt;"></iframe>',
        '<form action="x"></form>',
        '<button formaction="javascript:1">x</button>',
        "<style>body { display: none }</style>",
        '<p style="background: url(javascript:alert(1))">x</p>',
        '<p style="background: u\\72l(//x.org/a)">x</p>',
        '<meta http-equiv="refresh" content="0;url=//x.org">',
        '<base href="//x.org">',
        '<object data="x"></object>',
        '<math><mi xlink:href="javascript:1">x</mi></math>',
        '<img src="https://x.org/pixel.png">',
        '<img src="//x.org/pixel.png">',
        '<img srcset="a.png 1x, //x.org/b.png 2x">',
        "<!--><script>alert(1)</script>-->",
        "<!-- --!><script>alert(1)</script> -->",
        "<![CDATA[><script>alert(1)</script>]]>",
        "<textarea><p title='</textarea><script>alert(1)</script>'></textarea>",
        "<title><p id='</title><script>alert(1)</script>'></title>",
        "<noscript><p id='</noscript><script>alert(1)</script>'></noscript>",
        "<plaintext>",
        "<p title=`x`>",
    ],
)
def test_active_content_is_found(markup):
    found = gate("text/html", markup)
    assert any("active content" in reason for reason in found), found


@pytest.mark.parametrize("kind", ["application/javascript", "text/javascript", "application/xhtml+xml", "x/y"])
def test_kinds_of_output_that_run_are_refused(kind):
    assert gate(kind, "1") == [f"cell 1: active content ({kind})"]


@pytest.mark.parametrize(
    "svg",
    [
        SCRIPT_SVG,
        '<svg><image href="https://x.org/a.png"/></svg>',
        "<svg><style>@import '//x.org/a.css'</style></svg>",
        '<!DOCTYPE svg [<!ENTITY a "<script>1</script>">]><svg>&a;</svg>',
        "<svg><foreignObject><p>x</p></foreignObject></svg>",
        '<svg><s:script xmlns:s="http://www.w3.org/2000/svg">1</s:script></svg>',
    ],
)
def test_active_content_in_an_svg_file_is_found(svg):
    assert any("active content" in reason for reason in gate("image/svg+xml", svg))


@pytest.mark.parametrize(
    "text",
    [
        "```{raw} html\n<script>1</script>\n```",
        "````{eval-rst}\n.. raw:: html\n````",
        "~~~{include} /etc/passwd\n~~~",
        ":::{include} /etc/passwd\n:::",
        ":::note\nx\n:::",
        "> ```{include} x\n> ```",
        "{download}`/etc/passwd`",
        ".. raw:: html",
        "a <script>1</script>",
        "<!-- x -->",
        "[x](javascript:alert(1))",
        "[x](<JAVASCRIPT:alert(1)>)",
        "[x]: &#106;avascript:alert(1)",
        r"$\href{javascript:alert(1)}{x}$",
    ],
)
def test_markdown_outputs_hold_no_directives_html_or_scripts(text):
    found = gate("text/markdown", text)
    assert found and all("active content" in reason for reason in found), found


def test_plain_markdown_and_formulas_pass():
    assert gate("text/markdown", "**GMV** rose by 3 (1 to 5), if p < 0.05; see [here](https://x.org) and `code`") == []
    assert gate("text/latex", r"$\frac{a}{b}$") == []
    assert gate("text/latex", r"\href{javascript:alert(1)}{x}") != []


@pytest.mark.parametrize(
    "link",
    ['<a href="data:text/csv;base64,*">x</a>', '<a href="data:text/csv;charset=utf-16;base64,/v8AYQ==">x</a>'],
)
def test_a_file_that_cannot_be_read_is_not_published(link):
    assert "cannot be looked into" in gate("text/html", link)[0]


# --- what must pass -----------------------------------------------------------------------------


def test_tables_of_pandas_and_statsmodels_pass():
    import statsmodels.api as sm

    frame = pd.DataFrame({"x": [1.0, 2, 3, 5] * 3, "y": [2.0, 3, 5, 9] * 3})
    assert gate("text/html", frame._repr_html_()) == []
    fit = sm.OLS(frame["y"], sm.add_constant(frame["x"])).fit()
    assert gate("text/html", fit.summary().tables[1]._repr_html_()) == []


def test_the_pages_of_the_real_book_pass():
    project = config.project()
    pages = [run_folder(project, page.slug).page for page in load_reports(project).pages]
    executed = [path for path in pages if path.is_file()]
    if not executed:
        pytest.skip("no page of the book has been run here: shopbook build --no-site")
    for path in executed:
        assert problems(nbformat.read(path, as_version=4), IDS) == [], path


def draw(text):
    return lambda axes: axes.set_title(text)


def page_of(text, capture):
    """Everything that analysis_lib.reporting makes, with a text from data in every place."""
    decision = Decision("Cannot tell", text, text, None, text, text)
    answer = Answer(text, text, None, text, decision, text, text, text, text, text)
    frame = pd.DataFrame({"row": [text], text or "a": [text]})
    reporting.card(answer)
    html = [reporting.say(text).data, reporting.small_print(answer).data]
    html += [reporting.show(Exhibit(text, text, frame)).data, reporting.show(Exhibit(text, note=text)).data]
    return html + [bundle["text/html"] for bundle in capture]


NASTY = [
    "<script>",
    "onload=",
    "javascript:",
    "-->",
    "]]>",
    "{raw}",
    "```",
    "&lt;",
    '"',
    "'",
    "\x00",
    "\n",
    "$",
    "\\href{",
]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=5))).map("".join)))
def test_text_from_data_never_looks_active(text):
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(reporting.card.__globals__, "display", lambda bundle, raw: shown.append(bundle))
        for html in page_of(text, shown):
            assert not [reason for reason in gate("text/html", html) if "active content" in reason]


@pytest.mark.parametrize("text", ["</title><script>", "a -- b --> <x onload=1>", "]]>&lt;"])
def test_text_in_figures_never_looks_active(text):
    frame = pd.DataFrame({"week": [1], "value": [2.0]})
    html = reporting.figure_html(Exhibit(text, text, frame, draw=draw(text)))
    assert gate("text/html", html) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["<", ">", "a", " ", "=", '"', "'", "/", "!", "-", "script", "x"])).map("".join))
def test_no_tag_hides_from_the_reader_of_tags(markup):
    """Whatever begins like a tag is read as one, or called broken."""
    read = list(tokens(markup))
    assert sum(token.kind == "broken" for token in read) <= 1
    assert all("<script" not in token.text for token in read if token.kind == "text")


def test_helpers():
    assert counts_people("n_customers") and counts_people("Targeted households") and counts_people("count of users")
    assert not counts_people("") and not counts_people("households with a coupon, %")
    assert is_small("1") and not is_small("0") and not is_small("20") and not is_small("-3")


@pytest.mark.parametrize("kind", ["text/html", "text/markdown", "text/plain", "text/csv", "image/svg+xml"])
@pytest.mark.parametrize(
    "unit", ["1", "<", "\n", " ", "<a b=", "<!--", "7 of the ", "](", "> ", '"', "data:,", "<td colspan=9"]
)
def test_endless_text_neither_stops_the_gate_nor_slows_it(kind, unit):
    started = time.monotonic()
    gate(kind, unit * 20_000)
    # Well under a second; a search that grows with the square of the text would take minutes.
    assert time.monotonic() - started < 30
