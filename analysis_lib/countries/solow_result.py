"""Income of countries by investing, growth in number and schooling, as it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.countries import solow_exhibits, solow_text
from analysis_lib.countries.solow_print import HALF_OF_COEFFICIENT, PRINTED
from analysis_lib.results import Answer, Decision, Finding

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.regression import Fit
    from analysis_lib.results import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One model in one sample.

    Attributes
    ----------
    robust, usual : Fit
        Log income on the terms; errors HC3, and the usual ones as in print.
    shares, usual_shares : dict of str to Estimate
        Shares of income that capital (``invested``) and schooling (``schooled``) earn, with either errors.
    apart : Estimate
        Sum of all slopes, which the model says is zero.
    without_one : tuple of float
        Least and greatest share of capital when any one country is left out.
    rounding : dict of str to tuple of float
        Least and greatest coefficient over tables that would be printed alike.
    """

    robust: Fit
    usual: Fit
    shares: dict[str, Estimate]
    usual_shares: dict[str, Estimate]
    apart: Estimate
    without_one: tuple[float, float]
    rounding: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Solow(Finding):
    """What rich countries are richer by.

    Attributes
    ----------
    sample : str
        The countries that the answer is for.
    models : dict of (str, str) to Model
        By sample and model.
    alone, alike : Estimate
        Log points of growth from 1960 to 1985 per log point of income in 1960: by itself, and with investing, growth
        in number and schooling alike.
    level : float
        Level of the intervals.
    """

    SENTENCES = solow_text.SENTENCES
    EXHIBITS = solow_exhibits.EXHIBITS
    CALLED = "a look at what rich countries are richer by"
    PLOTTED = "shares"

    sample: str
    models: dict[tuple[str, str], Model]
    alone: Estimate
    alike: Estimate
    level: float

    def of(self, model: str) -> Model:
        """A model in the sample of the answer."""
        return self.models[self.sample, model]

    @property
    def table(self) -> pd.DataFrame:
        """Every coefficient beside print.

        Returns
        -------
        DataFrame
            sample, model, term, value, se (usual), robust_se, printed, printed_se, rounding_lower, rounding_upper,
            within: whether what is printed can come of a table that is printed alike.
        """
        import pandas as pd

        rows = []
        for (sample, name), printed in PRINTED.items():
            model = self.models[sample, name]
            for term, (value, se) in printed.items():
                ours, robust = model.usual.fit_of(term), model.robust.fit_of(term)
                low, high = model.rounding[term]
                within = low - HALF_OF_COEFFICIENT <= value <= high + HALF_OF_COEFFICIENT
                rows.append((sample, name, term, ours.value, ours.se, robust.se, value, se, low, high, within))
        return pd.DataFrame(rows, columns=[
            "sample", "model", "term", "value", "se", "robust_se", "printed", "printed_se", "rounding_lower",
            "rounding_upper", "within",
        ])  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """As ``table``."""
        return self.table

    @property
    def decision(self) -> Decision:
        """What to do with it."""
        return solow_text.decide(self)

    @property
    def text(self) -> str:
        """What they are richer by, and what to do."""
        return f"{solow_text.headline(self)} {self.decision.text}"

    @property
    def answer(self) -> Answer:
        """The first screen of the page."""
        return solow_text.answer(self)
