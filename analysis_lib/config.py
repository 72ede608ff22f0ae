"""Where things are, and the constants that more than one module must agree on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

#: Two-sided level of every interval unless a parameter says otherwise.
LEVEL = 0.95

#: Smallest number of people a published cell may stand for.
PRIVACY_THRESHOLD = 20

#: What people may be called, in the plural: the publish gate looks for small groups of exactly these.
PEOPLE = ("users", "buyers", "households", "customers", "people", "persons", "shoppers", "members", "visitors")

#: Seconds a single notebook cell may take before the run is given up.
CELL_TIMEOUT_S = 600

#: Okabe-Ito colours: told apart with every common kind of colour blindness.
PALETTE = {
    "subject": "#0072B2",
    "second": "#D55E00",
    "good": "#009E73",
    "warn": "#E69F00",
    "sky": "#56B4E9",
    "pink": "#CC79A7",
    "context": "#8A8A8A",
    "context_text": "#5f5f5f",  # grey that stays readable as text on white
}

#: MIME type of the display output by which a notebook tells the book what it found.
FINDING_MIME = "application/vnd.shopbook.finding+json"

#: Environment variable that points the library at another checkout (tests, forks).
ROOT_VARIABLE = "SHOPBOOK_ROOT"


@dataclass(frozen=True, slots=True)
class Project:
    """The folders of one checkout of the book.

    Attributes
    ----------
    root : Path
        Folder that holds ``_config.yml``, ``book/``, ``notebooks/`` and ``data/``.
    """

    root: Path

    @property
    def notebooks(self) -> Path:
        """Parameterized notebooks, one per question."""
        return self.root / "notebooks"

    @property
    def book(self) -> Path:
        """Written chapters, the outline and ``reports.yml``."""
        return self.root / "book"

    @property
    def data(self) -> Path:
        """Data about data: contract, sources, metrics, calendar."""
        return self.root / "data"

    @property
    def contract(self) -> Path:
        """The table contract, one YAML file per table."""
        return self.data / "contract"

    @property
    def built(self) -> Path:
        """Generated warehouses (git-ignored)."""
        return self.data / "built"

    @property
    def state(self) -> Path:
        """Runs, logs and the cache (git-ignored)."""
        return self.root / ".shopbook"

    @property
    def site(self) -> Path:
        """The finished website."""
        return self.root / "_build" / "html"


def project() -> Project:
    """The checkout in use: ``$SHOPBOOK_ROOT``, or the one this library lies in."""
    chosen = os.environ.get(ROOT_VARIABLE)
    return Project(Path(chosen).resolve() if chosen else Path(__file__).resolve().parent.parent)
