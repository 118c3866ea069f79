"""What is done in each state of an update: looking, writing, restarting, the trial, the way back.

`turn` is called a few times a second and does what is due. Whatever fails is kept and told, or tried again; nothing
here raises but for a medium that can't be written, where nothing goes on.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware import data_format
from firmware.clock import Clock
from firmware.protocol.updates import OTHER_SLOT, Consent, Offer, Panel, Part, UpdateStatus
from firmware.updater.book import Book
from firmware.updater.bundle import Manifest, NotTaken, Ours, fits, newest
from firmware.updater.kept import Kept, Wanted, WasSo
from firmware.updater.life import OPEN, RUNNING_NEW, Event, Stage, came_up
from firmware.updater.rauc import NoRauc, Rauc, Slots, Writing
from firmware.updater.sources import Sources
from firmware.updater.trial import Before, Facts, Verdict, judge
from firmware.version import FLOOR, VERSION

log = logging.getLogger("fenghuo.updater")

BOTH: tuple[Part, ...] = ("user", "installer")
LAPSE_S = 24 * 3600.0
"""So long consents are awaited: of those who saw the same notice on the same visit, or the next day."""
STALE_MS = 10_000
"""What core told longer ago counts as silence."""
FRESH_MS = 3_000
"""As old as what lets the machine restart may be; core tells every 2 s, and at once when somebody arms."""
AGAIN_MS = 60_000
"""A restart that has not come is asked for again."""
LOOK_AGAIN_MS = 10_000


@dataclass(frozen=True)
class Parts:
    """What an update is made with. `restart` asks the machine to start anew, at once; `version` is what runs."""

    book: Book
    rauc: Rauc
    sources: Sources
    clock: Clock
    restart: Callable[[], None]
    version: str = VERSION


class Keeper:
    """One thread."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._book = parts.book
        self._slots: Slots | None = None
        self._look_at = 0
        self._good_due = False
        self._writing: Writing | None = None
        self._panel: Panel | None = None
        self._panel_at = 0
        self._asked_at: int | None = None
        self._waiting = ""

    @property
    def kept(self) -> Kept:
        """What is on the medium."""
        return self._book.kept

    @property
    def on_trial(self) -> bool:
        """Whether core is to record a test for the center to receipt."""
        return self.kept.stage is Stage.TRYING

    # --- what core says -----------------------------------------------------------------------------

    def panel(self, panel: Panel) -> None:
        """How the panel is."""
        self._panel, self._panel_at = panel, self._now()

    def offer(self, offer: Offer) -> None:
        """Look at a bundle; what is found is in the status."""
        kept = self.kept
        if kept.stage in OPEN and kept.stage is not Stage.OFFERED:
            log.warning("an update is %s: another one is not looked at", kept.stage)
            return
        wanted = Wanted.model_validate(offer.model_dump(exclude={"type"}))
        target = self._slots.other if self._slots is not None else ""
        fresh: dict[str, Any] = {
            "wanted": wanted,
            "manifest": None,
            "consents": {},
            "target": target,
            "offered_at": self.parts.clock.utc(),
            "offers": kept.offers + 1,
        }
        try:
            manifest = self._look(offer.source, offer.no_way_back)
        except NotTaken as no:
            self._book.move(Event.OFFER, **fresh)
            self._book.move(Event.UNSOUND, no.reason, no.detail)
        else:
            self._book.move(Event.OFFER, **{**fresh, "manifest": manifest})

    def consent(self, consent: Consent) -> None:
        """One of the two consents to the bundle that was looked at; with the second the update goes on."""
        kept = self.kept
        if kept.stage is not Stage.OFFERED or kept.manifest is None or kept.manifest.sha256 != consent.sha256:
            log.warning("a consent to %s is for no bundle that was looked at", consent.sha256[:16])
            return
        consents = {**kept.consents, consent.part: consent.by}
        if set(BOTH) <= set(consents):
            linked = self._panel is None or self._panel.linked
            self._book.move(Event.AGREED, consents=consents, linked=linked)
        else:
            self._book.change(consents=consents)

    def withdraw(self) -> None:
        """No update, where the other slot was not started."""
        if self.kept.stage in (Stage.OFFERED, Stage.CONSENTED, Stage.INSTALLED):
            self._book.move(Event.WITHDRAWN, "withdrawn")
            self.parts.sources.leave()

    # --- what is due ---------------------------------------------------------------------------------

    def turn(self) -> None:
        """Do what is due. Raises `OSError` where nothing can be kept."""
        now = self._now()
        if self._slots is None and now >= self._look_at:
            self._look_at = now + LOOK_AGAIN_MS
            self._come_up()
        if self._slots is None:
            return
        if self._good_due and now >= self._look_at:
            self._mark_good()
        self._waiting = ""
        match self.kept.stage:
            case Stage.OFFERED:
                self._lapse()
            case Stage.CONSENTED:
                self._check()
            case Stage.CHECKED:
                self._begin()
            case Stage.INSTALLING:
                self._write()
            case Stage.INSTALLED:
                self._leave()
            case Stage.RESTARTING:
                self._restart()
            case Stage.TRYING:
                self._try()
            case Stage.GOING_BACK:
                self._go_back()
            case _:
                pass

    def _come_up(self) -> None:
        """What the start of this process means for the update, and for the slot that runs."""
        try:
            slots = self.parts.rauc.slots()
        except NoRauc as error:
            log.error("the slots are not known: %s", error)
            return
        kept, clock = self.kept, self.parts.clock
        home = kept.home or slots.booted
        event = came_up(kept.stage, slots.booted != home)
        if event is Event.LOST:
            rest = {name: known for name, known in kept.slots.items() if name != home}
            self._book.move(event, "slot-lost", f"{home}, {slots.booted} runs", slots=rest, home=slots.booted)
        elif event is Event.RUNS_NEW and kept.trial_boot != clock.boot():
            self._book.move(event, kept.why, kept.detail, trial_boot=clock.boot(), trial_ms=self._now())
        elif event is Event.RUNS_HOME:
            self._back_home()
        elif event is Event.INTERRUPTED:
            self._book.move(event, "interrupted")
        self._slots = slots
        self._known(slots, self.kept.home or slots.booted)

    def _back_home(self) -> None:
        kept = self.kept
        rest = {name: known for name, known in kept.slots.items() if name != kept.target}
        if kept.stage is Stage.SWITCHING:
            self._book.move(Event.RUNS_HOME, "interrupted")
        elif kept.stage is Stage.GOING_BACK:
            self._book.move(Event.RUNS_HOME, kept.why, kept.detail, slots=rest)
        else:
            self._book.move(Event.RUNS_HOME, "did-not-start", slots=rest)

    def _known(self, slots: Slots, home: str) -> None:
        """The accepted slot is good, and what is in it is known, and its floor counts."""
        if self.kept.stage in RUNNING_NEW:
            return
        self._good_due = True
        known = dict(self.kept.slots)
        if slots.booted not in known or known[slots.booted].version != self.parts.version:
            known[slots.booted] = _of_this(slots, self.parts.version)
        self._book.change(home=home, slots=known, floor=newest(self.kept.floor, FLOOR))
        self._mark_good()

    def _mark_good(self) -> None:
        self._look_at = self._now() + LOOK_AGAIN_MS
        try:
            self.parts.rauc.mark("good", "booted")
            self._good_due = False
        except NoRauc as error:
            log.error("the slot that runs can't be marked as good: %s", error)

    def _look(self, source: str, no_way_back: bool) -> Manifest:
        """Raises `NotTaken`."""
        slots, kept = self._slots, self.kept
        if slots is None or not slots.other:
            raise NotTaken("no-slot")
        try:
            if source == OTHER_SLOT:
                if slots.other not in kept.slots:
                    raise NotTaken("empty-slot")
                manifest = kept.slots[slots.other]
            else:
                _, manifest = self.parts.sources.find(source, self.parts.rauc.info)
        except NoRauc as error:
            raise NotTaken("source-unreadable", str(error)) from None
        running = kept.slots.get(slots.booted)
        sha256 = running.sha256 if running is not None else ""
        fits(
            manifest,
            Ours(slots.compatible, kept.floor, data_format.WRITES, data_format.READS, sha256),
            no_way_back,
        )
        return manifest

    def _lapse(self) -> None:
        self._waiting = "consents"
        if not 0 <= self.parts.clock.utc() - self.kept.offered_at <= LAPSE_S and self.parts.clock.state() != "unset":
            self._book.move(Event.WITHDRAWN, "lapsed")
            self.parts.sources.leave()

    def _check(self) -> None:
        """The bundle is looked at anew: what lies there now must be what was consented to."""
        try:
            wanted, seen = self._agreed()
            if self._look(wanted.source, wanted.no_way_back).sha256 != seen.sha256:
                raise NotTaken("other")
        except NotTaken as no:
            self._book.move(Event.UNSOUND, no.reason, no.detail)
            self.parts.sources.leave()
        else:
            self._book.move(Event.SOUND)

    def _agreed(self) -> tuple[Wanted, Manifest]:
        """What the consents are for. Raises `NotTaken` where the book lacks it, which no move of ours leads to."""
        wanted, manifest = self.kept.wanted, self.kept.manifest
        if wanted is None or manifest is None:
            raise NotTaken("other", "the book does not say what was consented to")
        return wanted, manifest

    def _begin(self) -> None:
        kept = self.kept
        wanted, seen = self._agreed()
        if wanted.source == OTHER_SLOT:
            self._book.move(Event.BEGUN)
            self._book.move(Event.WRITTEN)
            return
        # From here on nothing is known of what is in the other slot.
        self._book.move(Event.BEGUN, slots={name: known for name, known in kept.slots.items() if name != kept.target})
        try:
            place, found = self.parts.sources.find(wanted.source, self.parts.rauc.info)
            if found.sha256 != seen.sha256:
                raise NotTaken("other")
            self._writing = self.parts.rauc.install(place)
        except (NotTaken, NoRauc) as error:
            reason = error.reason if isinstance(error, NotTaken) else "write"
            self._book.move(Event.FAILED, reason, str(error))
            self.parts.sources.leave()

    def _write(self) -> None:
        writing = self._writing
        if writing is None:
            self._book.move(Event.INTERRUPTED, "interrupted")
            return
        code = writing.poll()
        if code is None:
            return
        self._writing = None
        self.parts.sources.leave()
        if code:
            self._book.move(Event.FAILED, "write", writing.said)
        else:
            self._book.move(Event.WRITTEN)

    def _leave(self) -> None:
        """Restart into the new slot, when the panel is at rest or somebody said that it need not be."""
        panel, wanted = self._fresh(FRESH_MS), self.kept.wanted
        if panel is None or wanted is None:
            self._waiting = "core"
            return
        if not (panel.at_rest or wanted.even_armed):
            self._waiting = "disarmed"
            return
        before = WasSo(
            failing=panel.failing,
            journal=panel.journal,
            stored=panel.stored,
            # Waived only where there was no way at both moments: it must not help to cut one in between.
            linked=panel.linked or self.kept.linked,
        )
        self._book.move(Event.LEAVE, before=before)
        try:
            self.parts.rauc.mark("active", "other")
        except NoRauc as error:
            self._book.move(Event.FAILED, "switch", str(error))
            return
        self._book.move(Event.SWITCHED)
        self._restart()

    def _restart(self) -> None:
        self._waiting = "restart"
        if self._asked_at is None or self._now() - self._asked_at >= AGAIN_MS:
            self._asked_at = self._now()
            self.parts.restart()

    def _try(self) -> None:
        panel, before, kept = self._fresh(), self.kept.before, self.kept
        facts = None
        if panel is not None:
            facts = Facts(
                panel.up_ms, panel.read, panel.failing, panel.restored, panel.journal, panel.stored, panel.receipt
            )
        was = Before(before.failing, before.journal, before.stored, before.linked)
        found = judge(facts, was, self._now() - kept.trial_ms)
        self._waiting = found.why
        if found.verdict is Verdict.BACK:
            self._book.move(Event.UNPROVEN, found.why)
        elif found.verdict is Verdict.GOOD:
            self._prove()

    def _prove(self) -> None:
        kept = self.kept
        _, manifest = self._agreed()
        self._book.move(
            Event.PROVEN,
            "" if kept.before.linked else "receipt-waived",
            home=kept.target,
            slots={**kept.slots, kept.target: manifest},
            floor=newest(newest(kept.floor, manifest.floor), FLOOR),
        )
        self._good_due = True
        self._mark_good()

    def _go_back(self) -> None:
        if self._asked_at is None or self._now() - self._asked_at >= AGAIN_MS:
            try:
                self.parts.rauc.mark("active", "other")
                self.parts.rauc.mark("bad", "booted")
            except NoRauc as error:
                # The boot counter of this slot runs out by itself: it never was marked as good.
                log.error("home can't be made the slot that starts: %s", error)
            self._restart()

    # --- what is told --------------------------------------------------------------------------------

    def status(self) -> UpdateStatus:
        """What is so now."""
        kept, slots = self.kept, self._slots
        manifest, wanted = kept.manifest, kept.wanted
        other = kept.slots.get(slots.other) if slots is not None else None
        offered = kept.stage is Stage.OFFERED
        return UpdateStatus(
            stage=str(kept.stage),
            slot=slots.booted if slots is not None else "",
            home=kept.home,
            running=self.parts.version,
            kept=other.version if other is not None else "",
            floor=kept.floor,
            data=data_format.WRITES,
            offers=kept.offers,
            version=manifest.version if manifest is not None else "",
            sha256=manifest.sha256 if manifest is not None else "",
            source=wanted.source if wanted is not None else "",
            note_en=manifest.note_en if manifest is not None else "",
            note_zh=manifest.note_zh if manifest is not None else "",
            missing=[part for part in BOTH if part not in kept.consents] if offered else [],
            even_armed=wanted.even_armed if wanted is not None else False,
            progress=self._writing.progress if self._writing is not None else 0,
            waiting=self._waiting if kept.stage in OPEN else "",
            why=kept.why,
            detail=kept.detail,
        )

    def close(self) -> None:
        """End what runs; a slot that is half written does not start, and is written anew."""
        if self._writing is not None:
            self._writing.stop()
            self._writing = None

    def _fresh(self, most_ms: int = STALE_MS) -> Panel | None:
        """How the panel is, if core told it a moment ago."""
        return self._panel if self._now() - self._panel_at <= most_ms else None

    def _now(self) -> int:
        return self.parts.clock.monotonic_ms()


def _of_this(slots: Slots, version: str) -> Manifest:
    """What is known of the software that runs: its image came with the card, or by another way than an update."""
    return Manifest(
        version=version,
        compatible=slots.compatible,
        sha256="0" * 64,
        floor=FLOOR,
        data=data_format.WRITES,
        reads=list(data_format.READS),
    )
