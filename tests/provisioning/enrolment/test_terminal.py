"""`fenghuo enroll` as a technician types it: the code without echo, a slip, Ctrl-C, twice, in both languages."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.protocol.enrolment_parts import parts
from firmware.protocol.one_time_code import new_code, printed
from tests.provisioning.enrolment.site import Site, site
from tests.provisioning.person import at_terminal, ended, interrupted


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, own_keys=False) as made:
        yield made


def test_a_slip_a_code_and_the_center_s_keys(at: Site) -> None:
    code = at.invite()
    person = at_terminal("enroll", "--center", at.url, cwd=at.folder)
    person.expect("One-time code of the center: ")
    person.sendline(code[:-3])
    person.expect("20 letters")
    person.expect("One-time code of the center: ")
    person.sendline(code.lower().replace("-", " "))
    person.expect("is enrolled: certificate of center-1")
    done = person.before or ""
    person.expect("core does not run")
    person.expect(r"Put the center's keys into the panel file\? \[y/N\] ")
    person.sendline("y")
    exit_code, rest = ended(person)
    assert (exit_code, "panel.toml.old" in rest) == (0, True)
    assert "interrupted" not in done + rest
    assert code[:5] not in rest
    assert at.desk.told.receipt.x in at.panel_toml.read_text()
    again, said = ended(at_terminal("enroll", "--center", at.url, cwd=at.folder, lang="zh"))
    assert (again, "已注册" in said) == (0, True)


def test_ctrl_c_at_the_prompt_and_in_the_middle_leaves_nothing_in_force(at: Site) -> None:
    person = at_terminal("enroll", "--center", at.url, cwd=at.folder)
    person.expect("One-time code")
    exit_code, said = interrupted(person)
    assert (exit_code, "Traceback" in said, at.files()) == (130, False, {})
    code = at.invite()
    with at.desk._lock:  # the center takes its time
        person = at_terminal("enroll", "--center", at.url, cwd=at.folder)
        person.expect("One-time code")
        person.sendline(code)
        person.expect("asks https")
        end = time.monotonic() + 20
        while not (at.folder / "keys" / "uplink.key.enrol.json").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        exit_code, said = interrupted(person)
    assert (exit_code, "Traceback" in said) == (130, False)
    assert not at.certificate.exists()
    assert at.enroll(code).returncode == 0


def test_a_wrong_code_at_the_terminal_in_chinese(at: Site) -> None:
    at.invite()
    person = at_terminal("enroll", "--center", at.url, cwd=at.folder, lang="zh")
    person.expect("中心的一次性注册码：")
    person.sendline(printed(new_code()))
    exit_code, said = ended(person)
    assert (exit_code, "逐字核对" in said) == (1, True)


def test_a_scanner_types_the_answer_part_by_part(at: Site) -> None:
    asked = at_terminal("enroll", "request", "--no-code", "--qr", cwd=at.folder)
    asked.expect("Part 1 of")
    while asked.expect(["Enter for the next one ", "Read this fingerprint out to the center: "]) == 0:
        asked.sendline("")
    shown = ended(asked)[1].split()[0]
    at.json("status")
    request = at.json("request", "--no-code")
    assert request["fingerprint"] == shown
    made = at.folder / "made"
    from tests.provisioning.enrolment.test_offline import center

    file = at.folder / "parts"
    file.write_text("\n".join(request["parts"]))
    told = center(at, "answer", str(file), "--out", str(made), "--fingerprint", shown)
    theirs = told.stdout.rpartition(": ")[2].strip()
    texts = parts(made.read_bytes())
    person = at_terminal("enroll", "answer", "-", cwd=at.folder)
    person.expect("Scan or paste")
    person.sendline(texts[1])
    person.expect(f"part 2 of {len(texts)}; missing: 1, 3")
    person.sendline(texts[0][:-1])
    person.expect("part 1 is damaged")
    for text in (texts[0], *texts[2:]):
        person.sendline(text)
        person.expect("missing: ")
    person.expect("Fingerprint of the answer")
    person.sendline(theirs)
    person.expect(r"\[y/N\] ")
    person.sendline("n")
    exit_code, rest = ended(person)
    assert (exit_code, "--take-keys" in rest) == (0, True)
    assert at.json("status")["enrolled"] is True
