"""A clock that tests turn."""

from firmware.clock import Clock


class TurnedClock:
    """Monotonic milliseconds and UTC that move only when told; `boot` is a name."""

    def __init__(self, monotonic_ms: int = 1_000_000, utc: float = 1_790_000_000.0) -> None:
        self.now_ms = monotonic_ms
        self.now_utc = utc
        self.quality = "synchronised"
        self.boot_id = "boot-1"
        self.vouched_until_ms = -1
        self.suspected = False

    def turn(self, ms: int) -> None:
        """Let time pass."""
        self.now_ms += ms
        self.now_utc += ms / 1000

    def reboot(self, dark_ms: int = 0) -> None:
        """Another boot: the monotonic clock begins anew."""
        self.now_ms = 5_000
        self.now_utc += dark_ms / 1000
        self.boot_id += "'"

    def monotonic_ms(self) -> int:
        return self.now_ms

    def utc(self) -> float:
        return self.now_utc

    def state(self) -> str:
        return "synchronised" if self.now_ms <= self.vouched_until_ms else self.quality

    def served(self) -> bool:
        return self.quality == "synchronised"

    def vouch(self, until_ms: int) -> None:
        self.vouched_until_ms = until_ms

    def suspect(self, suspected: bool) -> None:
        self.suspected = suspected

    def boot(self) -> str:
        return self.boot_id

    def wait_s(self, span_ms: int) -> float:
        return 0.02 if span_ms > 0 else 0.0


def _is_a_clock(clock: TurnedClock) -> Clock:
    return clock
