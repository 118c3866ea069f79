"""The first line of a command's docstring, read from its source without running it.

Listing the commands must not cost importing them all, and must work where one of them lacks a package.
"""

import ast
from importlib.util import find_spec
from pathlib import Path


def synopsis(value: str) -> str:
    """For an entry point's value `room.module:function`; empty where nothing can be told."""
    module, _, function = value.partition(":")
    try:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            return ""
        tree = ast.parse(Path(spec.origin).read_bytes())
    except (ImportError, OSError, SyntaxError, ValueError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function and (text := ast.get_docstring(node)):
            return text.splitlines()[0]
    return (ast.get_docstring(tree) or "").partition("\n")[0]
