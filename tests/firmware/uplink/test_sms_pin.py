"""The PIN: never a second time once it was refused, whatever is killed, lost or broken in between."""

import json
from pathlib import Path

import pytest

from firmware.uplink.sms.pin import NoPin, Pin


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "1234\n")
    return tmp_path


def write(folder: Path, digits: str) -> None:
    file = folder / "sim.pin"
    file.write_text(digits)
    file.chmod(0o600)


def pin(folder: Path) -> Pin:
    return Pin(folder / "sim.pin", folder / "uplink" / "gsm-pin.json")


def test_a_refused_pin_is_not_tried_again_but_another_one_is(folder: Path) -> None:
    first = pin(folder)
    assert first.take() == "1234"
    first.refused()
    for again in (first, pin(folder)):
        with pytest.raises(NoPin, match="refused by the SIM before"):
            again.take()
    write(folder, "5678")
    other = pin(folder)
    assert other.take() == "5678"
    other.accepted()
    assert pin(folder).take() == "5678"


def test_killed_in_the_middle_of_a_try(folder: Path) -> None:
    assert pin(folder).take() == "1234"
    with pytest.raises(NoPin):
        pin(folder).take()


def test_one_that_was_right_before_gets_one_more_try_after_a_power_cut(folder: Path) -> None:
    good = pin(folder)
    good.take()
    good.accepted()
    assert pin(folder).take() == "1234"
    assert pin(folder).take() == "1234"
    with pytest.raises(NoPin):
        pin(folder).take()


def test_a_busy_sim_did_not_look(folder: Path) -> None:
    busy = pin(folder)
    busy.take()
    busy.untried()
    assert pin(folder).take() == "1234"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"salt":1}', '{"salt":"00","hash":"x","open":1,"good":false}'])
def test_a_memory_that_cannot_be_read_may_be_a_refusal(folder: Path, content: str) -> None:
    memory = folder / "uplink" / "gsm-pin.json"
    memory.parent.mkdir()
    memory.write_text(content)
    with pytest.raises(NoPin, match=r"gsm-pin\.json can't be read"):
        pin(folder).take()


def test_a_memory_that_cannot_be_written_forbids_an_unproven_pin(folder: Path) -> None:
    (folder / "uplink").write_text("a file where the folder should be")
    with pytest.raises(NoPin):
        pin(folder).take()


@pytest.mark.parametrize("content", ["", "12", "123456789", "12a4", "1234 5678"])
def test_what_is_no_pin_is_told_without_a_digit(folder: Path, content: str) -> None:
    write(folder, content)
    with pytest.raises(NoPin, match="expected a PIN of 4 to 8 digits") as said:
        pin(folder).take()
    assert not content or content not in str(said.value)


def test_files(folder: Path) -> None:
    (folder / "sim.pin").chmod(0o644)
    taken = pin(folder)
    taken.take()
    assert (folder / "sim.pin").stat().st_mode & 0o777 == 0o600
    memory = folder / "uplink" / "gsm-pin.json"
    assert memory.stat().st_mode & 0o777 == 0o600
    assert "1234" not in json.dumps(json.loads(memory.read_text())["hash"][:8])
    (folder / "sim.pin").unlink()
    with pytest.raises(NoPin, match=r"sim\.pin: No such file"):
        pin(folder).take()
    with pytest.raises(NoPin, match="names no pin_file"):
        Pin(None, memory).take()
