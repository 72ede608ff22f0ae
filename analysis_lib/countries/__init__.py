"""Why markets grow differently: growth told apart exactly, what goes with it, and each market beside its peers."""

from analysis_lib.countries.accounting import growth
from analysis_lib.countries.factors import factors
from analysis_lib.countries.factors_result import CountryFactors
from analysis_lib.countries.growth_result import CountryGrowth
from analysis_lib.countries.profile import profile
from analysis_lib.countries.profile_result import CountryProfile

__all__ = ["CountryFactors", "CountryGrowth", "CountryProfile", "factors", "growth", "profile"]
