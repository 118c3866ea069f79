"""Our frames read by a receiver that somebody else wrote (pysiaalarm), over TCP, and its answers read by us."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from random import Random

import pytest
from pysiaalarm.account import SIAAccount
from pysiaalarm.event import SIAEvent
from pysiaalarm.sync.server import SIATCPServer
from pysiaalarm.utils.counter import Counter

from firmware.uplink.dc09.codes import Format, Names, Style, messages
from firmware.uplink.dc09.frame import NULL, Message, Reply, Splitter, Station, frame, padding, read_reply
from rules.vocabulary import KINDS
from tests.firmware.uplink.dc09.rig import record

KEYS = {n: "0123456789ABCDEF0123456789ABCDEF"[:n] for n in (16, 24, 32)}
STATION = Station("1234")
NAMES = Names(areas={"hall": 1}, zones={"door": "Front door"}, users={"li": 12}, paths=("a", "b", "c"))
WHERE = {"zone": "door", "zone_number": 15, "areas": ["hall"], "user": "li"}


class Independent:
    """The receiver, and one connection to it."""

    def __init__(self, key: str | None) -> None:
        self.events: queue.Queue[SIAEvent] = queue.Queue()
        self.key = key.encode() if key else None
        self.counts = Counter()
        accounts = {"1234": SIAAccount("1234", key)}
        self._server = SIATCPServer(("127.0.0.1", 0), accounts, self.events.put, self.counts)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self._socket = socket.create_connection(("127.0.0.1", int(self._server.server_address[1])), 5)
        self._sequence = 0

    def say(self, message: Message, late_s: float = 0.0) -> Reply:
        self._sequence += message is not NULL
        pad = padding(message, STATION, Random(self._sequence)) if self.key else b""
        number = 0 if message is NULL else self._sequence
        self._socket.sendall(frame(message, number, STATION, time.time() - late_s, self.key, pad))
        splitter = Splitter()
        while not (found := list(splitter.feed(self._socket.recv(4096)))):
            pass
        return read_reply(found[0], self.key)

    def event(self) -> SIAEvent:
        """The next one that it took: it answers first, and hands over then."""
        return self.events.get(timeout=5)

    def close(self) -> None:
        self._socket.close()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(params=[None, *KEYS.values()], ids=["plain", "AES-128", "AES-192", "AES-256"])
def independent(request: pytest.FixtureRequest) -> Iterator[Independent]:
    made = Independent(request.param)
    yield made
    made.close()


def test_a_contact_id_event_and_its_restore(independent: Independent) -> None:
    for qualifier, kind in (("1", "alarm.entry"), ("3", "restore.entry")):
        (message,) = messages(record(kind, WHERE), NAMES, Style(), time.time())
        reply = independent.say(message)
        assert (reply.word, reply.account, reply.encrypted) == ("ACK", "1234", independent.key is not None)
        event = independent.event()
        assert (event.event_qualifier, event.event_type, event.partition, event.ri) == (qualifier, "134", "01", "015")
        assert event.valid_message
        assert int(event.length or "", 16) == len(event.full_message or "")
        assert event.sequence == ("0001" if qualifier == "1" else "0002")


def test_a_sia_event_with_text_and_several_blocks(independent: Independent) -> None:
    style = Style("sia-dcs", "all", text=True, mac="0123456789AB")
    (message,) = messages(record("alarm.intruder", WHERE), NAMES, style, time.time())
    assert independent.say(message).word == "ACK"
    event = independent.event()
    assert (event.code, event.ri, event.message) == ("BA", "1", "015^Front door^")
    found = {data.identifier: data.value for data in event.extended_data or ()}
    assert found["M"] == "0123456789AB"
    assert found["I"] == "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47-2"
    assert found["H"] == "15:09:26,03-14-2026"


def test_null_is_acknowledged_with_the_receivers_time_where_it_is_encrypted(independent: Independent) -> None:
    reply = independent.say(NULL)
    assert (reply.word, reply.sequence, reply.encrypted) == ("ACK", 0, independent.key is not None)
    if independent.key:
        assert reply.moment is not None
        assert abs(reply.moment - time.time()) < 5


def test_a_message_that_comes_too_late_is_answered_with_the_time(independent: Independent) -> None:
    reply = independent.say(Message("ADM-CID", "1131 01 015"), late_s=120)
    assert (reply.word, reply.sequence, reply.encrypted) == ("NAK", 0, False)
    assert reply.moment is not None
    assert abs(reply.moment - time.time()) < 5


def test_a_code_that_it_does_not_know_is_a_duh(independent: Independent) -> None:
    reply = independent.say(Message("SIA-DCS", "NQX001"))
    assert (reply.word, reply.sequence, reply.encrypted) == ("DUH", 1, False)


@pytest.mark.parametrize("format_", ["adm-cid", "sia-dcs"])
def test_every_kind_with_a_code_is_taken(format_: Format) -> None:
    independent = Independent(None)
    style = Style(format_)
    refused = []
    try:
        for kind in KINDS:
            for message in messages(record(kind, WHERE), NAMES, style, time.time()):
                if independent.say(message).word != "ACK":
                    refused.append((kind, message.content))
    finally:
        independent.close()
    assert independent.counts.valid_events > 100
    # HV is younger than its list of codes (digest §4.4).
    assert refused == ([] if format_ == "adm-cid" else [("alarm.hold-up-confirmed", "Nri1/HV015")])
