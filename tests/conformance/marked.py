"""Which tests bear which clauses, read from the source: `@pytest.mark.clause("GB 55029 3.5.1(8)")` on tests, classes,
parameters of a test, or a module's `pytestmark`. Nothing is imported, so it takes a moment and works under xdist."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("tests", "hil/scenarios")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, order=True)
class Shown:
    """A test that shows a clause. `file`: from the project's root; `test`: the node id's rest, without parameters."""

    file: str
    test: str
    line: int
    clause: str


def marked(root: Path = ROOT) -> list[Shown]:
    """All of them below `PLACES`, in order; ValueError with place for a clause that is no plain string."""
    found: list[Shown] = []
    for path in sorted(path for place in PLACES for path in (root / place).rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.clause" in text:
            found += in_text(text, path.relative_to(root).as_posix())
    return found


def in_text(text: str, file: str) -> list[Shown]:
    """Those of one file's text."""
    tree = ast.parse(text, file)
    whole = [
        pair
        for node in tree.body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)
        for pair in _clauses(node.value, file)
    ]
    return [Shown(file, test, line, clause) for test, pairs in _tests(tree, file) for line, clause in [*whole, *pairs]]


def _tests(tree: ast.Module | ast.ClassDef, file: str) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    for node in tree.body:
        if isinstance(node, FUNCTIONS) and node.name.startswith("test"):
            yield node.name, _decorating(node, file)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            own = _decorating(node, file)
            for test, pairs in _tests(node, file):
                yield f"{node.name}::{test}", [*own, *pairs]


def _decorating(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, file: str) -> list[tuple[int, str]]:
    return [pair for decorator in node.decorator_list for pair in _clauses(decorator, file)]


def _clauses(node: ast.expr, file: str) -> Iterator[tuple[int, str]]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.clause":
            for word in call.args:
                if not (isinstance(word, ast.Constant) and isinstance(word.value, str)):
                    raise ValueError(
                        f"{file}:{word.lineno}: found {ast.unparse(word)}, expected a clause as plain string"
                    )
                yield word.lineno, word.value
