"""What a campaign brought, what it cost, and whether to run it again."""

from analysis_lib.campaigns.league import league
from analysis_lib.campaigns.league_result import League
from analysis_lib.campaigns.result import CampaignReview
from analysis_lib.campaigns.review import READS, review

__all__ = ["READS", "CampaignReview", "League", "league", "review"]
