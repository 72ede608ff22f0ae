"""Which days of a mart have changed, and in what portions they are built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from analysis_lib.pipelines.compiling import Compiler
from analysis_lib.pipelines.declaration import Days, Feed, Mart, digest
from analysis_lib.pipelines.inputs import Inputs
from analysis_lib.pipelines.store import Print, Store

#: A portion is at most so many days, and about so many rows: memory stays flat, and a killed build loses little.
BATCH_DAYS, BATCH_ROWS = 184, 1_500_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build has to do for one mart.

    Attributes
    ----------
    inputs : dict of date to str
        Digest of what each day is to be made from: the days the mart should have.
    n_rows : dict of date to int
        Rows that go into each day.
    stale : list of date
        Days to build, ascending.
    gone : list of date
        Days to remove.
    fresh : bool
        Whether nothing of what is there can be kept, so that the table is made anew.
    """

    inputs: dict[date, str]
    n_rows: dict[date, int]
    stale: list[date]
    gone: list[date]
    fresh: bool

    @property
    def n_kept(self) -> int:
        """Days that stay as they are."""
        return len(self.inputs) - len(self.stale)

    def batches(self) -> Iterator[Days]:
        """The stale days in portions."""
        batch: list[date] = []
        rows = 0
        for day in self.stale:
            more = self.n_rows.get(day, 0)
            if batch and (len(batch) >= BATCH_DAYS or rows + more > BATCH_ROWS):
                yield Days(tuple(batch))
                batch, rows = [], 0
            batch.append(day)
            rows += more
        if batch:
            yield Days(tuple(batch))


@dataclass
class Planner:
    """Looks at the source once, and at the store as the build goes on."""

    store: Store
    inputs: Inputs
    compiler: Compiler
    _prints: dict[str, dict[date, Print]] = field(default_factory=dict)

    def plan(self, mart: Mart, *, full: bool) -> Plan:
        """What has to be done for a mart whose upstream marts are up to date."""
        upstream = [name for name in (*mart.upstream, *mart.optional_upstream) if name in self.inputs.marts]
        inputs, n_rows = self._wanted(mart, upstream)
        there = {} if full else self.store.partitions(mart.name)
        fresh = full or not there or any(part.version != mart.version for part in there.values())
        kept = {} if fresh else there
        stale = sorted(day for day, text in inputs.items() if day not in kept or kept[day].inputs != text)
        return Plan(inputs, n_rows, stale, sorted(set(kept) - set(inputs)), fresh)

    def _wanted(self, mart: Mart, upstream: Sequence[str]) -> tuple[dict[date, str], dict[date, int]]:
        feeds = {feed.name: self._feed(feed) for feed in mart.feeds}
        marts = {name: self._contents(name) for name in upstream}
        spans = mart.spans(self.inputs) if mart.spans else None
        sources = [*feeds.values(), *({} if spans is not None else marts).values()]
        days = set(spans or {}).union(*sources)
        inputs, n_rows = {}, {}
        for day in days:
            own = [f"{name}={_shown(prints.get(day))}" for name, prints in feeds.items()]
            read = _spanned(marts, spans.get(day) if spans is not None else (day, day))
            inputs[day] = digest([*own, *read])
            n_rows[day] = sum(prints[day].n_rows for prints in sources if day in prints)
        return inputs, n_rows

    def _feed(self, feed: Feed) -> dict[date, Print]:
        if feed.name not in self._prints:
            self._prints[feed.name] = self.store.prints(self.compiler.feed(feed))
        return self._prints[feed.name]

    def _contents(self, name: str) -> dict[date, Print]:
        return {day: part.content for day, part in self.store.partitions(name).items()}


def _spanned(marts: Mapping[str, Mapping[date, Print]], span: tuple[date, date] | None) -> list[str]:
    """What the marts hold between two days, as texts."""
    if span is None:
        return sorted(marts)
    found = []
    for name, prints in marts.items():
        inside = sorted(day for day in prints if span[0] <= day <= span[1])
        found.append(f"{name}=" + ",".join(f"{day}:{_shown(prints[day])}" for day in inside))
    return found


def _shown(found: Print | None) -> str:
    return "" if found is None else f"{found.n_rows}/{found.digest}"
