"""The center's keys, exchanged from afar through a real broker and uplink; and two centers that command one panel."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hil.center import Center
from hil.center.exchange import Exchange
from hil.center.keys import Key
from tests.system.rig import Rig, rig

WAIT_S = 15.0
OPERATOR = "Li"


def listed(**keys: list[str]) -> Callable[[str], str]:
    """Puts these keys into `[center]` of the panel file."""

    def edit(text: str) -> str:
        for name, found in keys.items():
            line = f"{name} = [{', '.join(repr(x) for x in found)}]".replace("'", '"')
            text, changed = re.subn(rf"^{name} = .*$", line, text, count=1, flags=re.MULTILINE)
            text = text if changed else text.replace("[center]", f"[center]\n{line}", 1)
        return text

    return edit


@contextmanager
def running(center: Center, keys: dict[str, str], port: int, **listed_keys: list[str]) -> Iterator[Rig]:
    with rig(port=port, center=(center.receipt_key.x, center.command_key.x), edit=listed(**listed_keys)) as panel:
        panel.start("core")
        keys[panel.panel] = str(panel.panel_x())
        panel.start("uplink")
        assert center.wait(lambda c: c.heads(panel.panel), WAIT_S)
        yield panel


def held(center: Center, panel: Rig, kind: str, number: int = 1) -> list[dict[str, Any]]:
    """Payloads of this kind at the center, at least so many."""

    def found() -> list[dict[str, Any]]:
        return [r["payload"] for r in center.records(panel.panel) if r["header"]["kind"] == kind]

    assert center.wait(lambda _: len(found()) >= number, WAIT_S), f"{kind} not at the center"
    return found()


def ask(center: Center, panel: Rig, command: str = "status") -> str:
    """A command's result."""
    counter = center.command(panel.panel, command, {}, OPERATOR)
    assert center.wait(lambda c: c.reply(panel.panel, counter), WAIT_S), f"no reply to {counter}"
    return str((center.reply(panel.panel, counter) or {})["result"])


def serials(center: Center, panel: Rig) -> list[int]:
    return [r["payload"]["serial"] for r in center.records(panel.panel) if r["header"]["kind"] == "config.keys"]


def until_held(center: Center, panel: Rig, exchange: Exchange) -> None:
    """What a panel that was off is sent until it shows it; what comes too fast, the uplink drops."""
    for _ in range(10):
        center.send(panel.panel, "keys", exchange.token())
        if center.wait(lambda c: exchange.serial in serials(c, panel), 2.0):
            return
    raise AssertionError(f"list {exchange.serial} never counted")


def restart(center: Center, panel: Rig, *names: str) -> None:
    """Kill core; until the new one's heartbeat is at the center: one of the old may still be on its way."""
    victims = names or ("core",)
    for name in victims:
        panel.kill(name)
    before = session(center, panel)
    panel.start(*victims)
    assert center.wait(lambda c: session(c, panel) > before, WAIT_S)


def session(center: Center, panel: Rig) -> int:
    return int(center.store.rows("SELECT MAX(session) FROM heads WHERE panel=?", panel.panel)[0][0])


