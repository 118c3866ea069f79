"""From the bits on the converter's line to what the rules record: each harm to a loop once, and a chip that fails."""

from collections.abc import Iterator

import pytest
from gpiozero import Device

import rules
from drivers.loop_plan import LoopPlan, Resistors
from drivers.loop_zone import Loop
from drivers.wiring import Position
from rules.effects import Record
from rules.site import Area, Condition, Site, Zone, ZoneType
from rules.stimuli import TroubleChanged, ZoneChanged
from tests.drivers.analogue_rig import CHIP, AnalogueRig

PLAN = LoopPlan(Resistors.TRIPLE, fault_means=Condition.MASKED, both_means=Condition.FAULT)
HALL = Area("hall", 1, "Hall", 0, 0)


def zone(id_: str, number: int, type_: ZoneType = ZoneType.INSTANT) -> Zone:
    return Zone(id_, number, id_, type_, ("hall",), supply_cut=type_ is ZoneType.INSTANT, driver=CHIP.id)


SITE = Site(
    areas={"hall": HALL},
    zones={"pir": zone("pir", 1), "door": zone("door", 2, ZoneType.TWENTY_FOUR_HOUR)},
    outputs={},
)


class Panel:
    """Drivers on mock pins, and the rules, which decide what is recorded."""

    def __init__(self) -> None:
        self.rig = AnalogueRig([Loop("pir", 0, PLAN), Loop("door", 1, LoopPlan())], rate=20)
        self.state = rules.initial(SITE)
        self.records: list[tuple[str, str]] = []

    def follow(self, words: int) -> list[tuple[str, str]]:
        """Let the rules decide on the next words of the driver; what they recorded."""
        begun = len(self.records)
        for _ in range(words):
            word = self.rig.next()
            if word[0] == "driver":
                self.decide(TroubleChanged("driver", word[1], CHIP.id, word[2]))
            else:
                self.decide(ZoneChanged(*word))
        return self.records[begun:]

    def decide(self, stimulus: rules.Stimulus) -> None:
        self.state, effects = rules.step(SITE, self.state, stimulus, self.rig.now_ms())
        for effect in effects:
            if isinstance(effect, Record):
                about = effect.payload.get("zone") or effect.payload.get("subject") or ""
                self.records.append((effect.kind, str(about)))


@pytest.fixture
def panel() -> Iterator[Panel]:
    before = Device.pin_factory
    made = Panel()
    made.rig.driver.start()
    made.follow(2)
    yield made
    made.rig.driver.close()
    Device.pin_factory = before


@pytest.mark.parametrize(
    ("id_", "position", "kind"),
    [
        ("pir", Position.CUT, "alarm.sensor-tamper"),
        ("pir", Position.SHORT, "alarm.sensor-tamper"),
        ("pir", Position.MASK, "zone.fault"),
        ("pir", Position.UNPOWERED, "alarm.sensor-tamper"),
        ("door", Position.OPEN, "alarm.24-hour"),
        ("door", Position.CUT, "alarm.sensor-tamper"),
    ],
)
@pytest.mark.clause("GB 55029 3.5.1(3) open", "GB 55029 3.5.1(3) short", "GB 55029 3.5.1(3) supply")
def test_each_harm_to_a_loop_is_recorded(panel: Panel, id_: str, position: Position, kind: str) -> None:
    panel.rig.put(id_, position)
    assert (kind, id_) in panel.follow(1)


def test_a_chip_that_fails_alarms_no_zone_whose_supply_is_watched(panel: Panel) -> None:
    panel.rig.adc.silent = True
    assert panel.follow(3) == [("trouble.driver", "adc-1"), ("zone.fault", "pir"), ("zone.fault", "door")]
    panel.rig.adc.silent = False
    assert panel.follow(3) == [
        ("zone.fault-ended", "pir"),
        ("zone.fault-ended", "door"),
        ("trouble.driver-ended", "adc-1"),
    ]
    panel.rig.put("pir", Position.UNPOWERED)
    assert ("alarm.sensor-tamper", "pir") in panel.follow(1)
