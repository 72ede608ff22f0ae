"""Figures and tables of a look at rich and poor countries."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.countries import solow_text
from analysis_lib.countries.solow_text import MODEL, NAMES, SHORT, THIRD
from analysis_lib.drawings import draw_forest
from analysis_lib.results import Exhibit, format_count, format_percent

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.solow_result import Solow


def shares(one: Solow) -> Exhibit:
    """What capital would have to earn, by sample and model."""
    import pandas as pd

    rows = []
    for (sample, name), model in one.models.items():
        share = model.shares["invested"]
        role = "success" if sample == one.sample else ""
        rows.append((f"{SHORT[sample]}, {MODEL[name]}", share.value, share.ci_lower, share.ci_upper, role, THIRD))
    frame = pd.DataFrame(rows, columns=["row", "effect", "ci_lower", "ci_upper", "role", "margin"])
    shown = frame.drop(columns=["role", "margin"]).rename(columns={"row": "countries", "effect": "share"})
    return Exhibit(
        title=_shares_title(one),
        subtitle=f"Share of income that capital would have to earn, {format_percent(one.level, 0)} intervals, robust"
        " errors; orange: the third of national accounts; blue: the countries of the answer",
        frame=shown, units=dict.fromkeys(shown.columns[1:], "share"), draw=partial(draw_forest, frame=frame),
        height=0.7,
    )  # fmt: skip


def _shares_title(one: Solow) -> str:
    plain, schooled = (one.of(name).shares["invested"] for name in ("textbook", "schooling"))
    if not schooled.excludes_zero:
        return f"{format_count(schooled.n)} countries are too few to tell capital's share with schooling"
    first, second = (format_percent(share.value, 0) for share in (plain, schooled))
    return f"With schooling, capital's share comes out as {second} instead of {first}"


def incomes(one: Solow) -> Exhibit:
    """Income against what the model with schooling says."""
    model = one.of("schooling").usual
    used = model.frame
    table = model.coefficients.set_index("term")["value"]
    said = table["Intercept"] + sum(table[name] * used[name] for name in model.regressors)
    frame = used[["oecd"]].assign(model=np.exp(said), income=used["gdp85"].astype(float))
    away = float((frame["income"] / frame["model"]).map(np.log).abs().median())
    return Exhibit(
        title=f"Half of all countries are within a factor of {np.exp(away):.1f} of what the model says",
        subtitle="Output per adult in 1985, dollars of that year, against what the model with schooling says;"
        " orange: OECD; the line: both alike; both axes in logarithms",
        frame=frame.reset_index(drop=True), units={"model": "usd", "income": "usd"},
        draw=partial(draw_incomes, frame=frame), height=0.75,
    )  # fmt: skip


def draw_incomes(axes: Any, *, frame: pd.DataFrame) -> None:
    """Dots about the line on which both are alike.

    Parameters
    ----------
    frame
        model, income (dollars), oecd (yes or no).
    """
    ends = [float(frame[["model", "income"]].min().min()), float(frame[["model", "income"]].max().max())]
    axes.plot(ends, ends, color=PALETTE["context"], lw=1.2, zorder=1)
    rich = (frame["oecd"] == "yes").to_numpy()
    for which, colour in ((~rich, PALETTE["subject"]), (rich, PALETTE["second"])):
        axes.scatter(frame["model"][which], frame["income"][which], s=26, color=colour, alpha=0.75, lw=0)
    ticks = [500, 2000, 8000, 32000]
    for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        scale("log")
        axis.set_minor_locator(_no_ticks())
        axis.set_ticks(ticks, [f"${tick:,}" for tick in ticks])
    axes.set_xlabel("what the model says")
    axes.set_ylabel("income", labelpad=2)


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator  # slow to import

    return NullLocator()


def beside_print(one: Solow) -> Exhibit:
    """Every coefficient beside print."""
    table = one.table
    numbers = {name: table[name].map(_two_digits) for name in ("value", "se", "robust_se", "printed", "printed_se")}
    ends = [table[name].map(_two_digits) for name in ("rounding_lower", "rounding_upper")]
    shown = table.assign(
        sample=table["sample"].map(SHORT), model=table["model"].map(MODEL), term=table["term"].map(NAMES), **numbers,
        rounding=ends[0] + " to " + ends[1], within=table["within"].map({True: "yes", False: "no"}),
    )  # fmt: skip
    shown = shown[["sample", "model", "term", *numbers, "rounding", "within"]]
    names = {"sample": "countries", "value": "ours", "se": "our_error", "robust_se": "robust_error",
             "printed_se": "printed_error"}  # fmt: skip
    return Exhibit(
        title=f"{int(table['within'].sum())} of {len(table)} coefficients in print are ours, within what rounding of"
        " the data allows",
        subtitle="Log income on logarithms; rounding: least and greatest over tables that would be printed alike;"
        " Mankiw, Romer and Weil, tables I and II",
        frame=shown.rename(columns=names),
    )


def _two_digits(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def explained(one: Solow) -> Exhibit:
    """How much of the differences, and the shares, model by model."""
    import pandas as pd

    rows = []
    for (sample, name), model in one.models.items():
        found, schooled = model.shares["invested"], model.shares.get("schooled")
        rows.append((
            SHORT[sample], MODEL[name], model.usual.n, float(model.usual.facts["r2"]), found.value, found.ci_lower,
            found.ci_upper, schooled.value if schooled else float("nan"), model.apart.short,
        ))  # fmt: skip
    columns = ["countries", "model", "n", "explained", "capital", "capital_ci_lower", "capital_ci_upper", "schooling",
               "sum_of_slopes"]  # fmt: skip
    more = solow_text.told(one, "schooling") - solow_text.told(one, "textbook")
    return Exhibit(
        title=f"Schooling accounts for {format_percent(more, 0)} of the differences, beside the textbook's terms",
        subtitle="Share of differences in log income that each model goes with, and the shares of income that capital"
        " and schooling would have to earn; robust errors",
        frame=pd.DataFrame(rows, columns=columns),
        units=dict.fromkeys(("explained", "capital", "capital_ci_lower", "capital_ci_upper", "schooling"), "share"),
    )


EXHIBITS: dict[str, Callable[[Solow], Exhibit]] = {
    "shares": shares, "incomes": incomes, "beside_print": beside_print, "explained": explained,
}  # fmt: skip
