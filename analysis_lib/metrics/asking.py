"""What is asked of the metrics, made plain and checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.metrics.checks import CURRENCIES
from analysis_lib.metrics.declaration import Cumulative, Metric
from analysis_lib.metrics.registry import Registry

#: How long a row's period is.
GRAINS = ("day", "week", "month", "quarter", "total")

#: Hours by which the last market's day ends after the UTC day of the same date.
FARTHEST_WEST_HOURS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question, checked.

    Attributes
    ----------
    registry : Registry
        Where the metrics are defined.
    metrics : tuple of Metric
        What is asked for, in order.
    by : tuple of str
        Dimensions by which it is cut.
    grain : str
        Period of a row.
    start, end : date | None
        Market-local days, both included; None until the days of the data are known.
    where : dict of str to tuple
        Values that dimensions may have.
    currency : str
        usd, constant_usd or local.
    as_of : datetime | None
        UTC instant of what was known; None: all that is.
    """

    registry: Registry
    metrics: tuple[Metric, ...]
    by: tuple[str, ...]
    grain: str
    start: date | None
    end: date | None
    where: dict[str, tuple[Any, ...]]
    currency: str
    as_of: datetime | None

    @property
    def marts(self) -> list[str]:
        """Marts it reads, each once."""
        return list(dict.fromkeys(metric.mart for metric in self.metrics))

    @property
    def window(self) -> tuple[date, date]:
        """First and last day, once they are known."""
        if self.start is None or self.end is None:
            raise InvalidValue("start and end are not known yet.")
        return self.start, self.end

    def between(self, start: date, end: date) -> Question:
        """The same question of other days."""
        return replace(self, start=start, end=end)

    def of(self, mart: str) -> list[Metric]:
        """The metrics that read a mart."""
        return [metric for metric in self.metrics if metric.mart == mart]


def ask(registry: Registry, names: Iterable[str] | str, **options: Any) -> Question:
    """A checked question.

    Parameters
    ----------
    registry
        Where the metrics are defined.
    names
        One or more metrics.
    options
        ``by``, ``grain``, ``start``, ``end``, ``where``, ``currency``, ``as_of`` as ``metrics.query`` takes them.

    Raises
    ------
    UnknownName
        A metric, dimension, grain or currency that does not exist.
    InvalidValue
        A dimension that a metric cannot be cut by, dates that are no dates or reversed, a metric that cannot be told as
        of an earlier time, local money that would mix currencies.
    """
    chosen = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if not chosen:
        raise InvalidValue(f"no metric is named; there are {', '.join(registry.names[:12])}, …")
    metrics = tuple(registry.get(name) for name in chosen)
    by = _texts(options["by"])
    where = {name: _values(name, value) for name, value in (options["where"] or {}).items()}
    _check_dimensions(registry, metrics, [*by, *where])
    grain = _one_of("grain", options["grain"] or "total", GRAINS)
    currency = _one_of("currency", options["currency"], CURRENCIES)
    start, end = day_of("start", options["start"]), day_of("end", options["end"])
    if start and end and end < start:
        raise InvalidValue(f"end ({end}) lies before start ({start}): exchange them.")
    question = Question(registry, metrics, by, grain, start, end, where, currency, instant(options["as_of"]))
    _check_local(question)
    _check_as_of(question)
    _check_cumulative(question)
    return question


def _texts(value: Iterable[str] | str | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value or ()))


def _values(name: str, value: Any) -> tuple[Any, ...]:
    """The values a dimension may have; one or many."""
    if isinstance(value, Mapping):
        raise InvalidValue(f"where['{name}'] must be a value or a list of values, not {value!r}.")
    many = isinstance(value, Iterable) and not isinstance(value, str)
    found = tuple(dict.fromkeys(value)) if many else (value,)
    if not found or any(item is None or item != item for item in found):
        raise InvalidValue(f"where['{name}'] must name at least one value, none of them missing (got {value!r}).")
    return found


def _one_of(kind: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise unknown(kind, str(value), allowed, "what `metrics.query` knows")
    return str(value)


def _check_dimensions(registry: Registry, metrics: tuple[Metric, ...], wanted: list[str]) -> None:
    for name in wanted:
        unfit = [metric.name for metric in metrics if name not in registry.marts[metric.mart].dimensions]
        if unfit:
            common = registry.dimensions(metric.name for metric in metrics)
            own = registry.dimensions(unfit[:1])
            raise InvalidValue(
                f"{', '.join(unfit)} cannot be cut by '{name}'. '{unfit[0]}' knows {', '.join(own)}; all the metrics"
                f" asked for share {', '.join(common) or 'none'}. Choose one of these, or ask for the metrics apart."
            )


def day_of(word: str, value: Any) -> date | None:
    """A date, from a date or its ISO text; None stays None.

    Raises
    ------
    InvalidValue
        It is neither.
    """
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise InvalidValue(f"{word} {value!r} is no date; write it as 2026-03-31.") from error
    midnight = isinstance(value, datetime) and value.time() == datetime.min.time() and value.tzinfo is None
    if midnight:
        return value.date()
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise InvalidValue(f"{word} must be a market-local date without a time, not {value!r}.")
    return value


def instant(value: Any) -> datetime | None:
    """A UTC time without a zone, from a time, a date or ISO text; None stays None.

    Raises
    ------
    InvalidValue
        It is no time.
    """
    if value is None:
        return None
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidValue(f"as_of {value!r} is no time; give a UTC time such as '2026-03-01 00:00'.") from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def last_whole_day(as_of: datetime) -> date:
    """The last day that was over in every market of the world at a UTC instant."""
    return (as_of - timedelta(hours=FARTHEST_WEST_HOURS)).date() - timedelta(days=1)


def _check_local(question: Question) -> None:
    money = [metric.name for metric in question.metrics if metric.currency == "converted"]
    if question.currency != "local" or not money:
        return
    in_rows = [m.name for m in question.metrics if question.registry.marts[m.mart].unpriced == "rows"]
    untold = [name for name in money if name not in in_rows]
    if untold:
        raise InvalidValue(
            f"{', '.join(untold)} has no local money: its mart does not tell whose currencies are mixed."
        )
    kept_apart = {"currency", "country"} & set(question.by)
    kept_apart |= {name for name in ("currency", "country") if len(question.where.get(name, ())) == 1}
    if not kept_apart:
        raise InvalidValue(
            f"{', '.join(money)} in local money would mix currencies. Cut by country or currency, or choose one"
            " in `where`; or ask for usd or constant_usd."
        )


def _check_as_of(question: Question) -> None:
    refused = [m.name for m in question.metrics if question.registry.marts[m.mart].as_of == "refused"]
    if question.as_of is not None and refused:
        raise InvalidValue(
            f"{', '.join(refused)} cannot be told as of an earlier time: the mart holds what is known today. Leave out"
            " as_of, or ask for metrics of order_facts."
        )
    if question.as_of and question.end and question.end > (question.as_of + timedelta(hours=14)).date():
        raise InvalidValue(f"as_of ({question.as_of}) lies before the end ({question.end}): choose an earlier end.")


def _check_cumulative(question: Question) -> None:
    found = [metric.name for metric in question.metrics if isinstance(metric, Cumulative)]
    if found and question.grain == "total":
        raise InvalidValue(
            f"{', '.join(found)} runs on from period to period: choose grain day, week, month or quarter."
        )
