"""The small parts of core: keys, codes, and words that wait for the durable mark."""

import threading
from functools import partial
from pathlib import Path

import pytest

from firmware.core.codes import WAITING, Codes, code_key
from firmware.core.keys import BadKey, load_or_make
from firmware.core.talk import LIMIT, Talk
from firmware.protocol.jws import load_public, unb64url
from rules.stimuli import CodeEntered, Wish


def test_keys_are_made_once_private_and_kept(tmp_path: Path) -> None:
    first, again = load_or_make(tmp_path / "keys"), load_or_make(tmp_path / "keys")
    assert first.signer.kid == again.signer.kid
    assert first.pepper == again.pepper
    assert len(first.pepper) == 32
    for name in ("core.pem", "pepper"):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o777 == 0o600


def test_keys_that_others_could_read_are_closed_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "keys"
    load_or_make(folder)
    assert not caplog.records
    folder.chmod(0o755)
    for name in ("core.pem", "pepper"):
        (folder / name).chmod(0o644)
    load_or_make(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("core.pem", "pepper"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
        assert name in caplog.text
    assert "PRIVATE" not in caplog.text


def test_the_public_key_lies_beside_for_the_center(tmp_path: Path) -> None:
    import json

    keys = load_or_make(tmp_path)
    jwk = json.loads((tmp_path / "core.jwk").read_text())
    assert load_public(jwk["x"]).public_bytes_raw() == keys.signer.public.public_bytes_raw()
    assert len(unb64url(jwk["kid"])) == 32


@pytest.mark.parametrize(("name", "data"), [("core.pem", b"nonsense"), ("core.pem", b""), ("pepper", b"short")])
def test_a_broken_key_file_is_named_and_left_alone(tmp_path: Path, name: str, data: bytes) -> None:
    load_or_make(tmp_path)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadKey, match=name):
        load_or_make(tmp_path)
    assert (tmp_path / name).read_bytes() == data


def test_a_code_has_one_key_at_one_site_on_one_device() -> None:
    keys = {
        code_key("1234", "bank-1", b"a" * 32),
        code_key("1235", "bank-1", b"a" * 32),
        code_key("1234", "bank-2", b"a" * 32),
        code_key("1234", "bank-1", b"b" * 32),
    }
    assert len(keys) == 4
    assert code_key("1234", "bank-1", b"a" * 32) in keys


def test_a_typed_code_becomes_a_stimulus_without_the_code() -> None:
    got: list[CodeEntered] = []
    done = threading.Event()

    def tell(typed: CodeEntered) -> None:
        got.append(typed)
        done.set()

    codes = Codes("bank-1", b"a" * 32)
    codes.start()
    try:
        assert codes.enter(tell, "1234", CodeEntered("keypad:1", "", Wish.ARM, ("hall",), part="night", instant=True))
        assert done.wait(10.0)
    finally:
        codes.stop()
    key = code_key("1234", "bank-1", b"a" * 32)
    assert got == [CodeEntered("keypad:1", key, Wish.ARM, ("hall",), part="night", instant=True)]
    assert "1234" not in repr(got)


def test_too_many_codes_at_once_are_refused_and_counted() -> None:
    codes = Codes("bank-1", b"a" * 32)  # not started: nothing is taken from the queue
    full = [True] * WAITING + [False] * 3
    assert [codes.enter(print, "1", CodeEntered("k", "")) for _ in range(WAITING + 3)] == full
    assert [codes.keys(("1",), print) for _ in range(WAITING + 3)] == full
    assert codes.refused == 6


def test_a_keypad_does_not_wait_for_the_many_keys_of_a_user() -> None:
    told: list[str] = []
    done = threading.Event()

    def keys_of_a_user(keys: tuple[str, ...]) -> None:
        told.append(f"user, {len(set(keys))} keys, {keys[1]!r}")
        done.set()

    codes = Codes("bank-1", b"a" * 32)
    codes.keys(("1111", "", "2222", "3333"), keys_of_a_user)
    codes.keys(("4444",), lambda _: told.append("later user"))
    codes.enter(lambda _: told.append("keypad"), "1234", CodeEntered("k", ""))
    codes.start()
    try:
        assert done.wait(10.0)
        assert told[:2] == ["keypad", "user, 4 keys, ''"]
    finally:
        codes.stop()


def test_work_that_fails_ends_neither_the_thread_nor_what_waits() -> None:
    done = threading.Event()
    codes = Codes("bank-1", b"a" * 32)
    codes.enter(lambda _: 1 / 0, "1234", CodeEntered("k", ""))
    codes.keys(("1234", "5678"), lambda _: done.set())
    codes.start()
    try:
        assert done.wait(10.0)
    finally:
        codes.stop()


def test_words_wait_for_their_records() -> None:
    said: list[str] = []
    talk = Talk()
    talk.hold(1, [lambda: said.append("one")])
    talk.hold(2, [lambda: said.append("two"), lambda: said.append("two'")])
    assert said == []
    talk.durable(1)
    assert said == ["one"]
    talk.durable(2)
    talk.hold(2, [lambda: said.append("late")])
    assert said == ["one", "two", "two'", "late"]


def test_words_that_wait_are_bounded() -> None:
    said: list[int] = []
    talk = Talk()
    for n in range(LIMIT + 5):
        talk.hold(n + 1, [partial(said.append, n)])
    talk.durable(LIMIT + 5)
    assert talk.dropped == 5
    assert said == list(range(5, LIMIT + 5))
