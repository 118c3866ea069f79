"""One capture: what is saved and told, in which order, with real rings, stores and models; and how many run at once."""

import dataclasses
import errno
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from drivers.cameras import Camera, CameraError, Frame
from firmware.camera.capture import ENDED_EARLY, FIRST_MS, MAX_UNSEEN, NO_PICTURES, PART_PICTURES, Capture, Film, Studio
from firmware.camera.captures import MAX_RUNNING, MAX_WAITING, Captures, Parts
from firmware.camera.health import Health
from firmware.camera.mark import MAX_BYTES as MARK_BYTES
from firmware.camera.mark import marked
from firmware.camera.outlines import Region
from firmware.camera.person import BOXED, MODELS, WHOLE, Look, PersonCheck
from firmware.camera.pictures import encode
from firmware.camera.ring import Ring
from firmware.camera.store import Store
from firmware.camera.watch import Watch
from firmware.clock import SystemClock
from firmware.config import Camera as CameraTable
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.envelope import MAX_THUMBNAIL_BYTES
from firmware.protocol.evidence import CaptureManifest
from firmware.protocol.messages import CameraHealth, CaptureOrder, Manifest
from firmware.stopping import StopFlag
from tests.firmware.camera.lookouts import no_lookout
from tests.firmware.camera.photos import photo
from tests.firmware.journal.rig import small_disk

TIME = "2026-03-14T23:09:26.123Z"
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def person() -> PersonCheck:
    return PersonCheck()


def jpeg(name: str) -> bytes:
    return encode(Frame(np.asarray(photo(name).resize((320, 240))), 0))


COFFEE, ASTRONAUT = jpeg("coffee.png"), jpeg("astronaut.png")


