"""The error family: every message says what came, what is allowed and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ShopbookError(Exception):
    """Base of every error that a user of the book can act upon."""

    def __str__(self) -> str:
        # KeyError prints its argument quoted; a sentence should stay a sentence.
        return " ".join(str(part) for part in self.args)


class InvalidValue(ShopbookError, ValueError):
    """A parameter, option or setting holds a value that is not allowed."""


class UnknownName(ShopbookError, KeyError):
    """A name (metric, campaign, notebook, parameter, source, table) that does not exist."""


class NotEnoughData(ShopbookError, ValueError):
    """The data cannot support the estimate; the message says what is missing."""


class SourceError(ShopbookError):
    """A source cannot be opened or read: missing, locked, truncated, of another kind."""


class ContractError(ShopbookError):
    """A source lacks a table or a column that the contract requires, or breaks a rule of it."""


class BuildFailed(ShopbookError):
    """Building a warehouse, a run or the site did not succeed."""


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name closest to ``name``, or None if nothing is near."""
    # Comparing in lower case: a slip of the shift key is the commonest slip.
    by_lower = {str(candidate).lower(): str(candidate) for candidate in allowed}
    found = difflib.get_close_matches(str(name).lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None


def unknown(kind: str, name: str, allowed: Iterable[str], where: str) -> UnknownName:
    """An ``UnknownName`` that names the nearest allowed one.

    Examples
    --------
    >>> print(unknown("metric", "gvm", ["gmv", "aov"], "data/metrics.yml"))
    metric 'gvm' is not in data/metrics.yml. Did you mean 'gmv'?
    """
    allowed = [str(candidate) for candidate in allowed]
    guess = nearest(name, allowed)
    if guess is not None:
        hint = f"Did you mean '{guess}'?"
    elif allowed:
        hint = f"Known: {', '.join(allowed[:12])}{', …' if len(allowed) > 12 else ''}."
    else:
        hint = "None is known."
    return UnknownName(f"{kind} '{name}' is not in {where}. {hint}")


def check_level(level: float) -> None:
    """Refuse a level that no interval has.

    Raises
    ------
    InvalidValue
        A level outside of 0.5 to 0.999.
    """
    if not 0.5 <= level <= 0.999:
        raise InvalidValue(f"level={level}: a level between 0.5 and 0.999 is needed, for example 0.95")
