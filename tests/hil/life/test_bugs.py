"""A simulator that finds nothing proves nothing: each seeded bug is found soon; without it the same lives are clean."""

from dataclasses import replace
from functools import cache

import pytest

from hil.life.ground import Ground
from hil.life.life import Life, Outcome, Terms
from hil.life.lives import default_makers
from hil.life.rates import RATES
from hil.life.sites import ground
from tests.hil.life.bugs import BUGS, Bug

SEEDS = range(1, 7)
BUDGET_DAYS = 30
"""So many simulated days find each bug."""


def _life(bug: Bug, seed: int) -> Outcome:
    # A site of its own: the rules keep what they work out of one beside it.
    site: Ground = ground(bug.site)
    rates = {kind: replace(rate, per_year=rate.per_year * bug.more.get(kind, 1.0)) for kind, rate in RATES.items()}
    life = Life(Terms(site, seed, bug.days, rates, until_violation=True), default_makers())
    return life.run()


@cache
def _clean(rates: tuple[tuple[str, float], ...], site: str, days: int, seed: int) -> tuple[str, ...]:
    """What the oracle objects to in a life whose rules are as they are."""
    bug = Bug("none", lambda: pytest.fail("not to be broken"), (), site, dict(rates), days)
    return tuple(str(finding.violation) for finding in _life(bug, seed).findings)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "-"))
def test_each_seeded_bug_is_found_within_its_budget(bug: Bug) -> None:
    lived, objections, seeds = 0.0, set[str](), 0
    with bug.break_():
        for seed in SEEDS:
            if lived + bug.days > BUDGET_DAYS or objections & set(bug.caught_by):
                break
            outcome = _life(bug, seed)
            lived += outcome.lived_ms / 86_400_000
            objections |= {finding.violation.rule for finding in outcome.findings}
            seeds += 1
    assert objections & set(bug.caught_by), f"not found in {lived:.0f} days; objected to {sorted(objections)}"
    # The bug was found because of the bug: the rules as they are live through the same without objection.
    for seed in SEEDS[:seeds]:
        assert _clean(tuple(sorted(bug.more.items())), bug.site, bug.days, seed) == ()


def test_there_are_bugs_enough_and_each_is_taken_back() -> None:
    assert len(BUGS) >= 12
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    before = _life(BUGS[0], 1).digest
    for bug in BUGS:
        with bug.break_():
            pass
    assert _life(BUGS[0], 1).digest == before
