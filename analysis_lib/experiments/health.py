"""Whether an experiment can be believed before anybody looks at what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis_lib.errors import NotEnoughData
from analysis_lib.experiments.arms import ArmMoments
from analysis_lib.experiments.correcting import holm
from analysis_lib.experiments.effects import effect_of, format_pvalue
from analysis_lib.experiments.exposures import FLAGS, Exposures
from analysis_lib.experiments.sample_ratio import ALPHA, by_part, mismatch, table_of
from analysis_lib.experiments.trial import Trial
from analysis_lib.results import Result, format_count, format_percent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


#: Largest share of units that may be wrong in a way that drops them, before it is a problem of the whole test.
TOLERATED = 0.01

#: What exposures are counted by; parts of the traffic that are tested apart.
PARTS = ("exposed_day", "country", "platform")


@dataclass(frozen=True, slots=True, eq=False)
class Check(Result):
    """One check.

    Attributes
    ----------
    name : str
        What was checked.
    passed : bool
        Whether nothing speaks against the test.
    says : str
        What was found, in a sentence.
    pvalue : float
        Of the test behind it; missing where there is none.
    """

    name: str
    passed: bool
    says: str
    pvalue: float = float("nan")

    @property
    def text(self) -> str:
        """What was found."""
        return self.says


@dataclass(frozen=True, slots=True, eq=False)
class Health(Result):
    """What speaks for and against believing an experiment.

    Attributes
    ----------
    checks : tuple of Check
        In the order they are told.
    n_units : dict of str to int
        Units that count, by arm.
    counts : pandas.DataFrame
        variant, phase, exposed_day, country, platform, n.
    planned : dict of str to numpy.ndarray
        Planned shares of the arms by phase, control first.
    parts : pandas.DataFrame
        Parts of the traffic with the test of their shares, the worst first.
    """

    checks: tuple[Check, ...]
    n_units: dict[str, int]
    counts: pd.DataFrame
    planned: dict[str, np.ndarray]
    parts: pd.DataFrame

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        """Checks that were not passed."""
        return [check for check in self.checks if not check.passed]

    @property
    def text(self) -> str:
        """What is wrong, or that nothing is."""
        if self.passed:
            return f"All {len(self.checks)} checks of the test's health are passed."
        return f"The test cannot be believed. {' '.join(check.says for check in self.failed)}"

    def to_frame(self) -> pd.DataFrame:
        """One row per check: check, passed, says."""
        import pandas as pd

        rows = [(check.name, check.passed, check.says) for check in self.checks]
        return pd.DataFrame(rows, columns=["check", "passed", "says"])


def examine(
    exposures: Exposures, trial: Trial, beforehand: Mapping[str, Mapping[str, ArmMoments]]
) -> Health:  # fmt: skip
    """Check an experiment.

    Parameters
    ----------
    beforehand : mapping
        By metric and arm: what its units did before they were exposed.
    """
    arms, kept, planned = list(trial.arms), exposures.counts, exposures.planned
    n_units = {arm: int(kept.loc[kept["variant"] == arm, "n"].sum()) for arm in arms}
    parts = _parts(kept, arms, planned)
    checks = (
        _every_arm(n_units),
        _shares(kept, arms, planned),
        *_shares_by_part(parts),
        *_wrong_units(exposures.flagged),
        _gaps(kept),
        *_alike(beforehand, trial),
    )
    return Health(checks=checks, n_units=n_units, counts=kept, planned=planned, parts=parts)


def _parts(counts: pd.DataFrame, arms: list[str], planned: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    found = [by_part(counts, arms, planned, part) for part in (*PARTS, "phase") if counts[part].nunique() > 1]
    return pd.concat(found, ignore_index=True) if found else by_part(counts, arms, planned, "phase")


def _every_arm(n_units: dict[str, int]) -> Check:
    empty = [arm for arm, n in n_units.items() if not n]
    says = f"Nobody was exposed to {', '.join(empty)}." if empty else "Every arm has units."
    return Check("every arm", not empty, says)


def _shares(counts: pd.DataFrame, arms: list[str], planned: dict[str, Any]) -> Check:
    n, shares = table_of(counts, arms, planned)
    _, pvalue = mismatch(n, shares)
    total = n.sum()
    expected = (n.sum(axis=1)[:, None] * shares).sum(axis=0)
    said = "; ".join(
        f"{arm} {format_percent(have / total)} (planned {format_percent(want / total)})"
        for arm, have, want in zip(arms, n.sum(axis=0), expected, strict=True)
    )
    passed = pvalue >= ALPHA
    verdict = "in the planned shares" if passed else "not in the planned shares"
    return Check(
        "sample ratio", passed, f"Units reached the arms {verdict}: {said}; p {format_pvalue(pvalue)}.", pvalue
    )


def _shares_by_part(parts: pd.DataFrame) -> list[Check]:
    words = {"exposed_day": "day", "phase": "phase", "country": "market", "platform": "platform"}
    checks = []
    for part, own in parts.groupby("part", sort=False):
        worst = own.iloc[own["pvalue_adjusted"].argmin()]
        passed = bool(worst["pvalue_adjusted"] >= ALPHA)
        word = words[str(part)]
        if passed:
            says = f"The shares hold in each of {len(own)} {word}s."
        else:
            says = f"In {word} {str(worst['value']).split(' ')[0]} units did not reach the arms in the planned shares."
        name = f"sample ratio by {word}"
        checks.append(Check(name, passed, f"{says} Smallest p {format_pvalue(worst['pvalue_adjusted'])}, corrected.",
                            float(worst["pvalue_adjusted"])))  # fmt: skip
    return checks


def _wrong_units(flagged: dict[str, int]) -> list[Check]:
    seen, checks = max(flagged["seen"], 1), []
    for name, says in FLAGS.items():
        share = flagged[name] / seen
        told = f"{format_percent(share)} of units are {says}" if share else f"No units are {says}"
        checks.append(Check(says, share <= TOLERATED, f"{told}."))
    return checks


def _gaps(counts: pd.DataFrame) -> Check:
    """Days in the middle on which nobody was exposed: exposures that were not logged."""
    import pandas as pd

    days = counts.loc[counts["n"] > 0, "exposed_day"].dropna()
    whole = pd.date_range(days.min(), days.max(), freq="D")
    missing = whole.difference(pd.DatetimeIndex(days.unique()))
    if len(missing) and len(days.unique()) > 2 * len(missing):
        first = f"{missing[0]:%-d %b %Y}"
        return Check(
            "missing exposures", False, f"On {format_count(len(missing))} days nobody was exposed, first {first}."
        )
    return Check("missing exposures", True, "There is no day without exposures.")


def _alike(beforehand: Mapping[str, Mapping[str, ArmMoments]], trial: Trial) -> list[Check]:
    """Whether the arms did the same before anybody was exposed."""
    names, pvalues = [], []
    for metric, arms in beforehand.items():
        for arm in (arm for arm in trial.treatments if {arm, trial.control} <= set(arms)):
            try:
                found = effect_of(arms[trial.control], arms[arm], level=0.95, unit="")
            except NotEnoughData:
                continue
            names.append(f"{metric} of {arm}")
            pvalues.append(found.pvalue)
    if not names:
        return []
    adjusted = holm(pvalues)
    worst = min(range(len(adjusted)), key=adjusted.__getitem__)
    passed = adjusted[worst] >= ALPHA
    says = (
        f"Before anybody was exposed the arms did the same in {len(names)} comparisons"
        if passed
        else f"Before anybody was exposed {names[worst]} differed from {trial.control}"
    )
    return [
        Check(
            "alike beforehand",
            passed,
            f"{says}; smallest p {format_pvalue(adjusted[worst])}, corrected.",
            float(adjusted[worst]),
        )
    ]
