"""The page docs/conformance.md: clause, what it asks in English and Chinese, and the tests that show it.

`python -m tests.conformance.page docs/conformance.md` writes it; a test fails when it has drifted.
"""

import sys
from collections.abc import Mapping, Sequence

from firmware.places import places
from tests.conformance.clause import Clause, Standard
from tests.conformance.marked import Shown, marked
from tests.conformance.table import STANDARDS, mistakes

HEAD = """# Conformance 合规对照

Which test shows which clause. *Generated* from `tests/conformance` and the markers on the tests (`make docs`); a test
fails when this page has drifted. What a clause asks is said in our own words: where a certificate depends on it, read
the standard. 本页由测试上的标记自动生成;条文为概述,认证以标准原文为准。

- **From**: **S** a source was found; **M** from memory, with high, medium or low confidence; **D** our own advice.
  来源:S 已查到出处;M 凭记忆(h、m、l 为可信度);D 自拟建议。
- **Profiles**: the timing profiles in which it binds. 适用的参数方案。
- A test shows that the program behaves so, mostly on simulated wiring. It is no certificate of a built panel.
  测试证明程序行为(多为模拟接线),不代替整机检验。

Run the tests of a clause, or of all clauses that begin so 运行某一条款的测试:
`.venv/bin/pytest --clause "GB 55029 3.5.1(3)"`
"""

Tests = Mapping[str, Sequence[Shown]]
"""Clause → the tests that show it."""


def page(standards: Sequence[Standard], shown: Sequence[Shown]) -> str:
    """The whole page."""
    tests: dict[str, list[Shown]] = {}
    for one in sorted(shown):
        tests.setdefault(one.clause, []).append(one)
    return "\n".join([HEAD, _counts(standards, tests), *(_section(s, tests) for s in standards)])


def _counts(standards: Sequence[Standard], tests: Tests) -> str:
    rows = [
        ["standard 标准", "clauses 条款", "shown 已证明", "not covered 未覆盖", "tests 测试"],
        ["---", *["---:"] * 4],
    ]
    rows += [[f"[{s.en}](#{_anchor(s)})", *_figures(s.clauses, tests)] for s in standards]
    rows.append(["**all 合计**", *_figures([c for s in standards for c in s.clauses], tests)])
    return _lines(rows)


def _figures(clauses: Sequence[Clause], tests: Tests) -> list[str]:
    by = [tests[c.id] for c in clauses if c.id in tests]
    different = {(one.file, one.test) for some in by for one in some}
    return [str(n) for n in (len(clauses), len(by), len(clauses) - len(by), len(different))]


def _section(standard: Standard, tests: Tests) -> str:
    rows = [["clause 条款", "what it asks", "要求", "from 来源", "profiles", "shown by 证明"], ["---"] * 6]
    for c in standard.clauses:
        by = _by(tests[c.id]) if c.id in tests else _not_covered(c)
        rows.append([f"`{c.id}`", c.en, c.zh, f"{c.digest} {c.mark}", " ".join(c.profiles), by])
    return f'<a id="{_anchor(standard)}"></a>\n\n## {standard.en}\n\n{standard.zh}\n\n{_lines(rows)}'


def _by(shown: Sequence[Shown]) -> str:
    files: dict[str, list[str]] = {}
    for one in shown:
        names = files.setdefault(one.file, [])
        if one.test not in names:
            names.append(one.test)
    return "<br>".join(
        f"[{file.removeprefix('tests/')}](../{file}): {', '.join(f'`{n}`' for n in names)}"
        for file, names in files.items()
    )


def _not_covered(clause: Clause) -> str:
    reason = f": {clause.gap.en} {clause.gap.zh}" if clause.gap else ""
    return f"*not covered 未覆盖*{reason}"


def _anchor(standard: Standard) -> str:
    return standard.prefix.lower().replace(" ", "-")


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(words: Sequence[str]) -> int:
    """Write the page into the files named; 2 when a marker is wrong or a file can't be written."""
    files = places(words, __doc__)
    try:
        shown = marked()
        if wrong := mistakes(shown):
            raise ValueError("\n".join(wrong))
        for file in files:
            file.write_text(page(STANDARDS, shown), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
