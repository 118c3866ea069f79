"""Enrolment by file and by QR code, with a code and with fingerprints, both ways."""

import base64
import json
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from firmware.protocol.enrolment_parts import MAX_DATA, MAX_WHOLE, BadPart, Collection, parts
from firmware.protocol.one_time_code import new_code, printed
from hil.center import main as center_main
from tests.provisioning.calling import Done, call
from tests.provisioning.enrolment.site import PANEL, Site, site


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def center(at: Site, *words: str, typed: str = "", lang: str = "en") -> Done:
    return call(center_main, *words, "--dir", str(at.center), typed=typed, lang=lang)  # type: ignore[arg-type]


def request(at: Site, *words: str, code: str = "") -> dict[str, Any]:
    with_code = ("--code-file", "-") if code else ("--no-code",)
    done = at.call("request", *words, *with_code, "--json", typed=f"{code}\n")
    assert done.returncode == 0, done.stderr + done.stdout
    return dict(json.loads(done.stdout))


def test_by_file_with_a_code(at: Site) -> None:
    asked, answered = at.folder / "panel.enrol", at.folder / "answer.enrol"
    done = at.call("request", "--out", str(asked), "--code-file", "-", typed=at.invite())
    assert (done.returncode, str(asked) in done.stdout) == (0, True)
    assert "Read this" not in done.stdout
    told = center(at, "answer", str(asked), "--out", str(answered))
    assert (told.returncode, f"panel {PANEL} is admitted" in told.stdout) == (0, True), told.stderr
    assert at.json("status")["waiting"]
    before = at.files()
    dry = at.call("answer", str(answered), "--dry-run")
    assert (dry.returncode, "would be enrolled until" in dry.stdout, at.files()) == (0, True, before)
    done = at.call("answer", str(answered))
    assert (done.returncode, "is enrolled" in done.stdout) == (0, True), done.stderr
    assert at.json("status")["enrolled"] is True
    assert at.json("status")["waiting"] is None


def test_a_request_with_a_wrong_code_is_not_answered(at: Site) -> None:
    at.invite()
    asked = at.folder / "panel.enrol"
    request(at, "--out", str(asked), code=printed(new_code()))
    told = center(at, "answer", str(asked), "--out", str(at.folder / "a"))
    assert (told.returncode, "not that of an open invitation" in told.stderr) == (1, True)
    assert not (at.folder / "a").exists()
    assert at.desk.invitations()[0]["wrong"] == 1


def test_without_a_code_both_sides_compare(at: Site) -> None:
    asked, answered = at.folder / "panel.enrol", at.folder / "answer.enrol"
    shown = request(at, "--out", str(asked))["fingerprint"]
    words = ("answer", str(asked), "--out", str(answered))
    refused = center(at, *words, "--fingerprint", "0000-0000-0000-0000")
    assert (refused.returncode, "nothing was issued" in refused.stderr) == (1, True)
    assert center(at, *words).returncode == 1
    assert at.desk.invitations() == []
    told = center(at, *words, "--fingerprint", shown.lower())
    assert told.returncode == 0, told.stderr
    theirs = told.stdout.rpartition(": ")[2].strip()
    # A file that somebody else made in between: another fingerprint.
    wrong = at.call("answer", str(answered), "--fingerprint", shown)
    assert (wrong.returncode, "not the fingerprint" in wrong.stderr) == (1, True)
    none = at.call("answer", str(answered))
    assert (none.returncode, "--fingerprint" in none.stderr) == (1, True)
    assert not at.certificate.exists()
    done = at.call("answer", str(answered), "--fingerprint", theirs)
    assert done.returncode == 0, done.stderr
    assert at.json("status")["enrolled"] is True


def test_a_request_without_a_code_is_not_answered_over_the_network(at: Site) -> None:
    made = request(at)
    with pytest.raises(Exception, match="no-code"):
        at.desk.answer(json.dumps(made["request"]).encode())


def test_qr_pictures_are_read_back_by_a_decoder_in_any_order(at: Site) -> None:
    code = at.invite()
    told = request(at, "--png", str(at.folder / "qr"), "--svg", str(at.folder / "svg"), code=code)
    pictures = sorted((at.folder / "qr").glob("*.png"))
    assert len(pictures) == len(told["parts"]) == len(list((at.folder / "svg").glob("*.svg")))
    random.Random(1).shuffle(pictures)
    scanned = [zxingcpp.read_barcodes(np.array(Image.open(file).convert("L")))[0].text for file in pictures]
    assert sorted(scanned) == sorted(told["parts"])
    answered = at.folder / "answer"
    done = center(at, "answer", "-", "--out", str(answered))
    assert done.returncode == 1  # nothing was pasted
    pasted = at.folder / "pasted.txt"
    pasted.write_text("\n".join(scanned))
    done = center(at, "answer", str(pasted), "--out", str(answered))
    assert done.returncode == 0, done.stderr
    back = parts(answered.read_bytes())
    random.Random(2).shuffle(back)
    done = at.call("answer", "-", typed="\n".join([*back, back[0]]))
    assert done.returncode == 0, done.stderr
    assert at.json("status")["enrolled"] is True


