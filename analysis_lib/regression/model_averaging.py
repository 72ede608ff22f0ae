"""Which of several regressors belong: all models that can be made from them, weighted by what the data say of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib.errors import ContractError, InvalidValue, NotEnoughData, unknown
from analysis_lib.results import Result, format_percent

if TYPE_CHECKING:
    from collections.abc import Mapping

#: More candidates make more models than are looked at one by one.
MOST = 15


@dataclass(frozen=True, slots=True, eq=False)
class ModelAverage(Result):
    """Candidates by how likely they belong.

    Attributes
    ----------
    terms : pandas.DataFrame
        term, inclusion (probability that it belongs), value, se (posterior mean and standard deviation, 0 in models
        without it), positive (probability of a positive sign, given that it belongs); the likeliest first.
    models : pandas.DataFrame
        terms (comma separated), probability; the ten best.
    n : float
        Rows that count.
    outcome : str
        What is explained.
    """

    terms: pd.DataFrame
    models: pd.DataFrame
    n: float
    outcome: str

    def to_frame(self) -> pd.DataFrame:
        """As ``terms``."""
        return self.terms.copy()

    @property
    def inclusion(self) -> Mapping[str, float]:
        """Probability that a term belongs."""
        return dict(zip(self.terms["term"], self.terms["inclusion"], strict=True))

    @property
    def text(self) -> str:
        """Which belong, which do not, and which cannot be told."""
        kinds = {"belong": self.terms["inclusion"] >= 0.9, "do not": self.terms["inclusion"] <= 0.1}
        said = []
        for what, told in kinds.items():
            rows = self.terms[told]
            names = [f"{row.term} ({format_percent(row.inclusion, 0)})" for row in rows.itertuples()]
            said.append(f"{', '.join(names) or 'none'} {what}")
        rest = self.terms[~(kinds["belong"] | kinds["do not"])]
        open_ = ", ".join(f"{row.term} ({format_percent(row.inclusion, 0)})" for row in rest.itertuples())
        return f"{'; '.join(said)}; not to be told: {open_ or 'none'}."


def average_models(
    frame: pd.DataFrame, *, outcome: str, candidates: Sequence[str], g: float | None = None,
    n_effective: float | None = None, absorbed: int = 0, expected: float = 0.5,
) -> ModelAverage:  # fmt: skip
    """Average over every linear model of the candidates, under Zellner's prior.

    The model is ``outcome = constant + candidates in the model + normal noise``. Coefficients have Zellner's g-prior,
    each candidate belongs with the same chance beforehand, independently of the others. Everything is in closed form.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows; fixed effects already taken out, if there are any.
    outcome, candidates : str
        Columns; at most ``MOST`` candidates.
    g : float, optional
        How many times the data outweigh the prior; by default the rows that count, so that the prior is worth one row
        (unit information).
    n_effective : float, optional
        Rows that count, fewer than there are where rows go together (a market's months): rows divided by how much
        clustering widens errors, squared.
    absorbed : int
        Fixed effects taken out beforehand, beyond a constant.
    expected : float
        Chance of each candidate beforehand.

    Returns
    -------
    ModelAverage

    Raises
    ------
    UnknownName
        A column that is not there.
    ContractError
        Missing values.
    InvalidValue
        More than ``MOST`` candidates, none, a constant one, or collinear ones.
    NotEnoughData
        No more rows than candidates.

    References
    ----------
    Zellner (1986), "On assessing prior distributions and Bayesian regression analysis with g-prior distributions";
    Fernández, Ley and Steel (2001), "Benchmark priors for Bayesian model averaging", Journal of Econometrics 100(2).
    """
    names = list(candidates)
    values = _values(frame, outcome, names)
    n = len(values) - absorbed if n_effective is None else n_effective
    if n <= len(names) + 2:
        raise NotEnoughData(f"{n:.0f} rows count, {len(names)} candidates: more rows than candidates are needed")
    y, x = values[:, 0] - values[:, 0].mean(), values[:, 1:] - values[:, 1:].mean(axis=0)
    cross, along, total = x.T @ x, x.T @ y, float(y @ y)
    _check_candidates(cross, names, total, outcome)
    weight = n if g is None else g
    models = _all_models(cross, along, total, n, weight, expected)
    return _averaged(models, names, n, total, weight, outcome)


def _values(frame: pd.DataFrame, outcome: str, names: list[str]) -> np.ndarray:
    for name in (outcome, *names):
        if name not in frame.columns:
            raise unknown("column", name, list(frame.columns), "the frame")
    if not names or len(names) > MOST:
        raise InvalidValue(f"{len(names)} candidates: between 1 and {MOST} can be averaged over; choose the likeliest")
    values = frame[[outcome, *names]].to_numpy(float)
    if not np.isfinite(values).all():
        raise ContractError(f"{int((~np.isfinite(values)).any(axis=1).sum())} rows have a missing or infinite value")
    return values


def _check_candidates(cross: np.ndarray, names: list[str], total: float, outcome: str) -> None:
    spread = np.diag(cross)
    flat = [name for name, one in zip(names, spread, strict=True) if one <= 1e-12 * max(spread.max(), 1e-300)]
    if flat:
        raise InvalidValue(f"candidate '{flat[0]}' does not vary")
    if total <= 0:
        raise InvalidValue(f"outcome '{outcome}' does not vary")
    scaled = cross / np.sqrt(np.outer(spread, spread))
    if np.linalg.eigvalsh(scaled)[0] < 1e-10:
        raise InvalidValue("candidates are collinear: one of them is a sum of others; leave it out")


@dataclass(frozen=True, slots=True)
class _Models:
    """Every model: which terms (models × candidates), its fit, its coefficients, the diagonal of (X'X)⁻¹, weight."""

    member: np.ndarray
    r2: np.ndarray
    beta: np.ndarray
    inverse: np.ndarray
    probability: np.ndarray


def _all_models(cross: np.ndarray, along: np.ndarray, total: float, n: float, g: float, expected: float) -> _Models:
    k = len(along)
    blocks = [(np.zeros((1, k), bool), np.zeros(1), np.zeros((1, k)), np.zeros((1, k)))]
    for size in range(1, k + 1):
        places = np.array(list(combinations(range(k), size)))
        inverse = np.linalg.inv(cross[places[:, :, None], places[:, None, :]])
        beta = np.einsum("mij,mj->mi", inverse, along[places])
        rows = np.arange(len(places))[:, None]
        member, wide, spread = np.zeros((len(places), k), bool), np.zeros((len(places), k)), np.zeros((len(places), k))
        member[rows, places], wide[rows, places] = True, beta
        spread[rows, places] = np.einsum("mii->mi", inverse)
        blocks.append((member, np.einsum("mi,mi->m", beta, along[places]) / total, wide, spread))
    member, r2, beta, spread = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    sizes = member.sum(axis=1)
    logs = (n - 1 - sizes) / 2 * np.log1p(g) - (n - 1) / 2 * np.log1p(g * np.clip(1 - r2, 0, None))
    logs += sizes * np.log(expected) + (k - sizes) * np.log1p(-expected)
    weights = np.exp(logs - logs.max())
    return _Models(member, r2, beta, spread, weights / weights.sum())


def _averaged(models: _Models, names: list[str], n: float, total: float, g: float, outcome: str) -> ModelAverage:
    from scipy.stats import t as student  # slow to import

    chance, shrink = models.probability[:, None], g / (1 + g)
    inclusion = (chance * models.member).sum(axis=0)
    value = (chance * shrink * models.beta).sum(axis=0)
    # Given a model, a coefficient is Student's t with n - 1 degrees of freedom.
    noise = total * (1 + g * (1 - models.r2)) / (1 + g) / (n - 1)
    scale2 = shrink * models.inverse * noise[:, None]
    square = (chance * (scale2 * (n - 1) / (n - 3) + (shrink * models.beta) ** 2)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sign = student.cdf(shrink * models.beta / np.sqrt(scale2), n - 1)
        positive = (chance * np.where(models.member, sign, 0.0)).sum(axis=0) / inclusion
    terms = pd.DataFrame(
        {"term": names, "inclusion": inclusion, "value": value, "se": np.sqrt(np.maximum(square - value**2, 0.0)),
         "positive": positive}
    ).sort_values("inclusion", ascending=False, ignore_index=True)  # fmt: skip
    best = np.argsort(-models.probability)[:10]
    listed = [", ".join(np.array(names)[models.member[place]]) or "none" for place in best]
    return ModelAverage(terms, pd.DataFrame({"terms": listed, "probability": models.probability[best]}), n, outcome)
