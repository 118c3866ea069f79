"""Hostile and broken brokers against a real core and uplink: bounded, told, the alarm goes another way, and it heals.

The first path's broker does its worst, the second one is a real Mosquitto with a center. One panel serves for all; its
uplink begins anew for each, so that the pauses between its tries are short again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import Signer
from firmware.protocol.lines import Client
from firmware.protocol.messages import AskDrivers
from hil.broker import HOST, Mosquitto
from hil.center import Center
from hil.hostile_broker import BEHAVIOURS, Behaviour, HostileBroker
from hil.memory_use import cpu_s, rss_mib
from tests.firmware.uplink.brokers import wait_for
from tests.system.rig import Rig, public_x, rig
from tests.system.test_two_centers import paths

WAIT_S = 25.0
WATCHED_S = 1.5
MOST_MIB = 8.0
"""A 64 MiB packet or a flood of as much must not be held; Python's own growth is below this."""
MOST_CPU = 0.75
"""Of one processor, over the time in which the broker does its worst; a loop that spins takes all of it."""

FAULTS: dict[Behaviour, str] = {
    "half-open": "",
    "no-connack": "",
    "no-puback": "the center does not receipt",
    "false-receipts": "the center does not receipt",
    "oversized": "",
    "spam": "flooded by the broker",
    "quota": "Quota exceeded",
    "not-authorised": "Not authorized",
    "taken-over": "Session taken over",
}
"""What the path's fault says, as far as it is the broker's doing alone."""


@dataclass
class Place:
    panel: Rig
    hostile: HostileBroker
    center: Center
    served: int = 0

    def records(self, kind: str) -> list[dict[str, object]]:
        return [r["payload"] or {} for r in self.center.records(self.panel.panel) if r["header"]["kind"] == kind]

    def press(self) -> None:
        """The silent button, once more."""
        for position, kind in (("open", "alarm.hold-up"), ("close", "restore.hold-up")):
            since = self.panel.mark()
            self.panel.move("holdup-1", position)
            self.panel.wait("record", kind, since=since)

    def arrives(self) -> None:
        """The alarm of the last press is at the other center."""
        latest = [r for r in self.panel.records() if r["kind"] == "alarm.hold-up"][-1]["seq"]

        def there(center: Center) -> bool:
            return any(r["header"]["seq"] == latest for r in center.records(self.panel.panel))

        assert self.center.wait(there, WAIT_S), f"the alarm did not come by the second path ({self.hostile.counts})"

    def path_fault(self) -> str | None:
        """What stands against the first path, None when nothing does."""
        troubles = self.panel.technician(AskDrivers())["troubles"]
        return str(troubles["path:center-1"]) if "path:center-1" in troubles else None

    def usage(self) -> dict[str, tuple[float, float]]:
        pids = {name: self.panel.processes[name].popen.pid for name in ("core", "uplink")}
        return {name: (rss_mib(pid), cpu_s(pid)) for name, pid in pids.items()}


