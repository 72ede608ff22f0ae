"""From an executed notebook to a page of the site: title, folded code, and how it was made."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode

from analysis_lib.config import FINDING_MIME
from analysis_lib.publishing.cells import is_imports
from analysis_lib.publishing.findings import Finding, read_finding
from analysis_lib.publishing.markup import escape_html, escape_markdown, fence, safe_title, table_html
from analysis_lib.publishing.parameters import Parameter
from analysis_lib.publishing.records import RunRecord
from analysis_lib.publishing.values import as_text

#: Heading of the closing section.
HEADING = "How this was made"

#: A cell with one of these tags has been decided upon by its author.
_AUTHOR_TAGS = {"hide-input", "hide-cell", "remove-input", "remove-cell", "show-input"}

_WIDGETS = "application/vnd.jupyter.widget"


def stamp(notebook: NotebookNode, record: RunRecord, parameters: Sequence[Parameter] = ()) -> NotebookNode:
    """A page for the site; the notebook given is not changed.

    Parameters
    ----------
    notebook : NotebookNode
        Executed notebook, the last good one.
    record : RunRecord
        The page's last run; a failed one makes the page say that it is stale.
    parameters : Sequence[Parameter]
        Declared parameters, for their meanings.
    """
    finding = read_finding(notebook)
    made = RunRecord.from_dict(record.good) if record.stale and record.good else record
    title = (finding.title if finding else "") or record.title
    cells = [_clean(cell) for cell in notebook.cells]
    cells, setup = _set_aside(cells)
    cells = _titled(cells, title, [_banner(record, made)] if record.stale else [])
    cells += _closing(made, finding, parameters, setup)
    page = nbformat.v4.new_notebook(cells=cells, metadata=_metadata(notebook))
    for place, cell in enumerate(page.cells):
        # The same content gives the same bytes: the site builder then leaves the page alone.
        cell["id"] = f"c{place}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
    return page


def _metadata(notebook: NotebookNode) -> dict[str, Any]:
    kept = {name: notebook.metadata[name] for name in ("kernelspec", "language_info") if name in notebook.metadata}
    kept.setdefault("kernelspec", {"name": "python3", "display_name": "Python", "language": "python"})
    kept.setdefault("language_info", {"name": "python", "pygments_lexer": "ipython3"})
    return copy.deepcopy(kept)


def _clean(cell: NotebookNode) -> NotebookNode:
    """A copy without the runner's traces; code folded."""
    tags = list(cell.metadata.get("tags", []))
    if cell.cell_type != "code":
        kept = {"tags": tags} if tags else {}
        return nbformat.v4.new_markdown_cell(cell.source, metadata=kept, attachments=cell.get("attachments", {}))
    if is_imports(cell.source) or {"parameters", "injected-parameters", "imports"} & set(tags):
        tags = [tag for tag in tags if tag not in _AUTHOR_TAGS] + ["hide-cell"]
    elif not _AUTHOR_TAGS & set(tags):
        tags.append("hide-input")
    outputs = [kept for output in cell.outputs if (kept := _clean_output(output)) is not None]
    return nbformat.v4.new_code_cell(
        cell.source, execution_count=cell.execution_count, outputs=outputs, metadata={"tags": tags}
    )


def _clean_output(output: NotebookNode) -> NotebookNode | None:
    """The output without what a static page cannot show; None if nothing is left."""
    if output.output_type == "stream" and output.name == "stderr":
        # Warnings of libraries are for who runs the notebook; they stay in the kept run, not on the page.
        return None
    output = copy.deepcopy(output)
    if "data" not in output:
        return output
    for kind in list(output.data):
        if kind == FINDING_MIME or kind.startswith(_WIDGETS):
            del output.data[kind]
            # What remains is the text that stands in for it.
            output.data.pop("text/plain", None) if set(output.data) == {"text/plain"} else None
    return output if output.data else None


