"""What is planted in the world: campaigns, experiments, releases, launches and incidents, as settings."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Push = Annotated[float, Field(ge=-0.95, le=20)]
Text = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]

#: Things a plant can push, by a relative change: chances of a step, prices, times.
LEVERS = (
    "visit", "view", "cart", "checkout", "pay", "basket", "price",
    "cancelled", "refused", "returned", "start", "crash",
)  # fmt: skip


class Plant(BaseModel):
    """What all plants have."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: str
    countries: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    first_day: date
    last_day: date

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Plant:
        if self.last_day < self.first_day:
            raise ValueError(f"ends on {self.last_day}, before it starts on {self.first_day}")
        return self


class Campaign(Plant):
    """A campaign in one or more markets, the same days in each.

    Attributes
    ----------
    mechanic
        ``flash_sale`` (a discount that lowers GMV), ``platform_coupon`` and ``free_shipping`` (paid by the
        platform), ``creator_boost`` (traffic sent to live sessions).
    targeting
        ``all``; ``segment``, the ``reach`` most active by a noisy score; ``holdout``, all but ``holdout_share``.
    top_share
        The promoted items: this share of the ranks of each category.
    visits, cart
        Relative rise of visits and of carts of promoted items, for users with a response of 1.
    switch, to_live
        Share of other visits that turn to a promoted item (cannibalisation), or to a live session, instead.
    pull
        Relative fall of visits right after the end; it fades to nothing over ``after`` days.
    discount
        Share of the price taken off promoted items (``flash_sale``) or paid by the coupon (``platform_coupon``).
    media
        Money spent on reach outside the marketplace, beside the budget, as a share of it.
    ran_out_on
        Last day on which the budget lasted, where it did not last to the end.
    """

    countries: Annotated[tuple[str, ...], Field(min_length=1)]
    categories: Annotated[tuple[str, ...], Field(min_length=1)]
    mechanic: Literal["flash_sale", "platform_coupon", "free_shipping", "creator_boost"]
    targeting: Literal["all", "segment", "holdout"] = "all"
    holdout_share: Share = 0.0
    reach: Share = 1.0
    top_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    visits: Push = 0.0
    cart: Push = 0.0
    switch: Share = 0.0
    to_live: Share = 0.0
    pull: Share = 0.0
    after: Annotated[int, Field(ge=1, le=28)] = 28
    discount: Annotated[float, Field(ge=0, lt=0.9)] = 0.0
    budget_usd: Annotated[float, Field(ge=0)]
    media: Share = 0.0
    ran_out_on: date | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> Campaign:
        if (self.targeting == "holdout") != (self.holdout_share > 0):
            raise ValueError("holdout_share above 0 goes with targeting: holdout, and only with it")
        if self.targeting != "segment" and self.reach < 1:
            raise ValueError("reach below 1 goes with targeting: segment")
        if self.ran_out_on is not None and not self.first_day <= self.ran_out_on <= self.last_day:
            raise ValueError("ran_out_on lies outside the campaign")
        return self


def _known_levers(*effects: dict[str, float]) -> None:
    """Refuse levers that nobody reads: visits are pushed by campaigns and incidents alone."""
    strangers = sorted({lever for effect in effects for lever in effect} - set(LEVERS[1:]))
    if strangers:
        raise ValueError(f"'{strangers[0]}' is no lever: {', '.join(LEVERS[1:])}")


class Arm(BaseModel):
    """One variant of an experiment.

    Attributes
    ----------
    share
        Planned share of units, in the last phase where there are phases.
    effect
        Relative change by lever, in every market that ``by_country`` does not name.
    by_country
        The same by market.
    fades
        Days over which the effect falls to ``lasting`` of itself, counted from the unit's first exposure; 0 is never.
    claims
        Share of visits with a cart that claim a coupon of the shared budget.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    share: Annotated[float, Field(gt=0, lt=1)]
    effect: dict[str, Push] = {}
    by_country: dict[str, dict[str, Push]] = {}
    fades: Annotated[int, Field(ge=0)] = 0
    lasting: Share = 0.0
    claims: Share = 0.0

    @model_validator(mode="after")
    def _levers_exist(self) -> Arm:
        _known_levers(self.effect, *self.by_country.values())
        return self


class Budget(BaseModel):
    """A coupon budget that all arms of an experiment draw on, by market and day."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    coupons_per_thousand_users: Annotated[float, Field(gt=0)]
    value_share: Annotated[float, Field(gt=0, lt=0.9)]
    cart_lift: Push


