"""Users in groups, and what each group did as arrays: what intervals over users are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.metrics.grouped_cells import GROUPS

if TYPE_CHECKING:
    import pandas as pd

#: Column of the group, two digits of the digest of a user's name.
USER_GROUP = "user_group"


def user_group(user: Any, otherwise: Any = None) -> Any:
    """The group of a user, as an Ibis expression; a row of nobody goes by what it is ``otherwise``."""
    who = user if otherwise is None else user.coalesce(otherwise)
    return who.hexdigest("md5").substr(0, 2)


def by_group(frame: pd.DataFrame, name: str, axes: Mapping[str, Sequence[Any]]) -> np.ndarray:
    """A column by group of users and the values of other columns; what is not there is 0.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``USER_GROUP``, the axes and the column; rows off the axes do not count.
    axes : mapping of str to sequence
        Values of each column, in the order of the array.

    Returns
    -------
    numpy.ndarray
        Shape (groups, …).
    """
    kept = frame
    for axis, values in axes.items():
        kept = kept[kept[axis].isin(list(values))]
    places = [np.array([int(group, 16) for group in kept[USER_GROUP]], int)]
    for axis, values in axes.items():
        places.append(kept[axis].map({value: place for place, value in enumerate(values)}).to_numpy(int))
    found = np.zeros((GROUPS, *(len(values) for values in axes.values())))
    np.add.at(found, tuple(places), kept[name].fillna(0.0).to_numpy(float))
    return found
