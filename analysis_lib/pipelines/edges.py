"""Which table feeds which mart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis_lib.pipelines.declaration import Mart
from analysis_lib.pipelines.registry import MARTS
from analysis_lib.results import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Node:
    """A table or a mart.

    Attributes
    ----------
    name : str
        Its name.
    kind : str
        ``table`` (of the contract) or ``mart``.
    grain : str
        What one row of a mart stands for; empty for tables, whose contract says it.
    """

    name: str
    kind: str
    grain: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """One thing read by another.

    Attributes
    ----------
    source, target : str
        Name of what is read, and of the mart that reads it.
    source_kind : str
        ``table`` or ``mart``.
    required : bool
        Whether the mart cannot be built without it.
    columns : tuple of str
        Columns without which the mart is not built; of a mart, all that it has.
    """

    source: str
    target: str
    source_kind: str
    required: bool
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lineage(Result):
    """Tables and marts, and what reads what.

    Attributes
    ----------
    nodes : tuple of Node
        Tables first, then marts in an order in which they can be built.
    edges : tuple of Edge
        From what is read to what reads it.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def text(self) -> str:
        """How many there are."""
        tables = sum(node.kind == "table" for node in self.nodes)
        return f"{tables} tables feed {len(self.nodes) - tables} marts."

    def to_frame(self) -> pd.DataFrame:
        """One row per edge: source, source_kind, target, required, columns."""
        import pandas as pd

        names = ("source", "source_kind", "target", "required")
        rows = [[*(getattr(edge, name) for name in names), ", ".join(edge.columns)] for edge in self.edges]
        return pd.DataFrame(rows, columns=[*names, "columns"])

    def upstream_of(self, name: str) -> list[str]:
        """Everything a mart is made from, directly or not, in the order of the nodes."""
        found: set[str] = set()
        queue = [name]
        while queue:
            reader = queue.pop()
            new = {edge.source for edge in self.edges if edge.target == reader} - found
            found |= new
            queue += new
        return [node.name for node in self.nodes if node.name in found]


def lineage() -> Lineage:
    """Tables and marts as they are declared."""
    edges = tuple(edge for mart in MARTS.values() for edge in _edges(mart))
    tables = sorted({edge.source for edge in edges if edge.source_kind == "table"})
    nodes = [Node(name, "table") for name in tables] + [Node(mart.name, "mart", mart.grain) for mart in MARTS.values()]
    return Lineage(tuple(nodes), edges)


def _edges(mart: Mart) -> list[Edge]:
    columns: dict[str, list[str]] = {}
    required: dict[str, bool] = {}
    for item in mart.inputs:
        columns.setdefault(item.table, []).extend(item.columns)
        required[item.table] = required.get(item.table, False) or item.required
    found = [
        Edge(table, mart.name, "table", required[table], tuple(dict.fromkeys(names)))
        for table, names in columns.items()
    ]
    for name in (*mart.upstream, *mart.optional_upstream):
        found.append(Edge(name, mart.name, "mart", name in mart.upstream, tuple(c.name for c in MARTS[name].columns)))
    return found
