"""Figures and tables of an account of flows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from analysis_lib.countries import flows_drawings, flows_text
from analysis_lib.countries.flows_moves import largest_move, units_by_month
from analysis_lib.countries.gravity_panel import sells_both_ways
from analysis_lib.results import Exhibit, format_count, format_percent, format_value, nothing_to_show

if TYPE_CHECKING:
    from analysis_lib.countries.flows_result import CountryFlows

#: What terms are called in the table of coefficients.
TERMS = {
    "is_home": "at home against abroad (log)", "log_merchants": "merchants of the origin (log)",
    "log_rate": "rate of the market's currency (log)", "log_days": "days of delivery (log)",
}  # fmt: skip

OUTCOMES = {"gmv_usd": "sales in USD", "units": "units"}

#: What is compared by side, and its name in the table.
COMPARED = {
    "rel_growth": "growth", "delivery_days": "days", "rel_returned": "returned", "usd_per_unit": "price",
}  # fmt: skip


def matrix(one: CountryFlows) -> Exhibit:
    """Origins by markets."""
    table = one.matrix
    money, shares = (table.pivot(index="origin", columns="country", values=n) for n in ("gmv_usd", "rel_of_market"))
    abroad = table[table["origin"] != table["country"]].groupby("origin")["gmv_usd"].sum()
    rows = abroad.sort_values(ascending=False, kind="stable").index
    columns = money.loc[rows[0]].sort_values(ascending=False).index
    # Origins that sell abroad first; then those at home, in the order of the columns, so that they lie on a diagonal.
    selling = [name for name in rows if abroad[name] > 0]
    rest = [name for name in columns if name in money.index and name not in selling]
    order = [*selling, *rest, *(name for name in rows if name not in selling and name not in rest)]
    alone = len(order) - len(selling)
    both = len(sells_both_ways(one.cells.flows))
    title = f"{format_count(alone)} of {format_count(len(order))} origins sell at home only"
    if not alone:
        title = f"All {format_count(len(order))} origins sell abroad, {format_count(both)} at home too"
    frame = table[table["gmv_usd"] != 0].sort_values("gmv_usd", ascending=False, ignore_index=True)
    return Exhibit(
        title=title,
        subtitle=f"Origins down, markets across: per cent of the market's sales; colour: USD; {flows_text.window(one)}",
        frame=frame, units={"gmv_usd": "usd", "rel_of_market": "share"},
        draw=partial(flows_drawings.draw_matrix, money=money.loc[order, columns], shares=shares.loc[order, columns]),
        height=0.05 * len(order) + 0.1,
    )  # fmt: skip


def comparison(one: CountryFlows) -> Exhibit:
    """Home against abroad, by market."""
    table = one.table.sort_values("rel_abroad", ascending=False, ignore_index=True)
    names = {"rel_abroad": "from_abroad", **{f"{name}_{side}": f"{word}_{side}" for name, word in COMPARED.items()
             for side in ("home", "abroad")}}  # fmt: skip
    frame = table[list(names)].rename(columns=names)
    frame.insert(0, "market", table["country"].map(one.markets))
    shares = [name for name in frame if name.startswith(("from", "growth", "returned"))]
    days = {name: "" for name in frame if name.startswith("days")}
    first = frame.iloc[0]
    return Exhibit(
        title=f"{first['market']} buys most abroad: {format_percent(first['from_abroad'], 0)} of its sales",
        subtitle="Share of sales from abroad; growth in USD, the last 12 months against the 12 before; days to the"
        " door; returned of delivered lines; price of a unit",
        frame=frame,
        units={**dict.fromkeys(shares, "share"), **days, "price_home": "usd", "price_abroad": "usd"},
    )  # fmt: skip


def expected(one: CountryFlows) -> Exhibit:
    """What each market buys abroad, and what the others let expect."""
    if one.expected.empty:
        return nothing_to_show("What markets should buy abroad", one.refused.get("expected", "too few markets"))
    frame = one.expected.assign(market=one.expected["country"].map(one.markets))
    frame = frame.sort_values("residual", ascending=False, ignore_index=True)
    outside = int(((frame["residual_ci_lower"] > 0) | (frame["residual_ci_upper"] < 0)).sum())
    title = f"{format_count(outside)} of {format_count(len(frame))} markets lie outside of what the others let expect"
    if not outside:
        title = "No market buys more or less abroad than the others let expect"
    columns = ["market", "rel_abroad", "expected", "expected_ci_lower", "expected_ci_upper"]
    return Exhibit(
        title=title,
        subtitle="Share of sales from abroad (dots); expected from merchants at home and days of delivery, with"
        f" {format_percent(one.level, 0)} prediction intervals (bars)",
        frame=frame[columns], units=dict.fromkeys(columns[1:], "share"),
        draw=partial(flows_drawings.draw_expected, frame=frame[columns]), height=0.11 * len(frame) + 0.12,
    )  # fmt: skip


def move(one: CountryFlows) -> Exhibit:
    """Shares from abroad around the largest fall of a currency."""
    found = largest_move(one.cells)
    if found is None:
        return nothing_to_show("A fall of a currency", "no currency fell by 5 % or more within a month")
    frame = units_by_month(one.cells, found.country)
    name = one.markets[found.country]
    return Exhibit(
        title=f"What {name} bought abroad when the {found.currency} lost {format_percent(-found.change, 0)}",
        subtitle="Share from abroad by month, of units and of sales in USD",
        frame=frame, units={"units": "units", "rel_units": "share", "rel_usd": "share"},
        draw=partial(
            flows_drawings.draw_shares, frame=frame, at=found.after,
            called=f"{found.currency} {format_percent(found.change, 0)}",
        ),
        height=0.5,
    )  # fmt: skip


def days(one: CountryFlows) -> Exhibit:
    """Days of delivery at home and abroad."""
    table = one.table
    peers = one.levers.worth.set_index("country")["peer_days"]
    frame = table[["country"]].assign(
        market=table["country"].map(one.markets), home=table["delivery_days_home"],
        abroad=table["delivery_days_abroad"], peer=table["country"].map(peers).astype(float),
    )  # fmt: skip
    frame = frame.drop(columns="country").dropna(subset=["home", "abroad"])
    if frame.empty:
        return nothing_to_show("Days of delivery", "no market has them both at home and from abroad")
    frame = frame.sort_values("abroad", ascending=False, ignore_index=True)
    slow = int(frame["peer"].notna().sum())
    return Exhibit(
        title=f"In {slow} of {format_count(len(frame))} markets parcels from abroad are slower than with peers",
        subtitle="Mean days to the door: at home (grey), from abroad (blue); the peers' where the market is slower"
        " (stroke)",
        frame=frame, units=dict.fromkeys(("home", "abroad", "peer"), "days"),
        draw=partial(flows_drawings.draw_days, frame=frame), height=0.11 * len(frame) + 0.12,
    )  # fmt: skip


def worth(one: CountryFlows) -> Exhibit:
    """What the peers' speed is worth a month in each slower market."""
    table = one.levers.worth
    if table.empty:
        return nothing_to_show("What faster delivery is worth", "no market is slower than its peers")
    frame = table.assign(market=table["country"].map(one.markets)).rename(columns={
        "monthly_usd": "sales_abroad", "returns_usd": "fewer_returns", "total_usd": "with_demand",
        "total_usd_ci_lower": "ci_lower", "total_usd_ci_upper": "ci_upper",
    })  # fmt: skip
    first = frame.iloc[0]
    money = ["sales_abroad", "fewer_returns", "with_demand", "ci_lower", "ci_upper"]
    told = format_value(first["with_demand"], "usd", spread=first["ci_upper"] - first["ci_lower"])
    title = f"{first['market']} has most at stake: {told} a month, if demand follows"
    return Exhibit(
        title=title if first["with_demand"] > 0 else "Nowhere would the speed of peers bring anything",
        subtitle="USD in 30 days at the speed of peers: sales from abroad now; fewer returns; and with what demand"
        f" adds, with its {format_percent(one.level, 0)} interval",
        frame=frame[["market", "days", "peer_days", "peers", *money]],
        units={"days": "", "peer_days": "", **dict.fromkeys(money, "usd")},
    )  # fmt: skip


