"""The programme of tests: what was won, what was luck, and the lines that say why there is nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import norm

from analysis_lib import experiments
from analysis_lib.errors import InvalidValue, NotEnoughData, UnknownName
from analysis_lib.experiments import programming
from analysis_lib.experiments.belief import ASSUMED_SPREAD, corrected
from analysis_lib.experiments.programme_result import Line
from analysis_lib.experiments.programming import SPREADS, drawn, drawn_to, outcome_of, put_together
from analysis_lib.experiments.trial import find_trial
from analysis_lib.results import Estimate

Z = 1.959964


def estimate(value, se, unit="share"):
    return Estimate(value, se, value - Z * se, value + Z * se, 0.95, unit, 1000, "mean")


def line(place, outcome, effect=0.0, se=0.01, money=None, money_se=1_000.0):
    """A test that starts ``place`` weeks into the year."""
    found = None if effect is None else estimate(effect, se)
    return Line(
        f"t{place:03d}", f"Test {place}", date(2026, 1, 1) + timedelta(weeks=place), outcome, "treatment", "Orders",
        found, {} if found is None else {"treatment": found},
        None if money is None else estimate(money, money_se, "usd"), "because",
    )  # fmt: skip


@pytest.fixture
def four():
    """Two winners, one that was rolled back, one that told nothing; too few to learn from."""
    return put_together(
        [
            line(3, "won", 0.06, 0.03, 60_000, 30_000), line(1, "won", 0.04, 0.01, 20_000, 5_000),
            line(2, "rolled back", -0.09, 0.03, -9_000, 3_000), line(4, "told nothing", 0.01, 0.03, 1_000, 3_000),
        ],
        data_end=date(2026, 3, 1),
    )  # fmt: skip


def test_known_answers_by_hand(four):
    """With the prior that is assumed (0, 3 %), a test as uncertain as the prior keeps half of its effect."""
    assert [found.experiment_id for found in four.lines] == ["t001", "t002", "t003", "t004"]
    assert four.priors["t003"].n_past == 0 and four.priors["t003"].spread == ASSUMED_SPREAD == 0.03
    assert four.effects["t003"].value == pytest.approx(0.03)
    assert four.effects["t001"].value == pytest.approx(0.9 * 0.04)
    assert four.impact(plain=True).value == 80_000
    assert four.impact(plain=True).se == pytest.approx(np.hypot(30_000, 5_000))
    # The second keeps half of its money for half of its effect; variances are those of the drawn effects.
    assert four.impact().value == pytest.approx(0.5 * 60_000 + 0.9 * 20_000)
    assert four.impact().se == pytest.approx(np.sqrt(0.5 * 30_000**2 + 0.9 * 5_000**2))
    assert four.saved(plain=True).value == 9_000 and four.saved().value == pytest.approx(4_500)
    assert four.saved().ci_lower < four.saved().value < four.saved().ci_upper


def test_win_rate_is_wilsons(four):
    """Of 2 in 4: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
    n, p = 4, 0.5
    reach = Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    rate = four.win_rate
    assert (rate.value, rate.n) == (0.5, 4)
    assert (rate.ci_lower, rate.ci_upper) == pytest.approx((0.5 - reach, 0.5 + reach), abs=1e-6)


def test_money_adds_up_over_time(four):
    frame = four.over_time
    assert frame["plain"].tolist() == [20_000, 20_000, 80_000, 80_000]
    assert frame["corrected"].iloc[-1] == pytest.approx(four.impact().value)
    assert frame["corrected_ci_upper"].iloc[-1] == pytest.approx(four.impact().ci_upper, rel=1e-6)
    assert frame["day"].is_monotonic_increasing


def test_a_test_is_never_drawn_to_itself():
    """One wild test among quiet ones: its own prior does not know it, the others' do."""
    rng = np.random.default_rng(0)
    quiet = [line(k, "told nothing", rng.normal(0, 0.01), 0.01) for k in range(8)]
    found = put_together([*quiet, line(9, "won", 0.5, 0.01, 1_000)])
    assert found.priors["t009"].n_past == 8 and found.priors["t009"].spread < 0.02
    assert found.priors["t000"].spread > 0.05
    assert [far.experiment_id for far in found.unlike] == ["t009"]
    assert "Test 9" in found.sentence("prior")


def test_what_cannot_be_believed_teaches_nothing():
    quiet = [line(k, "told nothing", 0.001 * k, 0.01) for k in range(6)]
    without = put_together(quiet)
    broken = put_together([*quiet, line(7, "not believed", 0.9, 0.01), line(8, "still running", 0.9, 0.01)])
    assert broken.priors["t000"].spread == without.priors["t000"].spread
    assert len(broken.finished) == 6 and len(broken.run) == 8


