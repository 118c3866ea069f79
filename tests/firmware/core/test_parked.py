"""A panel whose battery is at its end: what brings it back, what does not, and when the battery is cut off."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.simulated import SimulatedWorld
from firmware.clock import SystemClock
from firmware.config import Loaded, load
from firmware.core.parked import Parked
from firmware.core.simulated import simulated_world
from tests.firmware.test_config_supply import FILE

RATE = 50
INA = "ina219 = { shunt_mohm = 100 }"


class Site:
    """A parked panel, and the hands at its supply."""

    def __init__(self, loaded: Loaded) -> None:
        self.world: SimulatedWorld = simulated_world(loaded)
        self.world.set_mains(False)
        self.world.set_supply({"battery_mv": 10_400})
        self._clock = SystemClock(RATE)
        self.parked = Parked(loaded, self._clock)

    def lasts(self, seconds: float, until: Callable[[], bool] = lambda: False) -> tuple[bool, float]:
        """Look for so long, or until then; whether it is well, and after how many seconds of the panel."""
        begun = self._clock.monotonic_ms()
        while (passed := (self._clock.monotonic_ms() - begun) / 1000) < seconds:
            if self.parked.well() or until():
                return True, passed
            threading.Event().wait(1 / RATE / 2)
        return False, passed


@pytest.fixture(params=["divider", "ina219"])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    text = FILE.replace('pins = "simulated"', f'pins = "simulated"\nclock_rate = {RATE}')
    text += "cut_line = 23\n"
    if request.param == "ina219":
        start, end = text.index("volts ="), text.index("load_line")
        text = text[:start] + INA + "\n" + text[end:]
    path = tmp_path / "panel.toml"
    path.write_text(text)
    made = Site(load(path))
    yield made
    made.parked.close()


def test_nothing_comes_back_on_a_flat_battery_even_when_it_recovers_a_little(site: Site) -> None:
    assert site.lasts(30)[0] is False
    site.world.set_supply({"battery_mv": 12_200})
    assert site.lasts(90)[0] is False


def test_the_mains_bring_it_back_when_they_stand(site: Site) -> None:
    site.lasts(5)
    site.world.set_mains(True)
    well, after = site.lasts(120)
    assert well
    assert after >= 10


def test_a_battery_that_was_charged_or_changed_brings_it_back_when_it_stands(site: Site) -> None:
    site.lasts(5)
    site.world.set_supply({"battery_mv": 12_800})
    well, after = site.lasts(240)
    assert well
    assert after >= 58, "less what was measured before"


def test_the_battery_is_cut_off_after_a_while(site: Site) -> None:
    pin = site.parked._factory.pin(23)
    assert not pin.state
    cut, after = site.lasts(60, until=lambda: bool(pin.state))
    assert cut
    assert after >= 8, "ten seconds, less the start"


def test_closing_comes_to_an_end(site: Site) -> None:
    site.lasts(2)
    begun = time.monotonic()
    site.parked.close()
    assert time.monotonic() - begun < 10