def test_qr_codes_in_the_terminal_show_the_same_parts(at: Site) -> None:
    done = at.call("request", "--qr", "--code-file", "-", typed=at.invite())
    assert done.stdout.count("Part ") == done.stdout.count("FH1:") >= 3
    assert done.stdout.count("▀") > 500
    shown = [line for line in done.stdout.splitlines() if line.startswith("FH1:")]
    code = "\n".join(line for line in done.stdout.split("Part 1 ")[0].splitlines() if set(line) <= set("▀▄█ "))
    assert zxingcpp.read_barcodes(_seen(code), try_invert=False)[0].text == shown[0]


def _seen(code: str) -> Any:
    """What a camera sees of half blocks on a dark terminal."""
    rows = [[letter in lit for letter in line] for line in code.splitlines() for lit in ("▀█", "▄█")]
    wide = max(map(len, rows))
    lit = np.array([row + [False] * (wide - len(row)) for row in rows])
    return np.pad(np.where(lit, 255, 0).astype(np.uint8).repeat(6, 0).repeat(6, 1), 24, constant_values=255)


@pytest.mark.parametrize(("lang", "said"), [("en", "part 2 is damaged"), ("zh", "第 2 段损坏")])
def test_a_damaged_and_a_missing_part_are_named(at: Site, lang: str, said: str) -> None:
    texts = parts(bytes(random.Random(3).randbytes(1500)))
    request(at)
    cut = at.call("answer", "-", typed="\n".join([texts[0], texts[1][:-5]]), lang=lang)
    assert (cut.returncode, said in cut.stderr) == (1, True), cut.stderr
    missing = at.call("answer", "-", typed="\n".join([texts[0], texts[3]]))
    assert (missing.returncode, "parts 2, 3, 5, 6 of 6" in missing.stderr) == (1, True), missing.stderr


def test_an_answer_where_no_request_waits(at: Site) -> None:
    done = at.call("answer", "-", typed="{}")
    assert (done.returncode, "no request waits" in done.stderr) == (1, True)


def test_another_ca_for_panels_wants_a_place_of_its_own(at: Site, tmp_path: Path) -> None:
    broker_ca = tmp_path / "web" / "ca.pem"
    asked, answered = at.folder / "panel.enrol", at.folder / "answer.enrol"
    code = at.invite()
    request(at, "--out", str(asked), code=code)
    assert center(at, "answer", str(asked), "--out", str(answered), "--broker-ca", str(broker_ca)).returncode == 0
    done = at.call("answer", str(answered))
    assert (done.returncode, "client_ca" in done.stderr) == (1, True)
    assert not at.certificate.exists()
    text = at.panel_toml.read_text()
    at.panel_toml.write_text(
        text.replace('key = "keys/uplink.key"', 'key = "keys/uplink.key", client_ca = "keys/p.pem"')
    )
    done = at.call("answer", str(answered))
    assert done.returncode == 0, done.stderr
    assert at.ca.read_bytes() == broker_ca.read_bytes()
    assert (at.folder / "keys" / "p.pem").read_bytes() == (at.center / "authority" / "ca.pem").read_bytes()


@given(st.binary(max_size=6000), st.randoms(use_true_random=False))
def test_whatever_is_cut_into_parts_comes_back(whole: bytes, order: random.Random) -> None:
    texts = parts(whole)
    assert all(len(text) <= 460 and set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:") for text in texts)
    order.shuffle(texts)
    collection = Collection()
    for text in texts:
        collection.add(f" {text}\r\n")
    assert collection.missing == []
    assert collection.whole() == whole


@given(st.binary(min_size=600, max_size=3000), st.data())
def test_a_changed_letter_is_found(whole: bytes, data: st.DataObject) -> None:
    texts = parts(whole)
    number = data.draw(st.integers(0, len(texts) - 1))
    at_ = data.draw(st.integers(0, len(texts[number]) - 1))
    letter = data.draw(
        st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:").filter(lambda c: c != texts[number][at_])
    )
    texts[number] = texts[number][:at_] + letter + texts[number][at_ + 1 :]
    with pytest.raises(BadPart):
        _collected(texts)


@given(st.text(max_size=600))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(BadPart):
        Collection().add("FH1:" + text)


def test_a_bomb_is_not_blown_up() -> None:
    bomb = base64.b32encode(zlib.compress(bytes(8 << 20), 9)).decode().rstrip("=")
    pieces = [bomb[i : i + MAX_DATA] for i in range(0, len(bomb), MAX_DATA)]
    texts = []
    for number, piece in enumerate(pieces, 1):
        body = f"00000000:{number}:{len(pieces)}:{piece}"
        place, _, rest = body.rpartition(":")
        texts.append(f"FH1:{place}:{zlib.crc32(body.encode()):08X}:{rest}")
    with pytest.raises(BadPart, match="do not make a whole"):
        _collected(texts)
    with pytest.raises(BadPart, match="too large"):
        parts(bytes(MAX_WHOLE + 1))


def _collected(texts: list[str]) -> bytes:
    collection = Collection()
    for text in texts:
        collection.add(text)
    return collection.whole()
