"""``countries.solow``: what rich countries are richer by, asked as Mankiw, Romer and Weil did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis_lib import config
from analysis_lib.config import LEVEL
from analysis_lib.countries.solow_print import MODELS, SAMPLES, moved_by_rounding
from analysis_lib.countries.solow_result import Model, Solow
from analysis_lib.errors import SourceError, check_level, unknown
from analysis_lib.regression import fit
from analysis_lib.results import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.regression import Fit

#: File with the data, below ``data/``.
FILE = "published/mankiw_romer_weil.csv"

#: Growth of knowledge and wear of capital together, a year, as they assumed.
KNOWLEDGE_AND_WEAR = 0.05


def solow(sample: str = "non_oil", *, level: float = LEVEL) -> Solow:
    """Income of countries by what they invest, how fast they grow in number, and how many they school.

    Both of their models in all three of their samples, with usual errors (as in print) and robust ones.

    Parameters
    ----------
    sample : str
        The countries that the answer is for: ``non_oil``, ``intermediate`` (without small ones and poor data) or
        ``oecd``.
    level : float
        Level of all intervals.

    Returns
    -------
    Solow

    Raises
    ------
    UnknownName
        A sample that they did not have.
    InvalidValue
        A level outside of 0.5 to 0.999.
    SourceError
        The file with the data is missing.

    References
    ----------
    Mankiw, Romer and Weil (1992), "A contribution to the empirics of economic growth", Quarterly Journal of Economics
    107(2), tables I and II (income), III and V (growth).

    Examples
    --------
    >>> countries.solow("oecd").text  # doctest: +SKIP
    """
    if sample not in SAMPLES:
        raise unknown("sample", sample, list(SAMPLES), "the samples of countries")
    check_level(level)
    table = _table()
    models = {(one, name): _model(table, one, name, level) for one in SAMPLES for name in MODELS}
    return Solow(sample, models, *_catching_up(table, sample, level), level)


def _table() -> pd.DataFrame:
    """The data as printed: number, non_oil, intermediate, oecd, gdp60, gdp85, popgrowth, invest, school."""
    import pandas as pd

    path = config.project().data / FILE
    if not path.is_file():
        raise SourceError(f"data/{FILE} is missing: it comes with the book; take it from there again.")
    return pd.read_csv(path, comment="#", keep_default_na=True)


def logarithms(table: pd.DataFrame) -> pd.DataFrame:
    """What the models are made of, in logarithms: income, first, invested, grown, schooled.

    Parameters
    ----------
    table : pandas.DataFrame
        gdp60, gdp85 (dollars), popgrowth, invest, school (per cent).
    """
    return table.assign(
        income=np.log(table["gdp85"]), first=np.log(table["gdp60"]), invested=np.log(table["invest"] / 100),
        grown=np.log(table["popgrowth"] / 100 + KNOWLEDGE_AND_WEAR), schooled=np.log(table["school"] / 100),
    )  # fmt: skip


def _model(table: pd.DataFrame, sample: str, name: str, level: float) -> Model:
    """One model in one sample."""
    frame, terms = logarithms(table[table[sample] == "yes"]), MODELS[name]
    over = {f"over_{term}": frame[term] - frame["grown"] for term in terms if term != "grown"}
    frame = frame.assign(**over)
    freely, held = f"income ~ {' + '.join(terms)}", f"income ~ {' + '.join(over)}"
    robust, usual = (fit(freely, frame, variance=errors, level=level) for errors in ("HC3", "iid"))
    shares = [shares_of(fit(held, frame, variance=errors, level=level)) for errors in ("HC3", "iid")]
    apart = fit(f"{held} + grown", frame, variance="HC3", level=level).fit_of("grown")
    return Model(robust, usual, *shares, apart, _without_one(frame, list(over)), moved_by_rounding(frame, terms))


def shares_of(held: Fit) -> dict[str, Estimate]:
    """Shares of income that capital earns (and schooling, in its model), by the model's formula.

    With slopes b of each over population growth, the share of one is its b / (1 + sum of b); errors by the delta
    method.
    """
    from scipy.stats import t  # slow to import

    names = list(held.regressors)
    slopes = np.array([held.fit_of(name).value for name in names])
    covariance, whole = held.covariance.loc[names, names].to_numpy(), 1 + slopes.sum()
    moves = (np.eye(len(names)) * whole - slopes[:, None]) / whole**2
    reach = t.ppf(0.5 + held.request.level / 2, held.n - len(names) - 1)
    found = {}
    for name, value, move in zip(names, slopes / whole, moves, strict=True):
        se = float(np.sqrt(move @ covariance @ move))
        found[name.removeprefix("over_")] = Estimate(
            float(value), se, float(value - reach * se), float(value + reach * se), held.request.level, "share",
            held.n, f"least squares, {held.variance}, delta method",
        )  # fmt: skip
    return found


def _without_one(frame: pd.DataFrame, names: list[str]) -> tuple[float, float]:
    """Least and greatest share of capital when any one country is left out.

    Source: Belsley, Kuh and Welsch (1980), "Regression Diagnostics", equation 2.1.
    """
    design = np.column_stack([np.ones(len(frame)), frame[names].to_numpy(float)])
    outcome = frame["income"].to_numpy(float)
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ outcome
    pull = (outcome - design @ slopes) / (1 - np.einsum("ij,jk,ik->i", design, inverse, design))
    each = slopes[1:] - (pull[:, None] * (design @ inverse))[:, 1:]
    shares = each[:, 0] / (1 + each.sum(axis=1))
    return float(shares.min()), float(shares.max())


def _catching_up(table: pd.DataFrame, sample: str, level: float) -> tuple[Estimate, Estimate]:
    """Log points of growth from 1960 to 1985 per log point of income in 1960: by itself, and all else alike."""
    frame = logarithms(table[table[sample] == "yes"])
    frame = frame.assign(growth=frame["income"] - frame["first"])
    formulas = "growth ~ first", "growth ~ first + invested + grown + schooled"
    alone, alike = (fit(one, frame, variance="HC3", level=level).fit_of("first") for one in formulas)
    return alone, alike
