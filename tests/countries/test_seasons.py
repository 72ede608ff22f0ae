"""A festival on its own dates: arithmetic by hand, errors that cover, what the world planted, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis_lib import config, countries, metrics
from analysis_lib.calendar import load_calendar
from analysis_lib.causal import calibrate
from analysis_lib.countries.season_lift import days_together, lift, placebos, placebos_moved, series_of
from analysis_lib.countries.season_windows import names_of, occasions_of, phases
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.results import Estimate
from analysis_lib.world.builder import read_recipe
from analysis_lib.world.timeline import _busy

N = 364
WEEKDAY = np.arange(N) % 7
EFFECTS = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 0.9])


@pytest.fixture(scope="module")
def ramadan(world):
    return countries.festival_lift(world, "Ramadan")


@pytest.fixture(scope="module")
def paydays(world):
    return countries.festival_lift(world, "payday")


def flat(window: tuple[int, int] = (150, 178), rise: float = 0.0, level: float = 100.0):
    """A market without noise: weekdays, paydays every 28 days, a festival; its usual days, and its paydays."""
    payday = np.arange(N) % 28 == 5
    values = level * EFFECTS[WEEKDAY] * np.where(payday, 1.2, 1.0)
    values[window[0] : window[1] + 1] *= 1 + rise
    usual = np.ones(N, bool)
    usual[window[0] - 14 : window[1] + 15] = False
    return values, usual, payday


def test_a_market_without_noise_is_measured_exactly():
    values, usual, payday = flat(rise=0.3)
    series = series_of(values, usual, WEEKDAY, payday)
    found = lift(series, [np.arange(150, 179)], [(136, 192)], 56)
    assert found.value == pytest.approx(0.3, rel=1e-6) and found.se < 1e-4
    assert series.shape[7:14].mean() == pytest.approx(1.0)
    assert series.shape[5] / series.shape[12] == pytest.approx(1.2, rel=1e-6)  # the same weekday, one a payday


def test_a_straight_trend_is_not_taken_for_a_festival():
    values, usual, payday = flat()
    growing = values * (1 + 0.004 * np.arange(N))
    series = series_of(growing, usual, WEEKDAY, payday)
    assert abs(lift(series, [np.arange(150, 179)], [(136, 192)], 56).value) < 0.01


@pytest.mark.parametrize("factor", [0.01, 1.0, 4000.0])
def test_lift_does_not_depend_on_the_unit(factor):
    rng = np.random.default_rng(1)
    values, usual, payday = flat(rise=0.2)
    values = values * rng.gamma(20, 1 / 20, N)
    one, other = (
        lift(series_of(side, usual, WEEKDAY, payday), [np.arange(150, 179)], [(136, 192)], 56)
        for side in (values, factor * values)
    )
    assert other.value == pytest.approx(one.value) and other.se == pytest.approx(one.se)


def test_the_error_is_the_quadratic_form_of_days():
    rng = np.random.default_rng(2)
    onto, scale, covariances = rng.normal(size=30), rng.gamma(2, 1, 30), np.array([1.0, 0.4, 0.2])
    apart = np.abs(np.subtract.outer(np.arange(30), np.arange(30)))
    full = np.where(apart < 3, covariances[np.minimum(apart, 2)], 0.0) * np.sqrt(np.outer(scale, scale))
    plain = covariances[0] * (onto**2 @ scale)
    assert days_together(onto, scale, covariances) == pytest.approx(max(plain, onto @ full @ onto))


def test_intervals_cover_where_levels_wander():
    """Days that go together and a level that drifts: the plain interval fails, the widened one holds."""
    rng = np.random.default_rng(3)
    plain, widened = [], []
    for _ in range(40):
        wander = np.cumsum(rng.normal(0, 0.03, N))
        noise = np.exp(wander - wander.mean()) * rng.gamma(12, 1 / 12, N)
        start = int(rng.integers(120, 200))
        values, usual, payday = flat((start, start + 28))
        series = series_of(values * noise, usual, WEEKDAY, payday)
        found = lift(series, [np.arange(start, start + 29)], [(start - 14, start + 42)], 56)
        rows, apart = placebos(series, 29, (14, 14), 56, 7)
        raw = Estimate(found.value, found.se, found.value - 1.96 * found.se, found.value + 1.96 * found.se, 0.95,
                       "share", 29, "")  # fmt: skip
        plain.append(raw.excludes_zero)
        wide = calibrate(rows[:, 0], rows[:, 1], n_independent=apart, level=0.95).widen(raw)
        widened.append(wide.excludes_zero)
    assert np.mean(plain) > 0.25
    assert np.mean(widened) < 0.13


def test_placebo_windows_of_the_world_reject_at_about_the_stated_level(ramadan):
    """Each window against the others: the plain interval cries wolf in a quarter, the widened one in five per cent."""
    plain, widened = [], []
    for season in ramadan.seasons.values():
        step = 7
        rows, apart = placebos(season.series, 29, (28, 14), 56, step)
        for place, (value, se) in enumerate(rows):
            others = np.abs(np.arange(len(rows)) - place) * step >= 29
            raw = Estimate(value, se, value - 1.96 * se, value + 1.96 * se, 0.95, "share", 29, "")
            learned = calibrate(rows[others, 0], rows[others, 1], n_independent=apart - 1, level=0.95)
            plain.append(raw.excludes_zero)
            widened.append(learned.widen(raw).excludes_zero)
    assert len(plain) > 200 and np.mean(plain) > 0.1
    assert np.mean(widened) < 0.08


def _planted(found, country: str, settings, phase: str = "festival") -> float:
    """What the world's days make of the phase, against the same days without festival and holiday (or payday)."""
    market = next(one for one in settings.markets if one.country == country)
    season = found.seasons[country]
    bare = {"festival": None, "festival_day": None, "festivals": (), "is_ramadan": False, "holiday": None}
    made = []
    for number, day in enumerate(load_calendar().days(country, *found.span)):
        without = replace(day, **({"is_payday": False} if found.is_payday else bare))
        (visits, cart), (visits_0, cart_0) = (_busy(settings, market, one, number) for one in (day, without))
        made.append(visits * cart / (visits_0 * cart_0))
    with_it = usual = 0.0
    for item in season.calendar.occasions:
        kept, _ = season.days(item, season.phases(item)[0][phase])
        with_it += float(season.series.shape[kept] @ np.array(made)[kept])
        usual += float(season.series.shape[kept].sum())
    return with_it / usual - 1


