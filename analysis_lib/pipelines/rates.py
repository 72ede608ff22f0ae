"""Exchange rates of a day: the last one known, and never a guess."""

from __future__ import annotations

import ibis

from analysis_lib.pipelines.declaration import Input
from analysis_lib.pipelines.expressions import where
from analysis_lib.pipelines.inputs import Inputs
from analysis_lib.pipelines.orders import dated_orders

FX = Input("fx_rates", ("currency", "day", "usd_per_unit"), required=False)

#: One dollar is one dollar by definition, with or without a row that says so.
DOLLAR = "USD"


def quoted_rates(inputs: Inputs) -> ibis.Table:
    """Usable rates: ``currency``, ``fx_day``, ``usd_per_unit``. A day with two different rates has none."""
    raw = inputs.raw("fx_rates")
    usable = (raw.usd_per_unit > 0) & (raw.usd_per_unit < 1e6) & ~raw.usd_per_unit.isnan()
    raw = raw.filter(usable.fill_null(False), raw.currency.notnull(), raw.day.notnull())
    table = raw.group_by("currency", fx_day=raw.day).agg(
        usd_per_unit=raw.usd_per_unit.max(), least=raw.usd_per_unit.min()
    )
    return table.filter(table.least == table.usd_per_unit).drop("least")


def reference_rates(inputs: Inputs) -> ibis.Table:
    """The rate at which constant-currency amounts are converted: the first one known of each currency.

    One fixed day, so that a day of the book does not change when later days arrive. Growth within a currency does
    not depend on the choice; between currencies it fixes the weights at those of the start of the data.
    """
    rates = quoted_rates(inputs)
    first = rates.group_by("currency").agg(fx_day=rates.fx_day.min())
    joined = rates.inner_join(first, ["currency", "fx_day"])
    return joined.select("currency", constant_rate=joined.usd_per_unit)


def daily_rates(inputs: Inputs, wanted: ibis.Table) -> ibis.Table:
    """The rate of each wanted currency and day.

    Parameters
    ----------
    wanted
        Table with ``currency`` and ``day``.

    Returns
    -------
    ibis.Table
        ``currency``, ``day``, ``usd_per_unit`` and ``constant_rate`` (null where no rate was known by then),
        ``fx_day`` (day the rate was quoted for; earlier than ``day`` when carried).
    """
    rates = quoted_rates(inputs)
    asked = wanted.filter(wanted.currency.notnull()).select("currency", "day").distinct()
    marks = asked.select("currency", "day", fx_day=ibis.null("date"), is_asked=ibis.literal(1))
    known = rates.select("currency", day=rates.fx_day, fx_day=rates.fx_day, is_asked=ibis.literal(0))
    both = marks.union(known)
    past = ibis.cumulative_window(group_by="currency", order_by=[both.day, both.is_asked])
    both = both.mutate(fx_day=both.fx_day.max().over(past))
    found = both.filter(both.is_asked == 1).drop("is_asked")
    found = found.left_join(rates, ["currency", "fx_day"]).drop("currency_right", "fx_day_right")
    constant = reference_rates(inputs)
    found = found.left_join(constant, "currency").drop("currency_right")
    return _dollars_and_gaps(found)


def _dollars_and_gaps(table: ibis.Table) -> ibis.Table:
    dollar = table.currency == DOLLAR
    return table.select(
        "currency",
        "day",
        usd_per_unit=ibis.ifelse(dollar, 1.0, table.usd_per_unit),
        constant_rate=ibis.ifelse(dollar, 1.0, where(table.usd_per_unit.notnull(), table.constant_rate)),
        fx_day=ibis.ifelse(dollar, table.day, table.fx_day),
    )


def rate_rows(inputs: Inputs) -> ibis.Table:
    """Feed: the rates that the orders of each day are converted at."""
    return daily_rates(inputs, dated_orders(inputs))
