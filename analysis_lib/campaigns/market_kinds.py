"""What is known beforehand of a market's days: paydays, holidays, festivals, and its own campaigns before this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis_lib.calendar import FestivalDates, load_calendar
from analysis_lib.errors import NotEnoughData

if TYPE_CHECKING:
    from analysis_lib.campaigns.windows import Campaign

#: Days after a campaign that may pay for it, or be carried by it: four weeks.
AFTERMATH = 28

#: Told day by day in a column of its own: a month of fasting is not the run-up to a feast.
MONTH = "ramadan"

#: Parts of a festival, by the sign of a day's distance from its main day; the main day matters most.
PARTS = {0: "the main day of", -1: "the run-up to", 1: "the days after"}

Flags = dict[str, np.ndarray]


def known_days(campaign: Campaign, days: pd.DatetimeIndex, earlier: pd.DataFrame) -> pd.DataFrame:
    """Kinds of days in a campaign's market, before, in and after it; weekdays are left to the method.

    Festivals that touch the campaign or what comes after have columns of their own, for the main day, the run-up and
    the days after it; all others share three. Each earlier campaign of the market has a column for its days, and the
    four weeks after any of them have one.

    Parameters
    ----------
    campaign : Campaign
        What is reviewed.
    days : pandas.DatetimeIndex
        Every day that is used, up to the last one looked at.
    earlier : pandas.DataFrame
        Campaigns of the market that ended before this one began: name, starts_on, ends_on.

    Returns
    -------
    pandas.DataFrame
        One row a day, one column of 0 and 1 a kind, named in words.

    Raises
    ------
    NotEnoughData
        Part of a festival falls on days looked at, and no earlier one showed that part without a campaign.
    """
    own, calendar = _campaigns(earlier, days), load_calendar()
    if campaign.country not in calendar.countries:
        return pd.DataFrame(own, index=days)
    first, last = days[0].date(), days[-1].date()
    held = [one for one in calendar.festivals(first, last, campaign.country) if one.festival != MONTH]
    touching = {one.festival for one in held if one.last_on >= campaign.starts_on}
    _refuse_unlived([one for one in held if one.festival in touching], campaign, days, earlier)
    kinds = _ordinary(calendar.to_frame(campaign.country, first, last)) | _festivals(held, touching, days) | own
    return pd.DataFrame({name: flags for name, flags in kinds.items() if flags.any()}, index=days)


def _ordinary(known: pd.DataFrame) -> Flags:
    since = known["days_since_payday"].fillna(-1).to_numpy(dtype=int)
    found = {
        "holidays": known["holiday"].notna(), "paydays": since == 0, "the three days after paydays": since > 0,
        "Ramadan": known["is_ramadan"],
    }  # fmt: skip
    return {name: np.asarray(flags, dtype=float) for name, flags in found.items()}


def _festivals(held: list[FestivalDates], touching: set[str], days: pd.DatetimeIndex) -> Flags:
    """A column for each part of a festival of the window, and for those parts of all others together."""
    found: Flags = {}
    for one in held:
        whose = one.title if one.festival in touching else "other festivals"
        for part, named in PARTS.items():
            name = f"{named} {whose}"
            found[name] = np.maximum(found.get(name, 0.0), _part(one, part, days))
    return found


def _part(one: FestivalDates, part: int, days: pd.DatetimeIndex) -> np.ndarray:
    offset = np.asarray((days - pd.Timestamp(one.main_on)).days)
    return _between(days, one.first_on, one.last_on) * (np.sign(offset) == part)


def _campaigns(earlier: pd.DataFrame, days: pd.DatetimeIndex) -> Flags:
    found: Flags = {}
    after = np.zeros(len(days))
    for row in earlier.itertuples():
        found[str(row.title)] = _between(days, row.starts_on, row.ends_on)
        end = pd.Timestamp(row.ends_on)
        after = np.maximum(after, _between(days, end + pd.Timedelta(days=1), end + pd.Timedelta(days=AFTERMATH)))
    found["the four weeks after earlier campaigns"] = after
    return {name: flags for name, flags in found.items() if flags.any()}


def _between(days: pd.DatetimeIndex, first: object, last: object) -> np.ndarray:
    return np.asarray((days >= pd.Timestamp(first)) & (days <= pd.Timestamp(last)), dtype=float)


def _refuse_unlived(
    held: list[FestivalDates], campaign: Campaign, days: pd.DatetimeIndex, earlier: pd.DataFrame
) -> None:
    """Refuse a part of a festival that no earlier one of the same name showed without a campaign."""
    asked = np.asarray(days >= pd.Timestamp(campaign.starts_on))
    busy = sum((_between(days, row.starts_on, row.ends_on) for row in earlier.itertuples()), np.zeros(len(days))) > 0
    for part, named in PARTS.items():
        for one in held:
            if not (_part(one, part, days)[asked] > 0).any():
                continue
            past = [before for before in held if before.festival == one.festival and before.year < one.year]
            lived = sum((_part(before, part, days) for before in past), np.zeros(len(days))) > 0
            if not (lived & ~busy).any():
                raise NotEnoughData(_unlived(f"{named} {one.title}", one, campaign, seen=bool(lived.any())))


def _unlived(part: str, one: FestivalDates, campaign: Campaign, *, seen: bool) -> str:
    when = "in" if one.first_on <= campaign.ends_on else "into the weeks after"
    if seen:
        return (
            f"{part} falls {when} the campaign, and whenever {campaign.market} lived through it before, a campaign ran"
            " on it too, so that what either adds is not known"
        )
    return (
        f"{part} falls {when} the campaign, and among the days before it there is no earlier one from which to know"
        " what it adds by itself"
    )
