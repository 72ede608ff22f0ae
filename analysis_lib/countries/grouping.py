"""Groups of rows that are like one another: how many there are, and whether they last when values are drawn anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import NotEnoughData

#: Draws of one cloud that say how clear a split chance makes, and draws of values that say how long groups last.
CLOUDS, DRAWS = 400, 400

#: Fewer rows have no groups that could be told; in a group there are three on average at least.
FEWEST_ROWS, FEWEST_A_GROUP = 6, 3

#: Months that are drawn together.
BLOCK = 3

#: Mean Jaccard similarity from which a group is stable, and up to which it is dissolved (Hennig 2007).
STABLE, DISSOLVED = 0.75, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The clearest split of rows into groups.

    Attributes
    ----------
    names : list of str
        Rows.
    labels : numpy.ndarray
        Group of each row, from 0; shape (rows,).
    pvalue : float
        How often one cloud without groups gives a split as clear, whichever number of groups is chosen.
    jaccard, jaccard_months : numpy.ndarray
        How much of each group is found again, on average: months and traits drawn anew, and months only; shape
        (groups,).
    together : numpy.ndarray
        How often each two rows fall into one group, months and traits drawn anew; shape (rows, rows).
    order : numpy.ndarray
        Rows as the tree of groups lays them side by side.
    """

    names: list[str]
    labels: np.ndarray
    pvalue: float
    jaccard: np.ndarray
    jaccard_months: np.ndarray
    together: np.ndarray
    order: np.ndarray

    @property
    def n_groups(self) -> int:
        """Groups of the split."""
        return int(self.labels.max()) + 1

    def members(self, group: int) -> list[str]:
        """Rows of a group."""
        return [name for name, label in zip(self.names, self.labels, strict=True) if label == group]


