"""The uplink process with a modem on a pty: SMS leaves when the center does not receipt, and only then."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.clock import utc_text
from firmware.protocol import messages as m
from hil.modem import FAILED, Modem, Sim
from rules.effects import JsonValue
from tests.firmware.uplink.brokers import wait_for
from tests.firmware.uplink.test_process import Site

CENTER, OTHER = "+8613800138000", "+8613900139000"


class SmsSite(Site):
    """The site of the process tests with a modem, and two numbers."""

    def __init__(self, folder: Path, more: str = "") -> None:
        super().__init__(folder)
        file = folder / "panel.toml"
        sms = (
            f'[[path]]\nid = "gsm"\nkind = "sms"\nport = "{folder}/modem"\nnumbers = ["{CENTER}"]\n'
            f'other_numbers = ["{OTHER}"]\nlanguage = "en"\nafter_s = 5\n{more}\n\n[center]'
        )
        file.write_text(file.read_text().replace("[center]", sms))
        self.modem = Modem(folder / "modem", Sim())

    def alarm(self, kind: str = "alarm.intruder") -> None:
        with self.core._lock:
            payload: dict[str, JsonValue] = {"zone": "door", "zone_number": 1, "areas": ["hall"]}
            self.core.journal.append("alarm", kind, payload, time=utc_text(time.time()))
        self.core._waker.send(b"h")

    def numbers(self) -> list[str]:
        return [number for number, _ in self.modem.texts()]

    def went(self, count: int, why: str) -> None:
        self.modem.wait(lambda: len(self.modem.texts()) >= count, why, 30)

    def told(self) -> list[m.Path]:
        return [path for path in self.core.paths if path.path == "gsm"]

    def close(self) -> None:
        super().close()
        self.modem.unplug()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmsSite]:
    made = SmsSite(tmp_path)
    made.modem.plug()
    yield made
    made.close()


def test_with_the_center_receipting_no_sms_leaves(site: SmsSite) -> None:
    site.core.start()
    site.start_uplink()
    wait_for(lambda: [path for path in site.told() if path.up], "the modem is up", 20)
    site.alarm("alarm.hold-up")
    site.all_delivered()
    time.sleep(7)  # longer than `after_s`: nothing must happen, and nothing can be awaited
    assert site.modem.texts() == []
    assert site.end_uplink()[0] == 0


def test_with_the_broker_gone_each_alarm_goes_to_whom_it_may_concern_and_once(site: SmsSite) -> None:
    site.broker.kill()
    site.core.start()
    site.start_uplink()
    site.alarm("alarm.intruder")
    site.went(2, "the alarm by SMS")
    site.alarm("alarm.hold-up")
    site.went(3, "the hold-up by SMS")
    wait_for(lambda: sum(s.state == "delivered" for s in site.core.sms) == 3, "delivery reports", 10)
    texts = site.modem.texts()
    assert sorted(site.numbers()) == [CENTER, CENTER, OTHER]
    for number, text in texts:
        assert re.search(r"^bank-7 #[0-9a-f]{4}-\d+ \d\d-\d\d \d\d:\d\d:\d\d\n", text)
        assert "zone 1 Door\narea: Hall\nBranch 7" in text
        assert ("hold-up" in text) <= (number == CENTER), "a silent alarm is for the center alone"
    states = [(s.receiver, s.state) for s in site.core.sms]
    assert states.count(("center-1", "sent")) == states.count(("center-1", "delivered")) == 2
    # Killed and started anew, with the alarms still waiting for their receipts: nothing is sent twice.
    assert site.core.undelivered() == 2
    site.end_uplink(signal.SIGKILL)
    site.start_uplink()
    site.alarm("alarm.fire")
    site.went(5, "the fire alarm, which is new")
    assert sorted(site.numbers()) == sorted([CENTER, CENTER, CENTER, OTHER, OTHER])
    # An SMS is no receipt: when the broker is back the center gets them all.
    site.broker.start()
    site.all_delivered()
    assert site.end_uplink()[0] == 0


def test_an_alarm_that_a_deaf_center_does_not_receipt(site: SmsSite) -> None:
    site.center.silent = True
    site.core.start()
    site.start_uplink()
    wait_for(lambda: [path for path in site.told() if path.up], "the modem is up", 20)
    began = time.monotonic()
    site.alarm("alarm.hold-up")
    site.went(1, "the hold-up by SMS")
    assert time.monotonic() - began > 4.0, "the better path had its time"


def test_the_port_vanishes_and_comes_back(site: SmsSite) -> None:
    site.core.start()
    site.start_uplink()
    wait_for(lambda: [path for path in site.told() if path.up], "the modem is up", 20)
    site.modem.unplug()
    wait_for(lambda: not site.told()[-1].up, "the modem is gone", 20)
    assert "modem" in site.told()[-1].detail
    site.broker.kill()
    site.alarm("alarm.hold-up")
    site.modem.plug()
    wait_for(lambda: site.told()[-1].up, "the modem is back", 30)
    site.went(1, "the alarm that waited for it")


def test_a_report_of_failure_is_a_path_fault(site: SmsSite) -> None:
    site.modem.faults.report = FAILED
    site.broker.kill()
    site.core.start()
    site.start_uplink()
    site.alarm("alarm.hold-up")
    wait_for(lambda: any(s.state == "failed" for s in site.core.sms), "the failure", 30)
    wait_for(lambda: site.told() and not site.told()[-1].up, "the fault", 10)
    assert "not delivered: status 0x41" in site.told()[-1].detail


def test_an_error_in_the_last_resort_does_not_cost_the_first_path(site: SmsSite) -> None:
    # A folder stands where the file of the PIN belongs, another where what was sent is kept.
    (site.folder / "data" / "uplink" / "gsm-sent.json").mkdir(parents=True)
    site.core.start()
    site.start_uplink()
    site.alarm()
    site.all_delivered()
    site.broker.kill()
    site.alarm("alarm.hold-up")
    site.went(1, "it goes out though it can't be noted")
    wait_for(lambda: site.told() and not site.told()[-1].up, "the fault", 10)
    assert "sent" in site.told()[-1].detail
