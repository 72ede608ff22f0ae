"""What a page shows in the place of a part that the review was refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from analysis_lib.campaigns.result import CampaignReview

Shown = TypeVar("Shown")
Make = Callable[["CampaignReview"], Shown]


def needs(part: str, instead: Make[Shown]) -> Callable[[Make[Shown]], Make[Shown]]:
    """Show something else where the review lacks ``part``.

    Parameters
    ----------
    part : str
        Field of the review that is None if it was refused.
    instead : callable
        Makes what is shown then, from the review.
    """

    def decorate(make: Make[Shown]) -> Make[Shown]:
        @wraps(make)
        def guarded(review: CampaignReview) -> Shown:
            return instead(review) if getattr(review, part) is None else make(review)

        return guarded

    return decorate
