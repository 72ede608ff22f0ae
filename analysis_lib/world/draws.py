"""Draws that are pure functions of seed, entity and purpose, as plain integer arithmetic every engine agrees on.

An entity carries two 32-bit keys. A draw mixes them with two constants of its purpose in four rounds:
exclusive or with a constant, times an odd constant, and of the 64-bit product the middle half (the
multiplicative hashing of Knuth 1998, section 6.4, with von Neumann's choice of digits). Each round uses
its input once, which keeps the SQL short; tests hold the draws to uniformity and independence. Nothing
depends on threads, order or machine. Shapes other than the uniform come from tables of quantiles,
rounded when they are made, because logarithms and exponentials differ in the last digit from one
machine to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from statistics import NormalDist

_MASK = 4294967295

#: Constants of the rounds: fractions of the golden ratio and odd numbers from widely used hashes.
_ROUNDS = (
    (2654435769, 2654435769),
    (2135587861, 2246822519),
    (2246822507, 3266489917),
    (3266489909, 668265263),
)


def _mixed(sql: str) -> str:
    for salt, times in _ROUNDS:
        sql = f"((xor({sql}, {salt}) * {times}) >> 16) & {_MASK}"
    return f"({sql})"


#: The DuckDB macro that the draws stand on.
MACRO = f"CREATE OR REPLACE TEMP MACRO world_mix(x) AS {_mixed('x')}"


def mix(x: int) -> int:
    """The same mixing of a 32-bit number in Python."""
    for salt, times in _ROUNDS:
        x = (((x ^ salt) * times) >> 16) & _MASK
    return x


def constants(seed: int, purpose: str) -> tuple[int, int]:
    """Two 32-bit constants of a seed and a purpose; the second is odd."""
    digest = hashlib.sha256(f"{seed}\x1f{purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big") | 1


class Draws:
    """SQL of the draws of one seed.

    Parameters
    ----------
    seed : int
        The world's seed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def key(self, purpose: str, number: str) -> str:
        """A 32-bit key (UBIGINT) of a whole number that names an entity, for example a user's number."""
        add, times = constants(self.seed, purpose)
        return f"world_mix(xor((({number})::UBIGINT * {times}) & {_MASK}, {add}))"

    def child(self, purpose: str, parent: str, number: str) -> str:
        """A 32-bit key (UBIGINT) of the ``number``-th thing that belongs to an entity with key ``parent``."""
        add, times = constants(self.seed, purpose)
        return f"world_mix(xor({parent}, xor((({number})::UBIGINT * {times}) & {_MASK}, {add})))"

    def uniform(self, purpose: str, entity: str = "v") -> str:
        """A number in [0, 1) of the entity whose keys are columns ``<entity>1`` and ``<entity>2``."""
        add, times = constants(self.seed, purpose)
        mixed = f"world_mix(xor(xor({entity}1, {add}), ({entity}2 * {times}) & {_MASK}))"
        return f"({mixed} / 4294967296.0)"

    def whole(self, purpose: str, below: str, entity: str = "v") -> str:
        """A whole number from 0 to ``below`` - 1."""
        return f"floor({self.uniform(purpose, entity)} * ({below}))::BIGINT"

    def shaped(self, purpose: str, quantiles: Sequence[float], entity: str = "v") -> str:
        """A number whose distribution is given by equally likely quantiles."""
        return f"{table(quantiles)}[1 + floor({self.uniform(purpose, entity)} * {len(quantiles)})::INTEGER]"

    def choice(self, purpose: str, shares: dict[str, float], entity: str = "v") -> str:
        """One of the names, with these shares (scaled to add up to one, to the thousandth)."""
        return chosen(self.uniform(purpose, entity), shares)


def chosen(uniform: str, shares: dict[str, float]) -> str:
    """SQL that turns a uniform number into one of the names.

    A column is compared with the running shares; an expression is looked up in a table of thousandths, so
    that it is worked out once.
    """
    total, running, steps = sum(shares.values()), 0.0, []
    for name, share in shares.items():
        running += share / total
        steps.append((text(name), running))
    if uniform.isidentifier():
        branches = " ".join(f"WHEN {uniform} < {round(edge, 9)!r} THEN {name}" for name, edge in steps[:-1])
        return f"CASE {branches} ELSE {steps[-1][0]} END" if branches else steps[-1][0]
    names: list[str] = []
    for name, edge in steps:
        names += [name] * (round(1000 * edge) - len(names))
    return f"{_stored('[' + ', '.join(names) + ']')}[1 + floor({uniform} * 1000)::INTEGER]"


#: Tables of numbers and names by the name of the variable that holds them; ``Engine`` hands them over.
TABLES: dict[str, str] = {}


def table(values: Sequence[float]) -> str:
    """A long list of numbers, by reference: like ``literal`` without being parsed each time."""
    return _stored(literal(values))


def _stored(sql: str) -> str:
    name = f"world_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
    TABLES[name] = sql
    return f"getvariable('{name}')"


def text(value: str) -> str:
    """A string for SQL."""
    return "'" + value.replace("'", "''") + "'"


def literal(values: Sequence[float]) -> str:
    """A list of numbers for SQL; DOUBLE, so that the arithmetic is that of IEEE 754 everywhere."""
    return "([" + ", ".join(repr(float(value)) for value in values) + "]::DOUBLE[])"


def lognormal(sigma: float, n: int = 250) -> list[float]:
    """Equally likely quantiles of a log-normal with mean 1 (exactly, over these ``n``)."""
    from math import exp

    normal = NormalDist()
    raw = [exp(sigma * normal.inv_cdf((i + 0.5) / n)) for i in range(n)]
    mean = sum(raw) / n
    return [round(value / mean, 7) for value in raw]


def around_median(sigma: float, n: int = 250) -> list[float]:
    """Equally likely quantiles of a log-normal with median 1."""
    values = lognormal(sigma, n)
    middle = (values[n // 2 - 1] + values[n // 2]) / 2
    return [round(value / middle, 7) for value in values]


def exponential(mean: float, n: int = 250) -> list[float]:
    """Equally likely quantiles of an exponential with this mean (over these ``n``)."""
    from math import log

    raw = [-log(1 - (i + 0.5) / n) for i in range(n)]
    return [round(value * mean * n / sum(raw), 7) for value in raw]
