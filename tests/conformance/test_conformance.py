"""The clause table is whole, every marker names a clause, and docs/conformance.md says what the tests say."""

import pytest

from tests.conformance import en50131_log, page
from tests.conformance.clause import MARKS, PROFILES, Clause, Gap, Standard
from tests.conformance.marked import ROOT, Shown, in_text, marked
from tests.conformance.table import CLAUSES, STANDARDS, mistakes

PAGE = ROOT / "docs" / "conformance.md"
SMALL = Standard(
    "X 1",
    "a standard",
    "某标准",
    (
        Clause("X 1 a", "it rings", "鸣响", "§9", "S", ("cn",)),
        Clause("X 1 b", "it floats", "漂浮", "§9", "D", ("cn",), Gap.SITE),
        Clause("X 1 c", "it sings", "歌唱", "§9", "M-l", ("cn", "us-cp01")),
    ),
)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page.page(STANDARDS, marked()), "run `make docs`"


def test_every_marker_names_a_clause_that_has_no_gap() -> None:
    assert mistakes(marked()) == []


def test_a_wrong_marker_is_told_with_its_place() -> None:
    wrong = [
        Shown("tests/a.py", "test_a", 7, "GB 55029 9.9.9"),
        Shown("tests/a.py", "test_a", 8, "GB 55029 3.5.1(8)"),
        Shown("tests/b.py", "test_b", 9, "GB 55029 3.5.1(9)"),
    ]
    first, second = mistakes(wrong)
    assert "tests/a.py:7" in first
    assert "'GB 55029 9.9.9'" in first
    assert "tests/b.py:9" in second
    assert "gap" in second


def test_clauses_are_one_of_a_kind_and_whole() -> None:
    every = [clause for standard in STANDARDS for clause in standard.clauses]
    assert len(every) == len(CLAUSES)
    for standard in STANDARDS:
        for clause in standard.clauses:
            assert clause.id.startswith(standard.prefix + " "), clause.id
            assert clause.mark in MARKS, clause.id
            assert clause.profiles, clause.id
            assert set(clause.profiles) <= set(PROFILES), clause.id
            assert clause.digest.startswith("§"), clause.id
            assert "|" not in clause.en + clause.zh, clause.id
            assert any("\u4e00" <= c <= "\u9fff" for c in clause.zh), clause.id


@pytest.mark.parametrize("row", range(1, 27))
def test_every_row_of_cp_01_is_there(row: int) -> None:
    assert f"CP-01 {row}" in CLAUSES


def test_the_tables_of_the_digest_have_all_their_rows() -> None:
    ids = list(CLAUSES)
    assert sum(id_.startswith("EN 50131-1 prevention ") for id_ in ids) == 13  # 12 rows and the footnote
    assert len(en50131_log.LOG_ROWS) == 29
    assert sum(id_.startswith("EN 50131-1 restore ") for id_ in ids) == 3


SOURCE = """
import pytest

pytestmark = pytest.mark.clause("X 1 a")


@pytest.mark.clause("X 1 b", "X 1 c")
def test_one() -> None: ...


@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.clause("X 1 d")), 2])
def test_two(n: int) -> None: ...


@pytest.mark.clause("X 1 e")
class TestSome:
    @pytest.mark.clause("X 1 f")
    def test_three(self) -> None: ...


@pytest.mark.slow("X 1 g")
def helper() -> None: ...
"""


def test_markers_are_read_wherever_pytest_reads_them() -> None:
    assert [(s.test, s.clause) for s in in_text(SOURCE, "tests/x.py")] == [
        ("test_one", "X 1 a"),
        ("test_one", "X 1 b"),
        ("test_one", "X 1 c"),
        ("test_two", "X 1 a"),
        ("test_two", "X 1 d"),
        ("TestSome::test_three", "X 1 a"),
        ("TestSome::test_three", "X 1 e"),
        ("TestSome::test_three", "X 1 f"),
    ]


def test_a_clause_that_is_no_plain_string_is_refused_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"tests/x\.py:1: found WORD, expected a clause as plain string"):
        in_text("@pytest.mark.clause(WORD)\ndef test_one() -> None: ...\n", "tests/x.py")


def test_pytest_itself_sees_the_same_markers(request: pytest.FixtureRequest) -> None:
    read: dict[str, set[str]] = {}
    for one in marked():
        read.setdefault(f"{one.file}::{one.test}", set()).add(one.clause)
    seen: dict[str, set[str]] = {}
    for item in request.session.items:
        words = {word for mark in item.iter_markers("clause") for word in mark.args}
        seen.setdefault(item.nodeid.partition("[")[0], set()).update(words)
    # With `-k` or `--clause` some parameters may be missing, so only what is seen is asked.
    assert {node: words - read.get(node, set()) for node, words in seen.items()} == {node: set() for node in seen}


def test_the_page_counts_and_links_what_is_shown() -> None:
    text = page.page(
        [SMALL], [Shown("tests/x/test_x.py", "test_b", 3, "X 1 a"), Shown("tests/x/test_x.py", "test_a", 1, "X 1 a")]
    )
    assert "| [a standard](#x-1) | 3 | 1 | 2 | 2 |" in text
    assert "| **all 合计** | 3 | 1 | 2 | 2 |" in text
    assert "| `X 1 a` | it rings | 鸣响 | §9 S | cn | [x/test_x.py](../tests/x/test_x.py): `test_a`, `test_b` |" in text
    assert f"| *not covered 未覆盖*: {Gap.SITE.en} {Gap.SITE.zh} |" in text
    assert "| `X 1 c` | it sings | 歌唱 | §9 M-l | cn us-cp01 | *not covered 未覆盖* |" in text


def test_every_link_leads_to_a_file() -> None:
    text = PAGE.read_text(encoding="utf-8")
    links = {part.partition(")")[0] for part in text.split("](")[1:]}
    files = {link for link in links if not link.startswith("#")}
    assert all((PAGE.parent / link).resolve().is_file() for link in files)
    assert {link[1:] for link in links - files} == {part.partition('"')[0] for part in text.split('<a id="')[1:]}
