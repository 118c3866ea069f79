"""One output's GPIO line: claimed with its level in one go, switched, read back, and claimed again after it failed."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from drivers.pins import Factory, Pin
from drivers.retry import Retry
from drivers.wiring import OutputLine


class SwitchedOutput:
    """An output's line. `switch` may come from any thread; it waits for no other line."""

    def __init__(self, wire: OutputLine, factory: Factory, clock_ms: Callable[[], int]) -> None:
        self.wire = wire
        self.retry = Retry()
        self.wanted = False
        self.switched_ms = 0
        """When the load was last switched the other way."""
        self._factory = factory
        self._clock_ms = clock_ms
        self._pin: Pin | None = None
        self._lock = Lock()

    @property
    def claimed(self) -> bool:
        """Whether a claim was made, or tried."""
        return self._pin is not None or self.retry.error is not None

    def claim(self, on: bool) -> bool:
        """Claim the line with its level in one go; False when that failed (it is tried again later)."""
        with self._lock:
            self.wanted = on
            return self._claim()

    def switch(self, on: bool) -> bool:
        """Switch the load; False when the line failed."""
        with self._lock:
            turned, self.wanted = on is not self.wanted, on
            if self._pin is None:
                return self._claim()
            try:
                self._pin.state = self.wire.level(on)
            except Exception as error:
                self._fail(error)
                return False
            if turned:
                self.switched_ms = self._clock_ms()
            return True

    def read_back(self) -> bool:
        """What the line really does: True when the load is on; False too when it can't be read."""
        with self._lock:
            try:
                return self._pin is not None and bool(self._pin.state) == self.wire.active_high
            except Exception as error:
                self._fail(error)
                return False

    def check(self, now_ms: int) -> None:
        """Read back, and try a failed line again when its pause is over."""
        with self._lock:
            if self.retry.due(now_ms):
                self._claim()
            elif self._pin is not None:
                try:
                    self._compare(self._pin)
                    self.retry.stands()
                except Exception as error:
                    self._fail(error)

    def _compare(self, pin: Pin) -> None:
        if bool(pin.state) != self.wire.level(self.wanted):
            raise OSError(f"the line reads {'off' if self.wanted else 'on'} though it was switched the other way")

    def _claim(self) -> bool:
        try:
            pin = self._factory.pin(self.wire.line)
            pin.output_with_state(self.wire.level(self.wanted))
            self._compare(pin)
        except Exception as error:
            self._fail(error)
            return False
        self._pin = pin
        self.retry.works(self._what())
        return True

    def _fail(self, error: Exception) -> None:
        self._pin = None
        self.retry.failed(error, self._clock_ms(), self._what())

    def _what(self) -> str:
        return f"output {self.wire.output}, line {self.wire.line}"

    def health(self) -> dict[str, Any]:
        """Figures for diagnosis."""
        return {
            "wanted": self.wanted,
            "on": self.read_back(),
            "switched_ms": self.switched_ms,
            "errors": self.retry.errors,
            "error": self.retry.error,
        }
