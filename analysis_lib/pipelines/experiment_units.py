"""Who was in which variant of an experiment, once."""

from __future__ import annotations

import ibis

from analysis_lib.pipelines.declaration import Days, Feed, Input, Mart, column, day_column, flag
from analysis_lib.pipelines.expressions import first_text, where
from analysis_lib.pipelines.inputs import Inputs


def expression(inputs: Inputs, days: Days | None) -> ibis.Table:
    """Units of the experiments that began on these days."""
    table = _exposures(inputs)
    table = table if days is None else days.keep(table)
    order = [table.exposed_at, table.variant, table.phase]
    table = table.mutate(
        position=ibis.row_number().over(ibis.window(group_by=["experiment_id", "unit_id"], order_by=order))
    )
    units = table.group_by("experiment_id", "unit_id", "day").agg(
        unit=table.unit.max(), starts_at=table.starts_at.min(), ends_at=table.ends_at.max(),
        variant=first_text(table.variant, table.position), phase=first_text(table.phase, table.position),
        exposed_at=table.exposed_at.min(), n_variants=table.variant.nunique(), n_exposures=table.count(),
    )  # fmt: skip
    return _with_user(_with_arm(units, inputs), inputs)


def _exposures(inputs: Inputs) -> ibis.Table:
    """Exposures with the start of their experiment; those of no experiment are filed under their first day."""
    raw = inputs.raw("exposures")
    raw = raw.filter(raw.experiment_id.notnull(), raw.unit_id.notnull(), raw.exposed_at.notnull())
    table = raw.left_join(_experiments(inputs), "experiment_id").drop("experiment_id_right")
    first = table.exposed_at.min().over(ibis.window(group_by=table.experiment_id))
    return table.mutate(day=ibis.coalesce(table.starts_at, first).date())


def _experiments(inputs: Inputs) -> ibis.Table:
    raw = inputs.raw("experiments")
    return raw.group_by("experiment_id").agg(
        unit=raw.unit.max(),
        starts_at=raw.starts_at.min(),
        # One arm without an end is an experiment without an end.
        ends_at=ibis.ifelse(raw.ends_at.count() == raw.count(), raw.ends_at.max(), None),
    )


def _with_arm(units: ibis.Table, inputs: Inputs) -> ibis.Table:
    raw = inputs.raw("experiments")
    arms = raw.group_by("experiment_id", "variant").agg(planned_share=raw.planned_share.max(), arm=raw.variant.max())
    joined = units.left_join(arms, ["experiment_id", "variant"]).drop("experiment_id_right", "variant_right")
    return joined.mutate(
        is_unknown_variant=joined.arm.isnull(),
        is_in_two_variants=joined.n_variants > 1,
        is_before_start=(joined.exposed_at < joined.starts_at).fill_null(False),
        is_after_end=(joined.exposed_at > joined.ends_at).fill_null(False),
    )


def _with_user(units: ibis.Table, inputs: Inputs) -> ibis.Table:
    users = inputs.one_per("users", "user_id", "country", "platform")
    users = users.select(owner=users.user_id, country=users.country, platform=users.platform)
    joined = units.left_join(users, units.unit_id == users.owner)
    is_user = (joined.unit == "user").fill_null(False)
    return joined.mutate(
        country=where(is_user, joined.country),
        platform=where(is_user, joined.platform),
        exposed_day=inputs.day_of(joined.exposed_at, where(is_user, joined.country)),
        is_unknown_user=is_user & joined.owner.isnull(),
    )


def exposure_rows(inputs: Inputs) -> ibis.Table:
    """Feed: exposures with their experiment, its arms and the user they concern, under the experiment's first day."""
    table = _exposures(inputs)
    users = inputs.one_per("users", "user_id", "country", "platform")
    users = users.select(owner=users.user_id, country=users.country, platform=users.platform)
    table = table.left_join(users, table.unit_id == users.owner)
    return table.mutate(exposed_day=inputs.day_of(table.exposed_at, table.country))


def arm_rows(inputs: Inputs) -> ibis.Table:
    """Feed: the arms of experiments under the days that hold their units.

    Of an experiment without exposures nothing is in the mart, and nothing here.
    """
    days = _exposures(inputs).select("experiment_id", "day").distinct()
    raw = inputs.raw("experiments")
    arms = raw.select("experiment_id", "variant", "planned_share", "unit", "starts_at", "ends_at")
    return arms.inner_join(days, "experiment_id")


EXPERIMENT_UNITS = Mart(
    name="experiment_units",
    meaning="Units by experiment, in the variant of their first exposure; what speaks against a unit is flagged.",
    grain="One row per experiment and unit.",
    keys=("experiment_id", "unit_id"),
    columns=(
        column("experiment_id", "string", "The experiment.", required=True),
        column("unit_id", "string", "The randomised unit.", required=True, personal=True),
        day_column("UTC date on which the experiment began (its first exposure, where it is unknown); the partition."),
        column("unit", "string", "What was randomised: user, session, creator, market."),
        column("variant", "string", "Arm of the first exposure."),
        column("phase", "string", "Phase of the test at the first exposure that names one."),
        column("exposed_at", "timestamp", "First exposure.", "UTC", required=True),
        column("exposed_day", "date", "Its market-local day for users of a known market, else the UTC day."),
        column("planned_share", "number", "Share of units the arm should get.", "share"),
        column("n_variants", "integer", "Different arms the unit was seen in.", "arms"),
        column("n_exposures", "integer", "Exposure rows of the unit.", "rows"),
        column("country", "string", "Home market, where the unit is a user."),
        column("platform", "string", "Platform of the sign-up, where the unit is a user."),
        flag("is_in_two_variants", "the unit was seen in more than one arm"),
        flag("is_unknown_variant", "the arm is not in experiments"),
        flag("is_before_start", "exposed before the experiment began"),
        flag("is_after_end", "exposed after the experiment ended"),
        flag("is_unknown_user", "the unit is a user that users does not have"),
    ),
    inputs=(
        Input("exposures", ("experiment_id", "unit_id", "variant", "exposed_at")),
        Input("experiments", ("experiment_id", "variant", "unit", "planned_share", "starts_at", "ends_at")),
        Input("countries", ("country", "timezone")),
        Input("users", ("user_id", "country"), required=False),
    ),
    expression=expression,
    feeds=(Feed("exposures", exposure_rows), Feed("experiments", arm_rows)),
    partition_meaning="The UTC date on which the experiment began.",
)  # fmt: skip
