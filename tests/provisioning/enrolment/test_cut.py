"""A cut at each step leaves an identity that works, and the next run completes the new one; full disk, no rights."""

import os
import resource
import stat
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from firmware.config import load
from firmware.core import enrolled_later
from firmware.protocol.jws import key_id, load_public
from firmware.protocol.one_time_code import read_code
from firmware.uplink.pair import BadPair, Pair
from hil.authority import Authority, Life, pem
from provisioning.enrolment.commands import main
from provisioning.enrolment.enrolling import Enrolling, sealed
from tests.child import child, exit_code
from tests.provisioning.calling import call
from tests.provisioning.enrolment.site import Site, site
from tests.provisioning.person import at_terminal, ended

MOST_STEPS = 40


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def ask(panel_toml: Path, url: str, code: str, step: int) -> None:
    """In a child: ask for a certificate, and be cut at this step."""
    cut_at(step)
    Enrolling(load(panel_toml)).ask(url, read_code(code))


def cut_at(step: int) -> None:
    """This process ends at its so-many-th change of a name, right before it or right after."""
    left = [step]
    real = Path.replace, Path.rename, Path.unlink

    def counted(do: Callable[..., Any]) -> Callable[..., Any]:
        def change(*words: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
            return do(*words, **more)

        return change

    Path.replace, Path.rename, Path.unlink = (counted(each) for each in real)  # type: ignore[method-assign]


def works(at: Site) -> x509.Certificate | None:
    """The certificate with which the uplink would connect, as it settles at its start."""
    pair = Pair(at.certificate, at.key)
    try:
        pair.settle()
        certificate = pair.current()
    except BadPair:
        return None
    key = load_pem_private_key(at.key.read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    return certificate


@pytest.mark.parametrize("settles", [False, True], ids=["straight on", "the uplink starts in between"])
@pytest.mark.parametrize("before", [False, True], ids=["new panel", "enrolled elsewhere before"])
def test_a_cut_at_every_step(at: Site, before: bool, settles: bool, tmp_path: Path) -> None:
    old_ca = pem(at.desk.authority.certificate)
    if before:
        at.enroll(at.invite())
        at.desk.authority = Authority.make(tmp_path / "other", "other ca", Life.days(1, 90))
    new_ca = pem(at.desk.authority.certificate)
    kids = [key_id(load_public(x)) for x in (at.desk.told.receipt.x, *at.desk.told.command_keys)]
    saved = {file: file.read_bytes() for file in at.key.parent.iterdir()} if before else {}
    for step in range(1, MOST_STEPS):
        for file in at.key.parent.iterdir() if at.key.parent.exists() else ():
            file.unlink()
        for file, data in saved.items():
            file.write_bytes(data)
            file.chmod(0o600)
        left = at.folder / "data" / enrolled_later.NAME
        left.unlink(missing_ok=True)
        old = works(at) if before else None
        code = at.invite()

        ended_with = exit_code(ask, at.panel_toml, at.url, code, step)
        if settles:
            found = works(at)
            if found is not None:
                ca = old_ca if found == old else new_ca
                assert ca in at.ca.read_text(), f"step {step}"
            assert found is not None or not before
        if ended_with == 0:
            assert step > 6
            break
        assert ended_with == 9, f"step {step}"
        done = at.enroll(code, "--again")
        assert done.returncode == 0, f"step {step}: {done.stderr}"
        found = works(at)
        assert found is not None
        assert found != old
        assert at.ca.read_text() == new_ca
        assert sorted(at.files()) == ["center-ca.pem", "uplink.key", "uplink.pem"], f"step {step}"
        waits = [late.enrolled for late in enrolled_later.read(left.parent)]
        its = [found.fingerprint(hashes.SHA256()).hex()]
        assert [late.certificate for late in waits] == its, f"step {step}: core has it to record, once"
        told = ([at.desk.authority.certificate.fingerprint(hashes.SHA256()).hex()], kids)
        assert [(late.authorities, late.keys) for late in waits] == [told], f"step {step}: with what the center told"
    else:
        pytest.fail("it never came to its end")


def _full(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [50, 200, 600], ids=["core's key", "the key", "the request"])
def test_a_full_card_refuses_in_words_and_leaves_nothing_half(at: Site, size: int) -> None:
    code = at.folder / "code"
    code.write_text(at.invite())
    words = ("enroll", "--center", at.url, "--code-file", "code")
    code_, said = ended(at_terminal(*words, cwd=at.folder, preexec=_full(size)))
    assert (code_, "Traceback" in said) == (1, False), said
    assert not at.certificate.exists()
    assert at.enroll(code.read_text()).returncode == 0


def test_a_card_that_fills_while_the_answer_is_put_in_place_keeps_the_old_identity(at: Site) -> None:
    at.enroll(at.invite())
    before = at.files()
    code = at.invite()
    it = Enrolling(load(at.panel_toml))
    waiting = it.request(read_code(code))
    answer = at.folder / "answer"
    answer.write_bytes(at.desk.answer(sealed(waiting)))
    for size in (100, 500):
        code_, said = ended(at_terminal("enroll", "answer", "answer", cwd=at.folder, preexec=_full(size)))
        assert (code_, "What was in force still is" in said) == (1, True), said
        found = at.files()
        assert {name: found[name] for name in before} == before
        assert sorted(found) == sorted([*before, "uplink.key.enrol", "uplink.key.enrol.json"])
    assert at.call("answer", str(answer)).returncode == 0
    assert at.files()["uplink.pem"] != before["uplink.pem"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_without_rights_it_says_so(at: Site) -> None:
    text, code = at.panel_toml.read_text(), at.invite()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # pytest's own can't be entered by others
        at.folder = Path(folder)
        at.folder.chmod(0o755)
        at.panel_toml.write_text(text)
        said = _of_nobody(at, code)
        assert said.startswith("1 "), said
        assert "can't be written: Permission denied" in said
        assert not at.key.parent.exists()


def _of_nobody(at: Site, code: str) -> str:
    """Exit code and errors."""
    with child(enroll_as_nobody, at.panel_toml, at.url, code) as nobody:
        return next(nobody.hear()).decode()


def enroll_as_nobody(panel_toml: Path, url: str, code: str, tell: Connection) -> None:
    """In the child."""
    words = ("--center", url, "--config", str(panel_toml))
    call(main, *words, "--dry-run")  # loads all that nobody may not read here
    os.setuid(65_534)
    done = call(main, *words, "--code-file", "-", typed=f"{code}\n")
    tell.send_bytes(f"{done.returncode} {done.stderr}".encode())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_as_root_each_file_belongs_to_its_process(at: Site) -> None:
    (at.folder / "keys").mkdir(0o700)
    (at.folder / "data").mkdir(0o700)
    os.chown(at.folder / "keys", 4001, 4001)
    os.chown(at.folder / "data", 4002, 4002)
    (at.folder / "keys" / "uplink.key.enrol").symlink_to(at.folder / "panel.toml")  # a captured uplink lays a trap
    text = at.panel_toml.read_text()
    assert at.enroll(at.invite()).returncode == 0
    assert {file.stat().st_uid for file in at.key.parent.iterdir()} == {4001}
    core = at.folder / "data"
    assert {file.stat().st_uid for file in (core / "core.lock", core / "keys", *(core / "keys").iterdir())} == {4002}
    assert stat.S_IMODE((core / "keys" / "core.pem").stat().st_mode) == 0o600
    assert at.panel_toml.read_text() == text
    assert at.panel_toml.stat().st_uid == 0
