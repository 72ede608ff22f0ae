"""Why markets grow differently: growth told apart exactly, and what goes with it."""

from analysis_lib.countries.accounting import growth
from analysis_lib.countries.growth_result import CountryGrowth

__all__ = ["CountryGrowth", "growth"]
