"""Groups of markets: none in noise, planted ones found, the same tree as other libraries, known data."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_lib import countries
from analysis_lib.countries import grouping
from analysis_lib.countries.clusters_text import word
from analysis_lib.countries.grouping import cut, lasting, number_of_groups, split_of, standardised, tree
from analysis_lib.errors import InvalidValue, NotEnoughData

NO_LOGS = np.zeros(5, bool)


@pytest.fixture(scope="module")
def found(world):
    return countries.clusters(world)


def planted(rng: np.random.Generator, apart: float, n_groups: int = 3, each: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Groups of rows around centres that lie ``apart``·√2 standard deviations from one another."""
    labels = np.repeat(np.arange(n_groups), each)
    centres = np.linalg.qr(rng.normal(size=(5, n_groups)))[0].T * apart
    return centres[labels] + rng.normal(size=(n_groups * each, 5)), labels


@pytest.mark.parametrize("kind", ["cloud", "together", "even"])
def test_noise_has_no_groups(monkeypatch, kind):
    monkeypatch.setattr(grouping, "CLOUDS", 99)
    rng = np.random.default_rng(4)
    false = 0
    for _ in range(40):
        values = rng.normal(size=(12, 5))
        if kind == "together":  # columns that go together, as income, internet and cards do
            values += 1.5 * rng.normal(size=(12, 1))
        if kind == "even":
            values = rng.uniform(size=(12, 5))
        false += number_of_groups(values, rng)[1] <= 0.05
    assert false <= 4


def test_planted_groups_are_found(monkeypatch):
    from sklearn.metrics import adjusted_rand_score

    monkeypatch.setattr(grouping, "CLOUDS", 99)
    rng = np.random.default_rng(5)
    hits, alike = 0, []
    for _ in range(15):
        values, labels = planted(rng, 8.0)
        n_groups, pvalue = number_of_groups(values, rng)
        hits += n_groups == 3 and pvalue <= 0.05
        alike.append(adjusted_rand_score(labels, cut(tree(standardised(values)), 3)))
    assert hits >= 12 and np.mean(alike) > 0.95


@pytest.mark.parametrize("n_groups", [2, 3, 5])
def test_the_base_split_is_that_of_scikit_learn(n_groups):
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import adjusted_rand_score

    values = np.random.default_rng(6).normal(size=(30, 4))
    theirs = AgglomerativeClustering(n_groups, linkage="ward").fit_predict(values)
    assert adjusted_rand_score(theirs, cut(tree(values), n_groups)) == 1.0


def test_clearness_is_the_spread_within_groups():
    values = np.random.default_rng(7).normal(size=(14, 3))
    joined = tree(values)
    for place, n_groups in enumerate((2, 3, 4)):
        labels = cut(joined, n_groups)
        within = sum(
            np.square(values[labels == group] - values[labels == group].mean(axis=0)).sum() for group in set(labels)
        )
        whole = np.square(values - values.mean(axis=0)).sum()
        assert grouping.clearness(joined, 4)[place] == pytest.approx(np.log(whole / within))


def test_iris_is_split_as_is_known():
    """Ward on the four raw measures: 50, 64 and 36 flowers, as R's hclust(ward.D2); adjusted Rand index 0.731."""
    from sklearn.datasets import load_iris
    from sklearn.metrics import adjusted_rand_score

    iris = load_iris()
    labels = cut(tree(iris.data), 3)
    assert sorted(np.bincount(labels)) == [36, 50, 64]
    assert adjusted_rand_score(iris.target, labels) == pytest.approx(0.731, abs=0.001)


def test_lasting_is_the_mean_jaccard_by_hand():
    labels = np.array([0, 0, 0, 1, 1])
    same, moved = labels, np.array([1, 1, 0, 0, 0])
    assert lasting(labels, [same, same]).tolist() == [1.0, 1.0]
    # {0,1,2} against {0,1}: 2 of 3; {3,4} against {2,3,4}: 2 of 3.
    assert lasting(labels, [moved]) == pytest.approx([2 / 3, 2 / 3])
    assert lasting(labels, [same, moved]) == pytest.approx([5 / 6, 5 / 6])
    assert [word(share) for share in (0.75, 0.6, 0.5)] == ["stable", "neither stable nor dissolved", "dissolved"]


def test_planted_groups_last_and_noise_does_not():
    rng = np.random.default_rng(8)
    values, _ = planted(rng, 8.0)
    months = values + 0.2 * rng.normal(size=(12, 12, 5))
    firm = split_of(months, [str(k) for k in range(12)], NO_LOGS)
    assert firm.n_groups == 3 and firm.jaccard_months.min() > 0.95 and firm.jaccard.min() > 0.75
    noise = split_of(rng.normal(size=(12, 12, 5)), [str(k) for k in range(12)], NO_LOGS)
    assert noise.pvalue > 0.05 and noise.jaccard.min() < 0.75
    assert np.allclose(noise.together, noise.together.T) and np.allclose(np.diag(noise.together), 1.0)


def test_units_and_the_order_of_markets_do_not_matter():
    values, _ = planted(np.random.default_rng(9), 8.0)
    one = number_of_groups(values, np.random.default_rng(1))[0]
    other = number_of_groups(1000 * values[::-1] + 5, np.random.default_rng(1))[0]
    assert one == other == 3


def test_the_world_has_no_groups_and_says_so(found):
    # Its markets were drawn from public figures, no groups were planted.
    assert not found.has_groups and "no groups worth the name" in found.text
    assert set(found.table["country"]) == set(found.markets)
    shown = found.exhibit("together")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    shown.draw(axes)
    plt.close(figure)
    assert len(shown.frame) == 12


def test_it_is_the_same_every_time(world, found):
    again = countries.clusters(world)
    assert again.text == found.text and (again.split.together == found.split.together).all()


def test_a_source_without_traits_is_told_why(complete_journey):
    found = countries.clusters(complete_journey)
    assert found.split is None and "no traits" in found.text
    assert found.exhibit("together").note and found.table.empty


def test_too_few_are_refused(world):
    values = np.random.default_rng(1).normal(size=(12, 5, 5))
    with pytest.raises(NotEnoughData, match="5 markets"):
        split_of(values, list("abcde"), NO_LOGS)
    with pytest.raises(InvalidValue, match=r"0\.95"):
        countries.clusters(world, level=95)