def test_luck_is_taken_out_of_what_was_shipped_on_average():
    """Winners are those that looked best: their plain sum is too large, the corrected one is not."""
    rng, plain, after, sums, inside = np.random.default_rng(4), [], [], [], []
    for _ in range(40):
        true, se = rng.normal(0.0, 0.03, 60), rng.uniform(0.01, 0.04, 60)
        seen = true + rng.normal(0, se)
        lines = [
            line(k, "won" if value > Z * s else "told nothing", value, s, 1e6 * value, 1e6 * s)
            for k, (value, s) in enumerate(zip(seen, se, strict=True))
        ]
        found = put_together(lines)
        truth = 1e6 * true[[int(one.experiment_id[1:]) for one in found.counted()]].sum()
        plain.append(found.impact(plain=True).value - truth)
        after.append(found.impact().value - truth)
        sums.append(truth)
        inside.append(found.impact().ci_lower <= truth <= found.impact().ci_upper)
    error = np.std(after) / np.sqrt(len(after))
    assert np.mean(plain) > 0.15 * np.mean(sums) > 5 * error, "the plain sum promises too much"
    assert abs(np.mean(after)) < 2 * error
    assert np.mean(inside) >= 0.85


def test_an_effect_is_drawn_as_by_brute_force():
    """Posterior mean and spread of a true effect, summed up over a grid of means and spreads."""
    rng = np.random.default_rng(8)
    others = [
        estimate(value, se) for value, se in zip(rng.normal(0.01, 0.04, 9), rng.uniform(0.01, 0.03, 9), strict=True)
    ]
    own = estimate(0.08, 0.02)
    mean, spread = np.meshgrid(np.linspace(-1, 1, 8_001), SPREADS, indexing="ij")
    chance = norm.logpdf(mean, 0, spread) + np.log(spread / (1 + (spread / ASSUMED_SPREAD) ** 2))
    for one in [*others, own]:
        chance += norm.logpdf(one.value, mean, np.hypot(spread, one.se))
    weights = np.exp(chance - chance.max())
    weights /= weights.sum()
    keep = spread**2 / (spread**2 + own.se**2)
    at = mean + keep * (own.value - mean)
    value = (weights * at).sum()
    found = drawn_to(own, others)
    assert found.value == pytest.approx(value, rel=1e-4)
    assert found.se == pytest.approx(np.sqrt((weights * (keep * own.se**2 + (at - value) ** 2)).sum()), rel=1e-3)


def test_a_dozen_tests_leave_the_prior_open_and_intervals_say_so():
    """They come close to what they promise; a single best guess of the prior stays behind."""
    rng, inside, guessed = np.random.default_rng(5), [], []
    for _ in range(150):
        true, se = rng.normal(0.0, 0.03, 12), rng.uniform(0.01, 0.04, 12)
        seen = true + rng.normal(0, se)
        found = put_together([line(k, "held", value, s) for k, (value, s) in enumerate(zip(seen, se, strict=True))])
        for one, t in zip(found.lines, true, strict=True):
            drawn_effect = found.effects[one.experiment_id]
            guess = corrected(one.effect, found.priors[one.experiment_id])
            inside.append(drawn_effect.ci_lower <= t <= drawn_effect.ci_upper)
            guessed.append(guess.ci_lower <= t <= guess.ci_upper)
    assert np.mean(inside) > 0.9 > np.mean(guessed)


def test_an_effect_that_is_nothing_gives_no_factor():
    """Money over an effect near zero would be blown up by the ratio of two small numbers."""
    effect, after = estimate(0.0001, 0.03), estimate(0.01, 0.03 * np.sqrt(0.5))
    assert drawn(estimate(5_000, 2_000, "usd"), effect, after, 0.95).value == pytest.approx(2_500)


@pytest.mark.parametrize(
    ("outcomes", "action", "says"),
    [
        (["won"] * 4, "Cannot tell", "Fewer than 5"),
        (["won"] * 6 + ["not believed"] * 2, "Change", "2 of 8 tests cannot be believed"),
        (["won"] * 3 + ["told nothing"] * 3, "Change", "3 of 6 finished tests told nothing"),
        (["held"] * 60, "Change", "0 of 60 finished tests won"),
        (["won"] * 3 + ["held"] * 3 + ["told nothing"], "Keep running", "3 of 7 finished tests won"),
        (["won"] * 5 + ["not read"] * 5, "Keep running", "5 of 5"),
    ],
)
def test_the_rule_is_followed(outcomes, action, says):
    lines = [line(k, name, None if name == "not read" else 0.02 + 0.02 * (k % 3)) for k, name in enumerate(outcomes)]
    made = put_together(lines).decision
    assert made.action == action and says in made.reason
    assert "a third" in made.rule


