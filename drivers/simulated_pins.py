"""Simulated pins: gpiozero's mock pins made to behave like wires, so that the real driver code runs on a desk.

What drives an input from outside (the simulated site) beats its pull, as on a board, whichever comes first. An
observer hears what an output line does, at the pin and not at the command.
"""

import logging
from collections.abc import Callable
from typing import Any

from gpiozero.pins import PinInfo
from gpiozero.pins.mock import MockFactory, MockPin

_log = logging.getLogger(__name__)


class SimulatedPin(MockPin):  # type: ignore[misc]
    """A mock pin with a memory for what drives it from outside, and an ear for what it drives itself."""

    def __init__(self, factory: Any, info: PinInfo) -> None:
        self._driven: bool | None = None
        super().__init__(factory, info)

    def drive_high(self) -> None:
        """The world opens the contact: the line goes high."""
        self._driven = True
        super().drive_high()

    def drive_low(self) -> None:
        """The world closes the contact: the line goes to ground."""
        self._driven = False
        super().drive_low()

    def output_with_state(self, state: bool) -> None:
        """Claim as output with this level in one go, as `BoardPin` does."""
        if self._function != "output":
            self.pull = "floating"
            self._change_state(bool(state))
            self.function = "output"
        else:
            self._set_state(state)

    def _set_pull(self, value: str) -> None:
        outside = self._driven
        if outside is None:
            super()._set_pull(value)
            self._driven = None
        else:
            self._pull = value

    def _set_function(self, value: str) -> None:
        before = self._function
        super()._set_function(value)
        if value == "output" and before != "output":
            self._tell()

    def _set_state(self, value: Any) -> None:
        before = self._state
        super()._set_state(value)
        if self._state != before:
            self._tell()

    def _tell(self) -> None:
        observe = self.factory.observe
        if observe is not None:
            try:
                observe(self._number, bool(self._state))
            except Exception:
                _log.exception("the observer of line %d failed", self._number)


class SimulatedFactory(MockFactory):  # type: ignore[misc]
    """Simulated pins by line number, without the limits of a Raspberry Pi's header."""

    def __init__(self, observe: Callable[[int, bool], None] | None = None) -> None:
        super().__init__(revision="c03111", pin_class=SimulatedPin)
        self.observe = observe
        self.chips: dict[int, Any] = {}
        """What answers at each chip select of SPI port 0; where nothing does, gpiozero's mock pins do."""

    def spi(self, **spi_args: Any) -> Any:
        """The SPI interface of a chip select."""
        return self.chips.get(spi_args.get("device", 0)) or super().spi(**spi_args)

    def pin(self, name: Any, pin_class: Any = None, **kwargs: Any) -> Any:
        """The pin of a line; other names and classes go the way of gpiozero."""
        if not isinstance(name, int) or pin_class is not None:
            return super().pin(name, pin_class, **kwargs)
        info = PinInfo(name, f"GPIO{name}", frozenset({name}), "", 0, 0, frozenset({"gpio"}))
        if info not in self.pins:
            self.pins[info] = self.pin_class(self, info)
        return self.pins[info]
