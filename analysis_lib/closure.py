"""Which modules of the library stand behind one of them: what a result depends on, and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

#: The library in use.
ROOT = Path(__file__).resolve().parent

_NAME = ROOT.name
_IMPORT = re.compile(rf"^[ \t]*from {_NAME}([\w.]*) import (\([^)]*\)|[^\n#]+)", re.MULTILINE)
_HOME = re.compile(r'^[ \t]+"(\w+)": "(\w+)",?$', re.MULTILINE)


def modules_behind(entries: Iterable[str], root: Path = ROOT, *, fronts: bool = True) -> tuple[Path, ...]:
    """Files of the modules that these import, and those that they import in turn, themselves included.

    Imports inside functions count. A package that is imported as a whole stands for all of its modules.

    Parameters
    ----------
    entries : iterable of str
        Modules or packages below the library: ``"metrics.explaining"``, ``"campaigns"``.
    root : Path
        Folder of the library.
    fronts : bool
        Whether the fronts of packages (``__init__``) count, with all that they hand out. Without them a name counts
        that is taken through a front, and its neighbours do not: what decides a number, not what is imported.

    Examples
    --------
    >>> [path.name for path in modules_behind(["errors"])]
    ['errors.py']
    """
    found: dict[Path, None] = {}
    waiting = [path for entry in entries for path in _files(root, entry)]
    while waiting:
        path = waiting.pop()
        if path not in found and (fronts or path.name != "__init__.py"):
            found[path] = None
            waiting += _imported(root, path, path.stat().st_mtime_ns)
    return tuple(sorted(found))


def code_digest(entries: Iterable[str], root: Path = ROOT) -> str:
    """Digest of the code behind some modules: another one where any of it changed.

    Examples
    --------
    >>> len(code_digest(["causal"]))
    16
    """
    total = hashlib.sha256()
    for path in modules_behind(entries, root):
        total.update(path.relative_to(root).as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


@lru_cache(maxsize=4096)
def _imported(root: Path, path: Path, changed: int) -> tuple[Path, ...]:
    """Files that a module imports from, as they are at a time."""
    text = path.read_text(encoding="utf-8")
    found = [file for module, names in _IMPORT.findall(text) for file in _from(root, module.strip("."), names)]
    return tuple(dict.fromkeys(found))


def _from(root: Path, module: str, names: str) -> Iterator[Path]:
    """The files behind ``from analysis_lib.module import names``."""
    for name in re.findall(r"(\w+)(?: as \w+)?", names.strip("()")):
        inner = f"{module}.{name}" if module else name
        if _is_module(root, inner):
            yield from _files(root, inner)
        elif module and (root / module.replace(".", "/")).is_dir():
            yield from _exported(root, module, name)
        elif module:
            yield from _files(root, module)


def _exported(root: Path, package: str, name: str) -> list[Path]:
    """The module that a package takes a name from; all of the package where that cannot be told."""
    init = root / package.replace(".", "/") / "__init__.py"
    text = init.read_text(encoding="utf-8")
    homes = dict(_HOME.findall(text))
    if name in homes:
        return [init, *_files(root, f"{package}.{homes[name]}")]
    for module, names in _IMPORT.findall(text):
        if name in re.findall(r"\w+", names):
            return [init, *_files(root, module.strip("."))]
    return _files(root, package)


def _is_module(root: Path, name: str) -> bool:
    place = root / name.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").is_file()


def _files(root: Path, name: str) -> list[Path]:
    """The file of a module, or all files of a package."""
    place = root / name.replace(".", "/")
    if place.is_dir():
        return sorted(place.rglob("*.py"))
    return [place.with_suffix(".py")] if place.with_suffix(".py").is_file() else []
