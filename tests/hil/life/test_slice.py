"""A slice of the simulated years in every run: lives that were lived before, and some that nobody has lived yet.

A new seed is in the failure, with the command that lives it again; the running total is in docs/reliability.md.
"""

import secrets

import pytest

from hil.life.life import Outcome, Terms
from hil.life.lives import live
from hil.life.sites import ground

pytestmark = pytest.mark.timeout(600)
FIXED = [("bank", 1, 30), ("school", 2, 30), ("warehouse", 3, 30), ("crowded", 4, 20)]
NEW_DAYS = 12


def clean(outcome: Outcome, site: str, seed: int) -> None:
    again = f"fenghuo simulate --site {site} --seed {seed} --replay"
    assert [f"{f.violation}: {again}" for f in outcome.findings] == []


@pytest.mark.parametrize(("site", "seed", "days"), FIXED)
def test_lives_that_were_lived_before(site: str, seed: int, days: int) -> None:
    outcome = live(Terms(ground(site), seed, days))
    clean(outcome, site, seed)
    assert outcome.held == outcome.records > 10 * days, "a life in which little happens proves little"


@pytest.mark.parametrize("site", ["bank", "school", "warehouse", "crowded"])
def test_a_life_that_nobody_has_lived_yet(site: str) -> None:
    seed = secrets.randbelow(2**31)
    clean(live(Terms(ground(site), seed, NEW_DAYS)), site, seed)
