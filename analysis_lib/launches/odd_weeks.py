"""Weeks in which something happened to one market alone: an outage, bots, a slip in the record."""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Weeks on either side that say what is usual for a market, and how many of them there must be.
AROUND, FEWEST = 6, 3

#: Typical deviations beyond which a week is odd. Chance alone gets there in one market-week of a hundred million.
FAR = 6.0

#: Deviations to the quartiles of a normal distribution, in standard deviations.
_QUARTILE = 0.6745


def odd_weeks(frame: pd.DataFrame) -> pd.Series:
    """Whether a market-week stands out from the weeks around it, as no other market's does.

    What all markets share in a week is taken off, and what is usual for the market around it, by medians: so a change
    that stays, as a launch should be, is not odd, and weeks before and after a launch are held to the same measure.

    Parameters
    ----------
    frame : pandas.DataFrame
        country, week, outcome (missing where there is none), noise (variance up to a factor).

    Returns
    -------
    Series
        Booleans in the order of the frame.
    """
    wide = frame.pivot(index="week", columns="country", values="outcome").sort_index()
    noise = frame.pivot(index="week", columns="country", values="noise").sort_index()
    level = wide.sub(wide.median(axis=0), axis=1)
    own = level.sub(level.median(axis=1), axis=0)
    before = own.rolling(AROUND, min_periods=FEWEST).median().shift(1)
    after = own[::-1].rolling(AROUND, min_periods=FEWEST).median().shift(1)[::-1]
    low, high = np.minimum(before, after), np.maximum(before, after)
    outside = np.maximum(own - high, low - own) / np.sqrt(noise)
    usual = ((own - (before + after) / 2) / np.sqrt(noise)).abs().to_numpy()
    typical = float(np.nanmedian(usual)) / _QUARTILE if np.isfinite(usual).any() else 0.0
    if not typical > 0:
        return pd.Series(False, index=frame.index)
    odd = outside.gt(FAR * typical).stack()
    keys = pd.MultiIndex.from_frame(frame[["week", "country"]])
    return pd.Series(odd.reindex(keys, fill_value=False).to_numpy(dtype=bool), index=frame.index)
