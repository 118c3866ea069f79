"""The board's GPIO lines: gpiozero's lgpio pins, by the chip's own line numbers, claimed in one go.

gpiozero claims a line as input first and sets an output's level after claiming it; a siren's relay would click at each
restart. These pins ask the kernel once, with the level. They also work on boards that are no Raspberry Pi.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import lgpio
from gpiozero.pins import PinInfo
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin
from gpiozero.pins.local import LocalPiPin

from drivers.pins import DriverError, Text, with_hint

_PULLS = {"up": lgpio.SET_PULL_UP, "down": lgpio.SET_PULL_DOWN, "floating": lgpio.SET_PULL_NONE}
_DEVICES = Path("/dev")


def line_info(line: int) -> PinInfo:
    """gpiozero's description of a line that is known by its number only."""
    name = f"GPIO{line}"
    return PinInfo(line, name, frozenset({line, str(line), name}), "", 0, 0, frozenset({"gpio"}))


class BoardPin(LGPIOPin):  # type: ignore[misc]
    """An lgpio pin that is not touched before it is claimed, and claimed with its level."""

    def __init__(self, factory: Any, info: PinInfo) -> None:
        LocalPiPin.__init__(self, factory, info)
        self._pwm = None
        self._bounce = None
        self._callback = None
        self._edges = lgpio.BOTH_EDGES
        self._claimed = False

    def output_with_state(self, state: bool) -> None:
        """Claim as output with this level; raises `DriverError`."""
        self._free()
        try:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))
        except lgpio.error as error:
            _explain(self.factory, self._number, error)
        self._claimed = True

    def input_with_pull(self, pull: str) -> None:
        """Claim as input with this pull; raises `DriverError`."""
        self._free()
        try:
            lgpio.gpio_claim_input(self.factory._handle, self._number, _PULLS[pull])
        except lgpio.error as error:
            _explain(self.factory, self._number, error)
        self._claimed = True

    def _set_state(self, value: Any) -> None:
        # gpiozero asks the kernel for the line's direction before each write: one more call on the siren's way.
        lgpio.gpio_write(self.factory._handle, self._number, int(bool(value)))

    def close(self) -> None:
        """Free the line. An output is not driven low first: with `persist_gpio_outputs` the kernel keeps its level."""
        if self._claimed:
            with suppress(lgpio.error):  # the line is given up whatever it says
                self.when_changed = None
        self._free()

    def _free(self) -> None:
        # A line that is ours already would keep the flags of its first claim (gpiozero's `LGPIOPin._set_pull`).
        if self._claimed and self.factory._handle is not None:
            self._claimed = False
            with suppress(lgpio.error):  # lost already: nothing to free
                lgpio.gpio_free(self.factory._handle, self._number)


class BoardFactory(LGPIOFactory):  # type: ignore[misc]
    """lgpio pins of one chip; a pin's name is its line number."""

    def __init__(self, chip: int) -> None:
        super().__init__(chip=chip)
        self.pins: dict[PinInfo, BoardPin] = {}
        self.pin_class = BoardPin

    def pin(self, name: Any) -> Any:
        """The pin of a line, not claimed yet."""
        if not isinstance(name, int):
            return super().pin(name)
        info = line_info(name)
        if info not in self.pins:
            self.pins[info] = BoardPin(self, info)
        return self.pins[info]

    def spi(self, *, port: int = 0, device: int = 0) -> Any:
        """The kernel's SPI interface; raises `DriverError`.

        gpiozero would fall back to moving the pins one by one, too slow for loops, and hide that SPI is switched off.
        """
        args, _ = self._extract_spi_args(port=port, device=device)
        try:
            return self._get_spi_class(shared=False, hardware=True)(pin_factory=self, **args)
        except lgpio.error as error:
            raise DriverError(no_spi(port, device, str(error), _DEVICES)) from error


def open_board(chip: int) -> BoardFactory:
    """The lines of /dev/gpiochipN; raises `DriverError` that says what is there instead."""
    try:
        return BoardFactory(chip)
    except lgpio.error as error:
        raise DriverError(with_hint(no_chip(chip, str(error), _DEVICES))) from error


def no_chip(chip: int, error: str, devices: Path) -> Text:
    """Why the chip can't be opened: absent, not ours, or what lgpio said."""
    device = devices / f"gpiochip{chip}"
    if not device.exists():
        there = ", ".join(sorted(str(path) for path in devices.glob("gpiochip*")))
        return (
            f"There is no {device} (GPIO chips found: {there or 'none'}). On a Raspberry Pi the header is chip 0; "
            "`chip` under [panel] selects another.",
            f"没有 {device}(已找到的 GPIO 芯片:{there or '无'})。树莓派排针为芯片 0;"
            "可用 [panel] 下的 chip 选择其他芯片。",
        )
    return (
        f"{device} can't be opened: {error}. Does this user belong to the group that may use it (gpio)?",
        f"无法打开 {device}:{error}。当前用户是否在有权使用它的组(gpio)中?",
    )


def no_spi(port: int, device: int, error: str, devices: Path) -> Text:
    """Why an SPI device can't be opened: switched off, not ours, or what lgpio said."""
    path = devices / f"spidev{port}.{device}"
    if not path.exists():
        return (
            f"There is no {path}: SPI is switched off. Write dtparam=spi=on into config.txt and restart the board.",
            f"没有 {path}：SPI 未启用。请在 config.txt 中写入 dtparam=spi=on 并重启主板。",
        )
    return (
        f"{path} can't be opened: {error}. Does this user belong to the group that may use it (spi)?",
        f"无法打开 {path}：{error}。当前用户是否在有权使用它的组（spi）中？",
    )


def line_failed(line: int, chip: str, lines: int, holder: str, error: str) -> Text:
    """Why a line can't be claimed, naming line and chip, and who holds it where the kernel tells."""
    if lines and line >= lines:
        return (
            f"{chip} has no line {line}: it has lines 0 to {lines - 1}.",
            f"{chip} 没有线路 {line}:只有 0 至 {lines - 1}。",
        )
    if "busy" in error.lower():
        return (
            f"Line {line} of {chip} is in use by {holder or 'something the kernel does not name'}. "
            "Free it (another program, or an overlay in config.txt), or wire to another line.",
            f"{chip} 的线路 {line} 正被 {holder or '内核未指明的使用者'} 占用。"
            "请释放它(其他程序,或 config.txt 中的 overlay),或改接其他线路。",
        )
    return f"Line {line} of {chip} can't be claimed: {error}.", f"无法占用 {chip} 的线路 {line}:{error}。"


def _explain(factory: BoardFactory, line: int, error: Exception) -> NoReturn:
    name, lines, holder = f"gpiochip{factory.chip}", 0, ""
    try:
        _, lines, _, label = lgpio.gpio_get_chip_info(factory._handle)
        name = f"{name} ({_text(label)})"
        holder = _text(lgpio.gpio_get_line_info(factory._handle, line)[4])
    except (lgpio.error, ValueError, IndexError):
        pass  # the first error is the one to tell
    raise DriverError(line_failed(line, name, lines, holder, str(error))) from error


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
