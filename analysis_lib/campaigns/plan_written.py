"""The plan of a campaign as a file: what will be read how, and which effect is worth the money, before it starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis_lib import config
from analysis_lib.campaigns.windows import Campaign, find_campaign
from analysis_lib.errors import InvalidValue, unknown
from analysis_lib.results import format_percent, format_value
from analysis_lib.settings import read_yaml, validated

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview
    from analysis_lib.warehouse import Warehouse

#: Where plans are kept, below the data folder: one file per campaign and market.
FOLDER = "plans/campaigns"

#: A planned share and one of the data differ when they are further apart than this.
_SHARE = 0.005

#: What no file name may hold.
_APART = set("/\\")


class WrittenPlan(BaseModel):
    """What was decided before the start.

    Attributes
    ----------
    campaign, country : str
        Which campaign, in which market.
    starts_on : date
        First day.
    days, weeks_before, weeks_after : int
        Length, and whole weeks on either side that the review looks at.
    way : {"lot", "markets"}
        Read from users left out by lot, or from other markets.
    holdout_share : float
        Share left out by lot; 0 by other markets.
    metric : {"gmv", "paid"}
        As in the review.
    margin, level, power : float
        Gross margin; level of the intervals; chance with which ``sees_usd`` is found.
    cost_usd, pays_usd, sees_usd : float
        Expected cost; additional sales from which on it pays; smallest additional sales that the design shows.
    usd_per_unit : float
        USD per unit of the market's money, as planned.
    decides : str
        What will be decided how.
    written_on : date
        When it was written; a plan from after the start binds nobody.
    owner : str
        Who decides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    campaign: str = Field(min_length=1)
    country: str = Field(pattern="^[A-Z]{2}$")
    starts_on: date
    days: int = Field(ge=1)
    way: Literal["lot", "markets"] = "lot"
    holdout_share: float = Field(default=0.0, ge=0, le=0.5)
    weeks_before: int = Field(default=16, ge=0)
    weeks_after: int = Field(default=4, ge=0)
    metric: Literal["gmv", "paid"] = "gmv"
    margin: float = Field(default=0.25, gt=0, le=1)
    level: float = Field(default=0.95, ge=0.5, le=0.999)
    power: float = Field(default=0.8, gt=0, lt=1)
    cost_usd: float = Field(gt=0)
    pays_usd: float = Field(gt=0)
    sees_usd: float = Field(gt=0)
    usd_per_unit: float = Field(gt=0)
    decides: str = ""
    written_on: date | None = None
    owner: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> WrittenPlan:
        if (self.way == "lot") != (self.holdout_share > 0):
            raise ValueError(f"way {self.way} with a held-out share of {self.holdout_share:g}: a lot leaves some out,"
                             " other markets none")  # fmt: skip
        return self

    @property
    def ends_on(self) -> date:
        """Planned last day."""
        return self.starts_on + timedelta(days=self.days - 1)

    @property
    def name(self) -> str:
        """Name of its file, without the ending."""
        return f"{self.campaign}_{self.country}".lower()

    def to_yaml(self) -> str:
        """The plan as a file: what ``load_campaign_plan`` reads again."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)

    def save(self, *, project: config.Project | None = None) -> Path:
        """Write the plan to ``data/plans/campaigns/<campaign>_<country>.yml``; one that is there is not written over.

        Raises
        ------
        InvalidValue
            There is a plan already that says something else, or the name cannot be that of a file.
        """
        path = plan_path(self.name, project)
        if path.exists() and load_campaign_plan(self.name, project=project) != self:
            raise InvalidValue(
                f"{path.name} holds another plan of '{self.campaign}': a plan is not changed, delete it."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_yaml(), encoding="utf-8")
        return path


def plan_path(name: str, project: config.Project | None = None) -> Path:
    """Where the plan of a name is kept.

    Raises
    ------
    InvalidValue
        The name leads out of the folder.
    """
    if not name or name.startswith(".") or _APART & set(name):
        raise InvalidValue(f"plan {name!r}: the name of a file in data/{FOLDER} is needed, without its ending.")
    return (project or config.project()).data / FOLDER / f"{name}.yml"


def load_campaign_plan(name: str, *, project: config.Project | None = None) -> WrittenPlan:
    """The plan of that name.

    Raises
    ------
    UnknownName
        There is none; the message names the nearest.
    InvalidValue
        The file is not a plan; the message says in which field.
    """
    path = plan_path(name, project)
    if not path.exists():
        raise unknown("plan", name, sorted(one.stem for one in path.parent.glob("*.yml")), f"data/{FOLDER}")
    return validated(WrittenPlan, read_yaml(path), f"plan {path.name}")


def reviewed_as_planned(
    wh: Warehouse, name: str, campaign_id: str, country: str | None, review: Callable[..., CampaignReview],
    **options: Any,
) -> CampaignReview:  # fmt: skip
    """The review with the windows, the metric, the margin and the level of its plan.

    Raises
    ------
    InvalidValue
        The campaign that ran is not the one that was planned; every difference is named.
    """
    plan = load_campaign_plan(name, project=wh.project)
    campaign = find_campaign(wh, campaign_id, country or (plan.country if campaign_id == plan.campaign else None))
    told = list(_differences(plan, campaign))
    if told:
        raise InvalidValue(f"the plan '{name}' is not that of the campaign that ran: {'; '.join(told)}.")
    found = review(
        wh, campaign_id, country=campaign.country, weeks_before=plan.weeks_before, weeks_after=plan.weeks_after,
        metric=plan.metric, margin=plan.margin, level=plan.level, **options,
    )  # fmt: skip
    return replace(found, planned=plan)


def _differences(plan: WrittenPlan, campaign: Campaign) -> Iterable[str]:
    if plan.campaign != campaign.campaign_id:
        yield f"it plans '{plan.campaign}', and '{campaign.campaign_id}' is reviewed"
    if plan.country != campaign.country:
        yield f"it plans {plan.country}, and it ran in {campaign.country}"
    if (plan.starts_on, plan.ends_on) != (campaign.starts_on, campaign.ends_on):
        yield f"it plans {plan.starts_on} to {plan.ends_on}, and it ran {campaign.starts_on} to {campaign.ends_on}"
    ways = {"lot": "holdout", "markets": "all"}
    if ways[plan.way] != campaign.targeting:
        yield f"it plans targeting '{ways[plan.way]}', and it was '{campaign.targeting}'"
    elif plan.way == "lot" and abs(plan.holdout_share - campaign.holdout_share) > _SHARE:
        yield (f"it leaves {format_percent(plan.holdout_share)} out by lot, and"
               f" {format_percent(campaign.holdout_share)} were")  # fmt: skip


def planned(review: CampaignReview) -> str:
    """Whether the effect that was worth the money was reached, in the money of the review."""
    plan = review.planned
    if plan is None:
        return "No plan that was written down before it began was given."
    unit = review.campaign.currency
    rate = 1.0 if unit == "usd" else plan.usd_per_unit
    pays, sees = (format_value(usd / rate, unit, spread=usd / rate) for usd in (plan.pays_usd, plan.sees_usd))
    late = plan.written_on is None or plan.written_on > plan.starts_on
    when = "on no day that is known before it began" if late else f"on {plan.written_on:%-d %B %Y}"
    worth = f"called additional sales of {pays} worth the money"
    said = f"The plan, written {when}, {worth}; its design shows them from {sees} on."
    if review.effect is None:
        return f"{said} Whether they came cannot be told: {'; '.join(review.missing)}."
    net = review.net_incremental_gmv
    if net.ci_lower >= plan.pays_usd / rate:
        return f"{said} They came: {net.short}, and the whole interval lies above."
    if net.ci_upper < plan.pays_usd / rate:
        return f"{said} They did not come: {net.short}, and the whole interval lies below."
    return f"{said} Whether they came cannot be told: {net.short} holds both more and less than that."
