"""Pushes: a plant changes a lever by a factor where a condition holds, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Push:
    """One change.

    Attributes
    ----------
    lever : str
        What is changed, one of ``plants.LEVERS``.
    when : str
        SQL condition on the columns of the stage.
    factor : str
        SQL number the lever is multiplied by where the condition holds.
    """

    lever: str
    when: str
    factor: str


def product(pushes: Iterable[Push], lever: str) -> str:
    """SQL of the product of all pushes on a lever; 1 where there are none.

    Examples
    --------
    >>> product([Push("cart", "d < 3", "1.2")], "cart")
    '(CASE WHEN d < 3 THEN 1.2 ELSE 1.0 END)'
    """
    terms = [f"CASE WHEN {push.when} THEN {push.factor} ELSE 1.0 END" for push in pushes if push.lever == lever]
    return f"({' * '.join(terms)})" if terms else "1.0"


def effects(effect: dict[str, float], when: str) -> list[Push]:
    """One push per lever of a mapping of relative changes.

    Examples
    --------
    >>> effects({"cart": 0.25}, "x = 1")
    [Push(lever='cart', when='x = 1', factor='1.25')]
    """
    return [Push(lever, when, repr(round(1 + change, 9))) for lever, change in effect.items()]


def among(column: str, values: Iterable[object]) -> str:
    """SQL condition that a column holds one of the values.

    Examples
    --------
    >>> among("m", [1, 2]), among("c", [])
    ('m IN (1, 2)', 'false')
    """
    listed = ", ".join(str(value) for value in values)
    return f"{column} IN ({listed})" if listed else "false"