def quick(port: int, others: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        for old, new in (
            ("keepalive_s = 30", "keepalive_s = 5"),
            ("path_fault_s = 60", "path_fault_s = 5\nescalate_s = 5"),
            ("receipt_timeout_s = 5", "receipt_timeout_s = 2"),
            ("[center]\n", paths(port).replace("failover_s = 3", "failover_s = 1")),
            ("receipt_keys = [", f'receipt_keys = ["{others}", '),
        ):
            assert old in text
            text = text.replace(old, new, 1)
        return text

    return edit


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hostile")
    keys: dict[str, str] = {}
    receipts = Signer(Ed25519PrivateKey.generate())
    with (
        Mosquitto(folder) as mosquitto,
        Center(HOST, mosquitto.port, folder / "center", panels=keys.get) as center,
        HostileBroker(receipts) as hostile,
        rig(
            port=hostile.port,
            center=(public_x(receipts), center.command_key.x),
            edit=quick(mosquitto.port, center.receipt_key.x),
        ) as panel,
    ):
        panel.start("core")
        keys[panel.panel] = str(panel.panel_x())
        panel.settle()
        yield Place(panel, hostile, center)


@pytest.fixture
def under(place: Place) -> Iterator[Callable[[Behaviour], None]]:
    """A fresh uplink, connected well, and then the broker turns."""

    def begin(behaviour: Behaviour) -> None:
        place.hostile.behave("well")
        place.served += 1
        if place.served % 5 == 0:  # core damps how often the end of one trouble is recorded
            place.panel.kill("core")
            place.panel.start("core")
        place.panel.start("uplink")
        wait_for(lambda: place.hostile.counts["state"], "a connection", WAIT_S)
        wait_for(lambda: place.path_fault() is None, "a path that is well", WAIT_S)
        place.hostile.behave(behaviour)

    yield begin
    place.panel.kill("uplink")


@contextmanager
def watched(place: Place, behaviour: str) -> Iterator[None]:
    """Core and uplink stay within their bounds meanwhile, and for a while after."""
    before, since = place.usage(), time.monotonic()
    yield
    time.sleep(WATCHED_S)
    passed = time.monotonic() - since
    for name, (mib, cpu) in place.usage().items():
        grown, share = mib - before[name][0], (cpu - before[name][1]) / passed
        assert grown < MOST_MIB, f"{behaviour}: {name} grew by {grown:.1f} MiB"
        assert share < MOST_CPU, f"{behaviour}: {name} took {share:.0%} of a processor"


@pytest.mark.clause("EN 50136 path fault", "EN 50136 path restore", "EN 50136 substitution")
@pytest.mark.parametrize("behaviour", FAULTS)
def test_it_is_bounded_told_gone_round_and_forgotten(
    place: Place, under: Callable[[Behaviour], None], behaviour: Behaviour
) -> None:
    under(behaviour)
    if behaviour in ("no-connack", "oversized", "spam", "quota", "not-authorised", "taken-over"):
        # These harm who connects: as after a broken line.
        place.panel.kill("uplink")
        place.panel.start("uplink")
    with watched(place, behaviour):
        place.press()
    place.arrives()
    wait_for(lambda: place.path_fault() is not None, f"a path fault under {behaviour}", WAIT_S)
    assert FAULTS[behaviour] in str(place.path_fault())
    place.hostile.behave("well")
    wait_for(lambda: place.path_fault() is None, f"the path to heal after {behaviour}", WAIT_S)
    if behaviour == "taken-over":
        assert place.center.wait(lambda _: place.records("path.taken-over"), WAIT_S)
        assert place.records("path.taken-over")[0] == {"path": "center-1", "sure": True}
    place.panel.check_journal()


@pytest.mark.parametrize("behaviour", ["slow", "repeated-receipts"])
def test_what_is_only_odd_is_borne(place: Place, under: Callable[[Behaviour], None], behaviour: Behaviour) -> None:
    """Slow is not down for as long as receipts come; a receipt that comes five times, last first, counts once."""
    under(behaviour)
    with watched(place, behaviour):
        place.press()
    wait_for(lambda: place.hostile.counts["receipts"] > 0, "a receipt", WAIT_S)
    wait_for(lambda: undelivered(place) == 0, f"everything delivered under {behaviour}", WAIT_S)
    assert place.path_fault() is None


def undelivered(place: Place) -> int:
    """Alarms that wait for their receipt, as core tells whoever connects as an uplink."""
    client = Client(place.panel.run / "uplink.sock")
    try:
        while (message := client.receive(5.0)) is not None:
            if message["type"] == "head":
                head = message["journals"][-1]
                return int(head["last"]["alarm"]) - int(head["first_undelivered"]["alarm"]) + 1
    finally:
        client.close()
    raise AssertionError("core said nothing")


def test_every_behaviour_is_tried() -> None:
    assert set(BEHAVIOURS) == {"well", "slow", "repeated-receipts", *FAULTS}
