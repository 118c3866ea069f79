"""`[[camera]]`: what each maker needs, that no password stands in the file or is shown, and areas with cameras."""

from pathlib import Path

import pytest

from firmware.config import BadPanelFile, Loaded, load, to_site

BANK = Path("docs/examples/bank.toml").read_text()
CAMERA = """
[[camera]]
id = "yard"
name = "Yard"
maker = "rtsp"
source = "rtsp://192.168.7.7:554/Streaming/Channels/101"
secret_file = "yard.secret"

[center]
"""
MAKER = 'maker = "rtsp"\nsource = "rtsp://192.168.7.7:554/Streaming/Channels/101"\nsecret_file = "yard.secret"\n'
PI = 'maker = "picamera2"\n'


def read(folder: Path, text: str) -> Loaded:
    (folder / "panel.toml").write_text(text)
    return load(folder / "panel.toml")


def with_camera(old: str = "", new: str = "") -> str:
    assert old in CAMERA
    camera = CAMERA.replace(old, new, 1) if old else CAMERA
    hall = '[[area]]\nid = "hall"'
    assert hall in BANK
    return BANK.replace("[center]\n", camera, 1).replace(hall, f'{hall}\ncameras = ["yard", "lobby"]', 1)


def said(folder: Path, text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(BadPanelFile) as bad:
        read(folder, text)
    found = bad.value.mistakes
    return [(mistake.key.rsplit(": ", 1)[-1], mistake.found, mistake.expected[0]) for mistake in found]


def test_a_network_camera_of_an_area(tmp_path: Path) -> None:
    file = read(tmp_path, with_camera()).file
    assert (file.camera[-1].secret_file, file.camera[-1].still_width, file.camera[-1].tampers) == (
        "yard.secret",
        0,
        None,
    )
    assert to_site(file).areas["hall"].cameras == ("yard", "lobby")
    texts = [warning.text[0] for warning in read(tmp_path, with_camera()).warnings]
    assert "nothing asks this camera for pictures" not in texts, "an area is enough"


def test_a_password_in_the_address_is_refused_and_not_shown(tmp_path: Path) -> None:
    text = with_camera("rtsp://192", "rtsp://admin:hunter2@192")
    [(key, found, expected)] = said(tmp_path, text)
    assert (key, found) == ("source", "rtsp://…@…")
    assert "secret_file" in expected
    with pytest.raises(BadPanelFile) as bad:
        read(tmp_path, text)
    assert "hunter2" not in bad.value.say()


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("rtsp://192.168.7.7:554/", "http://192.168.7.7/", "source", "rtsp://HOST"),
        ("rtsp://192.168.7.7:554/", "rtsp://192.168.7.7:70000/", "source", "rtsp://HOST"),
        (MAKER, 'maker = "v4l2"\nsource = "video0"\n', "source", "/dev/v4l/by-id"),
        (MAKER, 'maker = "folder"\n', "source", "folder of pictures"),
        (MAKER, 'maker = "drawn"\nsecret_file = "x"\n', "secret_file", 'maker = "rtsp"'),
        (MAKER, MAKER + 'exposure = "night"\n', "exposure", 'maker = "picamera2"'),
        (MAKER, MAKER + "still_width = 1920\n", "still_height", "at least height (480)"),
        (MAKER, MAKER + "still_width = 320\nstill_height = 1080\n", "still_width", "at least width (640)"),
        (MAKER, 'maker = "drawn"\nstill_width = 640\nstill_height = 480\n', "still_width", "none"),
        (MAKER, PI + "height = 482\nstill_width = 1920\nstill_height = 1080\n", "height", "multiple of 4"),
        (MAKER, PI + 'exposure = "schedule"\n', "day_hours", "07:00-18:30"),
        (MAKER, PI + 'exposure = "schedule"\nday_hours = "18:30-07:00"\n', "day_hours", "07:00-18:30"),
        (MAKER, PI + 'exposure = "schedule"\nday_hours = "closed"\n', "day_hours", "07:00-18:30"),
        (MAKER, PI + 'day_hours = "07:00-18:30"\n', "day_hours", "schedule"),
        (MAKER, MAKER + 'tampers = ["ghosts"]\n', "tampers[1]", "covered"),
    ],
)
def test_mistakes_in_their_place(old: str, new: str, key: str, expected: str, tmp_path: Path) -> None:
    [(found_key, _, found_expected)] = said(tmp_path, with_camera(old, new))
    assert found_key == key
    assert expected in found_expected


def test_an_area_that_names_no_camera_of_the_file(tmp_path: Path) -> None:
    [(key, found, _)] = said(tmp_path, with_camera().replace('["yard", "lobby"]', '["yard", "attic"]'))
    assert (key, found) == ("cameras[2]", '"attic"')


@pytest.mark.parametrize(
    ("new", "text"),
    [
        ('maker = "v4l2"\nsource = "/dev/video0"\n', "another camera may have this name"),
        ('maker = "rtsp"\nsource = "rtsp://203.0.113.7/live"\n', "in the site's own network alone"),
        ('maker = "rtsp"\nsource = "rtsp://[2001:db8::7]/live"\n', "in the site's own network alone"),
        (MAKER + "frames_per_s = 1\n", "too few pictures"),
        (MAKER + "pre_s = 5\n", "too few pictures"),
        (MAKER + "post_s = 10\n", "too few pictures"),
    ],
)
def test_what_is_seldom_meant_is_warned_of(new: str, text: str, tmp_path: Path) -> None:
    assert text in str([w.text[0] for w in read(tmp_path, with_camera(MAKER, new)).warnings])
    assert text not in str([w.text[0] for w in read(tmp_path, with_camera()).warnings])
