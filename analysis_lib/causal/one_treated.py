"""What did a campaign in one market do, with a handful of other markets to compare it with?

An interval has to know how far the estimate is usually off. With one treated market no spread between treated markets
can tell, and the spread between donors tells of the donors: where markets differ in size and noise it is another
market's error. The treated market's own past does tell. There the same estimator is run on windows in which nothing
happened, each fitted to what came before alone, as if a campaign had begun; the size of what it finds is the size of
its error, and Student's t allows for how few such windows there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis_lib.causal.one_treated_fit import (
    PseudoCampaigns,
    SyntheticDid,
    pseudo_campaigns,
    synthetic_did,
    training,
)
from analysis_lib.causal.one_treated_panel import LonePanel, lone_panel
from analysis_lib.errors import InvalidValue, NotEnoughData
from analysis_lib.results import Estimate, Result, format_value

#: The interval covers with so many donors, windows side by side and periods of campaign; fewer are refused. A day alone
#: is a festival or is none, which Student's t does not know: of intervals at 95 % only 92 % held the truth.
FEWEST_DONORS, FEWEST_APART, FEWEST_DAYS = 5, 4, 2

METHOD = "synthetic difference-in-differences; interval from pseudo-campaigns in the market's own past"


@dataclass(frozen=True, slots=True, eq=False)
class OneTreated(Result):
    """The effect of a campaign in one market.

    Attributes
    ----------
    estimate : Estimate
        Mean effect over the days of the campaign: of logarithms, as a share of sales without it; else in the outcome's
        unit.
    market : str
        The treated market.
    path : pandas.DataFrame
        time, actual, without (what the donors say), effect, during (whether in the campaign); in the outcome's unit.
    donors : pandas.DataFrame
        unit, weight, effect_without (the effect if this donor is left out); heaviest first.
    pseudo : pandas.DataFrame
        time (first period of the window), effect (found where there was none); latest first.
    pre_fit : float
        Root mean square of the gap between actual and without before the campaign, in log points or the outcome's unit.
    effective_donors : float
        One over the sum of squared weights.
    typical_error : float
        Root mean square of what the pseudo-campaigns found, in log points or the outcome's unit.
    n_apart : int
        Pseudo-campaigns side by side; the interval has one degree of freedom less.
    n_before, n_days : int
        Periods before the campaign and of it.
    method, note : str
        How, and what a reader should know.
    """

    estimate: Estimate
    market: str
    path: pd.DataFrame
    donors: pd.DataFrame
    pseudo: pd.DataFrame
    pre_fit: float
    effective_donors: float
    typical_error: float
    n_apart: int
    n_before: int
    n_days: int
    method: str
    note: str

    @property
    def text(self) -> str:
        """The effect, and what its interval stands on."""
        said = (
            f"{self.market}: {self.estimate.text}, from {len(self.donors)} other markets and {len(self.pseudo)}"
            f" pseudo-campaigns in its own past ({self.n_apart} side by side)."
        )
        return f"{said} {self.note}".strip()

    def to_frame(self) -> pd.DataFrame:
        """The path."""
        return self.path.copy()


def one_treated(
    frame: pd.DataFrame, *, outcome: str, unit: str, time: str, treated: str, level: float = 0.95, log: bool = True
) -> OneTreated:
    """Effect of a campaign in one market, from markets without one.

    The interval is the estimate give or take Student's t times the root mean square of pseudo-campaigns, on windows
    that begin half a campaign apart; its degrees of freedom are the windows that fit side by side, less one. It takes
    for granted that the days of the campaign are days like those before: what happens at the same time to the treated
    market alone, or to a donor of weight, is part of the estimate and not of the interval.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a market and period, every market in every period. Periods as dates or numbers.
    outcome, unit, time, treated : str
        Columns; ``treated`` is 1 for the treated market in the periods of the campaign, and 0 otherwise. Periods after
        a campaign that has ended are left out.
    level : float
        Level of the interval.
    log : bool
        Whether the effect multiplies (a share) or adds.

    Raises
    ------
    InvalidValue
        If two markets are treated, a campaign switches on twice, rows come twice, values are missing, or a logarithm
        meets a value that is not above 0.
    NotEnoughData
        If there are fewer than ``FEWEST_DONORS`` donors, periods are missing, the campaign has a single period, or
        fewer than ``FEWEST_APART`` pseudo-campaigns fit before it: with 14 days, 84 days before.

    References
    ----------
    Arkhangelsky et al. (2021), "Synthetic difference-in-differences", American Economic Review 111(12). Placebo
    campaigns in time: Abadie, Diamond and Hainmueller (2015), "Comparative politics and the synthetic control method",
    American Journal of Political Science 59(2). Compared with other intervals in ``one_treated_candidates``.
    """
    if not 0 < level < 1:
        raise InvalidValue(f"level must lie between 0 and 1, not {level!r}.")
    panel = lone_panel(frame, outcome=outcome, unit=unit, time=time, treated=treated, log=log)
    estimate, fit, past = estimated(panel, level)
    donors = _donors(panel, fit)
    return OneTreated(
        estimate=estimate, market=panel.market, path=_path(panel, fit), donors=donors,
        pseudo=pd.DataFrame({"time": panel.times[past.starts], "effect": panel.shown(past.errors)}),
        pre_fit=float(fit.gaps[: panel.before].std()), effective_donors=float(1 / np.sum(fit.donor_weights**2)),
        typical_error=past.typical, n_apart=past.n_apart, n_before=panel.before, n_days=panel.days, method=METHOD,
        note=_note(panel, donors, fit, past),
    )  # fmt: skip


def estimated(panel: LonePanel, level: float) -> tuple[Estimate, SyntheticDid, PseudoCampaigns]:
    """The estimate with its interval alone, as ``one_treated`` has it, and the two things it stands on.

    Parameters
    ----------
    panel : LonePanel
        Arrays.
    level : float
        Level of the interval.
    """
    _refuse_too_little(panel)
    fit = synthetic_did(panel.treated, panel.donors, panel.before)
    past = pseudo_campaigns(panel.treated, panel.donors, panel.before)
    if past.typical <= 1e-9 * float(np.abs(panel.treated).max()):
        raise NotEnoughData("the donors fit the past without any error: is one of them the treated market again?")
    return _estimate(panel, fit, past, level), fit, past


def _refuse_too_little(panel: LonePanel) -> None:
    if len(panel.donors) < FEWEST_DONORS:
        raise NotEnoughData(f"{len(panel.donors)} markets without a campaign; the interval needs {FEWEST_DONORS}.")
    if panel.days < FEWEST_DAYS:
        raise NotEnoughData(f"the campaign has one period; the interval needs {FEWEST_DAYS}: take shorter periods.")
    needed = training(panel.days) + FEWEST_APART * panel.days
    if panel.before < needed:
        raise NotEnoughData(
            f"{panel.before} periods came before a campaign of {panel.days}; the interval needs {needed},"
            f" so that {FEWEST_APART} pseudo-campaigns fit side by side."
        )


def _estimate(panel: LonePanel, fit: SyntheticDid, past: PseudoCampaigns, level: float) -> Estimate:
    reach = float(student.ppf(0.5 + level / 2, past.freedom)) * past.typical
    value, low, high = (float(panel.shown(x)) for x in (fit.value, fit.value - reach, fit.value + reach))
    return Estimate(
        value=value, se=past.typical * (1 + value if panel.log else 1), ci_lower=low, ci_upper=high, level=level,
        unit="share" if panel.log else "", n=len(panel.donors) + 1, method=METHOD,
    )  # fmt: skip


def _path(panel: LonePanel, fit: SyntheticDid) -> pd.DataFrame:
    """Actual, and what the donors say: their weighted course, moved to the market's level before."""
    level = fit.time_weights @ fit.gaps[: panel.before]
    without = panel.treated - fit.gaps + level
    actual, without = (np.exp(x) if panel.log else x for x in (panel.treated, without))
    during = np.arange(len(panel.times)) >= panel.before
    return pd.DataFrame(
        {"time": panel.times, "actual": actual, "without": without, "effect": actual - without, "during": during}
    )


def _donors(panel: LonePanel, fit: SyntheticDid) -> pd.DataFrame:
    left = [synthetic_did(panel.treated, np.delete(panel.donors, j, axis=0), panel.before) for j in panel.places]
    rows = {
        "unit": panel.names, "weight": fit.donor_weights, "effect_without": panel.shown([one.value for one in left])
    }  # fmt: skip
    return pd.DataFrame(rows).sort_values("weight", ascending=False, kind="stable", ignore_index=True)


def _note(panel: LonePanel, donors: pd.DataFrame, fit: SyntheticDid, past: PseudoCampaigns) -> str:
    """What a reader should know: a donor that matters much, and periods left out."""
    said = []
    moved = donors["effect_without"] - panel.shown(fit.value)
    far = moved.abs().idxmax()
    if abs(moved[far]) > past.typical:
        unit = "share" if panel.log else ""
        told = format_value(float(donors.loc[far, "effect_without"]), unit, spread=past.typical)
        said.append(
            f"Without {donors.loc[far, 'unit']} among the donors it would be {told}: look whether something of its own"
            " happened there."
        )
    if panel.n_after:
        said.append(f"{panel.n_after} periods after the campaign are left out.")
    return " ".join(said)
