"""`pytest --clause TEXT`: only the tests that show a clause which begins so (docs/conformance.md)."""

import pytest
from hypothesis import settings

# How long a thing takes is the benches' matter; a busy machine must not fail a property.
settings.register_profile("fenghuo", deadline=None)
settings.load_profile("fenghuo")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--clause", metavar="TEXT", help="only tests that show a clause which begins with TEXT")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--clause")
    if wanted:
        kept = [item for item in items if any(word.startswith(wanted) for word in clauses(item))]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept


def clauses(item: pytest.Item) -> list[str]:
    """What the test's markers name, its class's and module's too."""
    return [word for mark in item.iter_markers("clause") for word in mark.args]
