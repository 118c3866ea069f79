"""The INA219's driver with its real thread against a chip that answers, lies, falls silent and hangs."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import ina219
from drivers.ina219 import BadChip, Ina219Driver, Shunt, no_i2c, open_i2c
from drivers.pins import DriverError
from drivers.simulated_i2c import SimulatedI2c
from hil.ina219 import Ina219

WAIT_S = 20.0
RATE = 20
SHUNT = Shunt(1, 0x40, 100)
WORD = st.integers(0, 0xFFFF)


class Meter:
    """A driver, its chip and what it tells."""

    def __init__(self, chip: Ina219, shunt: Shunt = SHUNT) -> None:
        self.chip = chip
        self.told: queue.Queue[tuple[bool, str]] = queue.Queue()
        self.driver = Ina219Driver(shunt, chip.open, self.now_ms, lambda *words: self.told.put(words), RATE)

    def now_ms(self) -> int:
        return time.monotonic_ns() * RATE // 1_000_000

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The reading, once it is so."""
        deadline = time.monotonic() + WAIT_S
        while not wanted(found := self.driver.reading()):
            assert time.monotonic() < deadline, found
            threading.Event().wait(0.01)
        return found


@pytest.fixture
def meter() -> Iterator[Meter]:
    made = Meter(Ina219())
    yield made
    if made.chip.hang is not None:
        made.chip.hang.set()
    made.driver.close()


@pytest.mark.parametrize(("mv", "ma"), [(13_600, -350.0), (11_996, 512.5), (0, 0.0), (25_996, 3_200.0)])
def test_voltage_and_current_are_read_with_their_sign(meter: Meter, mv: int, ma: float) -> None:
    meter.chip.mv, meter.chip.ma = mv, ma
    meter.driver.start()
    assert meter.told.get(timeout=WAIT_S) == (False, "")
    assert meter.until(lambda found: found is not None) == (pytest.approx(mv, abs=4), pytest.approx(ma, abs=0.1))


def test_a_chip_that_does_not_answer_is_told_and_found_again(meter: Meter) -> None:
    meter.driver.start()
    assert meter.told.get(timeout=WAIT_S) == (False, "")
    meter.chip.silent = True
    present, detail = meter.told.get(timeout=WAIT_S)
    assert present
    assert "Remote I/O error" in detail
    assert meter.driver.reading() is None
    meter.chip.silent = False
    assert meter.told.get(timeout=WAIT_S) == (False, "")
    assert meter.until(lambda found: found is not None)[0] == 13_600
    assert meter.chip.opened > 1, "the bus is opened anew"


def test_a_chip_at_another_address_is_told_at_the_start() -> None:
    made = Meter(Ina219(address=0x44))
    made.driver.start()
    try:
        assert made.told.get(timeout=WAIT_S)[0] is True
        assert made.driver.reading() is None
    finally:
        made.driver.close()


def test_another_chip_is_not_believed(meter: Meter) -> None:
    meter.chip.other = True
    meter.driver.start()
    present, detail = meter.told.get(timeout=WAIT_S)
    assert present
    assert "found configuration 0x6000, expected 0x3fff, as it was set" in detail
    assert meter.driver.reading() is None


def test_a_chip_that_lost_its_supply_is_set_again(meter: Meter) -> None:
    meter.driver.start()
    assert meter.told.get(timeout=WAIT_S) == (False, "")
    meter.chip.reset()
    present, detail = meter.told.get(timeout=WAIT_S)
    assert present
    assert "0x399f" in detail
    assert meter.told.get(timeout=WAIT_S) == (False, "")


def test_a_bus_that_hangs_is_told_by_whoever_looks_and_nobody_waits_for_it(meter: Meter) -> None:
    meter.driver.start()
    assert meter.told.get(timeout=WAIT_S) == (False, "")
    meter.chip.hang = threading.Event()
    begun = time.monotonic()
    while meter.told.empty():
        meter.driver.check(meter.now_ms())
        assert time.monotonic() - begun < WAIT_S
        threading.Event().wait(0.01)
    present, detail = meter.told.get()
    assert present
    assert "does not come back" in detail
    assert meter.driver.reading() is None
    closing = time.monotonic()
    meter.driver.close()
    assert time.monotonic() - closing < 5, "a thread in the kernel must not hold up the end"