class Rig:
    """A ring to fill, a real store, and the manifests that a capture sends."""

    def __init__(self, folder: Path, person: PersonCheck, reserve: int = 0, **values: Any) -> None:
        self.folder = folder
        self.sent: list[Manifest] = []
        self.heard = threading.Condition()
        self.table = CameraTable.model_validate(
            {"id": "lobby", "name": "Lobby", "maker": "drawn", "pre_s": 10, "post_s": 0, **values}
        )
        self.ring = Ring(600)
        self.stills = Ring(4)
        self.stop = threading.Event()
        self.studio = Studio(Store(folder, reserve), person, CLOCK, self._send, Parts().next, "branch-1")

    def _send(self, manifest: Manifest) -> None:
        with self.heard:
            self.sent.append(manifest)
            self.heard.notify_all()

    def wait_for(self, test: Callable[[list[Manifest]], bool]) -> None:
        with self.heard:
            assert self.heard.wait_for(lambda: test(self.sent), 15)

    def fill(self, *pictures: bytes, age_ms: int = 0) -> None:
        """Frames half a second apart, the last one `age_ms` old."""
        now = CLOCK.monotonic_ms() - age_ms
        for number, picture in enumerate(pictures):
            self.ring.add(picture, now - 500 * (len(pictures) - 1 - number), 320, 240)

    def order(self, incident: int = 7) -> CaptureOrder:
        return CaptureOrder(
            incident=incident,
            kind="alarm.burglary",
            zone="pir",
            cameras=["lobby"],
            time=TIME,
            monotonic_ms=CLOCK.monotonic_ms(),
        )

    def capture(self) -> Capture:
        return Capture(self.order(), self.table, Film(self.ring, self.stills), self.studio, self.stop)

    def saved(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*.jpg"))


def test_pictures_from_before_the_alarm_with_their_hashes(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person)
    rig.fill(*[COFFEE] * 5)
    assert rig.capture().run() is None
    [manifest] = rig.sent
    assert [p.file for p in manifest.pictures] == [f"2026-03-14/000007-lobby/{n:04d}.jpg" for n in range(5)]
    for picture in (*manifest.pictures, manifest.thumbnail):
        assert picture is not None
        content = (tmp_path / picture.file).read_bytes()
        assert (sha256_hex(content), len(content)) == (picture.sha256, picture.bytes)
        assert Image.open(tmp_path / picture.file).size == (picture.width, picture.height)
    offsets = [p.offset_ms for p in manifest.pictures]
    assert offsets == sorted(offsets)
    assert -2500 < offsets[0] < offsets[-1] <= 0
    assert (manifest.verdict, manifest.part, manifest.zone) == ("unverified", 1, "pir")
    assert manifest.score < 100


def test_the_record_names_the_models_by_their_whole_hash(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, threshold=900)
    rig.fill(COFFEE, ASTRONAUT)
    rig.capture().run()
    [manifest] = rig.sent
    assert [model.file for model in manifest.models] == [WHOLE, BOXED]
    for model in manifest.models:
        assert model.sha256 == sha256_hex((MODELS / model.file).read_bytes())
    scores = [model.score for model in manifest.models]
    assert manifest.score == round(sum(scores) / 2), "of the same picture"
    assert (manifest.threshold, manifest.verdict == "person") == (900, manifest.score >= 900)


def test_a_person_counts_only_in_the_region(tmp_path: Path, person: PersonCheck) -> None:
    scene = Image.new("RGB", (640, 480), (120, 118, 110))
    scene.paste(photo("astronaut.png").resize((240, 240)), (0, 240))
    frame = encode(Frame(np.asarray(scene), 0))
    verdicts = {}
    for side, edges in (("left", (0, 500)), ("right", (500, 1000))):
        rig = Rig(tmp_path / side, person, region=[[edges[0], 300, edges[1], 300, edges[1], 1000, edges[0], 1000]])
        rig.fill(frame)
        rig.capture().run()
        verdicts[side] = rig.sent[0].verdict
        assert bool(rig.sent[0].pictures[0].boxes) == (side == "left")
    assert verdicts == {"left": "person", "right": "unverified"}


def test_the_manifest_file_lists_everything_and_its_hash_is_told_with_the_last_part(
    tmp_path: Path, person: PersonCheck
) -> None:
    rig = Rig(tmp_path, person, post_s=60)
    rig.fill(*[COFFEE] * 40)
    thread = threading.Thread(target=rig.capture().run)
    thread.start()
    rig.wait_for(lambda sent: bool(sent))
    rig.fill(ASTRONAUT)
    rig.stop.set()
    thread.join(15)
    *before, last = rig.sent
    assert before
    assert not any(manifest.last or manifest.sealed for manifest in before)
    assert last.last
    assert last.sealed is not None
    content = (tmp_path / last.sealed.file).read_bytes()
    assert (sha256_hex(content), len(content)) == (last.sealed.sha256, last.sealed.bytes)
    listed = CaptureManifest.model_validate_json(content)
    assert canonical(listed.model_dump()) == content
    told = [picture for manifest in rig.sent for picture in manifest.pictures]
    assert {p.file: p.sha256 for p in listed.pictures} == {p.file: p.sha256 for p in told}
    assert listed.thumbnails == [manifest.thumbnail for manifest in rig.sent if manifest.thumbnail]
    on_disk = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jpg")}
    assert {p.file for p in (*listed.pictures, *listed.thumbnails)} == on_disk
    assert (listed.panel, listed.incident, listed.camera, listed.zone) == ("branch-1", 7, "lobby", "pir")
    assert (listed.parts, listed.verdict, listed.fault) == (last.part, "person", ENDED_EARLY)


def test_each_jpeg_says_whose_it_is_and_its_pixels_are_untouched(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person)
    rig.fill(ASTRONAUT, ASTRONAUT)
    rig.capture().run()
    for told in (*rig.sent[0].pictures, rig.sent[0].thumbnail):
        assert told is not None
        picture = Image.open(tmp_path / told.file)
        assert picture.getexif().get_ifd(0x8769)[0x9003].startswith("2026:03:14 23:09:2")
        about = json.loads(picture.info["comment"])
        assert (about["panel"], about["camera"], about["incident"]) == ("branch-1", "lobby", 7)
        assert (about["offset_ms"], about["clock"]) == (told.offset_ms, "unset")
        assert told.bytes <= MAX_THUMBNAIL_BYTES or told is not rig.sent[0].thumbnail
    whole = Image.open(tmp_path / rig.sent[0].pictures[0].file)
    assert whole.tobytes() == Image.open(io.BytesIO(ASTRONAUT)).tobytes()


def test_a_mark_with_the_longest_ids_keeps_its_bound() -> None:
    about: dict[str, str | int] = dict.fromkeys(("panel", "zone", "camera", "journal", "kind"), "x" * 64)
    about |= {"name": "thumbnail-9999.jpg", "time": TIME, "clock": "synchronised", "offset_ms": -(2**53) + 1}
    about |= {"incident": 2**53 - 1, "verdict": "unverified", "score": 1000, "model": "模" * 80}
    assert 0 < len(marked(COFFEE, about)) - len(COFFEE) <= MARK_BYTES
    assert marked(b"no picture", about) == b"no picture"


def test_frames_older_than_pre_s_stay_out(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, pre_s=1)
    rig.fill(*[COFFEE] * 8, age_ms=100)
    rig.capture().run()
    assert len(rig.sent[0].pictures) == 2


def test_the_newest_frame_counts_even_without_pre_s(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, pre_s=0)
    rig.fill(COFFEE, COFFEE, ASTRONAUT, age_ms=300)
    rig.capture().run()
    assert len(rig.sent[0].pictures) == 1
    assert rig.sent[0].verdict == "person"


def test_a_frame_of_long_ago_is_no_picture_of_the_alarm(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person)
    rig.fill(ASTRONAUT, age_ms=60_000)
    rig.capture().run()
    [manifest] = rig.sent
    assert (manifest.pictures, manifest.thumbnail, manifest.verdict) == ([], None, "unverified")
    assert manifest.model == NO_PICTURES


def test_the_first_part_comes_soon_the_last_with_the_best_verdict(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, post_s=60)
    rig.fill(COFFEE, COFFEE)
    thread = threading.Thread(target=rig.capture().run)
    thread.start()
    rig.wait_for(lambda sent: len(sent) == 1)
    first = rig.sent[0]
    assert (first.verdict, first.part, len(first.pictures)) == ("unverified", 1, 2)
    rig.fill(ASTRONAUT)
    rig.stop.set()
    thread.join(15)
    last = rig.sent[-1]
    assert (last.verdict, last.part, len(last.pictures)) == ("person", 2, 1)
    assert last.score > 800
    assert last.pictures[0].boxes
    assert last.pictures[0].offset_ms > 0
    assert last.thumbnail is not None, "a clearer picture has a thumbnail of its own"
    assert rig.saved() == ["0000.jpg", "0001.jpg", "0002.jpg", "thumbnail-1.jpg", "thumbnail-2.jpg"]


def test_frames_that_came_while_it_looked_are_saved_at_the_end(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, post_s=1)
    rig.fill(COFFEE)

    class Slow(PersonCheck):
        """Looks until the time after the alarm is over, while frames go on coming."""

        def look(self, picture: Image.Image, region: Region | None = None) -> Look:
            began = CLOCK.monotonic_ms()
            for number in range(11):
                rig.ring.add(COFFEE, began + 100 * number, 320, 240)
            rig.stop.wait(1.1)
            return person.look(picture, region)

    rig.studio = dataclasses.replace(rig.studio, person=Slow())
    rig.capture().run()
    offsets = [picture.offset_ms for manifest in rig.sent for picture in manifest.pictures]
    assert len(offsets) >= 5
    assert 700 <= offsets[-1] <= 1000


def test_a_person_before_the_alarm_is_shown_at_once(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person)
    rig.fill(COFFEE, COFFEE, ASTRONAUT)
    rig.capture().run()
    [manifest] = rig.sent
    assert manifest.verdict == "person"
    assert [bool(p.boxes) for p in manifest.pictures] == [False, False, True]
    assert manifest.thumbnail is not None
    assert manifest.thumbnail.offset_ms == manifest.pictures[2].offset_ms
    assert manifest.thumbnail.boxes == manifest.pictures[2].boxes


def test_the_threshold_of_the_camera_decides(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, threshold=1000)
    rig.fill(ASTRONAUT)
    rig.capture().run()
    assert rig.sent[0].score > 800
    assert rig.sent[0].verdict == "unverified"


def test_many_pictures_come_in_parts_that_hold_32(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, pre_s=60)
    rig.fill(*[COFFEE] * 75)
    rig.capture().run()
    assert [len(manifest.pictures) for manifest in rig.sent] == [PART_PICTURES, PART_PICTURES, 11]
    assert [manifest.part for manifest in rig.sent] == [1, 2, 3]
    assert [manifest.thumbnail is not None for manifest in rig.sent] == [True, False, False]
    files = [picture.file for manifest in rig.sent for picture in manifest.pictures]
    assert files == sorted(set(files))
    assert len(files) == 75
    assert all(len(manifest.model_dump_json()) < 32 * 1024 for manifest in rig.sent)
    assert MAX_UNSEEN < 75


def test_a_full_card_tells_its_verdict_and_what_is_wrong(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, reserve=2**60, post_s=5)
    rig.fill(COFFEE, ASTRONAUT)
    fault = rig.capture().run()
    assert fault is not None
    assert "journal's" in str(fault)
    [manifest] = rig.sent
    assert (manifest.pictures, manifest.thumbnail) == ([], None)
    assert manifest.verdict == "person"
    assert rig.saved() == []


class Card(Store):
    """A card that has room for a few pictures."""

    def __init__(self, folder: Path, pictures: int) -> None:
        super().__init__(folder, 0)
        self.left = pictures

    def room_for(self, size: int, last: bool = False) -> None:
        super().room_for(size, last)
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "no space left")


