"""Ratchets of STYLE.md and CONTRIBUTING.md: floors, sizes, exports, docstrings, quick imports."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parent.parent / "analysis_lib"

#: From the ground up; a package imports only from floors below its own.
FLOORS = {
    "errors": 0, "config": 0, "lazy": 0, "closure": 0,
    "settings": 0.5, "results": 0.5,  # stand on errors
    "calendar": 1, "warehouse": 1, "drawings": 1, "markets": 1,
    "pipelines": 2, "world": 2,
    "metrics": 3,
    "regression": 4, "causal": 4,
    "experiments": 5, "campaigns": 5, "countries": 5, "monitoring": 5, "releases": 5, "launches": 5, "prediction": 5,
    "relations": 5,
    "calibration": 6, "reporting": 6,
    "publishing": 7,
    "cli": 8, "__main__": 9,
}  # fmt: skip

MOST_LINES, MOST_LINES_EVER = 300, 500
LONGEST_BODY = 30

#: Modules over 300 lines, each with its reason; the list may only shrink.
LONG_MODULES: dict[str, str] = {}

#: Imported at the top of a module they would make every command wait.
SLOW = (
    "pyfixest", "statsmodels", "sklearn", "matplotlib", "seaborn", "ibis", "pandas", "scipy", "numba", "nbconvert",
    "sphinx",
)  # fmt: skip

MODULES = sorted(LIBRARY.rglob("*.py"))
PACKAGES = sorted(path.parent for path in LIBRARY.glob("*/__init__.py"))


def name_of(path: Path) -> str:
    return path.relative_to(LIBRARY).as_posix()


def package_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> list[str]:
    """Packages of the library that a module imports anywhere, inside functions too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor"
            module = node.module or ""
            found += [f"{module}.{name.name}" for name in node.names] if module == "analysis_lib" else [module]
    return [name.split(".")[1] for name in found if name.startswith("analysis_lib.")]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_come_from_lower_floors(path):
    own = package_of(path)
    if own == "__init__":
        assert imported(tree_of(path)) == []
        return
    for other in imported(tree_of(path)):
        allowed = other == own or other == "__version__" or FLOORS[other] < FLOORS[own]
        assert allowed, f"{name_of(path)} (floor {FLOORS[own]}) imports {other} (floor {FLOORS.get(other)})"


def test_every_package_has_a_floor():
    assert {package_of(path) for path in MODULES} - {"__init__"} <= set(FLOORS)


@pytest.mark.parametrize("path", [p for p in MODULES if package_of(p) in ("causal", "regression")], ids=name_of)
def test_methods_know_neither_warehouse_nor_page(path):
    used = {name.split(".")[0] for node in ast.walk(tree_of(path)) for name in _names(node)}
    assert not used & {"ibis", "duckdb", "IPython", "matplotlib"}


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_short(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (MOST_LINES_EVER if name_of(path) in LONG_MODULES else MOST_LINES)


def functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_are_short(path):
    long = {f.name: body_lines(f) for f in functions(tree_of(path)) if body_lines(f) > LONGEST_BODY}
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_public_is_documented(path):
    tree = tree_of(path)
    assert ast.get_docstring(tree), "the module itself"
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for scope in [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_")]:
        for node in scope.body:
            if isinstance(node, kinds) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{node.name} has no docstring"


def exported(init: Path) -> set[str]:
    """Public names that an ``__init__`` defines, or brings in from its own library."""
    names: set[str] = set()
    for node in tree_of(init).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis_lib."):
            if node.module.split(".")[1] == init.parent.name:
                names |= {name.asname or name.name for name in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            names |= set(ast.literal_eval(node.value))  # looked up when first used
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_all_is_what_the_package_exports(package):
    module = importlib.import_module(f"analysis_lib.{package.name}")
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) == exported(package / "__init__.py")
    assert all(hasattr(module, name) for name in module.__all__)


def test_the_command_line_imports_nothing_slow():
    code = f"import sys, analysis_lib.cli; print(*[name for name in {SLOW!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_asserts_or_hides_errors(path):
    """No ``assert`` for what users give, no bare ``except``, no global seed or warning filter."""
    for node in ast.walk(tree_of(path)):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"line {node.lineno}"
    text = path.read_text(encoding="utf-8")
    assert "np.random.seed" not in text
    assert "simplefilter(" not in text or "catch_warnings" in text
