"""The payloads of signed things: each comes back from its token, and never from a token of another typ."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.protocol import signed as s
from firmware.protocol.canonical import MAX_INTEGER
from firmware.protocol.jws import KeyRing, Refused, b64url
from firmware.protocol.records import Strict
from firmware.protocol.typ import BASE, CHECKPOINT, COMMAND, HEARTBEAT, KEYS, RECEIPT, REPLY, TICK, TIME
from firmware.protocol.vectors import PANEL_SEED, signer
from tests.firmware.protocol import strategies as some

key = signer(PANEL_SEED)
ring = KeyRing([key.public])
READERS: dict[str, Callable[[KeyRing, str], Strict]] = {
    HEARTBEAT: s.read_heartbeat,
    RECEIPT: s.read_receipt,
    COMMAND: s.read_command,
    REPLY: s.read_reply,
    KEYS: s.read_keys,
    TIME: s.read_time,
    CHECKPOINT: s.read_checkpoint,
    BASE: s.read_base,
    TICK: s.read_tick,
}
zero_up = st.integers(0, MAX_INTEGER)
ids = st.text("abc-1", min_size=1, max_size=8)
ranges = st.tuples(some.numbers, some.numbers, some.hexes).map(
    lambda r: {"first": min(r[:2]), "last": max(r[:2]), "hash": r[2]}
)
xs = st.binary(min_size=32, max_size=32).map(b64url)
certificates = st.binary(min_size=1, max_size=2000).map(
    lambda der: f"-----BEGIN CERTIFICATE-----\n{b64encode(der).decode()}\n-----END CERTIFICATE-----\n"
)
place = {"panel": some.panels, "journal": some.journals}
PAYLOADS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    HEARTBEAT: st.fixed_dictionaries(
        {
            **place,
            "session": some.numbers,
            "beat": some.numbers,
            "time": some.moments,
            "clock": some.clocks,
            "monotonic_ms": zero_up,
            "seq": zero_up,
            "hash": some.hexes,
            "lanes": st.dictionaries(some.lanes, zero_up),
            "troubles": st.lists(ids, max_size=4),
            "keys_serial": zero_up,
            "nonce": some.nonces,
        }
    ),
    RECEIPT: st.fixed_dictionaries({**place, "lane": some.lanes, "ranges": st.lists(ranges, min_size=1, max_size=3)}),
    COMMAND: st.fixed_dictionaries(
        {
            "panel": some.panels,
            "counter": some.numbers,
            "nonce": some.nonces,
            "command": st.sampled_from(get_args(s.CommandName)),
            "args": st.fixed_dictionaries(
                {
                    "areas": st.lists(ids, max_size=3),
                    "zone": ids,
                    "part": ids,
                    "instant": st.booleans(),
                    "override": st.booleans(),
                    "event": st.sampled_from(["", "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47-17"]),
                    "picture": st.integers(0, 64),
                    "offset": some.numbers,
                    "put": st.sampled_from(["", "https://a.example:8443/x?y"]),
                }
            ),
            "operator": some.texts.filter(bool),
        }
    ),
    REPLY: st.fixed_dictionaries(
        {
            "panel": some.panels,
            "counter": st.none() | some.numbers,
            "key": st.sampled_from(["", key.kid]),
            "result": st.sampled_from(["done", "refused"]),
            "reason": ids,
            "detail": some.payloads,
            "time": some.moments,
        }
    ),
    KEYS: st.fixed_dictionaries(
        {
            "panel": some.panels | st.just("*"),
            "serial": some.numbers,
            "receipt_keys": st.lists(xs, min_size=1, max_size=8),
            "command_keys": st.lists(xs, max_size=8),
            "authorities": st.lists(certificates, max_size=4),
        }
    ),
    TIME: st.fixed_dictionaries({"panel": some.panels, "nonce": some.nonces, "time": some.moments}),
    CHECKPOINT: st.fixed_dictionaries(
        {**place, "seq": some.numbers, "hash": some.hexes, "state_hash": some.hexes, "time": some.moments}
    ),
    BASE: st.fixed_dictionaries(
        {
            **place,
            "seq": some.numbers,
            "hash": some.hexes,
            "state_hash": some.hexes,
            "time": some.moments,
            "lanes": st.dictionaries(some.lanes, zero_up),
            "expired": zero_up,
        }
    ),
    TICK: st.fixed_dictionaries(
        {**place, "seq": zero_up, "state_hash": some.hexes, "boot": ids, "monotonic_ms": zero_up}
    ),
}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.data())
def test_round_trip_and_no_other_typ(typ: str, data: st.DataObject) -> None:
    payload = data.draw(PAYLOADS[typ])
    token = key.sign(typ, payload)
    model = READERS[typ](ring, token)
    assert model.model_dump() == payload
    assert READERS[typ](ring, key.sign(typ, model.model_dump())) == model
    for other, read in READERS.items():
        if other != typ:
            with pytest.raises(Refused, match="wrong-type"):
                read(ring, token)


@pytest.mark.parametrize("args", [{}, {"areas": ["hall"]}, {"areas": ["hall"], "zone": ""}])
@pytest.mark.parametrize("name", ["arm", "disarm", "bypass", "unbypass", "silence", "status"])
def test_commands_of_the_first_centers_stay_valid(name: str, args: dict[str, Any]) -> None:
    payload = {"panel": "bank-1", "counter": 1, "nonce": "A" * 22, "command": name, "args": args, "operator": "Li"}
    command = s.read_command(ring, key.sign(COMMAND, payload))
    assert (command.command, command.args.part, command.args.instant, command.args.override) == (name, "", False, False)


@pytest.mark.parametrize("name", ["toggle", "rearm", "isolate", "unisolate", "grant", "leave", "walk-test", "end-test"])
def test_what_is_for_people_at_the_panel_is_no_command(name: str) -> None:
    payload = {"panel": "bank-1", "counter": 1, "nonce": "A" * 22, "command": name, "args": {}, "operator": "Li"}
    with pytest.raises(Refused, match="malformed"):
        s.read_command(ring, key.sign(COMMAND, payload))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(READERS)), some.payloads)
def test_any_other_payload_is_malformed(typ: str, payload: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="malformed"):
        READERS[typ](ring, key.sign(typ, payload))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.data())
def test_a_member_more_less_or_of_another_type_is_malformed(typ: str, data: st.DataObject) -> None:
    payload = data.draw(PAYLOADS[typ])
    member = data.draw(st.sampled_from(sorted(payload)))
    less = {k: v for k, v in payload.items() if k != member}
    odd = payload | {member: data.draw(st.sampled_from([True, -1, [[]], [{"no": 1}], 2**60]))}
    for wrong in (less, odd, payload | {"more": None}):
        with pytest.raises(Refused, match="malformed"):
            READERS[typ](ring, key.sign(typ, wrong))


@pytest.mark.parametrize(
    "change",
    [
        {"ranges": []},
        {"ranges": [{"first": 1, "last": 1, "hash": "0" * 64}] * 65},
        {"ranges": [{"first": 2, "last": 1, "hash": "0" * 64}]},
        {"ranges": [{"first": 0, "last": 1, "hash": "0" * 64}]},
        {"ranges": [{"first": 1, "last": 2**53 - 1, "hash": "0" * 63}]},
        {"lane": "telemetry"},
    ],
)
def test_receipts_are_bounded(change: dict[str, Any]) -> None:
    good = {
        "panel": "bank-1",
        "journal": "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47",
        "lane": "alarm",
        "ranges": [{"first": 1, "last": 1, "hash": "0" * 64}],
    }
    assert s.read_receipt(ring, key.sign(RECEIPT, good)).lane == "alarm"
    with pytest.raises(Refused, match="malformed"):
        s.read_receipt(ring, key.sign(RECEIPT, good | change))


def test_command_arguments_may_be_left_out() -> None:
    payload = {"panel": "bank-1", "counter": 1, "nonce": "A" * 22, "command": "status", "args": {}, "operator": "x"}
    command = s.read_command(ring, key.sign(COMMAND, payload))
    assert (command.args.areas, command.args.zone) == ([], "")
