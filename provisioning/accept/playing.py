"""Plays the steps of an acceptance run against a running panel: says what to do, waits for what must follow, measures.

One method for each kind of step. What a step gives is judged here and nowhere else; nothing is written here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from firmware.clock import utc_text
from firmware.config import PanelFile
from firmware.language import pick
from firmware.protocol.messages import EndTest
from provisioning.accept import texts as t
from provisioning.accept.clauses import RESPONSE_MS, STANDBY_H
from provisioning.accept.judging import Failed, judged
from provisioning.accept.plan import Act, Step
from provisioning.accept.results import Figure, Place, Result, Sample
from provisioning.accept.talking import Said, Talk
from provisioning.accept.watching import LOOK_S, Panel, Record, place
from provisioning.technician import NoAnswer, Refused

RECEIPT_S = 15.0
SOUNDING = ("siren", "strobe", "buzzer", "chime")
MARGIN_S = 20.0
BACK_S = 60.0
"""A path that works again leads when it has worked for half a minute (`firmware.uplink.routing`)."""
BACK_PAUSE_S = 4.0
NOT_NOW = ("no-grant", "locked-out", "not-valid-now")
"""Why the installer's code does not count now."""
EDGE_MS = 5_000
"""An input that began longer before the record than this is another one."""


@dataclass(frozen=True)
class Terms:
    """Who tests, how long a step may take, how many samples of the response time are wanted."""

    by: str
    patience_s: float
    samples: int


class Waived(Exception):
    """Somebody waives the step; the text says why."""


@dataclass
class Seen:
    """What a step has brought: figures, the record that proves it."""

    figures: dict[str, Figure] = field(default_factory=dict)
    record: Place | None = None