class Experiment(Plant):
    """A randomised test.

    Attributes
    ----------
    trigger
        Stage of a visit at which a unit is exposed.
    phases
        Share of units in treatment by phase, as (day of the test, share); empty when it never changes.
    dropped
        Share of treated users on old Android whose exposure is not logged: a broken split.
    spillover
        For creators: share of every creator's carts lost to the others, per share of treated creators in the market.
    """

    countries: Annotated[tuple[str, ...], Field(min_length=1)]
    unit: Literal["user", "creator"] = "user"
    trigger: Literal["visit", "cart"] = "visit"
    variants: dict[Text, Arm]
    hypothesis: str
    primary_metric: str
    guardrails: tuple[str, ...] = ()
    phases: tuple[tuple[int, float], ...] = ()
    dropped: Share = 0.0
    spillover: Share = 0.0
    budget: Budget | None = None

    @model_validator(mode="after")
    def _arms_add_up(self) -> Experiment:
        if "control" not in self.variants or len(self.variants) < 2:
            raise ValueError("variants need a control and at least one treatment")
        if abs(sum(arm.share for arm in self.variants.values()) - 1) > 1e-9:
            raise ValueError("the shares of the variants do not add up to 1")
        if self.phases and (len(self.variants) != 2 or self.phases[0][0] != 0):
            raise ValueError("phases go with two variants and begin on day 0")
        return self

    @property
    def treatments(self) -> list[str]:
        """Names of the arms that are not control."""
        return [name for name in self.variants if name != "control"]


class Release(Plant):
    """A version of the app.

    Attributes
    ----------
    ramp
        Share of users it is offered to, as (day since release, share).
    lag
        Days the least eager take to install what they are offered; the eager take none.
    effect
        Relative change by lever on the version; ``only`` narrows it to operating systems that begin so.
    """

    platform: Literal["android", "ios"]
    version: str
    ramp: tuple[tuple[int, float], ...]
    lag: Annotated[int, Field(ge=0, le=90)]
    effect: dict[str, Push] = {}
    only: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _runs_on(cls, values: Any) -> Any:
        # A release has no end of its own: the next one takes its place.
        return {"last_day": values.get("first_day"), **values} if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _ramp_rises(self) -> Release:
        days, shares = [step[0] for step in self.ramp], [step[1] for step in self.ramp]
        if not days or days != sorted(set(days)) or shares != sorted(shares) or not 0 < shares[-1] <= 1:
            raise ValueError("ramp must rise, from day to day, to a share of at most 1")
        _known_levers(self.effect)
        return self


class Launch(Plant):
    """A feature or a policy that goes live market by market.

    Attributes
    ----------
    live_on
        First day on which it is live, by market; markets, first and last day of the plant follow from it.
    metric
        Metric it is hoped to move, as people write it down beforehand.
    effect
        Relative change by lever once it is live, in every market that ``by_country`` does not name.
    by_country
        The same by market.
    grows
        Days over which the effect grows evenly to its full size, from the first day live on; 0: at once.
    announced
        Days before it is live on which it is known to come; 0: nobody is told.
    waiting
        Relative change by lever on these days, in every market.
    """

    live_on: Annotated[dict[str, date], Field(min_length=1)]
    metric: Text
    effect: dict[str, Push] = {}
    by_country: dict[str, dict[str, Push]] = {}
    grows: Annotated[int, Field(ge=0, le=365)] = 0
    announced: Annotated[int, Field(ge=0, le=90)] = 0
    waiting: dict[str, Push] = {}

    @model_validator(mode="before")
    @classmethod
    def _spans(cls, values: Any) -> Any:
        days = values.get("live_on") if isinstance(values, dict) else None
        if not isinstance(days, dict) or not days:
            return values
        # Days may still be text here; ISO text sorts as days do.
        span = {"first_day": min(days.values(), key=str), "last_day": max(days.values(), key=str)}
        return {**span, "countries": tuple(days), **values}

    @model_validator(mode="after")
    def _says_one_thing(self) -> Launch:
        span = min(self.live_on.values()), max(self.live_on.values())
        if self.countries != tuple(self.live_on) or (self.first_day, self.last_day) != span:
            raise ValueError("countries, first_day and last_day follow from live_on; leave them out")
        if self.waiting and not self.announced:
            raise ValueError("waiting goes with announced above 0: nobody waits for what they do not know")
        _known_levers(self.effect, self.waiting, *self.by_country.values())
        return self

    def change(self, country: str, lever: str) -> float:
        """Relative change of a lever in a market of the launch, at full size."""
        return self.by_country.get(country, self.effect).get(lever, 0.0)


class Incident(Plant):
    """Something that goes wrong, or unexpectedly well.

    Attributes
    ----------
    kind
        What happens; it says which of the other settings are read.
    size
        How strongly, in the unit of the kind (see ``data/world.yml``).
    hours
        Local hours of the day, first and last, for what does not last all day.
    method, platform, surface
        The part of the market that is hit.
    """

    kind: Literal[
        "payment_outage", "tracking_loss", "price_error", "stock_out", "bot_traffic", "logistics_strike", "late_data",
        "currency_error", "viral_creator", "mix_shift",
    ]  # fmt: skip
    countries: Annotated[tuple[str, ...], Field(min_length=1)]
    size: float
    hours: tuple[int, int] = (0, 24)
    method: str | None = None
    platform: str | None = None
    surface: str | None = None
    top_share: Share = 1.0
