"""The page that shows which table feeds which mart, and what each report reads."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis_lib.publishing.cells import cell_source, load_notebook
from analysis_lib.publishing.markup import escape_html, row_of, table_of
from analysis_lib.publishing.metric_pages import FOLDER

if TYPE_CHECKING:
    from analysis_lib.metrics import Registry
    from analysis_lib.pipelines import Lineage

#: The package whose reads depend on what is asked of it.
METRICS = "analysis_lib.metrics"

#: Dots of the matrix, with what a screen reader says.
_DOTS = {True: ("●", "needed"), False: ("○", "used where there")}


def lineage_page(text: str, lineage: Lineage, notebooks: Iterable[tuple[str, Path]], registry: Registry) -> str:
    """The page with its marks filled in.

    Parameters
    ----------
    text : str
        The written page.
    lineage : Lineage
        From ``pipelines.lineage``.
    notebooks : iterable of (str, Path)
        Title and file of each notebook.
    registry : Registry
        Metrics, by the mart that they read.
    """
    text = text.replace("<!-- lineage-matrix -->", _matrix(lineage))
    text = text.replace("<!-- lineage-marts -->", _marts(lineage, registry))
    return text.replace("<!-- lineage-reports -->", _reports(notebooks))


def _matrix(lineage: Lineage) -> str:
    """Tables and marts down the side, marts across the top, a dot where one feeds the other."""
    marts = [node.name for node in lineage.nodes if node.kind == "mart"]
    fed = {(edge.source, edge.target): edge.required for edge in lineage.edges}
    sources = [node.name for node in lineage.nodes if any((node.name, mart) in fed for mart in marts)]
    heads = "".join(
        f'<th scope="col"><span class="sb-tilted">{escape_html(mart.replace("_", " "))}</span></th>' for mart in marts
    )
    rows = "".join(_matrix_row(source, marts, fed, is_mart=source in marts) for source in sources)
    return (
        '<div class="sb-matrix tex2jax_ignore mathjax_ignore" tabindex="0"><table><thead><tr>'
        f'<th scope="col">feeds</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _matrix_row(source: str, marts: list[str], fed: dict[tuple[str, str], bool], *, is_mart: bool) -> str:
    cells = []
    for mart in marts:
        dot = ""
        if (source, mart) in fed:
            sign, meaning = _DOTS[fed[source, mart]]
            dot = f'<span role="img" aria-label="{meaning}">{sign}</span>'
        cells.append(f"<td>{dot}</td>")
    kind = ' class="sb-mart"' if is_mart else ""
    return f'<tr{kind}><th scope="row">{escape_html(source.replace("_", " "))}</th>{"".join(cells)}</tr>'


def _marts(lineage: Lineage, registry: Registry) -> str:
    """Each mart with its grain and its metrics; what its author noted about it is folded away."""
    from analysis_lib.pipelines import MARTS

    return "".join(
        '<div class="sb-say tex2jax_ignore mathjax_ignore">'
        f"<p><strong>{escape_html(name.replace('_', ' '))}</strong> (<code>{escape_html(name)}</code>)."
        f" {escape_html(MARTS[name].grain)}</p>{_metrics(registry, name)}"
        f"<details><summary>What it says</summary><p>{escape_html(MARTS[name].meaning)}</p></details></div>"
        for name in (node.name for node in lineage.nodes if node.kind == "mart")
    )


def _metrics(registry: Registry, mart: str) -> str:
    """Links to the metrics that read a mart."""
    links = [
        f'<a href="{FOLDER}/{escape_html(metric.name)}.html">{escape_html(metric.title)}</a>'
        for metric in registry.metrics.values() if metric.mart == mart
    ]  # fmt: skip
    if not links:
        return ""
    return f"<details><summary>{len(links)} metrics are made of it</summary><p>{', '.join(links)}</p></details>"


def _reports(notebooks: Iterable[tuple[str, Path]]) -> str:
    rows = []
    for title, path in notebooks:
        doors = front_doors(path)
        reads = sorted({name for package in doors for name in getattr(package, "READS", ())})
        reads += ["the marts of its metrics"] if METRICS in [package.__name__ for package in doors] else []
        cells = escape_html(title), f"<code>{escape_html(path.stem)}</code>", escape_html(", ".join(reads) or "nothing")
        rows.append(row_of(cells))
    return table_of(rows, ("Report", "Notebook", "Reads"))


def front_doors(notebook: Path) -> list[Any]:
    """Packages of the library that a notebook imports."""
    found = []
    for cell in load_notebook(notebook)["cells"]:
        if cell.get("cell_type") != "code":
            continue
        for node in ast.walk(ast.parse(cell_source(cell))):
            if isinstance(node, ast.ImportFrom) and node.module == "analysis_lib":
                found += [importlib.import_module(f"analysis_lib.{name.name}") for name in node.names]
    return found
