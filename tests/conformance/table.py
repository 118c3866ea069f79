"""All clauses of all standards, and whether every marker names one of them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tests.conformance import cp01, en50131, en50136, gb
from tests.conformance.clause import Clause, Standard
from tests.conformance.marked import Shown

STANDARDS: tuple[Standard, ...] = (*gb.STANDARDS, *en50131.STANDARDS, *en50136.STANDARDS, *cp01.STANDARDS)
"""In the order of the page: what is mandatory in China first."""
CLAUSES: Mapping[str, Clause] = MappingProxyType({c.id: c for standard in STANDARDS for c in standard.clauses})


def mistakes(shown: Iterable[Shown]) -> list[str]:
    """A line for each marker that names no clause, and for each clause that tests show though it has a gap."""
    found = []
    for one in shown:
        place = f"{one.file}:{one.line}"
        if one.clause not in CLAUSES:
            found.append(f"{place}: found clause {one.clause!r}, expected one of tests/conformance")
        elif gap := CLAUSES[one.clause].gap:
            found.append(f"{place}: {one.clause!r} is shown, but has a gap: {gap.en}")
    return found
