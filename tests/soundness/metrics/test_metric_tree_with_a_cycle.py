"""A tree in which a metric stands above itself would never end."""

from __future__ import annotations

import pytest

from analysis_lib.errors import InvalidValue

HEAD = """areas:
  a: {title: A, owner: Us}
marts:
  order_facts: {units: {user: {is: user_id}}, dimensions: [country], unpriced: rows, as_of: exact}
metrics:
"""


def line(name: str, *parents: str) -> str:
    above = f", parents: {{{', '.join(f'{parent}: driver' for parent in parents)}}}" if parents else ""
    return (
        f"  {name}: {{title: T, meaning: M., area: a, tier: 1, unit: lines, better: up, type: count, mart: order_facts,"
        f" of: {{count: rows}}{above}}}\n"
    )


@pytest.mark.parametrize(
    ("lines", "circle", "number"),
    [
        ([line("x", "x")], "x → x", 6),
        ([line("x", "y"), line("y", "x")], "x → y → x", 7),
        ([line("top"), line("x", "top", "z"), line("y", "x"), line("z", "y")], "x → z → y → x", 8),
    ],
)
def test_the_circle_and_its_line_are_named(registry_of, lines, circle, number):
    with pytest.raises(InvalidValue, match="the tree has a cycle") as caught:
        registry_of(HEAD + "".join(lines))
    assert circle in str(caught.value) and f"line {number} " in str(caught.value)


def test_two_parents_are_no_cycle(registry_of):
    registry = registry_of(HEAD + line("a") + line("b", "a") + line("c", "a") + line("d", "b", "c"))
    assert registry.tree() == {"a": {"b": "driver", "c": "driver"}, "b": {"d": "driver"}, "c": {"d": "driver"}}


def test_made_of_itself(registry_of):
    text = line("x").replace("type: count", "type: ratio").replace("of: {count: rows}", "numerator: x, denominator: x")
    with pytest.raises(InvalidValue, match="made of itself"):
        registry_of(HEAD + text)
