"""Why markets grow differently: growth told apart, what goes with it, each market beside its peers, flows between."""

from analysis_lib.countries.accounting import growth
from analysis_lib.countries.clusters import clusters
from analysis_lib.countries.clusters_result import MarketClusters
from analysis_lib.countries.effects import effects_across
from analysis_lib.countries.effects_result import EffectsAcross
from analysis_lib.countries.factors import factors
from analysis_lib.countries.factors_result import CountryFactors
from analysis_lib.countries.flows_result import CountryFlows
from analysis_lib.countries.gravity import gravity
from analysis_lib.countries.growth_result import CountryGrowth
from analysis_lib.countries.nations import beside_print, nations
from analysis_lib.countries.profile import profile
from analysis_lib.countries.profile_result import CountryProfile
from analysis_lib.countries.seasons import festival_lift
from analysis_lib.countries.seasons_result import FestivalLift
from analysis_lib.countries.solow import solow
from analysis_lib.countries.solow_result import Solow

__all__ = [
    "CountryFactors",
    "CountryFlows",
    "CountryGrowth",
    "CountryProfile",
    "EffectsAcross",
    "FestivalLift",
    "MarketClusters",
    "Solow",
    "beside_print",
    "clusters",
    "effects_across",
    "factors",
    "festival_lift",
    "gravity",
    "growth",
    "nations",
    "profile",
    "solow",
]
