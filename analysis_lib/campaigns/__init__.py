"""What a campaign brought, what it cost, whether to run it again; and, before it starts, whether that could be told."""

from analysis_lib.campaigns.league import league
from analysis_lib.campaigns.league_result import League
from analysis_lib.campaigns.plan_result import CampaignPlan
from analysis_lib.campaigns.plan_written import WrittenPlan, load_campaign_plan
from analysis_lib.campaigns.planning import plan
from analysis_lib.campaigns.result import CampaignReview
from analysis_lib.campaigns.review import READS, review
from analysis_lib.campaigns.without_lot import WithoutLot, without_lot

__all__ = [
    "READS",
    "CampaignPlan",
    "CampaignReview",
    "League",
    "WithoutLot",
    "WrittenPlan",
    "league",
    "load_campaign_plan",
    "plan",
    "review",
    "without_lot",
]
