"""The draws are uniform, independent of each other, and the same in SQL and in Python."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy import stats

from analysis_lib.world.draws import Draws, chosen, constants, exponential, lognormal, mix
from analysis_lib.world.engine import Engine

N = 200_000
PURPOSES = ["active", "eager", "signup", "kind", "arm aa_home", "arm new_icons", "holdout nine_nine_2026", "count 0"]

#: Far in the tail: with fixed seeds a failure means a broken draw, not bad luck.
SMALL = 1e-5


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        yield Engine(connection)


@pytest.fixture(scope="module", params=[1, 7, 123_456_789])
def users(request, engine):
    """One row per user, one column per purpose."""
    draws = Draws(request.param)
    keys = f"{draws.key('user a', 'range')} AS u1, {draws.key('user b', 'range')} AS u2"
    columns = ", ".join(f"{draws.uniform(purpose, 'u')} AS p{i}" for i, purpose in enumerate(PURPOSES))
    sql = f"SELECT {columns} FROM (SELECT range, {keys} FROM range({N})) ORDER BY range"
    return np.column_stack(list(engine.run(sql).fetchnumpy().values()))


@pytest.fixture(scope="module")
def visits(engine):
    """Twenty visits of each of 10,000 users, one column per purpose."""
    draws = Draws(3)
    child = ", ".join(f"{draws.child(f'visit {k}', f'u{n}', '65536 * 2 + i')} AS v{n}" for n, k in ((1, "a"), (2, "b")))
    columns = ", ".join(f"{draws.uniform(name)} AS p{i}" for i, name in enumerate(("come", "day", "cart", "view")))
    sql = f"""SELECT {columns} FROM (SELECT *, {child} FROM (
            SELECT range, {draws.key("user a", "range")} AS u1, {draws.key("user b", "range")} AS u2
            FROM range(10000)), unnest(range(20)) AS numbers(i)) ORDER BY range, i"""
    return np.column_stack(list(engine.run(sql).fetchnumpy().values()))


def test_draws_are_uniform(users):
    for column in users.T:
        assert column.min() >= 0 and column.max() < 1
        assert stats.chisquare(np.histogram(column, 500, (0, 1))[0]).pvalue > SMALL


def test_draws_of_two_purposes_are_independent(users):
    for i in range(len(PURPOSES)):
        for j in range(i):
            cells = np.histogram2d(users[:, i], users[:, j], 25, [[0, 1], [0, 1]])[0]
            assert stats.chisquare(cells.ravel()).pvalue > SMALL, (PURPOSES[i], PURPOSES[j])


@pytest.mark.parametrize("lag", [1, 2, 7, 64])
def test_neighbours_draw_independently(users, lag):
    for column in users.T:
        cells = np.histogram2d(column[:-lag], column[lag:], 25, [[0, 1], [0, 1]])[0]
        assert stats.chisquare(cells.ravel()).pvalue > SMALL


def test_visits_of_one_user_are_independent(visits):
    """Were the visits of a user alike, the means by user would spread more than those of any twenty draws."""
    means = visits.reshape(-1, 20, visits.shape[1]).mean(axis=1)
    excess = (means.var(axis=0) * 20 * 12 - 1) / np.sqrt(2 / len(means))
    assert np.abs(excess).max() < 4.5
    correlations = np.corrcoef(visits.T)[np.triu_indices(visits.shape[1], 1)] * np.sqrt(len(visits))
    assert np.abs(correlations).max() < 4.5


def test_another_seed_is_another_world(engine):
    columns = ", ".join(f"{Draws(seed).uniform('active', 'u')} AS s{seed}" for seed in (1, 2))
    keys = f"{Draws(1).key('user a', 'range')} AS u1, {Draws(1).key('user b', 'range')} AS u2"
    first, second = engine.run(f"SELECT {columns} FROM (SELECT {keys} FROM range(50000))").fetchnumpy().values()
    assert abs(np.corrcoef(first, second)[0, 1]) * np.sqrt(len(first)) < 4.5


def test_python_mixes_like_the_engine(engine):
    numbers = [0, 1, 2, 2**31, 2**32 - 1, *np.random.default_rng(5).integers(0, 2**32, 200).tolist()]
    found = engine.rows(f"SELECT world_mix(x::UBIGINT) FROM unnest({numbers}) AS numbers(x)")
    assert [row[0] for row in found] == [mix(number) for number in numbers]


def test_a_draw_is_what_its_definition_says(engine):
    """Keys and draws of a user, computed by hand in Python."""
    draws = Draws(11)
    (add_a, times_a), (add_b, times_b) = constants(11, "user a"), constants(11, "user b")
    add, times = constants(11, "active")
    mask, user = 2**32 - 1, 149_999
    u1, u2 = mix((user * times_a & mask) ^ add_a), mix((user * times_b & mask) ^ add_b)
    keys = f"{draws.key('user a', str(user))} AS u1, {draws.key('user b', str(user))} AS u2"
    assert engine.rows(f"SELECT u1, u2, {draws.uniform('active', 'u')} FROM (SELECT {keys})") == [
        (u1, u2, mix((u1 ^ add) ^ (u2 * times & mask)) / 2**32)
    ]


def test_the_draws_of_a_seed_never_change(engine):
    """A snapshot: other numbers here make every world another one, and need another ``builder.VERSION``."""
    assert constants(1, "active") == (1881666302, 3015919501)
    assert mix(12345) == 82128347


def test_seeds_and_purposes_do_not_run_together():
    assert constants(1, "2x") != constants(12, "x")
    assert all(constants(seed, "x")[1] % 2 == 1 for seed in range(50))


def test_shapes_have_the_mean_they_are_given():
    assert np.mean(lognormal(1.1)) == pytest.approx(1, abs=1e-6)
    assert np.std(np.log(lognormal(1.1))) == pytest.approx(1.1, rel=0.02)
    assert np.mean(exponential(330)) == pytest.approx(330, rel=1e-6)


def test_names_come_in_their_shares(engine):
    name = chosen("range / 1e5", {"a": 1, "b": 3})
    sql = f"SELECT {name}, count(*) / 1e5 FROM range(100000) GROUP BY 1"
    assert dict(engine.rows(sql)) == {"a": 0.25, "b": 0.75}
