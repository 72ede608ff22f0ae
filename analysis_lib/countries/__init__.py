"""Why markets grow differently: growth told apart exactly, and what goes with it."""

from analysis_lib.countries.accounting import growth
from analysis_lib.countries.factors import factors
from analysis_lib.countries.factors_result import CountryFactors
from analysis_lib.countries.growth_result import CountryGrowth

__all__ = ["CountryFactors", "CountryGrowth", "factors", "growth"]
