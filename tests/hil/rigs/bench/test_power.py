"""The sockets that a bench's panel hangs on: over HTTP both ways that labgrid knows, a relay, and a lab's own driver"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.broker import HOST
from hil.modbus import ModbusLine, Unit
from hil.rigs.bench.boards import Boards
from hil.rigs.bench.fake import FakeSocket
from hil.rigs.bench.file import Board, Power
from hil.rigs.bench.power import LabSocket, RelaySocket, RestSocket
from hil.rigs.protocol import RigFault


@pytest.fixture
def there() -> Iterator[FakeSocket]:
    socket = FakeSocket()
    yield socket
    socket.close()


def test_rest_switches(there: FakeSocket) -> None:
    seen: list[bool] = []
    there.switch = seen.append
    socket = RestSocket(Power(kind="rest", url=there.url, off_s=0))
    socket.switch(False)
    assert not there.on
    socket.switch(True)
    assert there.on
    assert seen == [False, True]
    there.broken = True
    with pytest.raises(RigFault, match="500"):
        socket.switch(False)


def test_simplerest_asks_with_the_value_in_the_address(there: FakeSocket) -> None:
    socket = RestSocket(Power(kind="simplerest", url=there.url.replace("value", "{value}"), index=3, off_s=0))
    socket.switch(False)
    assert there.asked == ["/relay/3/0"]


def test_a_socket_that_is_not_there_is_a_rig_fault() -> None:
    with pytest.raises(RigFault, match="power socket http://127"):
        RestSocket(Power(kind="rest", url=f"http://{HOST}:9/x", off_s=0)).switch(False)


@pytest.mark.parametrize(("contact", "off"), [("nc", True), ("no", False)])
def test_a_relay_in_the_supply_line(contact: str, off: bool, tmp_path: Path) -> None:
    line = ModbusLine(tmp_path / "port", {1: Unit(coils=dict.fromkeys(range(8), not off))})
    board = Board(id="b", port=str(tmp_path / "port"), baud=115200, address=1, profile="waveshare-relay-8")
    power = Power.model_validate({"kind": "relay", "board": "b", "channel": 8, "contact": contact, "off_s": 0})
    with Boards([board]) as boards:
        socket = RelaySocket(power, boards)
        socket.switch(False)
        assert line.units[1].coils[7] is off
        socket.switch(True)
        assert line.units[1].coils[7] is not off
    line.close()


def environment(folder: Path, url: str) -> Power:
    file = folder / "env.yaml"
    file.write_text(
        "targets:\n  panel:\n    resources:\n      NetworkPowerPort:\n        model: rest\n"
        f"        host: {url}\n        index: 0\n    drivers:\n      NetworkPowerDriver:\n        delay: 0.0\n"
    )
    return Power(kind="labgrid", environment=str(file), off_s=0)


def test_a_labs_own_driver_switches(there: FakeSocket, tmp_path: Path) -> None:
    socket = LabSocket(environment(tmp_path, there.url))
    socket.switch(False)
    assert not there.on
    socket.switch(True)
    assert there.on
    there.broken = True
    with pytest.raises(RigFault, match="the lab's power"):
        socket.switch(False)
    socket.close()


def test_a_lab_without_this_target_is_a_rig_fault(there: FakeSocket, tmp_path: Path) -> None:
    power = environment(tmp_path, there.url).model_copy(update={"target": "another"})
    with pytest.raises(RigFault, match="another"):
        LabSocket(power)


def test_the_example_environment_is_one_that_labgrid_reads() -> None:
    import labgrid

    example = Path(__file__).parents[4] / "docs/examples/labgrid-env.yaml"
    target = labgrid.Environment(str(example)).get_target("panel")
    found = {type(driver).__name__ for driver in target.drivers}
    assert found == {"NetworkPowerDriver", "SSHDriver", "SerialDriver"}


def test_without_labgrid_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "labgrid", None)
    with pytest.raises(RigFault, match=r"fenghuo\[bench\]"):
        LabSocket(Power(kind="labgrid", environment=str(tmp_path / "env.yaml")))
