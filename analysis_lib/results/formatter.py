"""The one number formatter: units in, text out.

Units are short names: a currency code in lower case (``usd``), ``usd_per_usd`` (money back per unit
of money), ``share`` (0 to 1, shown as %), ``pp`` (difference of shares), or a noun (``households``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

CURRENCY_SYMBOLS = {
    "usd": "$", "eur": "€", "gbp": "£", "idr": "Rp", "thb": "฿", "vnd": "₫", "myr": "RM",
    "php": "₱", "sgd": "S$", "mxn": "MX$", "brl": "R$", "sar": "SAR ",
}  # fmt: skip

MINUS = "−"
NOT_A_NUMBER = "n/a"
_SCALES = ((1e9, " bn"), (1e6, " M"), (1e3, " k"))


def _decimals(spread: float, *, cents: bool) -> int:
    """Decimals so that the interval's width keeps about two figures (money: none, or cents)."""
    if not math.isfinite(spread) or spread <= 0:
        return 2
    decimals = max(0, min(2, 1 - math.floor(math.log10(spread))))
    return 2 if cents and decimals == 1 else decimals


def _number(value: float, decimals: int) -> str:
    """Thousands separated, a true minus sign, no negative zero."""
    rounded = round(value, decimals)
    text = f"{abs(rounded):,.{decimals}f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def _with_symbol(number: str, symbol: str) -> str:
    """The currency symbol between the sign and the digits."""
    return f"{MINUS}{symbol}{number[1:]}" if number.startswith(MINUS) else f"{symbol}{number}"


def _parts(unit: str) -> tuple[str, float, str, str]:
    """Prefix, factor, suffix after the number, noun after the interval."""
    if unit in CURRENCY_SYMBOLS:
        return CURRENCY_SYMBOLS[unit], 1.0, "", ""
    if unit == "share":
        return "", 100.0, " %", ""
    if unit == "pp":
        return "", 100.0, " pp", ""
    numerator, _, denominator = unit.partition("_per_")
    if denominator and numerator in CURRENCY_SYMBOLS:
        noun = denominator.replace("_", " ")
        symbol = CURRENCY_SYMBOLS.get(denominator)
        return CURRENCY_SYMBOLS[numerator], 1.0, "", f" per {symbol}1" if symbol else f" per {noun}"
    return "", 1.0, "", f" {unit.replace('_', ' ')}" if unit else ""


def _scale(value: float, money: bool) -> tuple[float, str]:
    """Thousands, millions and billions for money from 10,000 on."""
    if money and abs(value) >= 10_000:
        for size, suffix in _SCALES:
            if abs(value) >= size:
                return size, suffix
    return 1.0, ""


def format_value(value: float | None, unit: str = "", *, spread: float | None = None) -> str:
    """One number with its unit, rounded to what ``spread`` (an interval's width) supports.

    Examples
    --------
    >>> format_value(1243918.22, "usd", spread=660000)
    '$1.24 M'
    >>> format_value(-0.0213, "share")
    '−2.1 %'
    >>> format_value(1133, "households")
    '1,133 households'
    """
    if value is None or not math.isfinite(value):
        return NOT_A_NUMBER
    prefix, factor, suffix, noun = _parts(unit)
    size, scale = _scale(value, prefix != "" and noun == "")
    shown = value * factor / size
    decimals = _default_decimals(shown, unit, scale)
    if spread is not None:
        decimals = _decimals(spread * factor / size, cents=prefix != "" and not scale)
    return f"{_with_symbol(_number(shown, decimals), prefix)}{scale}{suffix}{noun}"


def _default_decimals(shown: float, unit: str, scale: str) -> int:
    if unit in ("share", "pp"):
        return 1
    if scale or "_per_" in unit:
        return 2
    if unit in CURRENCY_SYMBOLS:
        return 0 if abs(shown) >= 100 else 2
    return 0 if float(shown).is_integer() or abs(shown) >= 100 else 2


def format_interval(value: float, lower: float, upper: float, unit: str = "") -> str:
    """A number with its interval; the unit and scale stand once.

    Examples
    --------
    >>> format_interval(1243918.22, 910000, 1570000, "usd")
    '$1.24 M (0.91 to 1.57)'
    >>> format_interval(-0.5, -1.25, 0.25, "usd_per_usd")
    '−$0.50 per $1 (−1.25 to 0.25)'
    """
    if not all(math.isfinite(x) for x in (value, lower, upper)):
        return NOT_A_NUMBER
    prefix, factor, suffix, noun = _parts(unit)
    size, scale = _scale(max(abs(value), abs(lower), abs(upper)), prefix != "" and noun == "")
    low, mid, high = (x * factor / size for x in (lower, value, upper))
    decimals = _decimals(high - low, cents=prefix != "" and not scale)
    interval = f"({_number(low, decimals)} to {_number(high, decimals)})"
    return f"{_with_symbol(_number(mid, decimals), prefix)}{scale}{suffix}{noun} {interval}"


def format_range(lower: float, upper: float, unit: str = "") -> str:
    """Two bounds on one scale.

    Examples
    --------
    >>> format_range(-6452, 26100, "usd")
    '−$6 k to $26 k'
    """
    if not all(math.isfinite(x) for x in (lower, upper)):
        return NOT_A_NUMBER
    prefix, factor, suffix, noun = _parts(unit)
    size, scale = _scale(max(abs(lower), abs(upper)), prefix != "" and noun == "")
    decimals = _decimals((upper - lower) * factor / size, cents=prefix != "" and not scale)
    low, high = (_with_symbol(_number(bound * factor / size, decimals), prefix) for bound in (lower, upper))
    return f"{low}{scale}{suffix} to {high}{scale}{suffix}{noun}"


def format_percent(share: float, decimals: int = 1) -> str:
    """A share as a percentage.

    Examples
    --------
    >>> format_percent(0.1889)
    '18.9 %'
    """
    return NOT_A_NUMBER if not math.isfinite(share) else f"{_number(100 * share, decimals)} %"


def format_count(number: float, noun: str = "") -> str:
    """A whole number, thousands separated, with its noun.

    Examples
    --------
    >>> format_count(1133, "households")
    '1,133 households'
    """
    if not math.isfinite(number):
        return NOT_A_NUMBER
    return f"{_number(number, 0)}{' ' + noun if noun else ''}"


def listed(names: Iterable[str]) -> str:
    """Names with commas, and an "and" before the last.

    Examples
    --------
    >>> listed(["US", "MY", "SA"]), listed(["US"])
    ('US, MY and SA', 'US')
    """
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
