"""`fenghuo journal` on real files, and on a panel that answers on its socket."""

import json
import shutil
import socketserver
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from firmware.journal import Journal
from firmware.protocol.jws import b64url
from provisioning.journal import main
from tests.firmware.journal.rig import SIGNER, Rig, everything

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "bank.toml"


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_LANG", "en")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    journal = rig.open()
    for n in range(1, 6):
        journal.commit([rig.commit("alarm.intruder", f"state {n}", zone="vault", n=n)])
    journal.commit([rig.commit("area.armed", "armed", area="hall")])
    journal.close()
    keys = rig.data / "keys"
    keys.mkdir()
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64url(SIGNER.public.public_bytes_raw())}
    (keys / "core.jwk").write_text(json.dumps(jwk))
    return rig


def alter(rig: Rig) -> None:
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        connection.execute("UPDATE record SET payload = CAST('{\"n\":9}' AS BLOB) WHERE seq = 4")


@pytest.mark.parametrize("what", ["file", "folder"])
def test_verify_a_sound_journal(rig: Rig, capsys: pytest.CaptureFixture[str], what: str) -> None:
    place = rig.main if what == "file" else rig.data
    assert main(["verify", str(place)]) == 0
    assert "journal.sqlite: sound. 9 records (1 to 9)" in capsys.readouterr().out


def test_verify_says_where_and_what(
    rig: Rig, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(rig)
    assert main(["verify", str(rig.main)]) == 1
    said = capsys.readouterr().out
    assert "record 4: the payload was altered" in said
    assert "expected" in said
    monkeypatch.setenv("FENGHUO_LANG", "zh")
    assert main(["verify", str(rig.main)]) == 1
    assert "记录 4: 记录内容被改动" in capsys.readouterr().out
    assert main(["verify", str(rig.main), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["sound"], report["findings"][0]["seq"], report["findings"][0]["code"]) == (False, 4, "payload")
    assert report["findings"][0]["zh"]


def test_verify_against_what_the_center_holds(rig: Rig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = rig.verify().journal
    seen = tmp_path / "seen.json"
    seen.write_text(json.dumps([{"journal": journal, "seq": 10, "hash": "0" * 64}]))
    assert main(["verify", str(rig.main), "--seen", str(seen)]) == 1
    assert "record 10: the end of the journal was cut off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify"], "give a journal file"),
        (["verify", "/nowhere"], "/nowhere: no journal there"),
        (["verify", "FILE", "--key", "/nowhere.jwk"], "no public key of the panel"),
        (["verify", "FILE", "--key", "FILE"], "not a public key"),
        (["verify", "FILE", "--seen", "FILE"], "expected a list of"),
        (["dump", "FILE", "--lane", "telemetry"], "expected one of alarm, status, evidence"),
        (["dump", "FILE", "--since", "yesterday"], "expected a time like"),
        (["tail", "--config", "/nowhere.toml"], "nowhere.toml: there is no such file"),
        (["verify", "--what"], "No such option"),
    ],
)
def test_what_cannot_be_done_exits_2_and_says_why(
    rig: Rig, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main([str(rig.main) if word == "FILE" else word for word in words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_garbage_is_a_finding_not_a_crash(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.main.write_bytes(b"\x00garbage" * 1000)
    assert main(["verify", str(rig.main)]) == 1
    assert "can't be read as a journal" in capsys.readouterr().out
    assert main(["dump", str(rig.main)]) == 2
    assert "can't be read" in capsys.readouterr().err


@pytest.mark.clause("GB 12663 printable")
def test_dump_filters_and_speaks_both_languages(
    rig: Rig, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["dump", str(rig.data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    assert "intruder alarm  n=1  zone=vault" in lines[2]
    assert main(["dump", str(rig.data), "--lane", "alarm", "--limit", "2", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["payload"]["n"] for record in found] == [1, 2]
    assert set(found[0]) == {"header", "payload", "hash"}
    assert main(["dump", str(rig.data), "--kind", "area", "--since", "2020-01-01"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["dump", str(rig.data), "--since", "2999-01-01"]) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("FENGHUO_LANG", "zh")
    assert main(["dump", str(rig.data), "--kind", "alarm.intruder", "--limit", "1"]) == 0
    assert "入侵报警" in capsys.readouterr().out


def test_tail_shows_the_newest(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", str(rig.main), "-n", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines] == [7, 8, 9]


class RunningPanel:
    """The other end of the technician's socket, with a real journal behind it."""

    def __init__(self, run: Path, journal: Journal) -> None:
        panel = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(json.dumps(panel.answer(json.loads(line))).encode() + b"\n")

        run.mkdir(parents=True, exist_ok=True)
        self.run, self.journal = run, journal
        self.asked: list[str] = []
        self.copy = run / "snapshot.sqlite"
        journal.snapshot(self.copy)
        self.records = everything(journal)
        self.server = socketserver.ThreadingUnixStreamServer(str(run / "technician.sock"), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(question["type"])
        detail: dict[str, Any] = {}
        match question["type"]:
            case "snapshot":
                detail = {"path": str(self.copy)}
            case "status":
                detail = {"seq": self.records[-1].seq}
            case "records":
                chosen = [r for r in self.records if r.seq > question["after"]][: question["limit"]]
                detail = {
                    "records": [
                        {"header": json.loads(r.header), "payload": json.loads(r.payload or b"null"), "hash": r.hash}
                        for r in chosen
                    ]
                }
        return {"type": "answer", "ok": True, "reason": "", "detail": detail}

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def panel_file(rig: Rig, tmp_path: Path) -> Path:
    path = tmp_path / "panel.toml"
    shutil.copy(EXAMPLE, path)
    return path


def test_a_panel_that_does_not_run_is_read_from_its_files(
    rig: Rig, panel_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--config", str(panel_file)]) == 0
    assert "sound. 9 records" in capsys.readouterr().out
    assert main(["tail", "-n", "1", "--config", str(panel_file)]) == 0
    assert main(["verify", str(panel_file.parent)]) == 0


def test_a_running_panel_makes_a_snapshot_and_gives_its_records(
    rig: Rig, panel_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = rig.open()
    panel = RunningPanel(rig.run, journal)
    try:
        assert main(["verify", "--config", str(panel_file)]) == 0
        said = capsys.readouterr()
        assert "snapshot.sqlite: sound" in said.out
        assert "snapshot" in said.err
        assert main(["tail", "-n", "2", "--config", str(panel_file)]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 2
        assert panel.asked[:2] == ["snapshot", "status"]
    finally:
        panel.stop()
        journal.close()
