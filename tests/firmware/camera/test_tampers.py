"""Camera tampers on real photos and the drawn lobby: found when somebody tampers, silent at light and people."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from firmware.camera.lookout import EVERY_S, SURE_S, Lookout
from firmware.camera.outlines import Outline
from firmware.camera.reference import LOOKS, Kept, Learning, Reference, packed, unpacked
from firmware.camera.sight import EDGES, see
from firmware.camera.tampers import CLEAR_S, KINDS, STAND_S, Tampers, signs
from tests.firmware.camera.scenes import SCENES, Rgb, Scene

SOME = ("rocket.jpg", "camera.png", "lobby")
"""The hardest: few edges, a large person, a poor drawing."""


@cache
def learned(name: str) -> Reference:
    scene, learning = Scene(name), Learning()
    for _ in range(LOOKS - 1):
        assert learning.add(see(scene.usual())) is None
    reference = learning.add(see(scene.usual()))
    assert reference is not None
    return reference


def found(rgb: Rgb, name: str, dark: bool = False) -> set[str]:
    return {kind for kind, there in vars(signs(see(rgb), learned(name), dark)).items() if there}


@pytest.mark.parametrize("name", SCENES)
def test_light_people_and_compression_are_no_tamper(name: str) -> None:
    assert {what: kinds for what, shot in Scene(name).innocent().items() if (kinds := found(shot(), name))} == {}


@pytest.mark.parametrize("name", SCENES)
def test_each_tamper_is_found_and_told_for_what_it_is(name: str) -> None:
    cases = Scene(name).tampered()
    assert {what: found(shot(), name) for what, (_, shot) in cases.items()} == {
        what: {kind} for what, (kind, _) in cases.items()
    }


def test_a_place_without_light_is_black_unless_the_file_says_that_it_may_be() -> None:
    scene = Scene("lobby")
    night = scene.shot(scene.plain * 0.02, 2)
    assert found(night, "lobby") == {"black"}
    assert found(night, "lobby", dark=True) == set()
    assert found(scene.shot(scene.plain * 0 + 90), "lobby", dark=True) == {"covered"}, (
        "what is lit and empty is covered"
    )


def test_without_a_reference_only_light_is_judged() -> None:
    scene = Scene("lobby")
    judged = {what: signs(see(shot()), None) for what, (_, shot) in scene.tampered().items()}
    assert judged["cap"].black
    assert judged["white"].bright
    assert {s.covered for s in judged.values()} | {s.moved for s in judged.values()} == {None}


class Night:
    """Plays looks, two seconds apart, and notes when something changes."""

    def __init__(self, name: str = "lobby", watched: Iterable[str] = KINDS, dark: bool = False) -> None:
        self.scene = Scene(name)
        self.now = 1000.0
        self.standing: list[tuple[str, ...]] = [()]
        self._tampers = Tampers(tuple(watched), dark)
        self._reference = learned(name)

    def play(self, seconds: float, shot: Callable[[], Rgb]) -> tuple[str, ...]:
        # Three pictures in turn, each with noise of its own, are as good as new ones and much cheaper.
        sights = [see(shot()) for _ in range(3)]
        for number in range(int(seconds / EVERY_S)):
            self.now += EVERY_S
            stands = self._tampers.look(sights[number % 3], self._reference, self.now)
            if stands != self.standing[-1]:
                self.standing.append(stands)
        return self.standing[-1]

    def tampered(self, what: str) -> Callable[[], Rgb]:
        return self.scene.tampered()[what][1]


@pytest.mark.parametrize(
    ("what", "kind"), [("paper", "covered"), ("cap", "black"), ("turned", "moved"), ("grease", "blurred")]
)
def test_it_must_stand_and_ends_when_it_is_gone_for_a_while(what: str, kind: str) -> None:
    night = Night()
    night.play(4, night.scene.usual)
    assert night.play(STAND_S[kind] - 4, night.tampered(what)) == ()
    assert night.play(10, night.tampered(what)) == (kind,)
    assert night.play(CLEAR_S - 4, night.scene.usual) == (kind,)
    assert night.play(8, night.scene.usual) == ()
    assert night.standing == [(), (kind,), ()], "told twice, not with each frame"


def test_hands_lorries_and_headlights_that_pass_are_nothing() -> None:
    night = Night()
    for what in ("hand", "white", "turned", "paper", "out of focus", "cap"):
        night.play(20, night.tampered(what))
        night.play(40, night.scene.usual)
    assert night.standing == [()]


def test_a_cover_that_is_lifted_now_and_then_is_found_all_the_same() -> None:
    night = Night()
    for _ in range(6):
        night.play(20, night.tampered("paper"))
        night.play(4, night.scene.usual)
    assert night.standing[-1] == ("covered",)


@pytest.mark.parametrize("name", SOME)
def test_a_day_of_lights_and_people(name: str) -> None:
    night = Night(name)
    cases = night.scene.innocent()
    for what in np.random.default_rng(8).permutation(list(cases)):
        shown = cases[what]()
        # Noise of its own on each: frozen would be right otherwise.
        night.play(60, lambda shown=shown: night.scene.shot(shown, 1.0))  # type: ignore[misc]
    assert night.standing == [()]


def test_a_turned_camera_stays_turned_when_the_light_goes_out() -> None:
    night = Night(dark=True)
    assert night.play(80, night.tampered("turned")) == ("moved",)
    moved = np.asarray(night.scene.seen(turned=6), np.float32)
    assert night.play(200, lambda: night.scene.shot(moved * 0.02, 2)) == ("moved",)
    assert night.play(60, night.scene.usual) == ()


def test_the_same_picture_again_and_again_is_frozen_and_a_live_one_never() -> None:
    night = Night()
    still = night.scene.usual()
    assert night.play(STAND_S["frozen"] - 4, lambda: still) == ()
    assert night.play(10, lambda: still) == ("frozen",)
    assert night.play(CLEAR_S + 4, night.scene.usual) == ()


def test_only_what_is_watched_counts() -> None:
    night = Night(watched=("black", "covered"))
    assert night.play(200, night.tampered("turned")) == ()
    assert night.play(200, night.tampered("paper")) == ("covered",)


def test_a_gap_without_frames_counts_for_little() -> None:
    tampers, scene = Tampers(KINDS), Scene("lobby")
    paper = see(scene.tampered()["paper"][1]())
    for moment in (0.0, 1000.0, 2000.0, 3000.0):
        assert tampers.look(paper, learned("lobby"), moment) == ()


# --- learning


def test_who_walks_by_is_washed_out_and_a_dark_or_empty_picture_is_not_learned() -> None:
    scene, learning = Scene("lobby"), Learning()
    for number in range(LOOKS - 1):
        assert learning.add(see(scene.shot(scene.with_person(20 * number)))) is None
    reference = learning.add(see(scene.usual()))
    assert reference is not None
    assert {k for k, there in vars(signs(see(scene.usual()), reference)).items() if there} == set()
    assert {k for k, there in vars(signs(see(scene.tampered()["pushed aside"][1]()), reference)).items() if there} == {
        "moved"
    }
    learning = Learning()
    for _ in range(3 * LOOKS):
        assert learning.add(see(scene.shot(scene.plain * 0.02, 2))) is None
        assert learning.add(see(scene.tampered()["paper"][1]())) is None


def test_pictures_that_do_not_agree_are_not_learned_together() -> None:
    one, other, learning = Scene("lobby"), Scene("chelsea.png"), Learning()
    for _ in range(LOOKS - 1):
        learning.add(see(one.usual()))
    assert learning.add(see(other.usual())) is None
    for _ in range(LOOKS - 2):
        assert learning.add(see(other.usual())) is None
    assert learning.add(see(other.usual())) is not None


class Rig:
    """A lookout over a camera that shows what it is told, with its reference on disk."""

    def __init__(
        self, folder: Path, of: str = "rtsp 640 480", dark: bool = False, mask: Sequence[Outline] = ()
    ) -> None:
        self.scene = Scene("lobby")
        self.told: list[tuple[str, ...]] = []
        self.now = 0.0
        self.lookout = Lookout(KINDS, dark, Kept(folder, "lobby", of), self.told.append, mask)

    def play(self, seconds: float, shot: Callable[[], Rgb]) -> None:
        for _ in range(int(seconds * 2)):
            self.now += 0.5
            # Each second frame alone is looked at; the others cost nothing.
            due = self.now % EVERY_S == 0
            self.lookout.frame(shot() if due else np.zeros((1, 1, 3), np.uint8), self.now)


def learned_on(folder: Path) -> Rig:
    rig = Rig(folder)
    rig.now = 1.5
    rig.play(LOOKS * EVERY_S + 4, rig.scene.usual)
    return rig


def test_a_camera_turned_while_the_process_is_down_is_told_after_the_start(tmp_path: Path) -> None:
    assert (learned_on(tmp_path).told, (tmp_path / "lobby.ref").stat().st_mode & 0o777) == ([], 0o600)
    again = Rig(tmp_path)
    again.now = 1.5
    again.play(STAND_S["moved"] + 10, again.scene.tampered()["pushed aside"][1])
    assert ("moved",) in [told[:1] for told in again.told]


def test_it_says_that_all_is_well_only_when_it_can_know(tmp_path: Path) -> None:
    rig = learned_on(tmp_path)
    again = Rig(tmp_path)
    again.now = 1.5
    again.play(SURE_S - 4, again.scene.usual)
    assert rig.told == again.told == []
    again.play(10, again.scene.usual)
    assert again.told == [()]


def test_who_may_has_it_learned_anew(tmp_path: Path) -> None:
    rig = learned_on(tmp_path)

    def moved() -> Rgb:
        return rig.scene.shot(rig.scene.seen(right=40))

    rig.play(STAND_S["moved"] + 10, moved)
    assert rig.told == [("moved",)]
    rig.lookout.relearn()
    rig.play(4, moved)
    assert rig.told == [("moved",), ()]
    rig.play(LOOKS * EVERY_S + 4, moved)
    rig.play(STAND_S["moved"] + 10, rig.scene.usual)
    assert rig.told[-1] == ("moved",), "the old place is the wrong one now"


def test_nothing_from_behind_a_mask_is_kept_and_a_turned_camera_is_told_all_the_same(tmp_path: Path) -> None:
    rig = Rig(tmp_path, mask=[[0, 0, 500, 0, 500, 1000, 0, 1000]])
    rig.now = 1.5
    rig.play(LOOKS * EVERY_S + 4, rig.scene.usual)
    reference = Kept(tmp_path, "lobby", "rtsp 640 480").load()
    assert reference is not None
    middle = EDGES[0] // 2
    assert not reference.edges[:, :middle].any()
    assert reference.edges[:, middle + 3 :].any()
    rig.play(STAND_S["moved"] + 10, rig.scene.tampered()["pushed aside"][1])
    assert rig.told == [("moved",)]


def test_a_reference_of_another_camera_or_a_broken_one_is_learned_anew(tmp_path: Path) -> None:
    learned_on(tmp_path)
    path = tmp_path / "lobby.ref"
    sound = path.read_bytes()
    assert Kept(tmp_path, "lobby", "rtsp 640 480").load() is not None
    assert Kept(tmp_path, "lobby", "rtsp 1920 1080").load() is None
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    assert Kept(tmp_path, "lobby", "rtsp 640 480").load() is None
    path.write_bytes(b"x" * 10_000_000)
    assert Kept(tmp_path, "lobby", "rtsp 640 480").load() is None


def test_a_reference_comes_back_as_it_was() -> None:
    reference = learned("lobby")
    back = unpacked(packed(reference, "me"), "me")
    assert (back.mean, back.structure, back.sharpness) == (reference.mean, reference.structure, reference.sharpness)
    assert np.abs(back.edges - reference.edges).max() < 0.01


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.integers(0, 38_000).map(lambda cut: packed(learned("lobby"), "me")[:cut]))
def test_any_bytes_are_a_reference_or_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"found|it is|its"):
        unpacked(data, "me")


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(1, 70), st.integers(1, 70)).flatmap(lambda size: arrays(np.uint8, (*size, 3))))
def test_frames_of_odd_sizes_are_looked_at(rgb: Rgb) -> None:
    sight = see(rgb)
    assert 0 <= sight.mean <= 255
    assert 0 <= sight.structure <= 1
    assert 0 <= sight.burnt <= 1
    for reference in (None, learned("lobby")):
        assert set(vars(signs(sight, reference)).values()) <= {True, False, None}
