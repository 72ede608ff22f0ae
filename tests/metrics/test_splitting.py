"""Parts add up to the change, whatever the numbers; intervals are what a bootstrap says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis_lib.metrics.splitting import interval, log_mean, replicates, split_rate, split_sum

amounts = st.one_of(st.just(0.0), st.floats(0.001, 1e6))
FACTORS = [("visitors", ""), ("orders", "visitors"), ("gmv", "orders")]
RATES = [("carts", "visits"), ("orders", "carts")]


def drawn(names, segments=4):
    return st.fixed_dictionaries({name: arrays(float, (1, 2, segments), elements=amounts) for name in names})


def by_part(split) -> dict[str, np.ndarray]:
    return dict(zip(split.parts, split.values[0].T, strict=True))


@settings(deadline=None, max_examples=200)
@given(drawn(["visitors", "orders", "gmv"]))
def test_parts_of_a_sum_add_up_to_its_change_in_every_segment(quantities):
    split = split_sum(quantities, FACTORS, "gmv")
    change = quantities["gmv"][0, 1] - quantities["gmv"][0, 0]
    np.testing.assert_allclose(split.values[0].sum(axis=-1), change, rtol=1e-9, atol=1e-9 * quantities["gmv"].max())


@settings(deadline=None, max_examples=200)
@given(drawn(["visits", "carts", "orders"]))
def test_parts_of_a_rate_add_up_to_its_change(quantities):
    above, below = quantities["orders"][0], quantities["visits"][0]
    if (below.sum(axis=1) == 0).any():
        return
    quantities["orders"] = np.where(quantities["visits"] == 0, 0.0, quantities["orders"])
    above = quantities["orders"][0]
    rates = above.sum(axis=1) / below.sum(axis=1)
    split = split_rate(quantities, RATES, "orders", "visits")
    # A segment with a rate of millions takes and gives back millions: rounding is of the size of the largest part.
    size = 1e-9 * (1 + np.abs(split.values[0]).max())
    np.testing.assert_allclose(split.values[0].sum(), rates[1] - rates[0], rtol=1e-7, atol=size)


@settings(deadline=None)
@given(drawn(["visitors", "orders", "gmv"]))
def test_backwards_every_factor_has_the_opposite_sign(quantities):
    there = split_sum(quantities, FACTORS, "gmv")
    back = split_sum({name: value[:, ::-1] for name, value in quantities.items()}, FACTORS, "gmv")
    size = 1e-9 * (1 + quantities["gmv"].max())
    np.testing.assert_allclose(there.values[0, :, :3], -back.values[0, :, :3], rtol=1e-7, atol=size)
    np.testing.assert_allclose(by_part(there)["new"], -by_part(back)["gone"], atol=size)


def test_where_only_one_factor_moved_it_has_all_of_the_change():
    visitors = np.array([[[100.0], [150.0]]])
    split = split_sum({"visitors": visitors, "orders": visitors / 10, "gmv": visitors * 3}, FACTORS, "gmv")
    assert split.values[0, 0].tolist() == pytest.approx([150.0, 0, 0, 0, 0, 0])


def test_simpson_rates_that_rise_in_every_segment_while_the_whole_falls():
    # 2 % to 3 %, and 20 % to 22 %; but nearly everybody moves to the first segment.
    visits = np.array([[[100.0, 900.0], [900.0, 100.0]]])
    orders = visits * np.array([[[0.02, 0.20], [0.03, 0.22]]])
    parts = by_part(split_rate({"visits": visits, "orders": orders}, [("orders", "visits")], "orders", "visits"))
    assert parts["0"].sum() == pytest.approx(0.1 * 0.01 + 0.9 * 0.02)
    assert parts["mix"].sum() == pytest.approx(0.8 * 0.02 - 0.8 * 0.20)
    assert parts["interaction"].sum() == pytest.approx(0.8 * 0.01 - 0.8 * 0.02)


def test_new_gone_and_untold_segments_are_named():
    gmv = np.array([[[0.0, 5.0, 4.0, 0.0], [7.0, 0.0, 6.0, 0.0]]])
    visitors = np.array([[[0.0, 1.0, 0.0, 3.0], [1.0, 1.0, 1.0, 3.0]]])
    parts = by_part(split_sum({"visitors": visitors, "orders": gmv, "gmv": gmv}, FACTORS, "gmv"))
    assert parts["new"].tolist() == [7, 0, 0, 0]
    assert parts["gone"].tolist() == [0, -5, 0, 0]
    # Something was sold where no visitor was recorded: the factors cannot tell why it rose.
    assert parts["rest"].tolist() == [0, 0, 2, 0]
    assert sum(values.sum() for values in parts.values()) == pytest.approx(4.0)


def test_a_rate_of_nothing_is_no_zero_rate():
    visits, orders = np.array([[[10.0, 0.0], [10.0, 30.0]]]), np.array([[[5.0, 0.0], [5.0, 6.0]]])
    parts = by_part(split_rate({"visits": visits, "orders": orders}, [("orders", "visits")], "orders", "visits"))
    assert parts["0"].tolist() == [0, 0] and parts["new"][1] == pytest.approx(0.75 * (0.2 - 0.5))


def test_log_mean_lies_between_and_keeps_its_digits():
    assert log_mean(np.array([1 + 1e-9]), np.array([1.0]))[0] == pytest.approx(1 + 5e-10, rel=1e-12)
    assert np.isnan(log_mean(np.array([0.0, -1.0]), np.array([1.0, -2.0]))).all()


def units(seed: int, n: int = 4000):
    """A heavy-tailed quantity of a unit before and after, and its group."""
    rng = np.random.default_rng(seed)
    buyers = rng.random((n, 2)) < np.array([0.2, 0.25])
    spent = np.where(buyers, rng.lognormal(3, 1, (n, 2)), 0.0)
    return np.stack([np.ones((n, 2)), buyers.astype(float), spent]), rng.integers(0, 256, n)


def contributions(totals: np.ndarray) -> np.ndarray:
    quantities = dict(zip(("visitors", "orders", "gmv"), totals[..., None], strict=True))
    return split_sum(quantities, FACTORS, "gmv").values[:, 0, :3]


def grouped(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    found = np.zeros((256, 3, 2))
    np.add.at(found, group, values.transpose(1, 0, 2))
    return found


def test_standard_errors_are_those_of_a_bootstrap_over_units():
    values, group = units(1)
    ours = interval(contributions(replicates(grouped(values, group)).transpose(1, 0, 2)), 0.95)[0]
    rng = np.random.default_rng(2)
    weights = rng.poisson(1.0, (3000, values.shape[1]))
    booted = np.array([contributions((values * w[None, :, None]).sum(axis=1)[:, None])[0] for w in weights])
    np.testing.assert_allclose(ours, booted.std(axis=0), rtol=0.12)


def test_intervals_cover_where_the_truth_is_known():
    # The whole run, with thousands of draws, is `make grades`.
    truth = contributions(np.array([[1, 1], [0.2, 0.25], [0.2 * np.exp(3.5), 0.25 * np.exp(3.5)]])[:, None] * 4000)[0]
    hits = []
    for seed in range(150):
        values, group = units(100 + seed)
        _, low, high = interval(contributions(replicates(grouped(values, group)).transpose(1, 0, 2)), 0.95)
        hits.append((low <= truth) & (truth <= high))
    # Of visitors nothing varies but their number.
    assert ((np.mean(hits, axis=0) > 0.88) & (np.mean(hits, axis=0) <= 1)).all()
