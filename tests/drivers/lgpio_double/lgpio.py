"""A double of the lgpio library: one chip of 58 lines, as the kernel would have it, with every call noted.

Put first on the path of a process that has no GPIO. It plays the library's side of the wire: claims, levels, edges,
a line that another program holds, and a chip that goes away.
"""

from collections.abc import Callable
from typing import Any

BOTH_EDGES, RISING_EDGE, FALLING_EDGE = 3, 1, 2
SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128
LINES = 58
_OUT = 2

calls: list[tuple[Any, ...]] = []
held_by: dict[int, str] = {}
levels: dict[int, int] = {}
modes: dict[int, int] = {}
callbacks: dict[int, Callable[[int, int, int, int], None]] = {}
gone = False


class error(Exception):
    """As the library names it."""


def _claim(name: str, gpio: int, mode: int) -> None:
    calls.append((name, gpio))
    if not 0 <= gpio < LINES:
        raise error("bad GPIO number")
    if gpio in held_by:
        raise error("GPIO busy")
    modes[gpio] = mode


def gpiochip_open(chip: int) -> int:
    if chip != 0:
        raise error("can not open gpiochip")
    return 7


def gpiochip_close(handle: int) -> None:
    calls.append(("gpiochip_close", handle))


def gpio_get_chip_info(handle: int) -> list[Any]:
    return [0, LINES, "gpiochip0", "pinctrl-bcm2711"]


def gpio_get_line_info(handle: int, gpio: int) -> list[Any]:
    if not 0 <= gpio < LINES:
        raise error("bad lineinfo IOCTL")
    return [0, gpio, 0, f"GPIO{gpio}", held_by.get(gpio, "")]


def gpio_get_mode(handle: int, gpio: int) -> int:
    return modes.get(gpio, 0)


def gpio_claim_input(handle: int, gpio: int, flags: int = 0) -> None:
    _claim("gpio_claim_input", gpio, flags)
    levels.setdefault(gpio, 1 if flags & SET_PULL_UP else 0)


def gpio_claim_output(handle: int, gpio: int, level: int = 0, flags: int = 0) -> None:
    _claim("gpio_claim_output", gpio, flags | _OUT)
    calls.append(("level", gpio, level))
    levels[gpio] = level


def gpio_claim_alert(handle: int, gpio: int, edges: int, flags: int = 0) -> None:
    _claim("gpio_claim_alert", gpio, flags)


def gpio_free(handle: int, gpio: int) -> None:
    calls.append(("gpio_free", gpio))
    if gpio not in modes:
        raise error("GPIO not allocated")
    del modes[gpio]


def gpio_read(handle: int, gpio: int) -> int:
    if gone:
        raise error("bad GPIO read")
    return levels[gpio]


def gpio_write(handle: int, gpio: int, level: int) -> None:
    if gone or not modes.get(gpio, 0) & _OUT:
        raise error("bad GPIO write")
    calls.append(("level", gpio, level))
    levels[gpio] = level


class _Callback:
    def __init__(self, gpio: int) -> None:
        self._gpio = gpio

    def cancel(self) -> None:
        callbacks.pop(self._gpio, None)


def callback(handle: int, gpio: int, edge: int, func: Callable[[int, int, int, int], None]) -> _Callback:
    callbacks[gpio] = func
    return _Callback(gpio)


def move(gpio: int, level: int) -> None:
    """The world moves a line; whoever listens hears the edge."""
    levels[gpio] = level
    if gpio in callbacks:
        callbacks[gpio](7, gpio, level, 123_000_000)
