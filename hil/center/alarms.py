"""The alarms that wait for an operator: every record of the alarm lane, until somebody acknowledges it.

A record that says more about one (cancelled, a person on the pictures) becomes its note. Times are the center's own.
"""

from dataclasses import dataclass

from hil.center.reader import RecordIn
from hil.center.store import Store
from rules.vocabulary import KINDS

MAX_OPEN = 1000
"""Of one panel; when more come the oldest give way, and are counted."""
_NOTES = {"area.alarm-cancelled": "cancelled"}


@dataclass(frozen=True)
class Alarm:
    """One alarm. `arrived`, `acknowledged`: UTC at the center; `time`: what the panel's clock said."""

    panel: str
    journal: str
    seq: int
    kind: str
    incident: int | None
    zone: str
    areas: str
    time: str
    arrived: str
    note: str
    acknowledged: str | None
    operator: str | None

    @property
    def silent(self) -> bool:
        """Whether it must show on nothing that a bystander could see; a kind we do not know counts as silent."""
        kind = KINDS.get(self.kind)
        return kind is None or kind.silent


def note(store: Store, record: RecordIn, now: str) -> None:
    """Take in a record that is newly held. Inside a `transaction`."""
    header, payload = record.header, record.payload or {}
    incident = payload.get("incident")
    number = incident if isinstance(incident, int) else None
    if header["lane"] == "alarm":
        _open(store, record, number, now)
    elif number is not None:
        person = header["kind"] == "camera.person" or (
            header["kind"] == "evidence.pictures" and payload.get("verdict") == "person"
        )
        if text := "person" if person else _NOTES.get(header["kind"], ""):
            store.run("UPDATE alarms SET note=? WHERE panel=? AND incident=? AND acknowledged IS NULL",
                      text, record.panel, number)  # fmt: skip


def _open(store: Store, record: RecordIn, incident: int | None, now: str) -> None:
    header, payload = record.header, record.payload or {}
    areas = payload.get("areas")
    words = " ".join(str(area)[:48] for area in areas[:8]) if isinstance(areas, list) else ""
    place = (record.panel, header["journal"], header["seq"])
    values = (*place, header["kind"], incident, str(payload.get("zone", ""))[:48], words, header["time"], now)
    columns = "panel, journal, seq, kind, incident, zone, areas, time, arrived"
    store.run(f"INSERT OR IGNORE INTO alarms({columns}) VALUES(?,?,?,?,?,?,?,?,?)", *values)
    too_old = (
        "DELETE FROM alarms WHERE panel=?1 AND acknowledged IS NULL AND (arrived, seq)<(SELECT arrived, seq FROM alarms"
        " WHERE panel=?1 AND acknowledged IS NULL ORDER BY arrived DESC, seq DESC LIMIT 1 OFFSET ?2)"
    )
    if gone := store.run(too_old, record.panel, MAX_OPEN - 1):
        store.count(record.panel, "alarm-not-looked-at", gone)


def alarms(store: Store, panel: str | None = None, every: bool = False, most: int = 200) -> list[Alarm]:
    """The newest alarms, of one panel or all; only those that nobody acknowledged, unless `every`."""
    rows = store.rows(
        "SELECT * FROM alarms WHERE (?1 IS NULL OR panel=?1) AND (?2 OR acknowledged IS NULL)"
        " ORDER BY arrived DESC, seq DESC LIMIT ?3",
        panel,
        every,
        most,
    )
    return [Alarm(**dict(row)) for row in rows]


def acknowledge(store: Store, panel: str, seqs: list[int], operator: str, now: str) -> int:
    """An operator has seen these alarms of a panel (none named: all that are open); how many were open."""
    where = "panel=? AND acknowledged IS NULL"
    if seqs:
        where += f" AND seq IN ({','.join('?' * len(seqs))})"
    return store.run(f"UPDATE alarms SET acknowledged=?, operator=? WHERE {where}", now, operator, panel, *seqs)  # noqa: S608
