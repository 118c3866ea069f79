"""`fenghuo try camera` and `try battery` at a terminal: slips, wrong codes, no rights, Ctrl-C amid the test, again."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pexpect

from firmware.protocol import messages as m
from tests.provisioning.person import at_terminal, ended, interrupted
from tests.system.rig import CODE, Rig, rig
from tests.system.test_power import INA, RATE, powered

GUARD = "602214"
ASKED = {"en": "Your own code: ", "zh": "您的密码："}


@contextmanager
def site(**more: Any) -> Iterator[Rig]:
    """The bank with a manager, and a guard who may arm alone."""
    with rig(**more) as panel:
        panel.start("core")
        panel.add_user()
        guard = m.SetUser(id="guard", name="G", level=2, areas=["hall"], rights=["arm"], new_code=GUARD, code=CODE)
        panel.technician(guard)
        panel.settle()
        yield panel


def measured(text: str) -> str:
    """With a battery that a sensor measures."""
    return powered(INA, adc=False)(text)


def begun(panel: Rig, part: str, code: str, lang: str = "en") -> "pexpect.spawn[str]":
    """The command, with this code typed."""
    person = at_terminal("try", part, cwd=panel.folder, lang=lang)
    person.expect(ASKED[lang])
    person.sendline(code)
    return person


def refused(panel: Rig, part: str, typed: str, code: int, why: str) -> None:
    """This code begins nothing, and is not shown."""
    found, said = ended(begun(panel, part, typed))
    assert (found, why in said, f"\n{typed}" in said) == (code, True, False), said
    assert [kind for kind in panel.kinds() if kind.startswith("test.")] == []


@contextmanager
def stopped(panel: Rig, name: str) -> Iterator[None]:
    """So that what is under way is so for as long as the test needs."""
    pid = panel.processes[name].popen.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_the_battery_is_tried_by_a_person_who_slips_gives_up_and_comes_again() -> None:
    with site(edit=measured, clock_rate=RATE) as panel:
        refused(panel, "battery", "12", 2, "a code is 4 to 8 digits")
        refused(panel, "battery", GUARD, 1, "the panel refused")
        since = panel.mark()
        person = begun(panel, "battery", CODE, "zh")
        person.expect("正在进行负载测试")
        with stopped(panel, "core"):
            code, said = interrupted(person)
        assert (code, "将在主机上自行结束" in said) == (130, True), said
        panel.wait("record", "test.battery-ended", since=since, timeout_s=30)
        panel.wait("output", "power:charger", False, since=since)
        code, said = ended(begun(panel, "battery", CODE))
        assert (code, "the battery passed: 12." in said) == (0, True), said
        assert panel.kinds().count("test.battery-ended") == 2


def test_a_camera_is_tried_by_a_person_who_slips_gives_up_and_comes_again() -> None:
    with site() as panel:
        panel.start("camera")
        refused(panel, "camera", "999999", 1, "Wrong code")
        since = panel.mark()
        with stopped(panel, "camera"):
            person = begun(panel, "camera", CODE, "zh")
            person.expect("lobby：正在抓拍")
            panel.wait("record", "test.camera", since=since)
            code, said = interrupted(person)
        assert (code, "将在主机上自行结束" in said) == (130, True), said
        panel.wait("record", "evidence.pictures", since=since, timeout_s=30)
        code, said = ended(begun(panel, "camera", CODE))
        assert (code, "lobby: 640x480" in said) == (0, True), said
        assert panel.kinds().count("test.camera") == 2