def standardised(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and spread 1; one that is the same everywhere is 0."""
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def tree(values: np.ndarray) -> np.ndarray:
    """Ward's hierarchical grouping, as ``scipy.cluster.hierarchy.linkage`` gives it."""
    from scipy.cluster.hierarchy import linkage  # slow to import

    return linkage(values, "ward")


def cut(joined: np.ndarray, n_groups: int) -> np.ndarray:
    """Group of each row, from 0 in the order of rows."""
    from scipy.cluster.hierarchy import cut_tree  # slow to import

    return cut_tree(joined, n_groups)[:, 0]


def clearness(joined: np.ndarray, most: int) -> np.ndarray:
    """Log of the spread within one group over that within 2 to ``most``: the part of the gap statistic that is seen."""
    # A join of Ward's at height h adds h²/2 to the sum of squares within groups.
    within = np.concatenate([[0.0], np.cumsum(np.square(joined[:, 2]) / 2)])
    n = len(within)
    sums = np.maximum([within[n - groups] for groups in range(1, most + 1)], 1e-300)
    return np.log(sums[0] / sums[1:])


def number_of_groups(values: np.ndarray, rng: np.random.Generator, most: int | None = None) -> tuple[int, float]:
    """The number of groups with the clearest split, and how often one cloud gives one as clear.

    The gap statistic of Tibshirani, Walther and Hastie with one normal cloud of the same covariance as reference, as in
    Liu, Hayes, Nobel and Marron: columns that go together are no groups. Every number of groups is measured by how far
    its clearness lies beyond the clouds', in their standard deviations; the largest of these decides, against the
    largest of each cloud's, so that trying several numbers does not make groups.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (rows, columns); standardised here.
    most : int | None
        Most groups that are tried; a third of the rows by default.

    References
    ----------
    Tibshirani, Walther and Hastie (2001), Journal of the Royal Statistical Society B 63(2); Liu, Hayes, Nobel and
    Marron (2008), "Statistical significance of clustering", Journal of the American Statistical Association 103(483).
    """
    values = standardised(values)
    most = most or max(2, len(values) // FEWEST_A_GROUP)
    _, sizes, axes = np.linalg.svd(values, full_matrices=False)
    spread = sizes / np.sqrt(len(values) - 1)
    seen = clearness(tree(values), most)
    clouds = np.array(
        [
            clearness(tree(standardised(rng.standard_normal((len(values), len(spread))) * spread @ axes)), most)
            for _ in range(CLOUDS)
        ]
    )
    middle, scale = clouds.mean(axis=0), np.maximum(clouds.std(axis=0), 1e-12)
    beyond, chance = (seen - middle) / scale, ((clouds - middle) / scale).max(axis=1)
    return int(beyond.argmax()) + 2, float((1 + (chance >= beyond.max()).sum()) / (1 + CLOUDS))


def split_of(by_month: np.ndarray, names: list[str], logs: np.ndarray, *, seed: int = 1) -> Split:
    """The clearest split of rows by their means over months, and how long it lasts.

    Months are drawn in blocks, with what follows them, and columns with replacement: which ones are looked at is
    arbitrary. A group lasts as far as some group of the drawn values holds the same rows (Jaccard similarity).

    Parameters
    ----------
    by_month : numpy.ndarray
        Shape (months, rows, columns), without missing values.
    logs : numpy.ndarray
        Whether the logarithm of a column's mean is taken, shape (columns,).

    Raises
    ------
    NotEnoughData
        Fewer than six rows or two columns that differ.

    References
    ----------
    Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics and Data Analysis 52(1).
    """
    from scipy.cluster.hierarchy import leaves_list  # slow to import

    rng = np.random.default_rng(seed)
    whole = _means(by_month, np.arange(len(by_month)), logs)
    n_columns = int((whole.std(axis=0) > 0).sum())
    if len(names) < FEWEST_ROWS or n_columns < 2:
        raise NotEnoughData(
            f"{len(names)} markets with {n_columns} traits that differ; {FEWEST_ROWS} markets and two traits are needed"
        )
    n_groups, pvalue = number_of_groups(whole, rng)
    joined = tree(whole)
    labels = cut(joined, n_groups)
    both = [_drawn(by_month, logs, n_groups, rng, with_columns=True) for _ in range(DRAWS)]
    months = [_drawn(by_month, logs, n_groups, rng, with_columns=False) for _ in range(DRAWS)]
    together = np.mean([one[:, None] == one for one in both], axis=0)
    return Split(names, labels, pvalue, lasting(labels, both), lasting(labels, months), together, leaves_list(joined))


def _means(by_month: np.ndarray, months: np.ndarray, logs: np.ndarray) -> np.ndarray:
    means = by_month[months].mean(axis=0)
    return standardised(np.where(logs, np.log(np.maximum(means, 1e-300)), means))


def _drawn(
    by_month: np.ndarray, logs: np.ndarray, n_groups: int, rng: np.random.Generator, *, with_columns: bool
) -> np.ndarray:
    """Groups of values drawn anew."""
    n, length = len(by_month), min(BLOCK, len(by_month))
    starts = rng.integers(0, n, -(-n // length))
    months = ((starts[:, None] + np.arange(length)) % n).ravel()[:n]
    values = _means(by_month, months, logs)
    if with_columns:
        values = values[:, rng.integers(0, values.shape[1], values.shape[1])]
    return cut(tree(values), n_groups)


def lasting(labels: np.ndarray, drawn: list[np.ndarray]) -> np.ndarray:
    """Mean Jaccard similarity of each group to the most alike group of each draw.

    Parameters
    ----------
    labels : numpy.ndarray
        Groups, from 0; shape (rows,).
    drawn : list of numpy.ndarray
        Groups of the same rows in each draw.
    """
    own = labels[:, None] == np.arange(labels.max() + 1)
    found = []
    for one in drawn:
        other = one[:, None] == np.arange(one.max() + 1)
        both = own.T.astype(float) @ other
        either = own.sum(axis=0)[:, None] + other.sum(axis=0) - both
        found.append((both / either).max(axis=1))
    return np.mean(found, axis=0)
