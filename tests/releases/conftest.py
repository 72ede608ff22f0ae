"""Visits on two versions, made by hand, in an engine of their own."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from analysis_lib.releases.release import Release

FIRST = date(2026, 3, 2)
RAMP = ((0, 0.1), (3, 0.5), (7, 1.0))


def release_of(days: int = 21, **changes) -> Release:
    base = {
        "platform": "android", "version": "new", "before": "before", "first": FIRST,
        "last": FIRST + timedelta(days=days - 1), "before_since": FIRST - timedelta(days=120), "ramp": RAMP,
    }  # fmt: skip
    return Release(**{**base, **changes})


def visits_of(seed: int, *, users: int = 4000, pick: float = 0.0, slower: float = 0.0, crash: float = 0.0,
              lost: float = 0.0, days: int = 21) -> pd.DataFrame:  # fmt: skip
    """Visits of users whose conversion differs; with ``pick``, those who buy more install sooner."""
    rng = np.random.default_rng(seed)
    rate = rng.beta(4, 12, users)
    rank = ((1 - pick) * rng.random(users) + pick * rate.argsort().argsort() / users).argsort().argsort() / users
    offered = np.select([rng.random(users) < 0.1, rng.random(users) < 0.45], [0, 3], 7)
    takes = offered + np.floor(14 * (1 - rank) ** 2)
    number = rng.poisson(0.08, (users, 180))
    who, when = np.nonzero(number)
    who, when = np.repeat(who, number[who, when]), np.repeat(when, number[who, when])
    since = when - (180 - days)
    is_new = (since >= 0) & (since >= takes[who])
    system = rng.choice(["android 9", "android 14"], users, p=[0.3, 0.7])[who]
    older = (since < -120) | ((since < -110) & (rank[who] < 0.4))
    return pd.DataFrame({
        "session_key": np.arange(len(who)).astype(str), "user_id": [f"u{n}" for n in who], "platform": "android",
        "app_version": np.select([is_new, older], ["new", "older"], "before"), "os_version": system,
        "country": rng.choice(["BR", "ID", "GB"], users)[who],
        "day": [FIRST + timedelta(days=int(n)) for n in since],
        "start_ms": rng.lognormal(7.2, 0.45, len(who)) * np.where(is_new, 1 + slower, 1.0),
        "has_crash": rng.random(len(who)) < 0.006 + crash * (is_new & (system == "android 9")),
        "has_payment": rng.random(len(who)) < rate[who] * np.where(is_new, 1 - lost, 1.0),
    })  # fmt: skip


@pytest.fixture(scope="session")
def release():
    """``release(days=21, **changes)``: a release by its fields."""
    return release_of


@pytest.fixture(scope="session")
def engine():
    """``engine(frame)``: the frame as a table, and the way to run expressions on it."""

    def make(frame: pd.DataFrame):
        backend = ibis.duckdb.connect()
        backend.con.register("visits", frame.astype({"day": "datetime64[s]"}))
        table = backend.table("visits")
        return table.mutate(day=table.day.cast("date")), backend.to_pandas

    return make


@pytest.fixture(scope="session")
def visits():
    """``visits(seed, pick=, slower=, crash=, lost=)``: visits on two versions, with what is planted."""
    return visits_of