def test_outcomes_follow_verdicts():
    verdicts = ["Ship", "Roll back", "Hold", "Cannot tell", "Keep running"]
    assert [outcome_of(one, is_believed=True) for one in verdicts] == [
        "won", "rolled back", "held", "told nothing", "still running",
    ]  # fmt: skip
    assert {outcome_of(one, is_believed=False) for one in verdicts} == {"not believed"}


def test_an_empty_programme_says_so():
    found = put_together([])
    assert found.win_rate is None and found.impact().value == 0
    assert found.text.startswith("No test was run.") and found.decision.action == "Cannot tell"
    assert found.decision.money_per_month is None
    assert found.to_frame().empty and found.over_time.empty
    for name in ("over_time", "effects", "tests", "outcomes", "sums"):
        assert "not shown" in found.exhibit(name).title
    with pytest.raises(NotEnoughData, match="nothing was shipped"):
        found.plot(Figure().add_subplot())


def test_lines_without_money_are_in_no_sum_and_named(four):
    found = put_together([*four.lines, line(5, "won", 0.05, 0.01)])
    assert found.impact(plain=True).value == 80_000 and found.impact().n == 2
    assert "Test 5" in found.sentence("notes")


def test_every_word_and_picture_is_there(four):
    assert "2 won, 1 rolled back, 1 told nothing" in four.sentence("record")
    assert "$48 k" in four.sentence("impact") and "$80 k" in four.sentence("impact")
    for name in ("over_time", "effects"):
        four.exhibit(name).draw(Figure().add_subplot())
    assert set(four.exhibit("sums").frame["tests"]) == {2, 1}
    assert four.exhibit("outcomes").frame.set_index("row")["tests"]["total"] == 4
    frame = four.to_frame()
    assert len(frame) == 4 and frame["money_corrected"].notna().all()
    for call, kind in ((four.sentence, "sentence"), (four.exhibit, "exhibit")):
        with pytest.raises(UnknownName, match=kind):
            call("nothing")


def test_better_by_rolling_back_what_sold_more_counts_against_it(four):
    found = put_together([*four.lines, line(5, "rolled back", 0.05, 0.01, 4_000)])
    assert found.saved(plain=True).value == 5_000
    assert "counted against it: Test 5" in found.sentence("saved")


def test_on_the_world_a_test_is_read_as_on_its_own_page(world):
    """Two readings: alone, and in the programme."""
    alone = experiments.read(world, "full_screen_offers")
    found = experiments.programme(world, experiments=["full_screen_offers"], level=0.9)
    (only,) = found.lines
    money = alone.decision.money_per_month
    assert only.outcome == "rolled back" and only.why == alone.decision.reason
    assert found.saved(plain=True).value == pytest.approx(money.value, rel=1e-9)
    assert only.money.level == 0.9 and found.saved(plain=True).ci_upper < money.ci_upper
    assert only.effect.value == pytest.approx(alone.effects["orders_per_user", "treatment"].rel_effect.value)
    assert found.decision.action == "Cannot tell" and found.answer(world).source == "world"


def test_what_cannot_be_read_is_a_line_that_says_why(world, monkeypatch):
    def refuse(*_, **__):
        raise InvalidValue("it is made of cheese")

    monkeypatch.setattr(programming, "read", refuse)
    found = experiments.programme(world, experiments=["new_icons", "size_guide"], as_of="2026-04-01")
    by_name = {one.experiment_id: one for one in found.lines}
    assert (by_name["new_icons"].outcome, by_name["new_icons"].why) == ("not read", "it is made of cheese")
    assert by_name["size_guide"].outcome == "not started"
    assert by_name["size_guide"].starts_on == find_trial(world, "size_guide").starts_at.date()
    assert "1 could not be read" in found.sentence("record") and "cheese" in found.sentence("notes")
    assert len(found.to_frame()) == 2


def test_what_makes_no_sense_is_refused(world):
    with pytest.raises(UnknownName, match="new_icons"):
        experiments.programme(world, experiments=["new_icns"])
    with pytest.raises(InvalidValue, match="level"):
        experiments.programme(world, experiments="new_icons", level=1.2)


def test_lines_keep_what_they_are_given():
    assert replace(line(1, "held"), outcome="won").is_finished and not line(1, "not started").is_finished
