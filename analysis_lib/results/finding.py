"""A business result whose sentences, figures and tables are called by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from analysis_lib.errors import NotEnoughData, unknown
from analysis_lib.results.exhibit import Exhibit
from analysis_lib.results.result import Result


class Finding(Result):
    """Base of what a page shows: a notebook asks for its parts by name; none is made before it is asked for.

    Attributes
    ----------
    SENTENCES : mapping of str to callable
        What makes each sentence from the result.
    EXHIBITS : mapping of str to callable
        What makes each figure and table from the result.
    CALLED : str
        What it is, with its article, for messages: "a readout".
    PLOTTED : str
        The exhibit that ``plot`` draws.
    """

    __slots__ = ()

    SENTENCES: ClassVar[Mapping[str, Callable[[Any], str]]]
    EXHIBITS: ClassVar[Mapping[str, Callable[[Any], Exhibit]]]
    CALLED: ClassVar[str]
    PLOTTED: ClassVar[str]

    def sentence(self, name: str) -> str:
        """One of the sentences.

        Raises
        ------
        UnknownName
            There is none of that name; the message names the known ones.
        """
        if name not in self.SENTENCES:
            raise unknown("sentence", name, self.SENTENCES, f"the sentences of {self.CALLED}")
        return self.SENTENCES[name](self)

    def exhibit(self, name: str) -> Exhibit:
        """One of the figures and tables.

        Raises
        ------
        UnknownName
            There is none of that name; the message names the known ones.
        """
        if name not in self.EXHIBITS:
            raise unknown("exhibit", name, self.EXHIBITS, f"the exhibits of {self.CALLED}")
        return self.EXHIBITS[name](self)

    def plot(self, ax=None):
        """The main figure, drawn on ``ax`` or on new axes; returns the axes.

        Raises
        ------
        NotEnoughData
            There is nothing to draw; the message says what is missing.
        """
        import matplotlib.pyplot as plt  # slow to import

        shown = self.exhibit(self.PLOTTED)
        if shown.draw is None:
            raise NotEnoughData(shown.note or shown.title)
        ax = plt.gca() if ax is None else ax
        shown.draw(ax)
        ax.set_title(shown.title)
        return ax
