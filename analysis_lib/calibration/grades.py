"""The grade of one method, and where it is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_lib import config
from analysis_lib.calibration.scoring import COMPARISON, MEASURES, Wanted, verdict
from analysis_lib.closure import ROOT, modules_behind
from analysis_lib.errors import InvalidValue
from analysis_lib.results import Result, format_percent

if TYPE_CHECKING:
    import pandas as pd

#: Packages whose code decides the numbers of a method.
METHODS = (
    "metrics", "regression", "causal", "experiments", "campaigns", "countries", "monitoring", "releases", "launches",
    "prediction",
)  # fmt: skip

#: Endings of modules that say and draw what others have found.
WORDS = ("text", "sentences", "exhibits", "drawings")

#: Digits of a stored number: more than Monte Carlo error allows to read.
DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Grade(Result):
    """How a method did where the truth was known.

    Attributes
    ----------
    name, title : str
        The function graded, and what it is called.
    how : str
        What was drawn, and what the truth was, in sentences.
    table : pandas.DataFrame
        As ``scoring.score`` gives it.
    wanted : tuple of Wanted
        What the grades should be.
    level : float
        Level of the intervals.
    worlds, draws, seed : int
        How much was drawn, from which seed.
    seconds : float
        How long that took.
    graded_on : str
        Date.
    code : str
        Digest of the method's code, as it was.
    entries : tuple of str
        The modules that the method begins in.
    """

    name: str
    title: str
    how: str
    table: pd.DataFrame
    wanted: tuple[Wanted, ...]
    level: float
    worlds: int
    draws: int
    seed: int
    seconds: float
    graded_on: str
    code: str
    entries: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Whether the code is still as it was graded."""
        return self.code == code_version(self.entries)

    def verdicts(self) -> pd.DataFrame:
        """Every wanted grade that could be measured: scenario, quantity, measure, value, mcse, wanted, verdict."""
        import pandas as pd

        rows = []
        for row in self.table.to_dict("records"):
            for one in (one for one in self.wanted if one.scenario in ("", row["scenario"])):
                value, error = row[one.measure], row[f"{one.measure}_mcse"]
                if told := verdict(value, error, one):
                    rows.append((row["scenario"], row["quantity"], one.measure, value, error, one.text, told))
        names = ["scenario", "quantity", "measure", "value", "mcse", "wanted", "verdict"]
        return pd.DataFrame(rows, columns=names)

    @property
    def text(self) -> str:
        """How many of the wanted grades were reached, and which were missed most."""
        found = self.verdicts()
        counts = found["verdict"].value_counts()
        reached, missed, left = (int(counts.get(name, 0)) for name in ("reached", "missed", "open"))
        said = f"{self.title}: {reached} of {len(found)} wanted grades reached, {missed} missed"
        said += f", {left} within Monte Carlo error of it." if left else "."
        worst = found[found["verdict"] == "missed"]
        if len(worst):
            named = "; ".join(
                f"{row.scenario}, {row.quantity}: {row.measure.replace('_', ' ')} {format_percent(row.value)}"
                f" (wanted {row.wanted})"
                for row in worst.head(3).itertuples()
            )
            said += f" Missed: {named}{'; …' if len(worst) > 3 else '.'}"
        return said


def told(name: str, *, project: config.Project | None = None) -> str:
    """How far a method can be trusted, as one sentence for pages that use it.

    Parameters
    ----------
    name : str
        The method, as it is graded: ``"metrics.explain"``.
    """
    grade = load_grades(project=project).get(name)
    if grade is None:
        return "The method has not been graded here."
    table = grade.table.dropna(subset=["coverage"])
    table = table[table["scenario"] != COMPARISON]
    low, high = format_percent(table["coverage"].min(), 0), format_percent(table["coverage"].max(), 0)
    middle = format_percent(table["coverage"].median(), 0)
    return (
        f"Where the truth is known, {format_percent(grade.level, 0)} ranges of this method hold it in {middle} of draws"
        f" ({low} to {high}, depending on what is asked)."
    )


def code_version(entries: Iterable[str]) -> str:
    """Digest of the code that the numbers of some modules come from: methods, not words, pictures, fronts or engines.

    Examples
    --------
    >>> len(code_version(["causal"]))
    16
    """
    total = hashlib.sha256()
    for path in modules_behind(entries, fronts=False):
        package = path.relative_to(ROOT).parts[0]
        if package in METHODS and not path.stem.endswith(WORDS):
            total.update(path.relative_to(ROOT).as_posix().encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:16]


def save_grade(grade: Grade, *, project: config.Project | None = None) -> Path:
    """Write a grade to ``data/grades/NAME.json``; numbers are rounded.

    Raises
    ------
    InvalidValue
        The file cannot be written.
    """
    folder = (project or config.project()).data / "grades"
    rows = json.loads(grade.table.to_json(orient="records", double_precision=DIGITS))
    content = {
        name: getattr(grade, name)
        for name in ("name", "title", "how", "level", "worlds", "draws", "seed", "graded_on", "code", "entries")
    }
    content |= {
        "seconds": round(grade.seconds),
        "wanted": [[w.measure, w.low, w.high, w.scenario] for w in grade.wanted],
    }
    path = folder / f"{grade.name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**content, "rows": rows}, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidValue(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def load_grades(*, project: config.Project | None = None) -> dict[str, Grade]:
    """Stored grades by name.

    Raises
    ------
    InvalidValue
        A file is damaged; the message names it.
    """
    folder = (project or config.project()).data / "grades"
    found = (_load(path) for path in sorted(folder.glob("*.json")))
    return {grade.name: grade for grade in found}


def _load(path: Path) -> Grade:
    import pandas as pd

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows, wanted = content.pop("rows"), content.pop("wanted")
        table = pd.DataFrame(rows)
        numbers = [f"{name}{end}" for name in MEASURES for end in ("", "_mcse")]
        # Measures that came later are missing from older grades.
        table = table.reindex(columns=[*table, *(name for name in numbers if name not in table)])
        table[numbers] = table[numbers].astype(float)
        content["entries"] = tuple(content["entries"])
        return Grade(table=table, wanted=tuple(Wanted(*one) for one in wanted), **content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidValue(f"{path.name} in data/grades is damaged ({error}): run `make grades` again.") from error
