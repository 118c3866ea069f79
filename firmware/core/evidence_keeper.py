"""How long pictures stay: core decides and records what goes, camera deletes it and says how full the card is.

Nothing younger than `evidence_days` ever goes. What is older than `evidence_max_days` goes for its age (Order 799
art. 17: once the purpose is met); what is between goes, oldest first, only when the card needs the room. Held captures
never come up: camera, which keeps the holds, leaves them out. A clock that is not set deletes nothing.
"""

from collections.abc import Callable
from datetime import date

from firmware.clock import Clock, utc_text
from firmware.core.damping import Allowance, Damper
from firmware.language import Text, pick
from firmware.protocol import messages as m
from rules.effects import JsonValue, Record
from rules.stimuli import Noted, TroubleChanged

WARN_DAYS = 7
"""So long before the card is full it is a trouble."""
MIN_ROOM = 64 * 1024 * 1024
DAYS_OF_ROOM = 2
"""Room is made when less is left than is written in so many days, or `MIN_ROOM`."""
DELETIONS = 16
"""Records of deletions in an hour: at 64 captures each more than a busy day brings."""

FULL_SOON: Text = (
    "full in {days} days: {free} MiB free, {per_day} MiB a day",
    "{days} 天后写满：剩余 {free} MiB，每天写入 {per_day} MiB",
)


class EvidenceKeeper:
    """On the socket thread only."""

    def __init__(
        self,
        days: int,
        max_days: int,
        clock: Clock,
        submit: Callable[[Noted | TroubleChanged], bool],
        order: Callable[[m.Delete], bool],
    ) -> None:
        self._days = days
        self._max_days = max_days
        self._clock = clock
        self._submit = submit
        self._troubled = Damper(submit)
        self._order = order
        self._may = Allowance(DELETIONS, DELETIONS / 3600)
        self._stock: m.Stock | None = None
        self._recorded: dict[str, bool] = {}
        """Captures that are recorded as leaving and still there; whether that is durable."""

    def stock(self, stock: m.Stock) -> None:
        """Camera says how full the card is."""
        self._stock = stock
        self._warn(stock)
        there = {capture.folder for capture in stock.due}
        self._recorded = {folder: durable for folder, durable in self._recorded.items() if folder in there}
        if again := [folder for folder, durable in self._recorded.items() if durable]:
            self._order(m.Delete(folders=again))
        why, due = self._leaving(stock)
        due = [capture for capture in due if capture.folder not in self._recorded]
        if due and self._may.take():
            payload: dict[str, JsonValue] = {
                "why": why,
                "folders": [capture.folder for capture in due],
                "files": sum(capture.files for capture in due),
                "bytes": sum(capture.bytes for capture in due),
            }
            if self._submit(Noted("evidence.deleted", payload)):
                self._recorded |= dict.fromkeys((capture.folder for capture in due), False)

    def recorded(self, record: Record) -> None:
        """That these go is durable: now they may."""
        folders = record.payload["folders"]
        if isinstance(folders, list) and folders:
            names = [str(folder) for folder in folders]
            self._recorded |= dict.fromkeys(names, True)
            self._order(m.Delete(folders=names))

    def figures(self) -> dict[str, JsonValue]:
        """For the health figures; empty before camera has told any."""
        if (stock := self._stock) is None:
            return {}
        mib = 2**20
        return {
            "evidence_mib": stock.stored // mib,
            "evidence_free_mib": max(0, stock.free - stock.reserve) // mib,
            "evidence_mib_today": stock.today // mib,
            "evidence_mib_per_day": stock.per_day // mib,
            "evidence_days_left": stock.days_left,
            "evidence_held": stock.held,
        }

    def _warn(self, stock: m.Stock) -> None:
        full = 0 <= stock.days_left <= WARN_DAYS
        detail = ""
        if full:
            free, per_day = max(0, stock.free - stock.reserve) // 2**20, stock.per_day // 2**20
            detail = pick(FULL_SOON, days=stock.days_left, free=free, per_day=per_day)
        self._troubled.change(TroubleChanged("evidence", full, "", detail))
        self._troubled.settle()

    def _leaving(self, stock: m.Stock) -> tuple[str, list[m.Due]]:
        """Why, and which captures, oldest first."""
        if self._clock.state() == "unset":
            return "", []
        today = date.fromisoformat(utc_text(self._clock.utc())[:10])
        aged = [(self._age(capture, today), capture) for capture in stock.due]
        if old := [capture for age, capture in aged if age > self._max_days]:
            return "age", old
        room = stock.free - stock.reserve
        wanted = max(MIN_ROOM, DAYS_OF_ROOM * stock.per_day)
        leaving: list[m.Due] = []
        for age, capture in aged:
            if room >= wanted:
                break
            if age > self._days:
                leaving.append(capture)
                room += capture.bytes
        return "room", leaving

    @staticmethod
    def _age(capture: m.Due, today: date) -> int:
        """Whole days since the end of its day; below 0 for days that do not exist, or are not the folder's."""
        if not capture.folder.startswith(f"{capture.day}/"):
            return -1
        try:
            return (today - date.fromisoformat(capture.day)).days
        except ValueError:
            return -1
