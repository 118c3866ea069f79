"""A simulated converter for the desk: answers whole frames from the resistance of each channel's loop.

Pin by pin, as gpiozero's mock SPI goes, a frame costs a millisecond of the processor; the desk needs hundreds of frames
a second. The bits on the line are tried against `hil.adc` instead.
"""

from collections.abc import Callable, Sequence

from drivers.loop_plan import count_of
from drivers.mcp3xxx import FRAME_BYTES, Chip


class SimulatedSpi:
    """The far end of one chip select: what gpiozero's SPI interface has of `transfer` and `close`."""

    def __init__(
        self, chip: Chip, ohm: Callable[[int], float], part: Callable[[int], float | None] = lambda _channel: None
    ) -> None:
        """`ohm(channel)`: the resistance of the loop there, infinite where none is connected. `part(channel)`: its
        voltage as a part of full scale, where one is measured."""
        self._chip = chip
        self._ohm = ohm
        self._part = part

    def transfer(self, data: Sequence[int]) -> list[int]:
        """One conversion; a frame that asks for nothing is answered by a line that nobody drives."""
        bits = "".join(f"{byte:08b}" for byte in data)
        start = bits.find("1")
        if len(data) != FRAME_BYTES or start < 0 or bits[start + 1] != "1":
            return [0xFF] * len(data)
        channel = int(bits[start + 2 : start + 5], 2)
        part = self._part(channel)
        count = (
            count_of(self._ohm(channel), self._chip.full, self._chip.pull_ohm)
            if part is None
            else part * self._chip.full
        )
        value = min(max(round(count), 0), self._chip.full)
        said = f"{value:0{self._chip.bits}b}"
        # After the channel one and a half clocks of sampling, then the null bit, the value, and the value backwards.
        answer = "1" * (start + 6) + "0" + said + said[::-1][1:]
        answer = answer.ljust(8 * FRAME_BYTES, "0")
        return [int(answer[at : at + 8], 2) for at in range(0, 8 * FRAME_BYTES, 8)]

    def close(self) -> None:
        """Nothing to give back."""
