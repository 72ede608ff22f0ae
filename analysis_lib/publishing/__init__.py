"""Publishing: notebooks as files, run with parameters, cached, stamped and put into the book.

Names are looked up when first used: the command line starts without papermill, pydantic or Jupyter.
"""

from __future__ import annotations

from analysis_lib.lazy import attributes

_HOMES = {
    "Finding": "findings",
    "Page": "reports",
    "Parameter": "parameters",
    "Progress": "progress",
    "Reports": "reports",
    "RunRecord": "records",
    "ask_pages": "local",
    "catalog": "cards",
    "load_reports": "reports",
    "read_finding": "findings",
    "read_parameters": "parameters",
    "read_records": "records",
    "remember_pages": "local",
    "resolve": "resolution",
    "run_folder": "records",
    "run_pages": "runner",
    "stamp": "provenance",
}

__all__ = sorted(_HOMES)

__getattr__ = attributes(__name__, _HOMES)
