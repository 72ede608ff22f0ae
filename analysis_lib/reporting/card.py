"""The answer card: verdict, number, money, owner and next step on the first screen."""

from __future__ import annotations

from IPython.display import display

from analysis_lib.config import FINDING_MIME
from analysis_lib.reporting import markup
from analysis_lib.results import Answer


def card(answer: Answer) -> None:
    """Display the card, and hand the finding to the book's landing page."""
    body = markup.block(*_parts(answer), classes="sb-card")
    bundle = {"text/html": body.data, "text/plain": answer.text, FINDING_MIME: finding(answer)}
    display(bundle, raw=True)


def finding(answer: Answer) -> dict[str, str]:
    """The answer as plain text fields, for lists of reports."""
    money = answer.decision.money_per_month
    return {
        "title": answer.title,
        "headline": answer.headline,
        "value_text": "" if answer.number is None else answer.number.short,
        "decision": answer.decision.action,
        "why": answer.decision.reason,
        "money_text": "" if money is None else money.short,
        "window": answer.window,
        "source": answer.source,
        "as_of": answer.as_of,
        "method": "" if answer.number is None else answer.number.method,
    }


def small_print(answer: Answer) -> object:
    """Source, window, who is counted, and the method's grade, in small type."""
    parts = [
        f"Data: {answer.source}; {answer.window}." + (f" Data end on {answer.as_of}." if answer.as_of else ""),
        answer.counted,
        f"How far to trust it: {answer.grade}" if answer.grade else "",
    ]
    link = markup.element("a", "When it ran and how to run it again", href="#how-this-was-made")
    sentences = " ".join(markup.text(part) for part in parts if part)
    return markup.block(f"{sentences} {link}.", classes="sb-small")


def _parts(answer: Answer) -> list[str]:
    decision, number = answer.decision, answer.number
    kind = decision.action.lower().replace(" ", "-")
    shown = "No number: not enough data" if number is None else number.short
    label = "" if number is None else f" {answer.number_of}"
    facts = {
        "Why": decision.reason,
        "Money per month": "cannot be told" if decision.money_per_month is None else decision.money_per_month.text,
        "Owner": decision.owner,
        "Next step": decision.next_step,
    }
    rows = [markup.element("dt", name) + markup.element("dd", markup.text(value)) for name, value in facts.items()]
    return [
        markup.element("p", markup.text(decision.action), classes=f"sb-verdict sb-{kind}"),
        markup.element(
            "p", markup.element("strong", markup.text(shown)), markup.element("span", markup.text(label)),
            classes="sb-answer",
        ),
        markup.element("p", markup.text(answer.headline), classes="sb-headline"),
        markup.element("dl", *rows),
    ]  # fmt: skip
