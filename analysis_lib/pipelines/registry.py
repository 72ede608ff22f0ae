"""The marts, in an order in which they can be built."""

from __future__ import annotations

from analysis_lib.pipelines.campaign_exposure import CAMPAIGN_EXPOSURE
from analysis_lib.pipelines.contents import CONTENT_PERFORMANCE, CREATOR_DAYS
from analysis_lib.pipelines.declaration import Mart
from analysis_lib.pipelines.experiment_units import EXPERIMENT_UNITS
from analysis_lib.pipelines.facts import ORDER_FACTS
from analysis_lib.pipelines.funnel_steps import FUNNEL_STEPS
from analysis_lib.pipelines.merchant_days import MERCHANT_DAYS
from analysis_lib.pipelines.release_adoption import RELEASE_ADOPTION
from analysis_lib.pipelines.sessions import SESSIONS
from analysis_lib.pipelines.user_days import USER_DAYS

#: By name; a mart comes after those it reads.
MARTS: dict[str, Mart] = {
    mart.name: mart
    for mart in (
        ORDER_FACTS, SESSIONS, FUNNEL_STEPS, CONTENT_PERFORMANCE, CREATOR_DAYS, USER_DAYS, MERCHANT_DAYS,
        RELEASE_ADOPTION, CAMPAIGN_EXPOSURE, EXPERIMENT_UNITS,
    )
}  # fmt: skip
