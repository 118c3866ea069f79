"""What a running panel tells while it is tested: its new records, its zones and outputs, its receipts."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from firmware.protocol.messages import AskDelivered, AskDrivers, AskRecords, AskStatus, RunTest
from provisioning.accept.results import Place
from provisioning.technician import Refused, Technician

LOOK_S = 0.05
GRANTS = 3
"""So often a user is asked to let the installer in, before the run stops."""
KEPT = 8192
"""Records of a run that are kept in memory; older ones of a longer run are looked up no more."""

Record = Mapping[str, Any]
"""`header`, `payload`, `hash`, as core tells it."""


class Panel:
    """A running panel, looked at; the journal is followed from `seq` on."""

    def __init__(self, technician: Technician, seq: int, code: str, let_in: Callable[[], object]) -> None:
        """`code`: the installer's. `let_in`: has a user let him in again, where his time is over or somebody armed."""
        self._technician = technician
        self._code = code
        self._let_in = let_in
        self.seq = seq
        self.records: list[Record] = []

    def follow(self) -> int:
        """Fetch what is new; the number of records that are known."""
        while found := self._technician.ask(AskRecords(after=self.seq)).detail["records"]:
            self.records += found
            self.seq = int(found[-1]["header"]["seq"])
        del self.records[:-KEPT]
        return self.seq

    def first(self, after: int, wanted: Callable[[str, Mapping[str, Any]], bool]) -> Record | None:
        """The first record above `after` whose kind and payload are wanted."""
        for record in self.records:
            if record["header"]["seq"] > after and wanted(record["header"]["kind"], record["payload"] or {}):
                return record
        return None

    def status(self) -> Mapping[str, Any]:
        """Core's private view."""
        return self._technician.ask(AskStatus()).detail

    def drivers(self) -> Mapping[str, Any]:
        """Figures of the drivers and standing troubles."""
        return self._technician.ask(AskDrivers()).detail

    def zone(self, zone: str) -> Mapping[str, Any]:
        """A driver's figures of a zone; empty for a silent one, or where no driver knows it."""
        for driver in self.drivers()["drivers"].values():
            if zone in driver["zones"]:
                found: Mapping[str, Any] = driver["zones"][zone]
                return found
        return {}

    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        """All drivers' figures of their outputs."""
        found: dict[str, Mapping[str, Any]] = {}
        for driver in self.drivers()["drivers"].values():
            found |= {id_: figures for id_, figures in (driver.get("outputs") or {}).items() if figures}
        return found

    def test(self, name: str, **more: Any) -> Mapping[str, Any]:
        """Begin a test with the installer's code. Raises `NoAnswer`."""
        return self.allowed(RunTest(test=name, code=self._code, **more))  # type: ignore[arg-type]

    def allowed(self, question: Any) -> Mapping[str, Any]:
        """Ask what needs a user's grant, and once more when he has given it. Raises `NoAnswer`."""
        for _ in range(GRANTS):
            try:
                return self.ask(question)
            except Refused as no:
                if no.reason != "no-grant":
                    raise
                self._let_in()
        return self.ask(question)

    def ask(self, question: Any) -> Mapping[str, Any]:
        """Any other question."""
        return self._technician.ask(question).detail

    def receipt(self, record: Record, seconds: float) -> tuple[str, int] | None:
        """The path that carried a record and the moment of its verified receipt; None where none came in time."""
        header = record["header"]
        asked = AskDelivered(journal=header["journal"], lane=header["lane"], lane_seq=header["lane_seq"])
        end = time.monotonic() + seconds
        while True:
            detail = self.ask(asked)
            if detail.get("delivered"):
                return str(detail["path"]), int(detail["monotonic_ms"])
            if time.monotonic() >= end:
                return None
            time.sleep(LOOK_S)

    def silence(self) -> None:
        """End what a tamper has set off, where the panel lets it be. Raises `NoAnswer` where it can't be asked."""
        try:
            self.test("end-alarm")
        except Refused as no:
            if no.reason in ("no-grant", "locked-out"):
                raise


def place(record: Record) -> Place:
    """Where a record stands."""
    header = record["header"]
    return Place(header["journal"], header["seq"], record["hash"], header["kind"], header["time"])