@pytest.mark.clause("GB 55029 2.0.4 boundary")
def test_a_stolen_command_key_is_revoked_without_a_visit_and_stays_so(mosquitto: int, tmp_path: Path) -> None:
    keys: dict[str, str] = {}
    root, new_receipt, new_command = (Key.at(tmp_path / name) for name in ("root", "receipt", "command"))
    with (
        Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get) as center,
        running(center, keys, mosquitto, root_keys=[root.x]) as panel,
    ):
        stolen = center.command_key
        assert ask(center, panel, "arm") == "done"
        center.receipt_key, center.command_key = new_receipt, new_command
        exchange = Exchange(root, 7, [new_receipt.x], [new_command.x])
        center.send(panel.panel, "keys", exchange.token())
        said = held(center, panel, "config.keys")[0]
        assert (said["by"], said["serial"], said["root"]) == ("center", 7, root.kid)
        assert (said["receipt"], said["command"]) == ([new_receipt.kid], [new_command.kid])
        assert ask(center, panel) == "done"
        for _ in range(2):
            number = len(held(center, panel, "command.refused", 0))
            counter, nonce = center.store.next_command(panel.panel, "disarm", {}, "thief", "2026-03-14T23:09:30.000Z")
            body = {"panel": panel.panel, "counter": counter, "nonce": nonce, "command": "disarm", "operator": "thief"}
            center.send_command(panel.panel, stolen.sign("fenghuo.command.v1", body | {"args": {}}))
            assert held(center, panel, "command.refused", number + 1)[-1]["reason"] == "unknown-key"
            # Neither SIGKILL nor another panel file that was written from the old list brings the stolen key back.
            panel.rewrite(lambda text: text + "\n# another file\n")
            restart(center, panel, "core", "uplink")  # the uplink ends by itself when core has another file
        assert panel.mode("hall") == "armed"
        assert ask(center, panel, "disarm") == "done"
        assert len(held(center, panel, "config.keys")) == 1
        panel.stop()
        panel.check_journal()


def test_a_kill_in_the_midst_of_an_exchange_leaves_the_old_list_or_the_new(mosquitto: int, tmp_path: Path) -> None:
    keys: dict[str, str] = {}
    root, other = (Key.at(tmp_path / name) for name in ("root", "other"))
    with (
        Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get) as center,
        running(center, keys, mosquitto, root_keys=[root.x]) as panel,
    ):
        both = [center.receipt_key.x, other.x]
        for serial in range(1, 5):
            exchange = Exchange(root, serial, both, [center.command_key.x])
            center.send(panel.panel, "keys", exchange.token())
            restart(center, panel)
            assert ask(center, panel) == "done"
            until_held(center, panel, exchange)
        assert [said["serial"] for said in held(center, panel, "config.keys", 4)] == [1, 2, 3, 4]
        panel.stop()
        panel.check_journal()


def test_a_heartbeat_with_an_older_number_is_answered_with_the_list(mosquitto: int, tmp_path: Path) -> None:
    keys: dict[str, str] = {}
    root = Key.at(tmp_path / "root")
    with Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get) as center:
        exchange = Exchange(root, 3, [center.receipt_key.x], [center.command_key.x])
        standing = exchange.attach(center)
        shown: list[int] = []
        center.on_arrival(lambda a: shown.append(a.body["keys_serial"]) if a.what == "heartbeat" else None)
        with running(center, keys, mosquitto, root_keys=[root.x]) as panel:
            held(center, panel, "config.keys")
            assert center.wait(lambda _: shown[-1:] == [3], WAIT_S)
            assert shown[0] == 0
            assert list(standing.sent) == [panel.panel]


@pytest.mark.clause("EN 50131-1 levels remote")
def test_two_centers_that_count_for_themselves_command_one_panel(mosquitto: int, tmp_path: Path) -> None:
    keys: dict[str, str] = {}
    with (
        Center("127.0.0.1", mosquitto, tmp_path / "first", panels=keys.get) as first,
        Center("127.0.0.1", mosquitto, tmp_path / "second", panels=keys.get) as second,
    ):
        receipts = [first.receipt_key.x, second.receipt_key.x]
        commands = [first.command_key.x, second.command_key.x]
        with running(first, keys, mosquitto, receipt_keys=receipts, command_keys=commands) as panel:
            assert second.wait(lambda c: c.heads(panel.panel), WAIT_S)
            assert [ask(first, panel) for _ in range(3)] == ["done"] * 3
            assert ask(second, panel, "arm") == "done"
            assert ask(first, panel, "disarm") == "done"
            assert first.counts()["reply-to-another"] == 1
            by_key = [(p["key"], p["counter"]) for p in held(first, panel, "command.done", 5)]
            assert by_key == [
                *((first.command_key.kid, number) for number in (1, 2, 3)),
                (second.command_key.kid, 1),
                (first.command_key.kid, 4),
            ]
            restart(second, panel)
            assert ask(second, panel) == "done"
