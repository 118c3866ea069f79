"""docs/security.md: the tests that it names are there, and the kinds and files that it speaks of too."""

import re
from pathlib import Path

import pytest

from rules.vocabulary import KINDS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:[a-z0-9_]+/)*test_[a-z0-9_]+\.py)`", PAGE)))
SECTIONS = re.findall(r"^### (.+?)\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", NAMED)
def test_each_named_test_is_there_and_tests_something(name: str) -> None:
    assert re.search(r"^def test_", (ROOT / "tests" / name).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("title", "body"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_each_attacker_has_what_he_can_and_can_not_and_what_shows_it(title: str, body: str) -> None:
    assert "can" in body.lower(), title
    assert "*Shown*" in body, title
    assert re.search(r"`[a-z0-9_/]*test_[a-z0-9_]+\.py`", body.partition("*Shown*")[2]), title


def test_all_attackers_are_there() -> None:
    assert len(SECTIONS) >= 10
    assert len(NAMED) >= 20


def test_the_kinds_it_speaks_of_are_kinds() -> None:
    spoken = re.findall(r"`((?:trouble|path|config|panel)\.[a-z-]+)`", PAGE)
    assert set(spoken) <= set(KINDS)
    assert "path.taken-over" in spoken


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
