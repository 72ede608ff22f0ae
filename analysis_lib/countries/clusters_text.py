"""What a look for groups of markets says and shows, built from its numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis_lib.config import PALETTE
from analysis_lib.countries.grouping import DISSOLVED, STABLE
from analysis_lib.results import Exhibit, format_count, format_percent, nothing_to_show

if TYPE_CHECKING:
    import pandas as pd

    from analysis_lib.countries.clusters_result import MarketClusters


def headline(one: MarketClusters) -> str:
    """Whether there are groups."""
    split = one.split
    if split is None:
        return f"Groups are not looked for: {one.refusal}."
    as_clear = (
        f"a split as clear as the clearest, into {format_count(split.n_groups)}, comes up in"
        f" {format_percent(split.pvalue, 0)} of draws of {format_count(len(split.names))} markets from one cloud"
    )
    names = ", ".join(name.replace("_", " ") for name in one.traits)
    if not one.has_groups:
        return f"By {names}, markets form no groups worth the name: {as_clear}."
    if split.jaccard.max() < STABLE:
        return f"By {names}, markets lie apart ({as_clear}), but no group lasts: use none of them."
    many = int((split.jaccard >= STABLE).sum())
    return f"By {names}, {format_count(many)} of {format_count(split.n_groups)} groups are stable ({as_clear})."


def word(share: float) -> str:
    """How far a group lasts, in Hennig's words."""
    return "stable" if share >= STABLE else "dissolved" if share <= DISSOLVED else "neither stable nor dissolved"


def groups(one: MarketClusters) -> str:
    """Groups of the clearest split, and how far each lasts."""
    split = one.split
    if split is None:
        return "Compare each market with its own peers instead: shopbook run country_profile."
    said = []
    for group in range(split.n_groups):
        names = ", ".join(one.markets[code] for code in split.members(group))
        share = split.jaccard[group]
        said.append(f"{names}: {word(share)}, {format_percent(share, 0)} found again")
    months = format_percent(float(split.jaccard_months.min()), 0)
    told = (
        f"The clearest split, when months and traits are drawn anew: {'; '.join(said)} (months alone: at least"
        f" {months})."
    )
    if one.has_groups:
        return told
    return (
        f"{told} That it comes back proves no groups: markets on a line are cut at its middle again and again. Compare"
        " a market with its own peers instead."
    )


def together(one: MarketClusters) -> Exhibit:
    """How often two markets fall into one group, as the tree lays them side by side."""
    import pandas as pd

    split = one.split
    if split is None:
        return nothing_to_show("Groups of markets", one.refusal)
    codes = [split.names[place] for place in split.order]
    share = pd.DataFrame(split.together[np.ix_(split.order, split.order)], index=codes, columns=codes)
    apart = split.together[np.triu_indices(len(codes), 1)]
    firm = float(((apart > 0.9) | (apart < 0.1)).mean())
    return Exhibit(
        title=f"Of pairs of markets, {format_percent(firm, 0)} nearly always fall together or apart",
        subtitle="Per cent of draws of months and traits in which two markets fall into one group; frames: the groups"
        " of the clearest split",
        frame=share.reset_index(names="market"), units=dict.fromkeys(codes, "share"),
        draw=partial(draw_together, share=share, labels=split.labels[split.order]), height=0.075 * len(codes) + 0.1,
    )  # fmt: skip


def draw_together(axes: Any, *, share: pd.DataFrame, labels: np.ndarray) -> None:
    """Shares as colour and number, with a frame about each group.

    Parameters
    ----------
    share
        Markets by markets, 0 to 1.
    labels
        Group of each, in the same order.
    """
    from matplotlib.patches import Rectangle  # slow to import

    values = share.to_numpy(float)
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if row != column:
            axes.text(column, row, f"{round(100 * value)}", ha="center", va="center", fontsize="small",
                      color="white" if value > 0.6 else "#222222")  # fmt: skip
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1], [True]]))
    for first, last in pairwise(starts):
        side = last - first
        axes.add_patch(Rectangle((first - 0.5, first - 0.5), side, side, fill=False, ec=PALETTE["second"], lw=2.2))
    axes.set_xticks(range(len(share)), share.columns)
    axes.set_yticks(range(len(share)), share.index)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


SENTENCES: dict[str, Callable[[MarketClusters], str]] = {"headline": headline, "groups": groups}

EXHIBITS: dict[str, Callable[[MarketClusters], Exhibit]] = {"together": together}
