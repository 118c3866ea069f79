"""Full jitter: even over the whole span, growing, capped, and forgiven only after a stable connection."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.backoff import STABLE_MS, Backoff


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_pauses_stay_under_the_ceiling_which_doubles_up_to_the_cap(seed: int, tries: int) -> None:
    backoff = Backoff(Random(seed))
    for n in range(tries):
        assert backoff.ceiling_ms() == min(60_000, 1_000 * 2**n)
        assert 0 <= backoff.pause_ms() <= min(60_000, 1_000 * 2**n)


def test_a_city_is_spread_evenly() -> None:
    pauses = []
    for panel in range(2_000):
        backoff = Backoff(Random(panel))
        for _ in range(6):
            backoff.pause_ms()
        pauses.append(backoff.pause_ms())
    per_s = [sum(1 for pause in pauses if second * 1000 <= pause < second * 1000 + 1000) for second in range(60)]
    assert max(per_s) < 2 * 2_000 / 60
    assert min(per_s) > 0.3 * 2_000 / 60


def test_only_a_stable_connection_starts_anew() -> None:
    backoff = Backoff(Random(1))
    for _ in range(5):
        backoff.pause_ms()
    backoff.worked(STABLE_MS - 1)
    assert backoff.ceiling_ms() == 32_000
    backoff.worked(STABLE_MS)
    assert backoff.ceiling_ms() == 1_000
