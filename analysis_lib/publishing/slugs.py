"""File names of pages: pure functions of the notebook and its row's parameters."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from analysis_lib.publishing.values import as_text

#: Longer names break some file systems once suffixes are added.
_LONGEST = 100

#: Texts that stand for themselves: lower-case words, numbers, dates, and short codes like ID or USD.
_PLAIN = re.compile(r"[a-z0-9]+(?:[._][a-z0-9]+)*|\d{4}-\d{2}-\d{2}|[A-Z]{2,3}")


def slug(notebook: str, parameters: Mapping[str, Any]) -> str:
    """The file name of a page, without suffix.

    A short digest is appended when writing the values lost something, so that different values never meet.

    Examples
    --------
    >>> slug("campaign_review", {"campaign": "18"})
    'campaign-review-campaign-18'
    >>> slug("growth", {"country": "ID"})
    'growth-country-ID'
    >>> slug("growth", {"country": "a/b"}) != slug("growth", {"country": "a b"})
    True
    """
    parts = [notebook.replace("_", "-")]
    lost = False
    for name, value in parameters.items():
        text, exact = _word(value)
        parts += [name, text] if text else [name]
        lost = lost or not exact
    whole = "-".join(parts)
    if lost or len(whole) > _LONGEST:
        return f"{whole[:_LONGEST].rstrip('-.')}-{_digest(notebook, parameters)}"
    return whole


def _word(value: Any) -> tuple[str, bool]:
    text = as_text(value)
    if _PLAIN.fullmatch(text):
        return text, True
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"), False


def _digest(notebook: str, parameters: Mapping[str, Any]) -> str:
    pairs = json.dumps([notebook, sorted((name, value) for name, value in parameters.items())], ensure_ascii=True)
    return hashlib.sha256(pairs.encode()).hexdigest()[:8]


def command(notebook: str, parameters: Mapping[str, Any]) -> str:
    """The command line that runs a page again.

    Examples
    --------
    >>> command("growth", {"country": "ID", "note": "a b"})
    "shopbook run growth -p country=ID -p 'note=a b'"
    """
    options = [f"-p {shlex.quote(f'{name}={as_text(value)}')}" for name, value in parameters.items()]
    return " ".join(["shopbook run", shlex.quote(notebook), *options])