def test_a_card_that_fills_up_has_the_newest_picture_and_tells_of_it(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person)
    rig.studio = dataclasses.replace(rig.studio, store=Card(tmp_path, 1))
    rig.fill(COFFEE, COFFEE, ASTRONAUT)
    fault = rig.capture().run()
    assert fault is not None
    assert fault.errno == errno.ENOSPC
    [manifest] = rig.sent
    assert [picture.file for picture in manifest.pictures] == ["2026-03-14/000007-lobby/0002.jpg"]
    assert (tmp_path / manifest.pictures[0].file).read_bytes().endswith(ASTRONAUT[20:])
    assert manifest.verdict == "person"
    assert manifest.thumbnail is None
    assert (manifest.last, manifest.sealed, manifest.fault) == (True, None, "no space left")


def test_beyond_the_days_budget_later_pictures_are_thinned_never_the_first(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person)
    rig.studio = dataclasses.replace(rig.studio, store=Store(tmp_path, 0, budget=1))
    order = rig.order()
    rig.ring.add(COFFEE, order.monotonic_ms - 500, 320, 240)
    capture = Capture(order, rig.table, Film(rig.ring, rig.stills), rig.studio, rig.stop)
    folder = rig.studio.store.begin("2026-03-14", 7, "lobby")
    for second in range(12):
        rig.ring.add(COFFEE, order.monotonic_ms + second * 1000, 320, 240)
    rig.stills.add(COFFEE, order.monotonic_ms + 1000, 640, 480)
    rig.stills.add(COFFEE, order.monotonic_ms + 9000, 640, 480)
    capture._keep(folder, rig.ring.after(0))
    capture._keep_stills(folder, order.monotonic_ms + 60_000)
    saved = [picture.offset_ms for picture in capture._untold.values()]
    early = [offset for offset in saved if offset <= FIRST_MS]
    assert early == [-500, 0, 1000, 2000, 3000, 4000, 5000, 1000], "all of the first, and the full one"
    assert 1 <= len(saved) - len(early) <= 2, "each fourth of the six later ones, no full one"
    assert capture.thinned == 15 - len(saved)


