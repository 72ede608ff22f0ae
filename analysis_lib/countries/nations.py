"""``countries.nations``: the look at factors on panels whose answers are in print."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis_lib.config import LEVEL
from analysis_lib.countries.factors import FIXED, factors_of
from analysis_lib.countries.factors_result import CountryFactors
from analysis_lib.countries.market_panel import LINEAR, NATIONS, STATES, Called, panel_of
from analysis_lib.errors import check_level, unknown
from analysis_lib.results import Exhibit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is explained."""

    title: str


@dataclass(frozen=True, slots=True)
class Shipped:
    """A panel that a package ships.

    Attributes
    ----------
    title : str
        In words.
    package, path : str
        Where it lies.
    outcome : Outcome
        What is explained.
    columns : dict of str to str
        Its columns by ours: country, year, outcome, factors.
    units : dict of str to str
        Unit of each factor.
    called : Called
        What its rows are called.
    scale : dict of str to float
        What factors are multiplied by, to be in their units.
    published : dict of str to tuple
        Coefficients and their usual errors as they stand in print, and to how many digits.
    printed_in : str
        Where.
    """

    title: str
    package: str
    path: str
    outcome: Outcome
    columns: dict[str, str]
    units: dict[str, str]
    called: Called = NATIONS
    scale: dict[str, float] = field(default_factory=dict)
    published: dict[str, tuple[float, float, int]] = field(default_factory=dict)
    printed_in: str = ""


PANELS = {
    "gapminder": Shipped(
        "Gapminder: 142 countries, every five years from 1952 to 2007", "causaldata", "gapminder/gapminder.csv",
        Outcome("Income per head"),
        {"country": "country", "year": "year", "outcome": "gdpPercap", "life_expectancy": "lifeExp",
         "population": "pop"},
        {"life_expectancy": "years", "population": "people"},
    ),
    "states": Shipped(
        "Munnell: 48 US states, 1970 to 1986", "linearmodels", "datasets/munnell/munnell.csv.bz2",
        Outcome("Output"),
        {"country": "ST_ABB", "year": "YR", "outcome": "GSP", "public_capital": "P_CAP", "private_capital": "PC",
         "employment": "EMP", "unemployment_rate": "UNEMP"},
        {"public_capital": "usd", "private_capital": "usd", "employment": "people", "unemployment_rate": "share"},
        STATES, {"unemployment_rate": 0.01},
        {"public_capital": (-0.030, 0.027, 3), "private_capital": (0.169, 0.028, 3), "employment": (0.769, 0.028, 3),
         "unemployment_rate": (-0.4, 0.1, 1)},
        "Baltagi, Econometric Analysis of Panel Data, example 3 (public capital), effects of state and year",
    ),
}  # fmt: skip


def shipped(panel: str) -> Shipped:
    """A panel by its name.

    Raises
    ------
    UnknownName
        A panel that does not ship.
    """
    if panel not in PANELS:
        raise unknown("panel", panel, list(PANELS), "the panels that ship")
    return PANELS[panel]


def nations(panel: str = "states", *, level: float = LEVEL) -> CountryFactors:
    """What income goes with, within countries or states.

    As ``countries.factors``, with countries for markets and years for months.

    Parameters
    ----------
    panel : str
        ``states`` (Munnell's, as linearmodels ships them) or ``gapminder`` (as causaldata ships it).
    level : float
        Level of all intervals.

    Returns
    -------
    CountryFactors

    Raises
    ------
    UnknownName
        A panel that does not ship.
    InvalidValue
        A level outside of 0.5 to 0.999.
    """
    one = shipped(panel)
    check_level(level)
    made = panel_of(frame_of(one), one.units, one.outcome, {}, 0, one.called)
    return factors_of(made, level=level, source=one.title)


def frame_of(one: Shipped) -> pd.DataFrame:
    """country, month (first day of the year), outcome (positive), and the factors."""
    from importlib.resources import files

    import pandas as pd

    with (files(one.package) / one.path).open("rb") as file:
        packed = "bz2" if one.path.endswith("bz2") else None
        table = pd.read_csv(file, sep=None, engine="python", compression=packed)
    frame = table.rename(columns={theirs: ours for ours, theirs in one.columns.items()})[list(one.columns)]
    for name in one.units:
        frame[name] = frame[name].astype(float) * one.scale.get(name, 1.0)
    return frame.assign(month=pd.to_datetime(frame["year"].astype(str))).drop(columns="year")


def beside_print(panel: str) -> Exhibit:
    """The regression as it stands in print, beside ours of the same rows and with the same usual errors.

    Raises
    ------
    UnknownName
        A panel that does not ship.
    """
    import pandas as pd

    one = shipped(panel)
    if not one.published:
        return Exhibit("Beside print: not shown", note="No regression of these very rows is in print.")
    table = _as_printed(one)
    rows = []
    for name, (value, se, digits) in one.published.items():
        ours = table.loc[name]
        same = round(ours["value"], digits) == value and round(ours["se"], digits) == se
        told = (_digits(number, digits) for number in (ours["value"], ours["se"], value, se))
        rows.append((name.replace("_", " "), *told, "yes" if same else "no"))
    frame = pd.DataFrame(rows, columns=["factor", "ours", "our_error", "printed", "printed_error", "same"])
    return Exhibit(
        title=f"{(frame['same'] == 'yes').sum()} of {len(frame)} coefficients are those in print, to the last digit",
        subtitle=f"All rows, usual errors; {one.printed_in}",
        frame=frame,
    )


def _as_printed(one: Shipped) -> pd.DataFrame:
    """Coefficients by factor: all rows, effects of unit and time, usual errors."""
    from analysis_lib.regression import fit

    terms = {name if unit in LINEAR else f"log({name})": name for name, unit in one.units.items()}
    found = fit(f"log(outcome) ~ {' + '.join(terms)}", frame_of(one), fixed_effects=FIXED, variance="iid")
    return found.coefficients.assign(factor=lambda table: table["term"].map(terms)).set_index("factor")


def _digits(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".replace("-", "−")
