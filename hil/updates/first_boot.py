"""The play of a first boot: a card that `fenghuo flash` wrote becomes a panel that guards, and that its center knows.

For a while the center's desk is closed: the panel guards meanwhile, and its boot waits for nobody.
"""

import time

from hil.rigs.machine.agent import AgentError, GuestAgent
from hil.rigs.protocol import RigFault
from hil.rigs.site import LOADS
from hil.updates.board import CORE_S, HOME, PANEL
from hil.updates.flashed import FlashedBoard
from hil.updates.ground import Ground, Result, expect

ENROLLED_S = 400.0
CLOSED_S = 10.0
UNIT = "fenghuo-enroll.service"


def first_boot(ground: Ground, _cuts: int, _boots: int) -> Result:
    """From the flasher to the first heartbeat and the first record at the center."""
    found: Result = {}
    faults: list[str] = []
    begun = time.monotonic()
    with FlashedBoard(ground.image, ground.folder / "first", ground.keys) as box:
        found["flashed s"] = round(time.monotonic() - begun)
        begun = time.monotonic()

        def at(what: str) -> None:
            found[f"{what} after s"] = round(time.monotonic() - begun)

        box.board.on()
        at("agent")
        agent = box.board.machine.agent
        box.up(CORE_S)
        at("core and updater answer")
        box.until(lambda: _is(agent, "multi-user.target") == "active", CORE_S, "the boot is over")
        at("boot over")
        # As long as the desk is closed.
        time.sleep(CLOSED_S)
        found["enrolment meanwhile"] = _is(agent, UNIT)
        if found["enrolment meanwhile"] != "active" or box.admitted():
            faults.append(f"the enrolment should be trying: {found['enrolment meanwhile']}")
        faults += _laid(agent)
        with box.open_desk():
            opened = time.monotonic()
            box.until(box.admitted, ENROLLED_S, "the center has admitted the panel")
            found["enrolled after s of an open desk"] = round(time.monotonic() - opened)
            box.until(lambda: _is(agent, UNIT) == "inactive", ENROLLED_S, "the enrolment has ended")
            expect(
                box.far.center.wait(lambda center: center.heads(PANEL), ENROLLED_S), f"no heartbeat\n{_uplink(agent)}"
            )
            found["first heartbeat after s of an open desk"] = round(time.monotonic() - opened)
        box.people()
        enrolled = box.far.wait_held("path.enrolled", lambda _: True, CORE_S)
        found["proof"] = enrolled["payload"]["proof"]
        if agent.run("test", "-e", f"{HOME}/enrol.json").code == 0:
            faults.append("enrol.json is still there")
        found["failed units"] = agent.run("systemctl", "--failed", "--plain", "--no-legend").out.split("\n")[:-1]
        if found["failed units"]:
            faults.append("units have failed")
        found["audit"] = box.audit()
    found["faults"] = faults
    return found


def _is(agent: GuestAgent, unit: str) -> str:
    try:
        return agent.run("systemctl", "is-active", unit).out.strip()
    except AgentError:
        return ""


def _laid(agent: GuestAgent) -> list[str]:
    """What is wrong with what the flasher laid on the boot partition."""
    faults = []
    lines = agent.get("/boot/firmware/gpio.txt").decode().splitlines()
    if missing := [line for line in LOADS if f"gpio={line}=op,dl" not in lines]:
        faults.append(f"gpio.txt lacks lines {missing}")
    # Flashed with its levels, the file was never written anew.
    told = agent.run("stat", "-c", "%Y", "/boot/firmware/gpio.txt", "/boot/firmware/config.txt").out.split()
    if len(set(told)) != 1:
        faults.append(f"gpio.txt was written at boot: {told}")
    if agent.run("test", "-e", "/boot/firmware/fenghuo").code == 0:
        faults.append("the drop is still on the boot partition")
    if agent.run("stat", "-c", "%U %a", f"{HOME}/panel.toml").out.strip() != "fenghuo-core 644":
        faults.append("panel.toml is not core's")
    return faults


def _uplink(agent: GuestAgent) -> str:
    try:
        words = ("-b", "-n", "40", "--no-pager", "-o", "cat", "-u", "fenghuo-uplink", "-u", UNIT)
        return agent.run("journalctl", *words).out
    except (AgentError, RigFault) as error:
        return str(error)