@pytest.mark.parametrize(("name", "fewest"), [("ramadan", 4), ("paydays", 10)])
def test_intervals_hold_what_the_world_planted(request, name, fewest):
    found = request.getfixturevalue(name)
    settings = read_recipe(config.project().built / "world.duckdb").settings
    held = 0
    for country, own in found.own("festival").items():
        truth = _planted(found, country, settings)
        held += own.ci_lower <= truth <= own.ci_upper
    assert held >= fewest
    mean = found.mean("festival")
    assert mean.ci_lower < (0.14 if found.is_payday else 0.07) < mean.ci_upper


def test_paydays_are_found_on_the_day_and_not_beside_it(paydays):
    found = paydays.mean("festival")
    assert found.ci_lower > 0.08 and len(paydays.ranked) >= 10
    for phase in ("before", "after"):
        assert not paydays.mean(phase).excludes_zero
    assert paydays.decision.action == "Run"
    assert set(paydays.starts.values()) == {None}
    # Wages come on the 5th and the 10th: too near to each other to move them anywhere.
    assert "VN" in paydays.left_out


def test_days_are_each_market_s_own(ramadan):
    firsts = {code: [one.first for one in season.calendar.occasions] for code, season in ramadan.seasons.items()}
    assert firsts["SA"] == [date(2025, 3, 1), date(2026, 2, 18)]
    assert firsts["MY"] == [date(2025, 3, 2), date(2026, 2, 19)]
    assert set(ramadan.left_out) == {"BR", "ES", "GB", "MX", "PH", "TH", "US", "VN"}
    assert "Not kept in" in ramadan.sentence("dates") and "1 day apart" in ramadan.sentence("dates")


def test_usual_days_hold_nothing_special(world, ramadan):
    season = ramadan.seasons["ID"]
    days = pd.date_range(*ramadan.span)[season.calendar.usual]
    campaigns = world.query(world.table("campaigns"))
    for row in campaigns[campaigns["country"] == "ID"].itertuples():
        assert not days.to_series().between(pd.Timestamp(row.starts_on), pd.Timestamp(row.ends_on)).any()
    for one in load_calendar().festivals(*ramadan.span, countries="ID"):
        assert not days.to_series().between(pd.Timestamp(one.first_on), pd.Timestamp(one.last_on)).any()
    _, left_out = season.days(season.calendar.occasions[0], (0, 29))
    assert left_out == 15 + 1  # a campaign of fifteen days, and 3.3