def coefficients(one: CountryFlows) -> Exhibit:
    """All coefficients, with their intervals and those usually printed."""
    import pandas as pd

    rows = []
    fitted = ([("gmv_usd", one.border)] if one.border is not None else []) + list(one.changes.items())
    for outcome, found in fitted:
        for term, value in found.values.items():
            usual = found.plain[term]
            rows.append((OUTCOMES[outcome], TERMS[term], value.value, value.ci_lower, value.ci_upper, usual.ci_lower,
                         usual.ci_upper, found.n, found.n_zero))  # fmt: skip
    if not rows:
        return nothing_to_show("Coefficients", "; ".join(one.refused.values()))
    columns = ["of", "term", "value", "ci_lower", "ci_upper", "usual_lower", "usual_upper", "n", "n_zero"]
    frame = pd.DataFrame(rows, columns=columns)
    wider = int(((frame["usual_upper"] - frame["usual_lower"]) < (frame["ci_upper"] - frame["ci_lower"])).sum())
    return Exhibit(
        title=f"For {wider} of {len(frame)} coefficients the usual interval would be narrower",
        subtitle=f"Poisson regressions: value, {format_percent(one.level, 0)} interval over markets, the usual one by"
        " pair; rows, and those without a sale",
        frame=frame, units={**dict.fromkeys(columns[2:7], ""), "n": "rows", "n_zero": "rows"},
    )  # fmt: skip


EXHIBITS: dict[str, Callable[[CountryFlows], Exhibit]] = {
    "matrix": matrix, "comparison": comparison, "expected": expected, "move": move, "days": days, "worth": worth,
    "coefficients": coefficients,
}  # fmt: skip