def _set_aside(cells: list[NotebookNode]) -> tuple[list[NotebookNode], list[NotebookNode]]:
    """The page's cells, and those of the set-up (imports, parameters) for its end.

    The first screen belongs to the answer. The words that lead from the imports to the parameters
    go with them.
    """
    setup = [place for place, cell in enumerate(cells) if "hide-cell" in cell.metadata.get("tags", [])]
    leads = [
        place - 1 for place in setup[1:] if cells[place - 1].cell_type == "markdown" and place - 1 > setup[0]
    ]  # fmt: skip
    aside = {*setup, *leads}
    kept = [cell for place, cell in enumerate(cells) if place not in aside]
    return kept, [cells[place] for place in setup]


def _titled(cells: list[NotebookNode], title: str, after: list[NotebookNode]) -> list[NotebookNode]:
    """The first level-one heading replaced, and what belongs right under it."""
    heading = f"# {escape_markdown(safe_title(title))}"
    for place, cell in enumerate(cells):
        lines = cell.source.splitlines()
        at = next((at for at, line in enumerate(lines) if line.startswith("# ")), None)
        if cell.cell_type == "markdown" and at is not None:
            lines[at] = heading
            top = nbformat.v4.new_markdown_cell("\n".join(lines[: at + 1]).strip(), metadata=cell.metadata)
            rest = "\n".join(lines[at + 1 :]).strip()
            below = [nbformat.v4.new_markdown_cell(rest, attachments=cell.get("attachments", {}))] if rest else []
            return [*cells[:place], top, *after, *below, *cells[place + 1 :]]
    return [nbformat.v4.new_markdown_cell(heading), *after, *cells]


def _html_cell(content: str) -> NotebookNode:
    """Raw HTML as an output: nothing in it is read as Markdown."""
    output = nbformat.v4.new_output("display_data", {"text/html": content})
    # A cell without source would be dropped with its output.
    return nbformat.v4.new_code_cell("# added by shopbook", outputs=[output], metadata={"tags": ["remove-input"]})


def _banner(record: RunRecord, made: RunRecord) -> NotebookNode:
    cell = f"in cell {record.error.cell} of the notebook" if record.error and record.error.cell else "before it began"
    sentence = (
        f"This page is not up to date. It shows the run of {minute(made.finished_at)}; every later run has failed "
        f"since {minute(record.stale_since or record.started_at)}, the last one {cell}."
    )
    return _html_cell(
        '<div class="admonition warning shopbook-stale tex2jax_ignore mathjax_ignore">'
        f'<p class="admonition-title">Out of date</p><p>{escape_html(sentence)}</p></div>'
    )


def minute(moment: str) -> str:
    """An ISO moment to the minute.

    Examples
    --------
    >>> minute("2026-11-23T15:05:26+00:00")
    '2026-11-23 15:05 UTC'
    """
    return f"{moment[:10]} {moment[11:16]} UTC"


def _closing(
    made: RunRecord, finding: Finding | None, parameters: Sequence[Parameter], setup: list[NotebookNode]
) -> list[NotebookNode]:
    meanings = {parameter.name: parameter.meaning for parameter in parameters}
    rows = [(name, as_text(value), meanings.get(name, "")) for name, value in made.parameters.items()]
    table = table_html(rows, ("Parameter", "Value", "Meaning")) if rows else ""
    facts = table_html(_facts(made, finding), ("What", "How"))
    return [
        nbformat.v4.new_markdown_cell(f"## {HEADING}"),
        _html_cell(table + facts),
        nbformat.v4.new_markdown_cell("To run it again:\n\n" + fence(made.command, "bash")),
        *([nbformat.v4.new_markdown_cell("What was set up before the first cell above:")] if setup else []),
        *setup,
    ]


def _facts(made: RunRecord, finding: Finding | None) -> list[tuple[str, str]]:
    found = finding or Finding()
    facts = [
        ("Data", found.source or made.source or ""),
        ("Window", found.window),
        ("Data as of", found.as_of),
        ("Method", found.method),
        ("Run at", minute(made.finished_at)),
        ("Run time", f"{made.seconds:.1f} s"),
        ("Code version", made.version),
        ("Notebook", made.notebook),
    ]
    return [(name, text) for name, text in facts if text]
