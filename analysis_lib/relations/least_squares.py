"""Least squares on cross-products, looked at again where terms are close to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_lib.errors import NotEnoughData
from analysis_lib.regression.collinear import ABSORBED, TOLERANCE
from analysis_lib.relations.gram import Gram, gram
from analysis_lib.relations.rows import Rows

#: Part of a column's square that is its own, below which its products have lost too many digits: it is looked at
#: again, less what the others hold of it.
CLOSE = 1e-7

#: Looks at most.
LOOKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """A linear regression on columns u that are mixed from the terms, so that they hardly overlap.

    Attributes
    ----------
    rows : Rows
        With what was left out.
    kept : tuple of int
        Places of the terms that stay, from 1.
    mix : numpy.ndarray
        Shape (k + 1, kept + 1): the outcome's remainder, then the columns u, of the outcome and the terms.
    seen : Gram
        Cross-products of these.
    plain : Gram
        Cross-products of the outcome and the terms as they are.
    """

    rows: Rows
    kept: tuple[int, ...]
    mix: np.ndarray
    seen: Gram
    plain: Gram

    @property
    def inverse(self) -> np.ndarray:
        """Of the cross-products of u."""
        return np.linalg.inv(self.seen.cross[1:, 1:])

    @property
    def slopes(self) -> np.ndarray:
        """Of the outcome's remainder on u."""
        return self.inverse @ self.seen.cross[1:, 0]

    @property
    def left(self) -> float:
        """Squared residuals, summed, on the scale of the outcome's values."""
        cross, slopes = self.seen.cross, self.slopes
        return float(cross[0, 0] - slopes @ cross[1:, 0]) / self.mix[0, 0] ** 2

    @property
    def terms(self) -> np.ndarray:
        """The terms' part of the mix, shape (kept, kept)."""
        return self.mix[np.ix_(self.kept, range(1, len(self.kept) + 1))]

    @property
    def coefficients(self) -> np.ndarray:
        """Of the terms, in values."""
        return (self.terms @ self.slopes - self.mix[list(self.kept), 0]) / self.mix[0, 0]


def least_squares(rows: Rows, *, centred: bool) -> Squares:
    """Coefficients, each column looked at less what the columns before it hold, until no digits are lost.

    Raises
    ------
    NotEnoughData
        No term is left.
    """
    k = len(rows.values)
    mix, kept = np.eye(k), [True] * k
    plain = seen = rows.plain or gram(rows, mix, centred=centred)
    rows, kept = _without_absorbed(rows, plain)
    length = np.sqrt(np.diag(plain.cross))
    for _ in range(LOOKS):
        order = [*[place for place in range(1, k) if kept[place]], 0]
        turn, own = _apart(seen.cross, order)
        share = own / np.diag(seen.cross).clip(min=np.finfo(float).tiny)
        size = np.sqrt(np.diag(seen.cross)) / np.abs(np.diag(mix))  # on the scale of the values
        for place in order[:-1]:
            if size[place] <= TOLERANCE * length[place]:
                kept[place] = False
                rows = rows.noted("collinear", rows.terms.regressors[place - 1], float("nan"))
        if all(share[place] >= CLOSE or not kept[place] for place in order):
            break
        root = np.sqrt(np.maximum(own, 1e-30 * np.diag(seen.cross)))
        mix = mix @ (turn / np.where(root > 0, root, 1.0))
        seen = gram(rows, mix, centred=centred)
    places = [place for place in range(1, k) if kept[place]]
    if not places:
        raise NotEnoughData(
            f"{', '.join(rows.terms.regressors)}: nothing varies within the fixed effects, so that no coefficient can "
            "be told; leave out the fixed effects that hold it"
        )
    chosen = np.ix_([0, *places], [0, *places])
    narrowed = Gram(seen.n, seen.weight, seen.means[[0, *places]], seen.cross[chosen])
    return Squares(rows, tuple(places), mix[:, [0, *places]], narrowed, plain)


def _without_absorbed(rows: Rows, plain: Gram) -> tuple[Rows, list[bool]]:
    """Which columns fixed effects leave something of; those they hold are noted."""
    kept = [True] * len(rows.values)
    whole = np.array(rows.lengths) * np.sqrt(plain.weight)
    least = ABSORBED if rows.request.fixed_effects else 0.0
    for place, name in enumerate(rows.terms.regressors, start=1):
        if plain.cross[place, place] <= (least * whole[place]) ** 2:
            kept[place] = False
            rows = rows.noted("absorbed", name, float("nan"))
    return rows, kept


def _apart(cross: np.ndarray, order: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Each column less what those before it hold, and its own square; what is close to others is not taken from any."""
    turn, own = np.eye(len(cross)), np.diag(cross).copy()
    before: list[int] = []
    for place in order:
        if before:
            parts = np.linalg.solve(cross[np.ix_(before, before)], cross[before, place])
            turn[before, place] = -parts
            own[place] = cross[place, place] - parts @ cross[before, place]
        if own[place] >= CLOSE * cross[place, place] > 0:
            before.append(place)
    return turn, own
