"""The import rules between the rooms (DESIGN §2), read from the source, and what core really loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("rules", "drivers", "firmware", "provisioning", "images", "hil")
"""Lowest first: a room imports only itself and the rooms before it."""
PROCESSES = ("firmware.core", "firmware.uplink", "firmware.camera", "firmware.timekeeper", "firmware.updater")
PURE = {
    *("__future__", "collections", "dataclasses", "enum", "functools", "importlib", "itertools"),
    *("json", "math", "operator", "re", "string", "types", "typing"),
}
"""What the rules may import besides themselves: no clock, no I/O, no threads, no chance."""
TOOLS = {"rules.diagram": {"sys", "pathlib"}}
"""Modules that write documentation from the tables: run by hand, imported by nobody."""
BANNED_IN_CORE = (
    "PIL",
    "ai_edge_litert",
    "asyncio",
    "av",
    "fastapi",
    "hil",
    "iotcore",
    "joserfc",
    "jsonschema",
    "numpy",
    "paho",
    "picamera2",
    "provisioning",
    "rich",
    "rfc8785",
    "starlette",
    "tflite_runtime",
    "tomlkit",
    "typer",
    "uvicorn",
    "firmware.camera",
    "firmware.timekeeper",
    "firmware.updater",
    "firmware.uplink",
    "firmware.protocol.asyncapi",
    "firmware.protocol.schemas",
    "firmware.protocol.vectors",
)


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> tuple[tuple[str, int, bool], ...]:
    """What a file imports: the full name, the line, and whether it happens as soon as the file is loaded."""
    return tuple(_imports(path))


def _nodes(node: ast.AST, now: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, now
        yield from _nodes(child, now and not isinstance(child, FUNCTIONS))


def _imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    for node, now in _nodes(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, now) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_of(path).split(".") if path.name == "__init__.py" else module_of(path).split(".")[:-1]
                kept = package[: len(package) - node.level + 1]
                base = ".".join([*kept, base] if base else kept)
            yield from ((f"{base}.{alias.name}", node.lineno, now) for alias in node.names)


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def wrong(path: Path) -> list[str]:
    """Every import of a file that the rules forbid, as `file:line imports name: why`."""
    module, found = module_of(path), []
    room = module.split(".")[0]
    for name, line, now in imports(path):
        top = name.split(".")[0]
        why = ""
        if top in ROOMS and ROOMS.index(top) > ROOMS.index(room):
            why = f"{room} is a lower room than {top}"
        elif room == "rules" and top not in {*PURE, "rules", *TOOLS.get(module, ())}:
            why = "rules is pure"
        elif own := next((process for process in PROCESSES if inside(module, process)), None):
            other = next((p for p in PROCESSES if p != own and inside(name, p)), None)
            why = f"{own} is another process than {other}" if other else ""
        elif room == "firmware" and any(inside(name, process) for process in PROCESSES):
            lazy = module == "firmware.commands" and not now
            why = "" if lazy else "shared modules import no process (firmware.commands may, inside a function)"
        if why:
            found.append(f"{path.relative_to(ROOT)}:{line} imports {name}: {why}")
    return found


def test_the_rooms_import_one_way_only() -> None:
    assert len(files()) > 50
    assert [text for path in files() for text in wrong(path)] == []


def test_nobody_imports_a_tool() -> None:
    found = [(path.name, name) for path in files() for name, _, _ in imports(path)]
    assert [pair for pair in found if any(inside(pair[1], tool) for tool in TOOLS)] == []


@pytest.mark.parametrize(
    ("file", "source", "why"),
    [
        ("rules/bad.py", "import os", "rules is pure"),
        ("rules/bad.py", "from time import monotonic", "rules is pure"),
        ("rules/bad.py", "def f():\n    import random", "rules is pure"),
        ("rules/bad.py", "from firmware.clock import Clock", "lower room"),
        ("drivers/bad.py", "from firmware import clock", "lower room"),
        ("firmware/bad.py", "import hil.demo", "lower room"),
        ("firmware/core/bad.py", "from firmware.uplink import delivery", "another process"),
        ("firmware/uplink/bad.py", "from firmware import core", "another process"),
        ("firmware/uplink/bad.py", "from ..core import engine", "another process"),
        ("firmware/journal/bad.py", "from firmware.core.keys import load", "no process"),
        ("firmware/commands.py", "from firmware.core.main import main", "no process"),
        ("provisioning/bad.py", "from hil import demo", "lower room"),
    ],
)
def test_each_rule_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, source: str, why: str
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert why in "".join(wrong(path))


def test_commands_may_import_a_process_when_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "firmware" / "commands.py"
    path.parent.mkdir()
    path.write_text("def run():\n    from firmware.core.main import main\n")
    assert wrong(path) == []


LOAD = """
import importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
print(*sorted(sys.modules))
"""


def loaded_by(*modules: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after importing these."""
    code = LOAD.format(modules=modules)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=25)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_core_loads_nothing_heavy_and_no_other_process() -> None:
    loaded = loaded_by("firmware.core.main", "firmware.journal", "firmware.protocol.lines", "drivers.gpio", "rules")
    assert "firmware.core.main" in loaded
    assert [name for name in sorted(loaded) if any(inside(name, banned) for banned in BANNED_IN_CORE)] == []


def test_the_ban_would_notice() -> None:
    loaded = loaded_by("firmware.uplink.mqtt")
    assert any(inside(name, "paho") for name in loaded)


def test_rules_load_nothing_of_the_outside() -> None:
    loaded = loaded_by("rules")
    assert not {"socket", "threading", "random", "subprocess", "pydantic", "sqlite3"} & loaded
    assert not [name for name in loaded if name.split(".")[0] in {"drivers", "firmware", "provisioning", "hil"}]
