"""The center over TLS with client certificates, checked as a panel does it; what is said of wrong words and files."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.authority import Authority
from hil.broker import HOST, Mosquitto
from hil.center import Center, main
from hil.center.conform.play import play
from hil.center.conform.player import NoBroker
from hil.center.conform.trial import Pace
from hil.center.keys import Key
from hil.center.wire import Broker


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    ours = Authority.make(folder, "center ca")
    ours.issue("broker", [HOST])
    ours.issue("center", [])
    Authority.make(folder / "strange", "strange ca").issue("center", [])
    return folder


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Mosquitto]:
    tls = (
        "allow_anonymous true\nrequire_certificate true\n"
        f"cafile {folder}/ca.pem\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key\n"
    )
    with Mosquitto(folder, tls) as running:
        yield running


def at(broker: Mosquitto, folder: Path, ca: Path | None = None) -> Broker:
    return Broker.at(
        f"mqtts://{HOST}:{broker.port}", ca or folder / "ca.pem", folder / "center.pem", folder / "center.key"
    )


def test_a_center_and_the_kit_meet_over_tls(broker: Mosquitto, folder: Path, tmp_path: Path) -> None:
    where, key = at(broker, folder), Key.new()
    keys = {"tls-kit": key.x}
    with Center(where.host, where.port, tmp_path, keys.get, tls=where.tls) as center:
        pace = Pace(5, 0.05, 0.1, 0)
        results = play(where, "tls-kit", key, [center.receipt_key.x], [], pace, lambda *_: None, ["order"])
    assert {result.point.id for result in results if result.verdict == "fail"} == set()
    assert {result.point.id for result in results if result.verdict == "pass"} >= {
        "receipt-in-time",
        "duplicate",
        "gap",
    }


def test_a_broker_that_another_authority_signed_is_refused(broker: Mosquitto, folder: Path, tmp_path: Path) -> None:
    where = at(broker, folder, folder / "strange" / "ca.pem")
    with pytest.raises(NoBroker, match="certificate"):
        play(where, "tls-kit", Key.new(), [], [], Pace(), lambda *_: None)
    with pytest.raises(TimeoutError, match=r"(?s)no MQTT 5 broker at mqtts://.*certificate"):
        Center(where.host, where.port, tmp_path, tls=where.tls).start(1.0)


def test_wrong_words_and_files_are_named(folder: Path) -> None:
    url, ca = "mqtts://host:1", folder / "ca.pem"
    for words, said in (
        (("http://host",), "mqtts://HOST:PORT"),
        (("mqtts://user:secret@host",), "mqtts://HOST:PORT"),
        ((url,), "--ca"),
        ((url, ca, folder / "center.pem"), "go together"),
        (("mqtt://host", ca), "go with mqtts://"),
        ((url, folder / "none.pem"), "none.pem"),
        ((url, ca, folder / "center.pem", folder / "broker.key"), "broker.key"),
    ):
        with pytest.raises(ValueError, match=said):
            Broker.at(*words)
    made = Broker.at(url, ca)
    assert made.tls is not None
    assert (made.tls.minimum_version, made.tls.check_hostname) == (ssl.TLSVersion.TLSv1_2, True)
    assert str(made) == "mqtts://host:1"


def test_the_command_says_what_is_wrong_with_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["status", "p-1", "--dir", str(folder), "--broker", "mqtts://host:1", "--ca", str(folder / "none.pem")]
    assert main(words) == 2
    assert "none.pem" in capsys.readouterr().err.replace("\n", "")