def test_a_trouble_that_can_not_be_told_does_not_end_the_thread() -> None:
    chip = Ina219()
    told = threading.Event()

    def tell(present: bool, _detail: str) -> None:
        told.set()
        raise RuntimeError("the host is ill")

    driver = Ina219Driver(SHUNT, chip.open, lambda: time.monotonic_ns() * RATE // 1_000_000, tell, RATE)
    driver.start()
    try:
        assert told.wait(WAIT_S)
        before, deadline = chip.reads, time.monotonic() + WAIT_S
        while chip.reads <= before + 6:
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)
    finally:
        driver.close()


@given(
    st.integers(0, 0xFFFF) | st.just(ina219.SETTING),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.integers(1, 10_000),
)
def test_any_words_give_a_reading_within_the_chips_range_or_a_clear_error(
    config: int, shunt: int, volts: int, mohm: int
) -> None:
    shunt_of = Shunt(1, 0x40, mohm)
    if config == ina219.SETTING and (volts >> 3) * 4 <= 26_000:
        mv, ma = shunt_of.values(config, shunt, volts)
        assert 0 <= mv <= 26_000
        assert abs(ma) <= 327_680 / mohm
        return
    with pytest.raises(BadChip, match="expected") as caught:
        shunt_of.values(config, shunt, volts)
    assert "应为" in caught.value.text[1]


def test_a_voltage_beyond_the_chip_is_a_disturbed_reading(meter: Meter) -> None:
    meter.chip.answers = {2: 0xFFFF}
    meter.driver.start()
    present, detail = meter.told.get(timeout=WAIT_S)
    assert present
    assert "found 32764 mV, expected at most 26000 mV" in detail
    meter.chip.answers = {}
    assert meter.told.get(timeout=WAIT_S) == (False, "")


def test_the_desks_chip_answers_as_the_one_on_the_wire() -> None:
    chip = Ina219(shunt_mohm=50)
    desk = SimulatedI2c(50, lambda: (12_344, -480))
    chip.mv, chip.ma = 12_344, -480
    for one in (chip, desk):
        one.write_word_data(0x40, 0, 0xFF3F)
    for register in (0, 1):
        assert desk.read_word_data(0x40, register) == chip.read_word_data(0x40, register)
    ready = int.from_bytes(chip.read_word_data(0x40, 2).to_bytes(2, "little"), "big")
    assert int.from_bytes(desk.read_word_data(0x40, 2).to_bytes(2, "little"), "big") == ready & ~0b10


def test_a_bus_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DriverError) as caught:
        open_i2c(1, tmp_path)
    assert f"There is no {tmp_path}/i2c-1: I2C is switched off. Write dtparam=i2c_arm=on" in caught.value.text[0]
    assert "I2C 未启用" in caught.value.text[1]
    (tmp_path / "i2c-1").touch()
    assert "can't be opened: no" in no_i2c(tmp_path / "i2c-1", "no")[0]


def test_a_file_that_is_no_bus_is_a_failed_chip_and_no_end_of_the_thread(tmp_path: Path) -> None:
    """The real library and the real system call: what the kernel says to a file that is no I²C bus."""
    (tmp_path / "i2c-1").touch()
    told: queue.Queue[tuple[bool, str]] = queue.Queue()
    driver = Ina219Driver(
        SHUNT, lambda n: open_i2c(n, tmp_path), lambda: time.monotonic_ns() // 1_000_000, lambda *w: told.put(w)
    )
    driver.start()
    try:
        present, detail = told.get(timeout=WAIT_S)
        assert present
        assert "Inappropriate ioctl" in detail
    finally:
        driver.close()
