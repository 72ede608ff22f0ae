"""The metrics file: what ships is whole, and what is wrong in it is told with its line."""

from __future__ import annotations

import itertools

import pytest

from analysis_lib import metrics
from analysis_lib.errors import InvalidValue
from analysis_lib.metrics import chains

REGISTRY = metrics.load_metrics()

AREAS = {
    "transaction_flow", "creators_merchants", "content_ecommerce", "promotion_tools", "shop_tab", "growth", "logistics",
    "client_health",
}  # fmt: skip

FILE = """areas:
  a: {title: A, owner: Us}
marts:
  order_facts: {units: {user: {is: user_id}}, dimensions: [country, surface], unpriced: rows, as_of: exact}
metrics:
  lines:
    title: Lines
    meaning: Order lines.
    area: a
    tier: 1
    unit: lines
    better: up
    type: count
    mart: order_facts
    of: {count: rows}
  rate:
    title: Rate
    meaning: A share.
    area: a
    tier: 2
    unit: share
    better: up
    type: ratio
    mart: order_facts
    numerator: {count: rows, where: [{column: surface, is: live}]}
    denominator: lines
"""


def test_what_ships_covers_every_area_and_every_type():
    assert len(REGISTRY.names) >= 45
    assert {metric.area for metric in REGISTRY.metrics.values()} == AREAS == set(REGISTRY.areas)
    kinds = {metric.type for metric in REGISTRY.metrics.values()}
    assert kinds == {"sum", "count", "distinct", "ratio", "quantile", "cumulative", "conversion", "retention"}


@pytest.mark.parametrize("metric", REGISTRY.metrics.values(), ids=lambda metric: metric.name)
def test_each_definition_is_whole(metric):
    assert metric.meaning.endswith(".") and metric.meaning.count(". ") == 0 and metric.formula and metric.owner
    assert metric.parents or metric.name in REGISTRY.tree() or metric.tier > 1
    assert metric.min_detectable_rel > 0 and metric.randomised_by


