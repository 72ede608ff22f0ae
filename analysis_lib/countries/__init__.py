"""Why markets grow differently: growth told apart exactly, and what goes with it; and what flows between them."""

from analysis_lib.countries.accounting import growth
from analysis_lib.countries.flows_result import CountryFlows
from analysis_lib.countries.gravity import gravity
from analysis_lib.countries.growth_result import CountryGrowth

__all__ = ["CountryFlows", "CountryGrowth", "gravity", "growth"]