def test_a_real_card_that_is_full_costs_the_pictures_and_nothing_else(tmp_path: Path, person: PersonCheck) -> None:
    with small_disk(tmp_path / "card", "256k") as card:
        rig = Rig(card / "evidence", person)
        rig.fill(*[ASTRONAUT] * 20)
        fault = rig.capture().run()
        assert fault is not None
        assert fault.errno == errno.ENOSPC
        last = rig.sent[-1]
        assert (last.last, last.verdict) == (True, "person")
        assert last.fault
        told = {picture.file for manifest in rig.sent for picture in manifest.pictures}
        assert 0 < len(told) < 20
        on_disk = {str(path.relative_to(rig.folder)) for path in rig.folder.rglob("0*.jpg")}
        assert told == on_disk, "nothing half on the card, nothing untold"


def test_without_models_the_pictures_come_all_the_same(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "evidence", PersonCheck(tmp_path))
    rig.fill(ASTRONAUT)
    rig.capture().run()
    [manifest] = rig.sent
    assert (len(manifest.pictures), manifest.verdict, manifest.score) == (1, "unverified", 0)
    assert manifest.model.startswith("none: ")
    assert manifest.thumbnail is not None


class Row:
    """Captures of one camera that run until they are let go."""

    def __init__(self, folder: Path, person: PersonCheck) -> None:
        self.rig = Rig(folder, person, post_s=100)
        self.told: list[CameraHealth] = []
        self.health = Health(["lobby"], self.told.append)
        self.health.fault("lobby", "frames", "")
        self.told.clear()
        watch = Watch(self.rig.table, self._no_camera, no_lookout(), self.health, StopFlag())
        self.captures = Captures({"lobby": watch}, self.rig.studio, self.health, self.rig.stop)

    @staticmethod
    def _no_camera() -> Camera:
        raise CameraError("not used")


