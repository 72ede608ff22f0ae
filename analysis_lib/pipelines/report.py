"""What a build did, mart by mart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.results import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Built:
    """What became of one mart.

    Attributes
    ----------
    mart : str
        Its name.
    n_rows : int
        Rows it has now.
    n_built, n_kept, n_removed : int
        Days that were built, left as they were, taken out.
    seconds : float
        Time it took.
    skipped : str
        Why it was not built; empty if it was.
    """

    mart: str
    n_rows: int = 0
    n_built: int = 0
    n_kept: int = 0
    n_removed: int = 0
    seconds: float = 0.0
    skipped: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BuildReport(Result):
    """What a build did.

    Attributes
    ----------
    source : str
        Name of the source.
    marts : tuple of Built
        One per mart asked for, in the order they were built.
    seconds : float
        Time of the whole build, looking at the source included.
    """

    source: str
    marts: tuple[Built, ...]
    seconds: float

    @property
    def text(self) -> str:
        """The outcome in a sentence."""
        done = [built for built in self.marts if not built.skipped]
        skipped = [f"{built.mart} ({built.skipped})" for built in self.marts if built.skipped]
        changed, removed = sum(built.n_built for built in done), sum(built.n_removed for built in done)
        what = f"{changed:,} days built" + (f", {removed:,} removed" if removed else "")
        if not changed and not removed:
            what = "nothing had changed"
        sentence = f"{self.source}: {len(done)} marts, {what}, in {self.seconds:.1f} s."
        return sentence + (f" Skipped: {'; '.join(skipped)}." if skipped else "")

    def to_frame(self) -> pd.DataFrame:
        """One row per mart: mart, n_rows, n_built, n_kept, n_removed (days), seconds, skipped."""
        import pandas as pd

        names = ("mart", "n_rows", "n_built", "n_kept", "n_removed", "seconds", "skipped")
        return pd.DataFrame([[getattr(built, name) for name in names] for built in self.marts], columns=list(names))