def test_a_good_file_is_read(registry_of):
    registry = registry_of(FILE)
    assert registry.names == ["lines", "rate"] and registry.get("lines").owner == "Us"
    assert registry.get("lines").additive_over == "everything" and registry.get("rate").additive_over == "nothing"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("    unit: share\n", "    unit: share\n    onwer: Me\n", 22, "unknown key 'onwer', did you mean 'owner'?"),
        ("    denominator: lines\n", "", 16, "a ratio with no denominator"),
        ("denominator: lines", "denominator: liness", 26, "there is no metric 'liness', did you mean 'lines'?"),
        ("column: surface", "column: surfaec", 25, "no column 'surfaec', did you mean 'surface'?"),
        ("is: live", "iss: live", 25, "unknown key"),
        ("is: live", "is: live, above: 3", 25, "exactly one of"),
        ("{column: surface, is: live}", "{column: surface}", 25, "exactly one of"),
        ("of: {count: rows}", "of: {distinct: order_id}", 6, "the type is 'count'"),
        ("of: {count: rows}", "of: {count: rows, sum: quantity}", 15, "exactly one of"),
        ("of: {count: rows}", "of: {cnt: rows}", 15, "did you mean 'count'?"),
        ("of: {count: rows}", "of: {count: rows, cap: 3}", 15, "'cap' bounds"),
        ("type: count", "type: cuont", 13, "did you mean 'count'?"),
        ("    type: count\n", "", 6, "no type"),
        ("    mart: order_facts\n    of", "    mart: order_fact\n    of", 14, "did you mean 'order_facts'?"),
        ("    area: a\n    tier: 1", "    area: b\n    tier: 1", 9, "area 'b' is not in 'areas'"),
        ("tier: 1", "tier: 7", 10, "tier"),
        ("better: up\n    type: ratio", "better: more\n    type: ratio", 22, "better"),
        ("  rate:\n", "  lines:\n", 6, "is given again on line 16"),
        ("    unit: share\n", "    unit: share\n    unit: usd\n", 21, "is given again on line 22"),
        ("dimensions: [country, surface]", "dimensions: [country, surfce]", 4, "no column 'surfce'"),
        ("dimensions: [country, surface]", "dimensions: [user_id]", 4, "says who a person is"),
        ("  order_facts: {", "  order_fact: {", 4, "there is no such mart"),
        ("denominator: lines\n", "denominator: lines\n    parents: {lnes: driver}\n", 27, "did you mean 'lines'?"),
        ("denominator: lines\n", "denominator: lines\n    parents: {lines: child}\n", 27, "parents.lines"),
        ("denominator: lines\n", "denominator: lines\n    currency: converted\n", 27, "no money"),
        ("denominator: lines\n", "denominator: lines\n    additive_over: everything\n", 16, "does not add up"),
        ("denominator: lines", "denominator: {money: gvm}", 26, "did you mean 'gmv'?"),
        ("unpriced: rows, ", "", 4, None),
        ("denominator: lines\n", "denominator: lines\n    chain: [lnes]\n", 27, "there is no metric 'lnes'"),
        ("denominator: lines\n", "denominator: lines\n    chain: [rate]\n", 27, "cannot be a link of its own chain"),
        ("of: {count: rows}\n", "of: {count: rows}\n    chain: [rate]\n", 16, "'rate' is a ratio"),
        ("denominator: lines\n", "denominator: lines\n    chain: [itself, lines]\n", 27, "only be the last link"),
        ("denominator: lines\n", "denominator: lines\n    chain: [lines, lines]\n", 27, "stands in it twice"),
        ("denominator: lines\n", "denominator: lines\n    chain: [{too: lines}]\n", 27, "unknown key"),
        ("{user: {is: user_id}}", "{user: {is: usr_id}}", 4, "did you mean 'user_id'?"),
        ("{user: {is: user_id}}", "{user: {is: user_id, holds: [ordr]}}", 4, "no column 'ordr'"),
        ("{user: {is: user_id}}", "{merchant: {is: merchant_id}}", 6, "does not tell users apart, only merchant"),
        ("{user: {is: user_id}}", "{usr: {is: user_id}}", 4, "units.usr"),
        ("metrics:\n", "metric:\n", 5, "unknown section 'metric'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(registry_of, old, new, line, says):
    assert FILE.count(old) >= 1
    text = FILE.replace(old, new, 1)
    if says is None:
        registry_of(text)  # only money needs to know what lacks a rate
        return
    with pytest.raises(InvalidValue) as caught:
        registry_of(text)
    assert f"metrics.yml, line {line}" in str(caught.value) and says in str(caught.value)


@pytest.mark.parametrize("metric", [m for m in REGISTRY.metrics.values() if m.chain], ids=lambda metric: metric.name)
def test_a_chain_multiplies_to_its_metric(metric):
    """Everything above a line stands below the next one, but for the two ends."""
    found = chains.factors(REGISTRY, metric)
    ends = ("", "itself") if metric.type != "ratio" else ("denominator", "numerator")
    assert (found[0].below, found[-1].above) == ends
    assert all(one.above == other.below for one, other in itertools.pairwise(found))
    assert len({factor.title for factor in found}) == len(found)


@pytest.mark.parametrize("text", ["", "[]", "a: [", "areas: {}\n", "metrics: 3\n"])
def test_no_metrics_file_at_all(registry_of, text):
    with pytest.raises(InvalidValue, match=r"metrics\.yml"):
        registry_of(text)


def test_a_missing_file(registry_of, tmp_path):
    from analysis_lib import config

    with pytest.raises(InvalidValue, match="cannot be read"):
        metrics.load_metrics(config.Project(tmp_path))


def test_the_file_is_read_again_when_it_changes(registry_of):
    assert "lines" in registry_of(FILE).names
    assert registry_of(
        FILE.replace("  lines:", "  rows_sold:").replace("denominator: lines", "denominator: rows_sold")
    ).names == [
        "rows_sold",
        "rate",
    ]
