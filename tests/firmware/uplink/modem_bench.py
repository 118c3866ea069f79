"""The modem's script against the modem of the rig, without port and without waiting: one clock drives both."""

from dataclasses import dataclass, field

from firmware.uplink.sms import modem as w
from firmware.uplink.sms import pdu
from firmware.uplink.sms.pin import NoPin
from hil.modem import Modem, Sim


@dataclass
class PaperPin:
    """Digits, or why there are none, and what became of them."""

    digits: str = ""
    story: list[str] = field(default_factory=list)

    def take(self) -> str:
        if not self.digits:
            raise NoPin("no pin_file")
        self.story.append(f"took {self.digits}")
        return self.digits

    def accepted(self) -> None:
        self.story.append("accepted")

    def refused(self) -> None:
        self.digits = ""
        self.story.append("refused")

    def untried(self) -> None:
        self.story.append("untried")


class Bench:
    """`run` until something holds; `heard` is all that the script said but bytes."""

    def __init__(self, sim: Sim | None = None, pin: PaperPin | None = None, start: bool = True) -> None:
        self.now_ms = 1_000_000
        self.far = Modem(sim=sim or Sim(), now_s=lambda: self.now_ms / 1000)
        self.pin = pin or PaperPin()
        self.modem = w.Modem(self.pin, -103)
        self.heard: list[w.Output] = []
        self._open_at: int | None = self.now_ms if start else None

    def run(self, for_ms: int = 60_000) -> None:
        """Let this time pass."""
        end = self.now_ms + for_ms
        while self.now_ms < end:
            self._step()
            moments = [self.modem.next_deadline(), self._open_at]
            if (due := self.far.due_s()) is not None:
                moments.append(round(due * 1000))
            self.now_ms = max(self.now_ms + 1, min([end, *(m for m in moments if m is not None)]))
        self._step()

    def _step(self) -> None:
        if self._open_at is not None and self.now_ms >= self._open_at:
            self._open_at = None
            self.do(self.modem.opened(self.now_ms))
        if (data := self.far.said()) and self._open_at is None:
            self.do(self.modem.received(data, self.now_ms))
        self.do(self.modem.tick(self.now_ms))

    def do(self, outputs: list[w.Output]) -> None:
        for output in outputs:
            if isinstance(output, w.Write):
                if self._open_at is None:
                    self.far.take(output.data)
                continue
            self.heard.append(output)
            if isinstance(output, w.Reopen):
                self._open_at = self.now_ms + output.pause_ms

    def send(self, *parts: pdu.Part, key: str = "k") -> None:
        self.do(self.modem.send(w.Job(key, parts), self.now_ms))

    def fault(self, what: str) -> str:
        """The last word about this."""
        return next((o.detail for o in reversed(self.heard) if isinstance(o, w.Fault) and o.what == what), "")

    def of(self, kind: type) -> list[w.Output]:
        return [output for output in self.heard if isinstance(output, kind)]