class Player:
    """Plays one step after another; `samples` grows with every input that is measured."""

    def __init__(self, panel: Panel, file: PanelFile, talk: Talk, terms: Terms, samples: Sequence[Sample] = ()) -> None:
        """`samples`: what earlier sittings measured."""
        self.samples = list(samples)
        self._panel = panel
        self._file = file
        self._talk = talk
        self._terms = terms
        self._receipted = any(path.kind != "sms" for path in file.path)
        self._debounce = {z.id: p.debounce_ms for z in file.zone if (p := z.input or z.loop or z.point) is not None}
        self._kinds = {output.id: output.kind for output in file.output}
        self._acts: Mapping[Act, Callable[[Step], Seen]] = {
            Act.TRIP: self._trip,
            Act.LINE: self._trip,
            Act.BOX: self._box,
            Act.SEEN: self._seen,
            Act.KEY: self._key,
            Act.MAINS: self._mains,
            Act.BATTERY: self._battery,
            Act.STANDBY: self._standby,
            Act.SIREN: self._siren,
            Act.PATH: self._path,
            Act.RESPONSE: self._response,
        }

    def add(self, act: Act, how: Callable[[Step], Seen]) -> None:
        """Play this kind of step so (what needs more than the panel: pictures, the journal)."""
        self._acts = {**self._acts, act: how}

    def play(self, step: Step) -> Result:
        """The result of a step, after as many tries as the person wants. Raises `Stopped`, `NoAnswer`."""
        attempts = 0
        while True:
            attempts += 1
            try:
                seen = self._acts[step.act](step)
            except Waived as waived:
                return self._result(step, "waived", attempts, reason=str(waived))
            except Failed as failed:
                said = self._after(failed)
                if said is None:
                    continue
                outcome = "waived" if said.word == "w" else "failed"
                reason = said.rest if said.word == "w" else str(failed.figures.get("what", ""))
                return self._result(step, outcome, attempts, failed.why, reason, failed.figures, failed.record)
            return self._result(step, "passed", attempts, figures=seen.figures, record=seen.record)

    def _result(
        self,
        step: Step,
        outcome: Any,
        attempts: int,
        why: str = "",
        reason: str = "",
        figures: Mapping[str, Figure] | None = None,
        record: Place | None = None,
    ) -> Result:
        now = utc_text(time.time())
        return Result(step.id, outcome, now, self._terms.by, why, reason[:400], dict(figures or {}), record, attempts)

    def _after(self, failed: Failed) -> Said | None:
        """What the person wants now; None to try again. A script gets the failure and no question."""
        if not self._talk.person:
            return Said("f", "")
        self._talk.tell("failed", t.AGAIN, said={"why": self.why(failed.why, failed.figures)})
        while True:
            said = self._talk.answer()
            if said.word == "w" and not said.rest:
                self._talk.tell("ask", t.REASON_NEEDED)
            elif said.word in ("w", "f"):
                return said
            elif not said.word:
                return None

    @staticmethod
    def why(code: str, figures: Mapping[str, Figure]) -> str:
        """Why a step failed, in words."""
        return pick(t.WHY[code], **figures)

    # --- the parts of a step ------------------------------------------------------------------------

    def _do(self, step: Step, position: str | None = None, **more: Any) -> None:
        word = step.position if step.act is Act.LINE else step.act.value
        values = {"number": step.number, "subject": step.subject, "name": step.name, **more}
        what = position or step.position
        self._talk.tell(
            "do", t.DO[word], said=values, step=step.id, act=step.act.value, subject=step.subject, position=what
        )

    def undo(self, step: Step, confirm: bool = False) -> None:
        """Say how to bring it to rest; `confirm`: wait until a person says that it is."""
        text = t.UNDO[step.act.value]
        if confirm:
            text = (f"{text[0]}, {t.CONFIRM[0]}", f"{text[1]}，{t.CONFIRM[1]}")
        self._talk.tell(
            "undo",
            text,
            said={"subject": step.subject},
            step=step.id,
            act=step.act.value,
            subject=step.subject,
            confirm=confirm,
        )
        if confirm:
            self._talk.answer()

    def _heard(self) -> None:
        """Heed a word of the person; it is also the pause between two looks. Raises `Waived`, `Failed`, `Stopped`."""
        said = self._talk.heard(LOOK_S)
        if said is None or not said.word:
            return
        if said.word == "w" and said.rest:
            raise Waived(said.rest)
        if said.word == "w":
            self._talk.tell("ask", t.REASON_NEEDED)
        elif said.word in ("f", "n"):
            raise Failed("said-no", what=said.rest)

    def until(self, found: Callable[[], Any], why: str, seconds: float, record: Place | None = None) -> Any:
        """Until something is found. Raises `Failed` with this reason."""
        end = time.monotonic() + seconds
        while True:
            if value := found():
                return value
            if time.monotonic() >= end:
                raise Failed(why, record, seconds=seconds)
            self._heard()

    def _record(self, after: int, wanted: Callable[[str, Mapping[str, Any]], bool], seconds: float = 0.0) -> Record:
        """The record that must follow. Raises `Failed`."""

        def found() -> Record | None:
            self._panel.follow()
            return self._panel.first(after, wanted)

        record: Record = self.until(found, "not-seen", seconds or self._terms.patience_s)
        return record

    def _expected(self, step: Step) -> Callable[[str, Mapping[str, Any]], bool]:
        """Of the kinds that the step expects (one that ends in a dot: all that begin so), about its zone."""

        def wanted(kind: str, payload: Mapping[str, Any]) -> bool:
            known = any(kind == name or (name.endswith(".") and kind.startswith(name)) for name in step.expects)
            about = payload.get("zone", payload.get("subject"))
            return known and (not step.subject or about is None or about == step.subject)

        return wanted

    def _rest(self, step: Step) -> None:
        """Until the zone reads normal; of a silent one only a person knows."""
        self.undo(step, confirm=step.silent)
        if step.silent:
            return

        def at_rest() -> bool:
            zone = self._panel.status()["zones"].get(step.subject)
            return zone is None or zone["condition"] == "normal"

        self.until(at_rest, "not-restored", self._terms.patience_s)

    def _walk(self, wanted: bool) -> None:
        """Begin or end the walk test; the panel may have ended it by itself."""
        running = bool(self._panel.status().get("walk_test"))
        if wanted and not running:
            self._panel.test("walk-test", hold_up=True)
        elif running and not wanted:
            with suppress(NoAnswer):
                self._panel.ask(EndTest())

    def _receipt(self, record: Record, seconds: float = RECEIPT_S) -> dict[str, Figure]:
        """Path and time of the center's receipt. Raises `Failed` where there are paths and none brings it."""
        if not self._receipted:
            return {}
        found = self._panel.receipt(record, seconds)
        if found is None:
            raise Failed("no-receipt", place(record), seconds=seconds)
        return {"path": found[0], "center_ms": found[1] - int(record["header"]["monotonic_ms"])}

    def measure(self, zone: str, record: Record) -> Sample:
        """How long the panel took from the input's own moment: to its outputs or the record, and to the receipt."""
        at_ms = int(record["header"]["monotonic_ms"])
        began = int(self._panel.zone(zone).get("began_ms", 0))
        edge = 0 <= at_ms - began <= EDGE_MS
        if not edge:
            began = at_ms - self._debounce.get(zone, 0)
        switched = {
            id_: int(figures.get("switched_ms") or 0)
            for id_, figures in self._panel.outputs().items()
            if self._kinds.get(id_) in SOUNDING and figures.get("on")
        }
        fresh = {id_: ms for id_, ms in switched.items() if began <= ms <= at_ms + EDGE_MS}
        at = min(fresh, key=lambda id_: (SOUNDING.index(self._kinds[id_]), fresh[id_])) if fresh else "record"
        receipt = self._panel.receipt(record, RECEIPT_S) if self._receipted else None
        sample = Sample(
            zone,
            int(record["header"]["seq"]),
            (fresh[at] if fresh else at_ms) - began,
            at,
            receipt[1] - began if receipt else -1,
            receipt[0] if receipt else "",
            "edge" if edge else "debounce",
        )
        self.samples.append(sample)
        return sample

    def _sounding(self) -> bool:
        return any(f.get("on") and self._kinds.get(id_) in SOUNDING[:2] for id_, f in self._panel.outputs().items())

    # --- the kinds of steps ---------------------------------------------------------------------------

    def _trip(self, step: Step) -> Seen:
        self._walk(step.walk)
        after = self._panel.follow()
        self._do(step)
        record = self._record(after, self._expected(step))
        sample = self.measure(step.subject, record)
        if self._sounding():
            self._panel.silence()
        self._rest(step)
        figures: dict[str, Figure] = {"local_ms": sample.local_ms, "at": sample.at}
        if sample.center_ms >= 0:
            figures |= {"center_ms": sample.center_ms, "path": sample.path}
        elif self._receipted:
            raise Failed("no-receipt", place(record), seconds=RECEIPT_S, **figures)
        if sample.local_ms > RESPONSE_MS:
            raise Failed("late", place(record), found=sample.local_ms, most=RESPONSE_MS, **figures)
        return Seen(figures, place(record))

    def _box(self, step: Step) -> Seen:
        self._walk(False)
        after = self._panel.follow()
        self._do(step)
        record = self._record(after, self._expected(step))
        if self._sounding():
            self._panel.silence()
        self.undo(step)
        name = f"box:{step.subject}"
        self.until(lambda: name not in self._panel.drivers()["troubles"], "not-restored", self._terms.patience_s)
        return Seen(self._receipt(record), place(record))

    def _seen(self, step: Step) -> Seen:
        """A zone that makes no record by itself: its condition is what there is to see."""
        self._walk(False)
        self._do(step)

        def active() -> bool:
            return bool(self._panel.status()["zones"][step.subject]["condition"] == "active")

        self.until(active, "not-seen", self._terms.patience_s)
        self._rest(step)
        return Seen({})

    def _key(self, step: Step) -> Seen:
        self._walk(False)
        after = self._panel.follow()
        self._do(step)
        record = self._record(after, self._expected(step))
        self.undo(step)

        def disarmed() -> bool:
            return all(area["mode"] == "disarmed" for area in self._panel.status()["areas"].values())

        self.until(disarmed, "not-restored", self._terms.patience_s)
        return Seen({"kind": record["header"]["kind"], **self._receipt(record)}, place(record))

    def _mains(self, step: Step) -> Seen:
        self._walk(False)
        after = self._panel.follow()
        self._do(step)
        began = time.monotonic()
        self.until(lambda: "mains" in self._panel.drivers()["troubles"], "not-seen", self._terms.patience_s)
        seen_ms = int((time.monotonic() - began) * 1000)
        self.undo(step)
        self.until(lambda: "mains" not in self._panel.drivers()["troubles"], "not-restored", self._terms.patience_s)
        record = self._record(after, lambda kind, _: kind in step.expects)
        delay = self._file.timings.mains_report_delay_s
        return Seen({"seen_ms": seen_ms, "report_delay_s": delay, **self._receipt(record)}, place(record))

    def _battery(self, step: Step) -> Seen:
        limit = self._file.timings.battery_test_s
        after = self._panel.follow()
        self._talk.tell("do", t.DO["battery"], said={"seconds": limit}, step=step.id, act="battery", position="")
        self.tested("battery-test")
        record = self._record(after, lambda kind, _: kind == "test.battery-ended", limit + MARGIN_S)
        detail = str(record["payload"]["detail"])
        if not record["payload"]["ok"]:
            raise Failed("battery", place(record), what=detail)
        return Seen({"detail": detail, **self._receipt(record)}, place(record))

    def tested(self, name: str, **more: Any) -> None:
        """Have the panel begin a test. Raises `Failed` where it won't, `Refused` where the code does not count now."""
        try:
            self._panel.test(name, **more)
        except Refused as no:
            if no.reason in NOT_NOW:
                raise  # the run waits for a grant; the step has not failed
            raise Failed("refused", what=str(no)[:200]) from None

    def _standby(self, step: Step) -> Seen:
        least = float(max(STANDBY_H, self._file.timings.standby_h))
        known = self._worked_out()
        while True:
            text = t.HOURS_OR if known else t.HOURS
            computed = {"computed": known["hours"]} if known else {}
            self._talk.tell("ask", text, said=known, step=step.id, act="standby", what="hours", **computed)
            said = self._talk.answer()
            if said.word == "w" and said.rest:
                raise Waived(said.rest)
            figures = known if known and not said.word else _typed_hours(said.word)
            if figures is None:
                self._talk.tell("ask", t.NOT_A_NUMBER)
            elif (hours := float(figures["hours"])) < least:
                raise Failed("short", found=hours, least=least)
            else:
                return Seen({**figures, "least_h": least})

    def _worked_out(self) -> dict[str, Figure]:
        """The standby time as core works it out of the battery's table and the load; empty where it can't."""
        health, battery = self._panel.status()["health"], self._file.power.battery
        if battery is None or health.get("standby_min") is None:
            return {}
        return {
            "hours": int(health["standby_min"]) // 6 / 10,
            "basis": "load-measured" if health["load_measured"] else "load-of-file",
            "load_ma": int(health["load_ma"]),
            "capacity_mah": battery.capacity_mah,
        }

    def _siren(self, step: Step) -> Seen:
        self._walk(False)
        after = self._panel.follow()
        self._do(step)
        self.tested("siren-test")
        record = self._record(after, lambda kind, _: kind == "test.siren")
        outputs = [str(output) for output in record["payload"]["outputs"]]
        on = self._panel.outputs()
        bad = [id_ for id_ in outputs if id_ in on and not on[id_].get("on")]
        for_s = int(record["payload"]["for_ms"]) / 1000
        self._record(after, lambda kind, _: kind == "test.siren-ended", for_s + MARGIN_S)
        bad += [id_ for id_, figures in self._panel.outputs().items() if id_ in outputs and figures.get("error")]
        missing = [o.id for o in self._file.output if o.kind == "siren" and o.id not in outputs]
        if bad or missing:
            raise Failed("outputs", place(record), what=", ".join(dict.fromkeys([*bad, *missing])))
        self._talk.tell("ask", t.HEARD, said={"outputs": ", ".join(outputs)}, step=step.id, act="siren", what="heard")
        said = self._talk.answer()
        if said.word == "w" and said.rest:
            raise Waived(said.rest)
        if said.word not in ("y", "yes", "是"):
            raise Failed("said-no", place(record), what=said.rest)
        return Seen({"outputs": ", ".join(outputs), "for_s": for_s, **self._receipt(record)}, place(record))

    def _path(self, step: Step) -> Seen:
        """The path is cut: the others carry, or the record waits; it is back: it carries again."""
        self._walk(False)
        after = self._panel.follow()
        self._do(step)
        center = self._file.center
        fault_s = self._terms.patience_s + (center.path_fault_s if center else 60)
        began = time.monotonic()
        lost = self._record(after, lambda kind, p: kind == "trouble.path" and p["subject"] == step.subject, fault_s)
        figures: dict[str, Figure] = {"detected_ms": int((time.monotonic() - began) * 1000)}
        others = [path.id for path in self._file.path if path.kind != "sms" and path.id != step.subject]
        report = self._report()
        if others:
            carried = self._receipt(report)
            if carried["path"] not in others:
                expected = ", ".join(others)
                raise Failed("wrong-path", place(report), found=carried["path"], expected=expected)
            figures |= {"other": carried["path"], "other_ms": carried["center_ms"]}
        self.undo(step)
        ended = lambda kind, p: kind == "trouble.path-ended" and p["subject"] == step.subject  # noqa: E731
        self._record(after, ended, fault_s)
        if not others:
            figures |= {f"waited_{name}": value for name, value in self._receipt(report, fault_s).items()}
        return Seen(figures | self._back(step), place(lost))

    def _report(self) -> Record:
        after = self._panel.follow()
        self.tested("path-test")
        return self._record(after, lambda kind, _: kind == "test.manual")

    def _back(self, step: Step) -> dict[str, Figure]:
        """The first path of the file carries again when it is back; another one only has to be well."""
        first = next((path.id for path in self._file.path if path.kind != "sms"), "")
        end = time.monotonic() + BACK_S
        while True:
            carried = self._receipt(self._report())
            if step.subject != first or carried["path"] == first:
                return {"back": carried["path"], "back_ms": carried["center_ms"]}
            if time.monotonic() >= end:
                raise Failed("wrong-path", found=carried["path"], expected=first)
            pause = time.monotonic() + BACK_PAUSE_S
            while time.monotonic() < pause:
                self._heard()

    def _response(self, step: Step) -> Seen:
        """So many samples as are wanted, at one zone; judged with all that other steps gave."""
        record: Record | None = None
        while (done := len(self.samples)) < self._terms.samples:
            self._walk(step.walk)
            after = self._panel.follow()
            self._do(step, done=done + 1, wanted=self._terms.samples)
            record = self._record(after, self._expected(step))
            self.measure(step.subject, record)
            if self._sounding():
                self._panel.silence()
            self._rest(step)
        self._walk(False)
        return Seen(judged(self.samples, self._receipted))


def _typed_hours(word: str) -> dict[str, Figure] | None:
    """Hours that a person has measured; None where it is no such number."""
    try:
        hours = float(word)
    except ValueError:
        return None
    return {"hours": hours, "basis": "typed"} if 0 <= hours <= 1000 else None