def test_captures_are_bounded_and_what_is_dropped_is_counted_and_told(tmp_path: Path, person: PersonCheck) -> None:
    row = Row(tmp_path, person)
    incidents = MAX_RUNNING + MAX_WAITING
    for incident in range(1, incidents + 1):
        row.captures.take(row.rig.order(incident))
    assert row.captures.dropped["lobby"] == 0
    # Full. A second order of a known incident goes itself; a new incident pushes out the oldest that waits.
    row.captures.take(row.rig.order(3))
    assert row.captures.dropped["lobby"] == 1
    waiting = [order.incident for order, _ in row.captures._waiting]
    assert waiting == list(range(MAX_RUNNING + 1, incidents + 1))
    row.captures.take(row.rig.order(99))
    waiting = [order.incident for order, _ in row.captures._waiting]
    assert waiting == [*range(MAX_RUNNING + 2, incidents + 1), 99]
    assert row.captures.dropped["lobby"] == 2
    assert row.told[-1].ok
    assert row.told[-1].detail.endswith("2")
    row.rig.stop.set()
    row.captures.join(15)
    # Each one that ran has told core, even of no picture.
    assert sorted(manifest.incident for manifest in row.rig.sent) == list(range(1, MAX_RUNNING + 1))


def test_an_order_for_an_unknown_camera_does_nothing(tmp_path: Path, person: PersonCheck) -> None:
    row = Row(tmp_path, person)
    row.captures.take(row.rig.order().model_copy(update={"cameras": ["attic"]}))
    row.rig.stop.set()
    row.captures.join(5)
    assert row.rig.sent == []
    assert row.told == []


def test_a_waiting_order_starts_when_another_ends(tmp_path: Path, person: PersonCheck) -> None:
    row = Row(tmp_path, person)
    row.rig.table = row.rig.table.model_copy(update={"post_s": 0})
    quick = Watch(row.rig.table, row._no_camera, no_lookout(), row.health, StopFlag())
    captures = Captures({"lobby": quick}, row.rig.studio, row.health, row.rig.stop)
    for incident in range(1, 3 * MAX_RUNNING + 1):
        captures.take(row.rig.order(incident))
    row.rig.wait_for(lambda sent: len(sent) == 3 * MAX_RUNNING)
    assert {manifest.incident for manifest in row.rig.sent} == set(range(1, 3 * MAX_RUNNING + 1))


def test_parts_grow_for_each_incident_and_camera() -> None:
    parts = Parts()
    assert [parts.next(1, "a"), parts.next(1, "a"), parts.next(1, "b"), parts.next(2, "a")] == [1, 2, 1, 1]


def test_health_is_told_when_it_changes_only() -> None:
    told: list[CameraHealth] = []
    health = Health(["a", "b"], told.append)
    health.note("b", "dropped", "one")
    health.tampers("b", [])
    health.fault("b", "store", "")
    health.tell_all()
    assert told == [], "of a camera that has shown nothing yet nothing is known"
    health.fault("b", "frames", "")
    assert [(h.camera, h.ok, h.detail, h.tampers) for h in told] == [("b", True, "one", [])]
    health.tell_all()
    assert len(told) == 2, "and of the other one still nothing"
    told.clear()
    health.fault("a", "frames", "gone")
    health.fault("a", "frames", "gone")
    health.fault("a", "store", "full")
    health.note("b", "dropped", "two")
    health.fault("a", "frames", "")
    health.fault("a", "store", "")
    said = [(h.camera, h.ok, h.detail) for h in told]
    assert said == [
        ("a", False, "gone"),
        ("a", False, "gone; full"),
        ("b", True, "two"),
        ("a", False, "full"),
        ("a", True, ""),
    ]
    health.fault("a", "frames", "x" * 500)
    assert len(told[-1].detail) == 200


def test_full_pictures_are_saved_beside_the_frames_and_told(tmp_path: Path, person: PersonCheck) -> None:
    rig = Rig(tmp_path, person, post_s=10)
    rig.stills.add(COFFEE, CLOCK.monotonic_ms(), 320, 240)  # another capture's
    rig.fill(COFFEE)
    capture = rig.capture()
    rig.stills.add(ASTRONAUT, CLOCK.monotonic_ms() + 1, 1920, 1080)
    rig.stills.add(ASTRONAUT, CLOCK.monotonic_ms() + 60_000, 1920, 1080)  # later than this capture
    thread = threading.Thread(target=capture.run)
    thread.start()
    rig.fill(COFFEE)
    rig.wait_for(lambda sent: bool(sent))
    rig.stop.set()
    thread.join(15)
    assert rig.saved() == ["0000.jpg", "0001.jpg", "full-0001.jpg", "thumbnail-1.jpg"]
    pictures = {p.file.rsplit("/", 1)[1]: p for manifest in rig.sent for p in manifest.pictures}
    assert pictures["full-0001.jpg"].width == 1920
    full = (tmp_path / pictures["full-0001.jpg"].file).read_bytes()
    assert full.endswith(ASTRONAUT[20:])
    assert sha256_hex(full) == pictures["full-0001.jpg"].sha256