def test_years_are_compared_by_festival_and_by_date(world, ramadan):
    row = ramadan.years["SA"]
    frame = metrics.query(world, "gmv", by="country", grain="day", where={"country": "SA"}, currency="constant_usd")
    sold = frame.to_frame().assign(day=lambda one: pd.to_datetime(one["period_start"])).set_index("day")["gmv"]

    def over(first: date) -> float:
        return float(sold[pd.Timestamp(first) : pd.Timestamp(first + timedelta(days=row.n_days - 1))].sum())

    this, last, naive = (over(day) for day in (row.this.first, row.last.first, row.this.first - timedelta(days=364)))
    assert row.aligned.value == pytest.approx(this / last - 1)
    assert row.naive.value == pytest.approx(this / naive - 1)
    assert row.gap.value == pytest.approx(row.naive.value - row.aligned.value)
    assert row.misstated.value == pytest.approx(naive - last)
    assert row.aligned.ci_lower < row.aligned.value < row.aligned.ci_upper
    # 18 February 2026 less 52 weeks is ten days before 1 March 2025.
    assert row.n_shared == row.n_days - 10


def test_a_festival_cut_off_by_the_data_is_left_out_and_said():
    calendar = load_calendar()
    whole, cut = occasions_of(calendar, ["ramadan"], "SA", (date(2025, 3, 10), date(2026, 12, 31)))
    assert [one.year for one in whole] == [2026] and [one.year for one in cut] == [2025]


def test_several_names_go_as_one_by_name_title_or_alias():
    calendar = load_calendar()
    assert names_of(calendar, ["CNY", "Tết"]) == ["lunar_new_year", "tet"]
    with pytest.raises(UnknownName, match="ramadan"):
        names_of(calendar, ["ramadam"])


@pytest.mark.parametrize(("n_days", "named"), [(29, ["1", "2", "3", "4"]), (3, ["festival"]), (7, ["festival"])])
def test_steps_cover_every_day_once(n_days, named):
    _, steps = phases(n_days, 28, 14, is_payday=False)
    days = [day for first, last in steps.values() for day in range(first, last + 1)]
    assert days == list(range(-28, n_days + 14))
    assert [name for name in steps if name[0] not in "−+"] == named


def test_moved_paydays_stay_off_paydays():
    starts = list(range(20, 340, 28))
    usual = np.ones(N, bool)
    for start in starts:
        usual[start - 3 : start + 4] = False
    values = 100 * EFFECTS[WEEKDAY]
    values[starts] *= 3
    rows, apart = placebos_moved(series_of(values, usual, WEEKDAY, None), starts, 1, 3, 28)
    assert len(rows) == apart == 21 and np.abs(rows[:, 0]).max() < 1e-6


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"festival": "ramadam"}, UnknownName, "Did you mean 'ramadan'"),
        ({"festival": "ramadan", "metric": "gvm"}, UnknownName, "Did you mean 'gmv'"),
        ({"festival": "ramadan", "markets": ["XX"]}, UnknownName, "market 'XX'"),
        ({"festival": "ramadan", "level": 95}, InvalidValue, "0.95"),
        ({"festival": "ramadan", "weeks_before": 0}, InvalidValue, "1 to 8 weeks"),
        ({"festival": "ramadan", "markets": ["US"]}, NotEnoughData, "does not keep it"),
        ({"festival": "double_9", "markets": ["ID"]}, NotEnoughData, "no campaign"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_with_its_reason(world, options, error, says):
    with pytest.raises(error, match=says):
        countries.festival_lift(world, **options)


def test_campaigns_are_counted_when_asked(world):
    found = countries.festival_lift(world, "double_9", markets=["ID"], with_campaigns=True)
    assert found.own("festival")["ID"].value > 0.3
    assert "campaign of the market or" not in found.sentence("usual")
    assert found.exhibit("lifts").frame.shape[0] == 1


def test_a_ratio_is_measured_like_a_sum(world):
    found = countries.festival_lift(world, "payday", metric="aov", markets=["US"])
    own = found.own("festival")["US"]
    assert own.ci_lower < 0.05 and own.ci_upper > -0.05 and "nan" not in found.text


@pytest.mark.parametrize("name", ["ramadan", "paydays"])
def test_every_sentence_and_exhibit_is_made(request, name):
    import matplotlib.pyplot as plt

    found = request.getfixturevalue(name)
    for sentence in found.SENTENCES:
        said = found.sentence(sentence)
        assert said.endswith(".") and "nan" not in said and "n/a" not in said
    for exhibit in found.EXHIBITS:
        shown = found.exhibit(exhibit)
        assert len(shown.frame) and len(shown.title) < 100
        if shown.draw:
            figure, axes = plt.subplots()
            shown.draw(axes)
            plt.close(figure)
    assert list(found.table.columns[:3]) == ["country", "phase", "year"]
    assert found.answer.number is not None and found.answer.grade == found.sentence("placebo")


def test_the_real_source_lies_before_the_calendar(complete_journey):
    with pytest.raises(InvalidValue, match="reaches beyond"):
        countries.festival_lift(complete_journey, "christmas")
