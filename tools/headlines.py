"""Renew the committed outputs of headline cells, the one switch for these snapshots."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

#: Cells whose outputs are committed and compared.
TAG = "nbval-check-output"


def renew(path: Path) -> None:
    """Execute a notebook on its defaults; keep outputs of headline cells only."""
    notebook = nbformat.read(path, as_version=4)
    executed = nbformat.from_dict(notebook)
    NotebookClient(executed, timeout=600, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
    count = 0
    for cell, run in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type != "code":
            continue
        keep = TAG in cell.metadata.get("tags", [])
        count += keep
        cell.outputs = run.outputs if keep else []
        # A stored output without a count always fails the comparison.
        cell.execution_count = count if keep else None
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    nbformat.write(notebook, path)


def main(names: list[str]) -> None:
    """Renew the named notebooks, or all."""
    for path in [Path(name) for name in names] or sorted(Path("notebooks").glob("*.ipynb")):
        renew(path)
        sys.stdout.write(f"{path}: renewed\n")


if __name__ == "__main__":
    main(sys.argv[1:])
