"""Why markets grow differently: growth told apart, what goes with it, each market beside its peers, flows between."""

from analysis_lib.countries.accounting import growth
from analysis_lib.countries.effects import effects_across
from analysis_lib.countries.effects_result import EffectsAcross
from analysis_lib.countries.factors import factors
from analysis_lib.countries.factors_result import CountryFactors
from analysis_lib.countries.flows_result import CountryFlows
from analysis_lib.countries.gravity import gravity
from analysis_lib.countries.growth_result import CountryGrowth
from analysis_lib.countries.profile import profile
from analysis_lib.countries.profile_result import CountryProfile

__all__ = [
    "CountryFactors",
    "CountryFlows",
    "CountryGrowth",
    "CountryProfile",
    "EffectsAcross",
    "effects_across",
    "factors",
    "gravity",
    "growth",
    "profile",
]
