"""What a campaign brought, what it cost, and whether to run it again."""

from analysis_lib.campaigns.result import CampaignReview
from analysis_lib.campaigns.review import READS, review

__all__ = ["READS", "CampaignReview", "review"]
