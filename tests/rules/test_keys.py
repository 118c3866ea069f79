"""The keys of the alarm center: what counts, what is kept, what is recorded."""

from rules import KeysTold, RemoteCommand, Wish, decode, encode
from tests.rules.branch import Panel, answer, kinds, payload


def rotation(serial: int, command: tuple[str, ...] = ("c2",), kept: str = "") -> KeysTold:
    return KeysTold("center", serial, ("r2",), command, "root-1", ("ab" * 32,), kept or f'{{"serial":{serial}}}')


def test_the_keys_of_the_file_are_no_news() -> None:
    panel = Panel()
    assert kinds(panel.play(KeysTold("file", 0, ("r1",), ("c1",)))) == []
    assert encode(panel.state) == encode(Panel().state)


def test_an_exchange_is_kept_and_recorded() -> None:
    panel = Panel()
    effects = panel.play(rotation(3))
    assert payload(effects, "config.keys") == {
        "by": "center",
        "serial": 3,
        "receipt": ["r2"],
        "command": ["c2"],
        "root": "root-1",
        "authorities": ["ab" * 32],
    }
    durable = decode(encode(panel.state)).durable
    assert (durable.keys_by, durable.keys_serial, durable.center_keys) == ("center", 3, '{"serial":3}')


def test_an_exchange_that_is_not_newer_changes_nothing() -> None:
    panel = Panel()
    panel.play(rotation(3))
    before = panel.state
    for serial in (3, 2, 0):
        assert panel.play(rotation(serial, ("evil",))) == ()
    assert panel.state == before


def test_a_restart_with_the_same_keys_is_no_news() -> None:
    panel = Panel()
    panel.play(rotation(3))
    panel.start()
    assert kinds(panel.play(KeysTold("center", 3, ("r2",), ("c2",)))) == []
    assert panel.state.durable.center_keys == '{"serial":3}'


def test_a_file_with_a_newer_list_is_recorded_and_the_exchange_is_kept() -> None:
    panel = Panel()
    panel.play(rotation(3))
    effects = panel.play(KeysTold("file", 4, ("r3",), ("c3",)))
    assert (payload(effects, "config.keys")["by"], payload(effects, "config.keys")["serial"]) == ("file", 4)
    # An older file again: the exchange counts as before, and what was revoked by it stays so.
    assert payload(panel.play(KeysTold("center", 3, ("r2",), ("c2",))), "config.keys")["serial"] == 3


def test_a_key_that_no_longer_counts_loses_its_counter() -> None:
    panel = Panel()
    panel.play(RemoteCommand(7, "Li", Wish.STATUS, key="c1"))
    panel.play(RemoteCommand(9, "Li", Wish.STATUS, key="c2"))
    panel.play(rotation(1, ("c2", "c3")))
    assert panel.state.durable.counters == {"c2": 9}
    assert answer(panel.play(RemoteCommand(1, "Li", Wish.STATUS, key="c3"))).done
